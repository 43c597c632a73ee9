"""What goes wrong with cTrader's accounts (facts/platforms §9, points 12 to 16): made once with their cTID, never written over,
gone and back, and no secret told."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from tests.cast import Cast
from tests.trading.ctrader_server import HASH, PASSWORD, CtraderSandbox, wire_group
from tests.trading.factories import make_account, make_type
from trading.accounts import balance_operations, opening
from trading.choices import AccountState, MissingBecause, OperationKind
from trading.models import BalanceOperation, Deal, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, NewAccount, Purpose, Right
from trading.platforms.ctrader import roll
from trading.platforms.ctrader.platform import CtraderPlatform
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformBusy
from trading.sync import deals, money

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
OVERLAP = dt.timedelta(seconds=30)
MONEY = {"rest": "CHANGEBALANCE", "manager": "CHANGE_BALANCE"}


@pytest.fixture
def sandbox(ctrader: CtraderSandbox) -> CtraderSandbox:
    return ctrader


@pytest.fixture
def server(ctrader_row: TradingServer) -> TradingServer:
    return ctrader_row


@pytest.fixture
def platform(ctrader_platform: CtraderPlatform) -> CtraderPlatform:
    return ctrader_platform


def account_on(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox, group: str = "real\\standard-EUR", amount: str = "0"
) -> TradingAccount:
    return make_account(
        cast.client,
        server,
        login=sandbox.account(group, amount),
        group=wire_group(group),
        currency=group.rpartition("-")[2],
        opened_at=timezone.now() - dt.timedelta(days=2),
    )


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return balance_operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def booked(sandbox: CtraderSandbox, account: TradingAccount) -> list[str]:
    return [deal["Profit"] for deal in sandbox.truth(account.login)["deals"]]


# -- 12, 13, 14, 15: accounts -------------------------------------------------------------------------------------------


def wanted(**fields: Any) -> NewAccount:
    values = {
        "login": "",
        "group": "LIVE_STANDARD_EUR",
        "leverage": 30,
        "name": "Anna Muster",
        "currency": "EUR",
        "reference": f"keelson-{time.monotonic_ns()}",
        "main_password": "Abcdef1!",
        "investor_password": "Abcdef2!",
        "email": f"{time.monotonic_ns()}@traders.example",
        **fields,
    }
    return NewAccount(**values)


def test_12_trader_ctid_and_link_are_made_in_this_order(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    wish = wanted()
    made = platform.create_account(wish)
    with sandbox.rest(sandbox.token()) as rest:
        again = rest.post("/cid/ctid/create", json={"email": wish.email, "brokerName": "keelson"}).json()
        link = {
            "traderLogin": int(made.login),
            "userId": again["userId"],
            "brokerName": "keelson",
            "traderPasswordHash": "8d8b9d4a8c1e",
            "environmentName": "live",
        }
        assert again.keys() == {"userId"} and rest.post("/cid/ctid/link", json=link).status_code == 400
    second = platform.create_account(wanted(email=wish.email))  # one person, two accounts
    assert second.login != made.login and made.allowed == {Right.SIGN_IN, Right.TRADE}


@pytest.mark.parametrize(
    ("fault", "command", "kind"),
    [
        ("retcode", "CTID_CREATE", FinalError),
        ("retcode", "CTID_LINK", FinalError),
        ("drop_before", "CTID_LINK", OutcomeUnknown),
        ("drop_after", "CTID_LINK", OutcomeUnknown),
        ("never_after", "CTID_CREATE", OutcomeUnknown),
    ],
)
def test_12_an_account_whose_ctid_fails_is_disabled_again_and_a_repeat_finds_it(
    sandbox: CtraderSandbox, fault: str, command: str, kind: type[Exception]
) -> None:
    before, wish = sandbox.state()["users"], wanted()
    sandbox.fault(fault, command, value=2)
    with sandbox.platform() as platform:
        with pytest.raises(kind, match="made and disabled again"):
            platform.create_account(wish)
        with sandbox.manager() as manager:
            request = pb.ProtoTraderListReq(fromTimestamp=0, toTimestamp=2**45)
            rows = manager.ask(request, pb.ProtoTraderListRes).trader
        (row,) = [one for one in rows if one.description == wish.reference]
        assert row.accessRights == pb.NO_LOGIN
        found = platform.create_account(replace(wish, may_exist=True, main_password="Zyxwvu9?"))
        assert found.login == str(row.login) and platform.check_password(found.login, "Zyxwvu9?")
        again = platform.read_account(found.login)
    assert again is not None and again.allowed == {Right.SIGN_IN, Right.TRADE}
    assert sandbox.state()["users"] == before + 1


def test_12_a_person_who_tries_a_failed_account_again_gets_the_first_one(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    account_type = make_type(cast.brand, server, group="LIVE_STANDARD_EUR", kyc_level=0)
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="wish:1", actor=None
    )
    before = sandbox.state()["users"]
    sandbox.fault("retcode", "CTID_LINK", value=2)
    assert opening.open_on_platform(account.pk) == AccountState.FAILED
    opening.retry_account(account_id=account.pk, actor=None)
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    assert sandbox.state()["users"] == before + 1


@pytest.mark.parametrize("manager_api", ["yes", "no"])
def test_12_a_lost_answer_to_a_new_account_is_found_by_our_reference(sandbox: CtraderSandbox, manager_api: str) -> None:
    before, wish = sandbox.state()["users"], wanted()
    sandbox.fault("drop_after", "TRADER_ADD")
    with sandbox.platform(manager_api=manager_api) as platform:
        with pytest.raises(OutcomeUnknown):
            platform.create_account(wish)
        found = platform.create_account(replace(wish, may_exist=True))
    assert found.reference == wish.reference and sandbox.state()["users"] == before + 1


@pytest.mark.parametrize("manager_api", ["yes", "no"])
def test_13_a_group_of_another_currency_or_none_is_refused(sandbox: CtraderSandbox, manager_api: str) -> None:
    login = sandbox.account()
    with sandbox.platform(manager_api=manager_api) as platform:
        for group in ("LIVE_STANDARD_USD", "live_pro_eur"):  # names are told apart by case
            with pytest.raises(FinalError):
                platform.update_account(login, group=group)
        assert platform.update_account(login, group="LIVE_PRO_EUR").group == "LIVE_PRO_EUR"


def test_14_what_a_dealer_set_is_not_written_over(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    with sandbox.rest(sandbox.token()) as rest:
        rest.patch(f"/v2/webserv/traders/{login}", json={"accessRights": "CLOSE_ONLY"})
    assert platform.update_account(login, leverage=50).rights == 1  # still closing only
    assert platform.update_account(login, rights={Right.TRADE: False}).rights == 1
    assert platform.disable_account(login).allowed == frozenset()
    back = platform.update_account(login, rights={Right.SIGN_IN: True, Right.TRADE: True})
    assert (back.rights, back.leverage) == (0, 50)


def test_14_a_change_that_met_another_is_read_and_made_again(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account()
    sandbox.fault("concurrent", "CRUD_TRADER", times=2)
    assert platform.update_account(login, leverage=20).leverage == 20
    sandbox.fault("concurrent", "CRUD_TRADER", times=3)
    with pytest.raises(PlatformBusy, match="at the same moment"):
        platform.update_account(login, leverage=25)
    assert sandbox.truth(login)["leverage"] == 20


def test_15_a_deleted_account_is_marked_and_its_rows_stay(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    account = account_on(cast, server, sandbox, amount="500.00")
    deals.sync_deals(server)
    sandbox.post("archive", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_because == MissingBecause.GONE and Deal.objects.filter(account=account).count() == 1
    sandbox.post("restore", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is None


# -- 16, 17 -------------------------------------------------------------------------------------------------------------


def test_16_no_secret_is_in_a_log_an_error_or_a_repr(sandbox: CtraderSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Token, manager's hash and traders' hashes, in every way that a request can go."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    login, wish = sandbox.account(), wanted()
    with sandbox.platform() as platform:
        made = platform.create_account(wish)
        platform.change_password(made.login, "Newpass1!")
        tokens = {platform.rest._token}
        platform.rest.config = replace(platform.config, read_seconds=0.2, write_seconds=0.2, connect_seconds=0.2)
        said += [repr(one) for one in (platform.config, platform.rest, platform.manager, platform, wish, made)]
        works = (
            ("CHANGEBALANCE", lambda: platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:SECRET")),
            ("TRADER_GET", lambda: platform.read_account(login)),
            ("TOKEN", lambda: platform.health()),
        )
        for fault in (
            "drop_before",
            "drop_after",
            "never_after",
            "garbage",
            "cut_off",
            "session_ends",
            "proxy_401",
            "maintenance",
        ):
            for command, work in works:
                if command == "TOKEN":
                    platform.rest._token = ""
                sandbox.fault(fault, command, value=9)
                said += errors_of(work)
                sandbox.post("faults/clear")
                tokens.add(platform.rest._token)
    told = "\n".join([*said, caplog.text])
    secrets = [HASH, PASSWORD, "Abcdef1!", "Newpass1!", *filter(None, tokens)]
    assert len(tokens) > 3 and not [secret for secret in secrets if secret in told]
    assert "token=" not in "\n".join(said) and len(said) > 40


def errors_of(work: Any) -> list[str]:
    """What an error says, what all the errors behind it say, and the line of our log with its traceback."""
    said: list[str] = []
    try:
        work()
    except Exception as problem:
        line = dict(settings.LOGGING["formatters"]["line"])
        record = logging.LogRecord("trading", logging.ERROR, __file__, 1, "failed: %s", (problem,), sys.exc_info())
        said.append(line.pop("()")(**line).format(record))
        chain: BaseException | None = problem
        while chain is not None:
            said.append(f"{chain!r} {chain} {chain.args}")
            chain = chain.__cause__ or chain.__context__
    return said


def test_16_our_own_http_never_logs_an_address(sandbox: CtraderSandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with sandbox.platform() as platform:
        assert platform.health()
        token = platform.rest._token
    assert token and token not in caplog.text and "/v2/webserv" not in caplog.text


def test_16_passwords_are_set_by_hash_and_there_is_no_investors(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account()
    platform.change_password(login, "Ganz-neu1!")
    assert platform.check_password(login, "Ganz-neu1!") and not platform.check_password(login, "Ganz-alt1!")
    for work in (platform.change_password, platform.check_password):
        with pytest.raises(FinalError, match="no investor password"):
            work(login, "Ganz-neu1!", investor=True)


def test_the_list_of_everybody_is_read_in_pages_that_are_learned(
    platform: CtraderPlatform, sandbox: CtraderSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "PAGE_ROWS", 2)
    monkeypatch.setattr(roll, "_spans", {})
    month, now = 30 * 86_400, int(time.time())
    logins = [sandbox.account(money="1.00", registration=now - number * month) for number in range(1, 13)]
    everybody = platform.logins("*")
    assert set(logins) <= set(everybody) and len(everybody) == len(set(everybody))
    assert sorted(platform.logins("*")) == sorted(everybody)  # by the pages that were learned
    pages, asked = len(platform.spans.plan()), sandbox.command_count("TRADERS")
    assert {one.login for one in platform.read_accounts(logins[:4])} == set(logins[:4])
    assert sandbox.command_count("TRADERS") - asked <= 4 < pages
    assert platform.read_accounts([*logins[:3], "1"])[0].login in logins  # nobody's login costs no further pass
    assert sandbox.command_count("TRADERS") - asked <= 9


def test_money_of_everybody_comes_in_one_pass(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "BATCH", 2)
    accounts = [make_account(cast.client, server, login=sandbox.account(money="5.00")) for _number in range(4)]
    sandbox.post("archive", login=int(accounts[3].login))
    asked = sandbox.command_count("TRADERS")
    assert money.sync_money(server) == 3
    passed = pool.platform_for(server, Purpose.READS).spans.plan()  # type: ignore[attr-defined]
    assert sandbox.command_count("TRADERS") - asked <= max(len(passed), 31)
    for account in accounts:
        account.refresh_from_db()
    assert [account.balance for account in accounts[:3]] == [5, 5, 5]
    assert [account.missing_since is None for account in accounts] == [True, True, True, False]
