"""What clients ask for on their accounts: at once within the rules, else a person with the reason; undone within a day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.choices import Role
from crm.errors import DomainError, NotAllowed, OutsideWorldError, WrongState
from crm.models import AuditEvent, Notification
from tests.cast import Cast, make_staff
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_server, make_type, tell_margins
from tests.trading.sandbox_server import Sandbox
from trading.accounts import request_rules, requests
from trading.choices import RequestKind
from trading.models import AccountRequest, AccountType, Position, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    cast.client.kyc_level = 1
    cast.client.save(update_fields=["kyc_level"])
    return make_type(cast.brand, server, leverages=[10, 20, 30, 100])


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    login = sandbox.new_account("real\\standard-EUR")
    return make_account(cast.client, standard.server, login=login, account_type=standard)


def there(account: TradingAccount):
    found = platform_for(account.server, Purpose.READS).read_account(account.login)
    assert found is not None
    return found


def ask(cast: Cast, account: TradingAccount, kind: RequestKind = RequestKind.LEVERAGE, **fields) -> AccountRequest:
    return requests.ask(account_id=account.pk, kind=kind, actor=cast.client_user, **fields)


def with_a_position(account: TradingAccount) -> None:
    Position.objects.create(
        server=account.server,
        ticket=1,
        account=account,
        symbol="EURUSD",
        action=0,
        lots=1,
        contract_size=100_000,
        price_open=1,
        price_current=1,
        profit=0,
        swap=0,
        opened_at=timezone.now(),
        server_msc=0,
        synced_at=timezone.now(),
    )


def test_leverage_within_ladder_and_cap_is_granted_at_once(cast: Cast, account: TradingAccount) -> None:
    request = ask(cast, account, leverage=10)
    account.refresh_from_db()
    assert (request.state, request.held_because, request.decided_by) == ("granted", [], None)
    assert (account.leverage, there(account).leverage) == (10, 10)
    assert Notification.objects.filter(user=cast.client_user, title__contains="approved").exists()
    actions = AuditEvent.objects.filter(client_id=cast.client.pk).values_list("action", flat=True)
    assert {"trading.request_made", "trading.request_granted"} <= set(actions)


def test_leverage_above_the_cap_waits_with_the_rule_and_no_person_can_grant_it(
    cast: Cast, account: TradingAccount
) -> None:
    request = ask(cast, account, leverage=100, reason="I am a professional")
    assert request.state == "waiting"
    assert "ESMA: 1:30 for retail clients in Germany since Aug 1, 2018" in str(request_rules.words_of(request)[0])
    assert Notification.objects.filter(user=cast.support, body__contains="ESMA").exists()
    with pytest.raises(DomainError, match="ESMA"):
        requests.grant(request_id=request.pk, actor=cast.support)
    categorise(cast.client, "professional")
    assert requests.grant(request_id=request.pk, actor=cast.support, note="Welcome").state == "granted"
    assert there(account).leverage == 100


def test_open_positions_bring_the_wish_before_a_person_who_may_grant_it(cast: Cast, account: TradingAccount) -> None:
    with_a_position(account)
    request = ask(cast, account, leverage=10)
    assert (request.state, request.held_because) == ("waiting", ["positions"])
    with pytest.raises(WrongState, match="already"):
        ask(cast, account, leverage=20)
    with pytest.raises(NotAllowed):
        requests.grant(request_id=request.pk, actor=cast.agent)
    requests.claim(request_id=request.pk, actor=cast.support)
    with pytest.raises(WrongState, match="is working on this request"):
        requests.grant(request_id=request.pk, actor=cast.desk_head)
    granted = requests.grant(request_id=request.pk, actor=cast.support, note="Mind the margin")
    account.refresh_from_db()
    assert (granted.state, granted.decided_by, account.leverage) == ("granted", cast.support, 10)


def test_what_was_granted_is_set_back_unless_somebody_changed_it_since(cast: Cast, account: TradingAccount) -> None:
    request = ask(cast, account, leverage=10)
    assert requests.undo(request_id=request.pk, actor=cast.support).state == "undone"
    account.refresh_from_db()
    assert (account.leverage, there(account).leverage) == (30, 30)
    again = ask(cast, account, leverage=10)
    TradingAccount.objects.filter(pk=account.pk).update(leverage=20)
    with pytest.raises(WrongState, match="changed since"):
        requests.undo(request_id=again.pk, actor=cast.support)
    AccountRequest.objects.filter(pk=again.pk).update(decided_at=timezone.now() - dt.timedelta(hours=25))
    with pytest.raises(WrongState, match="within one day"):
        requests.undo(request_id=again.pk, actor=cast.support)


def test_an_empty_account_closes_at_once_and_can_come_back(cast: Cast, account: TradingAccount) -> None:
    request = ask(cast, account, RequestKind.ARCHIVE)
    account.refresh_from_db()
    assert (request.state, account.state) == ("granted", "archived") and account.archived_at
    assert there(account).rights & 1 == 0
    requests.undo(request_id=request.pk, actor=cast.support)
    account.refresh_from_db()
    assert account.state == "open" and account.archived_at is None and there(account).rights & 1


def test_an_account_with_money_is_not_closed_by_anybody(cast: Cast, account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(balance=Decimal("12.50"))
    request = ask(cast, account, RequestKind.ARCHIVE)
    assert (request.state, request.held_because) == ("waiting", ["money"])
    with pytest.raises(DomainError, match="money or credit"):
        requests.grant(request_id=request.pk, actor=cast.support)
    with pytest.raises(DomainError, match="Enter a reason"):
        requests.refuse(request_id=request.pk, actor=cast.support, note=" ")
    refused = requests.refuse(request_id=request.pk, actor=cast.support, note="Withdraw it first")
    assert Notification.objects.filter(user=cast.client_user, body="Withdraw it first").exists()
    assert requests.undo(request_id=refused.pk, actor=cast.support).state == "waiting"


def test_an_account_becomes_one_of_another_type_with_its_group_and_a_leverage_it_has(
    cast: Cast, account: TradingAccount, standard: AccountType
) -> None:
    pro = make_type(
        cast.brand,
        standard.server,
        name="Pro",
        kind="pro",
        group="real\\pro-EUR",
        is_default=False,
        leverages=[5, 10],
        default_leverage=10,
    )
    islamic = make_type(
        cast.brand, standard.server, name="Islamic", kind="islamic", group="real\\islamic-EUR", is_default=False
    )
    make_type(cast.brand, standard.server, name="Dollar", currency="USD", is_default=False)
    assert requests.types_to_change_to(account) == [pro, islamic]
    request = ask(cast, account, RequestKind.TYPE, account_type_id=pro.pk)
    account.refresh_from_db()
    assert (request.state, account.account_type, account.group, account.leverage) == (
        "granted",
        pro,
        "real\\pro-EUR",
        10,
    )
    assert (there(account).group, there(account).leverage) == ("real\\pro-EUR", 10)
    requests.undo(request_id=request.pk, actor=cast.support)
    account.refresh_from_db()
    assert (account.account_type, there(account).group, account.leverage) == (standard, "real\\standard-EUR", 30)
    assert ask(cast, account, RequestKind.TYPE, account_type_id=islamic.pk).held_because == ["swap_free"]


def test_a_type_whose_group_gives_too_much_on_a_class_waits_with_that_rule_and_not_the_accounts(
    cast: Cast, account: TradingAccount
) -> None:
    wanted = make_type(cast.brand, account.server, name="Pro", group="real\\pro-EUR", leverages=[30], is_default=False)
    tell_margins(wanted, {"XAUUSD": "1"})
    request = ask(cast, account, RequestKind.TYPE, account_type_id=wanted.pk)
    assert request.state == "waiting"
    [words] = map(str, request_rules.words_of(request))
    assert (
        "1:20 for retail clients in Germany" in words
        and "on gold; leverage of 1:30 would allow 1:30 on XAUUSD" in words
    )


def test_a_type_with_a_higher_minimum_or_level_waits(cast: Cast, account: TradingAccount, standard) -> None:
    vip = make_type(
        cast.brand, standard.server, name="VIP", kind="vip", is_default=False, min_deposit=10_000, kyc_level=2
    )
    assert ask(cast, account, RequestKind.TYPE, account_type_id=vip.pk).held_because == ["not_offered", "minimum"]
    with pytest.raises(DomainError, match="can't be changed to this type"):
        other = make_account(cast.client, standard.server, account_type=standard)
        ask(cast, other, RequestKind.TYPE, account_type_id=standard.pk)


def test_a_platform_that_is_away_leaves_the_wish_waiting_and_the_account_as_it_was(cast: Cast) -> None:
    away = make_server(name="Away")
    account = make_account(cast.client, away, account_type=make_type(cast.brand, away))
    request = ask(cast, account, leverage=10)
    account.refresh_from_db()
    assert (request.state, request.held_because, account.leverage) == ("waiting", ["platform"], 30)
    with pytest.raises(OutsideWorldError):
        requests.grant(request_id=request.pk, actor=cast.support)
    request.refresh_from_db()
    assert request.state == "waiting"


def test_what_a_crash_left_is_finished_once(cast: Cast, account: TradingAccount) -> None:
    request = AccountRequest.objects.create(
        account=account,
        kind="leverage",
        leverage=10,
        asked_by=cast.client_user,
        state="applying",
        before={"leverage": 30},
        lease_until=timezone.now() - dt.timedelta(seconds=1),
    )
    assert requests.due_requests() == [request.pk]
    for _time in range(2):
        assert requests.apply(request.pk).state == "granted"
    assert requests.due_requests() == [] and there(account).leverage == 10


def test_the_database_takes_one_open_request_of_a_kind(cast: Cast, account: TradingAccount) -> None:
    values = {"account": account, "kind": "leverage", "leverage": 10, "asked_by": cast.client_user}
    AccountRequest.objects.create(**values)
    with pytest.raises(IntegrityError, match="one_open_request_of_a_kind"), transaction.atomic():
        AccountRequest.objects.create(**values)
    with pytest.raises(IntegrityError, match="account_request_says_what"), transaction.atomic():
        AccountRequest.objects.create(account=account, kind="type", asked_by=cast.client_user)


def test_the_queue_and_a_request_from_the_page(
    cast: Cast, account: TradingAccount, browse, django_assert_max_num_queries
) -> None:
    with_a_position(account)
    request = ask(cast, account, leverage=10, reason="Less risk, please")
    browser = browse(cast.support)
    assert "1:30 → 1:10" in browser.get("/trading/requests/").content.decode()
    page = browser.get(f"/trading/requests/{request.pk}/")
    assert "Less risk, please" in page.content.decode() and "open positions" in page.content.decode()
    answer = browser.post(f"/trading/requests/{request.pk}/refuse/", {"note": ""})
    assert answer.status_code == 422 and "Enter a reason" in answer.content.decode()
    browser.post(f"/trading/requests/{request.pk}/grant/", {"note": "Done for you"})
    request.refresh_from_db()
    assert (request.state, request.note) == ("granted", "Done for you")
    assert "Undo" in browser.get(f"/trading/requests/{request.pk}/").content.decode()
    assert "No pending requests" in browser.get("/trading/requests/").content.decode()
    assert "1:30 → 1:10" in browser.get("/trading/requests/?state=granted").content.decode()
    assert browse(cast.agent).get(f"/trading/requests/{request.pk}/").status_code == 403
    for number in range(6):
        ask(
            cast,
            make_account(
                cast.client, account.server, login=f"90{number}", account_type=account.account_type, balance=1
            ),
            RequestKind.ARCHIVE,
        )
    for path, pin in {"/trading/requests/": 15, f"/trading/requests/{request.pk}/": 16}.items():
        browser.get(path)
        with django_assert_max_num_queries(pin):
            browser.get(path)


def test_the_room_shows_the_wish_and_what_became_of_it(cast: Cast, account: TradingAccount, browse) -> None:
    browser = browse(cast.client_user)
    page = browser.get(f"/portal/accounts/{account.pk}/").content.decode()
    assert "ask-leverage" in page and "ask-archive" in page and "ask-type" not in page
    browser.post(f"/portal/accounts/{account.pk}/ask/leverage/", {"leverage": "10"})
    assert "1:30 → 1:10" in browser.get(f"/portal/accounts/{account.pk}/").content.decode()
    assert browser.post(f"/portal/accounts/{account.pk}/ask/nonsense/", {}).status_code == 404
    assert AccountRequest.objects.count() == 1


@pytest.mark.parametrize("who", ["agent", "support", "auditor", "client_user", "other_client_user"])
def test_an_order_is_refused_to_whoever_may_not_keep_the_caps(cast: Cast, account: TradingAccount, who: str) -> None:
    with pytest.raises(NotAllowed):
        requests.order(account_id=account.pk, actor=getattr(cast, who), leverage=10)
    assert not AccountRequest.objects.exists() and there(account).leverage != 10


def test_an_order_is_refused_where_the_client_is_out_of_reach(cast: Cast, account: TradingAccount) -> None:
    elsewhere = make_staff("mlro@southern.example", Role.MLRO, brand=cast.other_brand)
    with pytest.raises(NotAllowed, match="don't have access to this client"):
        requests.order(account_id=account.pk, actor=elsewhere, leverage=10)
    ordered = requests.order(account_id=account.pk, actor=cast.mlro, leverage=10)
    assert (ordered.state, ordered.is_by_rule, there(account).leverage) == ("granted", True, 10)
