"""Accounts that get more on a class than they may, put right from here: previewed, chosen, done by a job, never undone."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest

from crm.errors import NotAllowed, OutsideWorldError, WrongState
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job, Notification
from tests.cast import Cast
from tests.trading.cap_breaches.test_lowering import with_a_position
from tests.trading.factories import make_account, make_type, tell_margins
from tests.trading.sandbox_server import Sandbox
from trading.accounts import requests
from trading.cap_breaches import breaches, remedies
from trading.choices import MarginFormula
from trading.leverage import account_groups
from trading.models import AccountRequest, AccountType, TradingAccount, TradingServer
from trading.platforms.base import GroupData, MarginRule, Purpose
from trading.platforms.pool import platform_for
from trading.sync.settings import store_groups

pytestmark = pytest.mark.django_db
STANDARD, PRO = "real\\standard-EUR", "real\\pro-EUR"


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    return make_type(cast.brand, server, leverages=[10, 20, 30])


@pytest.fixture
def careful(cast: Cast, standard: AccountType) -> AccountType:
    """Of the same kind, in a group of its own."""
    return make_type(cast.brand, standard.server, name="Careful", group=PRO, leverages=[10, 20, 30], is_default=False)


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    """A retail client's in Germany, opened with 1:30."""
    return make_account(cast.client, standard.server, login=sandbox.new_account(LEVERAGE=30), account_type=standard)


def tell(standard: AccountType, **of_other: object) -> None:
    """Gold gives 1:30 in the account's group, and what it may in the other, unless that is told otherwise."""
    tell_margins(standard, {"EURUSD": "1", "XAUUSD": "1"})
    group = {
        "currency": "EUR",
        "currency_digits": 2,
        "is_hedging": True,
        "margin_call": Decimal(100),
        "stop_out": Decimal(50),
    }
    other = {"margin_rules": (MarginRule("Metals*", rate=Decimal("1.5")),), **group, **of_other}
    store_groups(
        standard.server,
        [
            GroupData(name=STANDARD, margin_rules=(), **group),  # type: ignore[arg-type]
            GroupData(name=PRO, **other),  # type: ignore[arg-type]
        ],
    )
    account_groups.refresh()


def options(cast: Cast) -> list[str]:
    return [words for sort in remedies.preview(cast.mlro).sorts for _key, words in sort.options]


def run(cast: Cast, browse, words: str) -> Job:
    """Choose on the page what these words say, and let the job do it."""
    [key] = [key for sort in remedies.preview(cast.mlro).sorts for key, one in sort.options if one == words]
    assert browse(cast.mlro).post("/trading/leverage-caps/above/put-right/", {"choice": [key, ""]}).status_code == 302
    job = Job.objects.get(kind="trading.put_classes_right")
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    return job


MOVE = "Move to Careful EUR (real\\pro-EUR) with 1:30"


def test_less_leverage_and_another_types_group_are_offered_the_most_leverage_first(
    cast: Cast, standard: AccountType, careful: AccountType, account: TradingAccount, browse
) -> None:
    tell(standard)
    assert options(cast) == [MOVE, "Leverage 1:20"]
    page = browse(cast.mlro).get("/trading/leverage-caps/above/").content.decode()
    assert MOVE in page and "Apply remedies" in page and "XAUUSD: margin 1 → 1.5 or more" in page
    assert "Apply remedies" not in browse(cast.auditor).get("/trading/leverage-caps/above/").content.decode()
    assert browse(cast.auditor).post("/trading/leverage-caps/above/put-right/").status_code == 403


def test_a_group_is_offered_only_where_its_margins_are_told_and_keep_every_class(
    cast: Cast, standard: AccountType, careful: AccountType, account: TradingAccount
) -> None:
    for of_other in (
        {"margin_rules": None},
        {"margin_rules": ()},
        {"margin_profile": "Dynamic"},
        {"uses_discounts": True},
        {"is_hedging": False},
    ):
        tell(standard, **of_other)
        assert options(cast) == ["Leverage 1:20"], of_other
    tell(standard, margin_rules=(MarginRule("Metals*", is_traded=False),))
    assert options(cast) == [f"{MOVE}; not traded there: Gold", "Leverage 1:20"]
    for change in ({"kind": "vip"}, {"is_enabled": False}, {"excluded_countries": ["DE"]}, {"kyc_level": 3}):
        AccountType.objects.filter(pk=careful.pk).update(**change)
        assert options(cast) == ["Leverage 1:20"], change
        AccountType.objects.filter(pk=careful.pk).update(
            kind="retail", is_enabled=True, excluded_countries=[], kyc_level=1
        )


def test_where_nothing_helps_from_here_the_margin_to_be_raised_is_named(
    cast: Cast, standard: AccountType, account: TradingAccount, browse
) -> None:
    fixed = {"margin_fixed": Decimal(2), "margin_formula": MarginFormula.AMOUNT, "margin_by_leverage": False}
    worth = {"lot_value": Decimal(100), "lot_currency": "USD", "currency_margin": "USD"}
    tell_margins(standard, {"XAUUSD": "1"}, of_symbols={**fixed, **worth})
    account_groups.refresh()
    assert options(cast) == []
    page = browse(cast.mlro).get("/trading/leverage-caps/above/").content.decode()
    assert "No remedy available" in page and "XAUUSD: margin 2.00 % → 5.00 % or more" in page
    assert breaches.watch() == 1
    health = browse(cast.administrator).get("/trading/health/").content.decode()
    assert "(XAUUSD: 2.00 % → 5.00 %)" in health


def test_the_job_moves_tells_the_platform_and_the_client_and_is_not_undone(
    cast: Cast, standard: AccountType, careful: AccountType, account: TradingAccount, browse
) -> None:
    tell(standard)
    job = run(cast, browse, MOVE)
    account.refresh_from_db()
    assert (account.group, account.leverage, account.account_type) == (PRO, 30, careful)
    data = platform_for(account.server, Purpose.READS).read_account(account.login)
    assert data is not None and (data.group, data.leverage) == (PRO, 30)
    assert breaches.classes_above(cast.mlro) == [] and breaches.count_above(cast.mlro) == 0
    actions = set(AuditEvent.objects.filter(client_id=cast.client.pk).values_list("action", flat=True))
    assert {"trading.change_ordered", "trading.change_made"} <= actions
    assert Notification.objects.filter(user=cast.client_user, body__contains="ESMA").count() == 1
    one = AccountRequest.objects.get()
    assert one.is_by_rule and one.state == "granted"
    with pytest.raises(WrongState, match="can't be undone"):
        requests.undo(request_id=one.pk, actor=cast.administrator)
    run_job(job.pk)
    assert AccountRequest.objects.count() == 1, "twice is once"


@pytest.mark.parametrize(("fault", "state"), [("drop_after", "granted"), ("drop_before", "waiting")])
def test_after_a_lost_answer_the_platform_is_looked_at(
    cast: Cast,
    standard: AccountType,
    careful: AccountType,
    account: TradingAccount,
    sandbox: Sandbox,
    fault: str,
    state: str,
) -> None:
    tell(standard)
    [move, _less] = [key for sort in remedies.preview(cast.mlro).sorts for key, _words in sort.options]
    sandbox.fault(fault, "USER_UPDATE")
    with contextlib.suppress(OutsideWorldError):
        remedies.put_right(account_id=account.pk, chosen={move}, actor=cast.mlro)
    one = AccountRequest.objects.get()
    account.refresh_from_db()
    assert (one.state, account.group) == (state, PRO if state == "granted" else STANDARD)
    if state == "waiting":
        with pytest.raises(NotAllowed, match="can't withdraw it"):
            requests.withdraw(request_id=one.pk, actor=cast.client_user)


def test_what_changed_since_it_was_chosen_is_left_alone(
    cast: Cast, standard: AccountType, careful: AccountType, account: TradingAccount
) -> None:
    tell(standard)
    [move, less] = [key for sort in remedies.preview(cast.mlro).sorts for key, _words in sort.options]
    with_a_position(account)
    assert remedies.preview(cast.mlro).sorts[0].held == 1
    with pytest.raises(WrongState, match="open positions"):
        remedies.put_right(account_id=account.pk, chosen={move}, actor=cast.mlro)
    account.positions.all().delete()
    with pytest.raises(NotAllowed):
        remedies.put_right(account_id=account.pk, chosen={move}, actor=cast.auditor)
    tell(standard, margin_rules=())
    with pytest.raises(WrongState, match="no longer brings this account within"):
        remedies.put_right(account_id=account.pk, chosen={move}, actor=cast.mlro)
    requests.ask(account_id=account.pk, kind=requests.RequestKind.PASSWORD, actor=cast.client_user)
    AccountRequest.objects.update(state="waiting", decided_at=None)
    with pytest.raises(WrongState, match="Decide it first"):
        remedies.put_right(account_id=account.pk, chosen={less}, actor=cast.mlro)
    AccountRequest.objects.all().delete()
    assert remedies.put_right(account_id=account.pk, chosen={less}, actor=cast.mlro).state == "granted"
    with pytest.raises(WrongState, match="within its caps"):
        remedies.put_right(account_id=account.pk, chosen={less}, actor=cast.mlro)
