"""What stands against a client's request: the last moment it does, the first it doesn't, and rows of other accounts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from crm.errors import WrongState
from crm.models import User
from tests.cast import Cast
from tests.trading.accounts.test_requests import with_a_position
from tests.trading.factories import make_account, make_server, make_type, tell_margins
from trading.accounts import request_rules, requests
from trading.accounts.account_status import status_of
from trading.choices import AccountState, HeldBecause, RequestKind
from trading.models import AccountRequest, BalanceOperation, TradingAccount

pytestmark = pytest.mark.django_db
SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0) + 30 * DAY  # the cast came before


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def account(cast: Cast) -> TradingAccount:
    server = make_server()
    asking = make_type(cast.brand, server, asks_for_passwords=True)
    return make_account(cast.client, server, account_type=asking)


@pytest.fixture
def other_account(cast: Cast, account: TradingAccount) -> TradingAccount:
    return make_account(cast.client, account.server)


def a_request(account: TradingAccount, cast: Cast, **fields: Any) -> AccountRequest:
    return AccountRequest.objects.create(
        account=account, asked_by=cast.client_user, **{"kind": RequestKind.PASSWORD, "before": {}, **fields}
    )


@pytest.mark.parametrize(
    ("age", "fields", "is_held"),
    [
        (DAY - SECOND, {}, False),
        (DAY, {}, True),
        (DAY + SECOND, {}, True),
        (SECOND, {"imported_at": NOW}, True),
        (None, {}, True),
    ],
)
def test_the_first_password_is_the_clients_for_a_day(account, age, fields, is_held):
    account.opened_at = NOW - age if age else None
    for name, value in fields.items():
        setattr(account, name, value)
    held = request_rules.against_password(account)
    assert (HeldBecause.TYPE_ASKS in held) is is_held
    account.account_type.asks_for_passwords = False
    assert HeldBecause.TYPE_ASKS not in request_rules.against_password(account)


@pytest.mark.parametrize(("age", "is_held"), [(3 * DAY - SECOND, True), (3 * DAY, True), (3 * DAY + SECOND, False)])
@pytest.mark.parametrize(("field", "value"), [("email", "new@example.com"), ("phone", "+491511"), ("city", "Bonn")])
def test_a_new_contact_holds_a_password_for_three_days(cast, account, field, value, age, is_held):
    with time_machine.travel(NOW - 10 * DAY, tick=False):
        cast.client.save()
    with time_machine.travel(NOW - age, tick=False):
        setattr(cast.client, field, value)
        cast.client.save()
    account.client.refresh_from_db()
    assert (HeldBecause.CONTACT in request_rules.against_password(account)) is (is_held and field != "city")


def test_the_first_contact_and_anothers_are_no_change(cast, account):
    cast.client.save()
    cast.other_client.email = "other-new@example.com"
    cast.other_client.save()
    assert not request_rules.contact_changed(cast.client, since=NOW - DAY)
    assert request_rules.contact_changed(cast.other_client, since=NOW - DAY)


@pytest.mark.parametrize(
    ("fields", "is_given"),
    [
        ({}, True),
        ({"decided_at": NOW - DAY}, True),
        ({"decided_at": NOW - DAY - SECOND}, False),
        ({"used_at": NOW}, False),
        ({"state": "refused"}, False),
        ({"kind": RequestKind.ARCHIVE}, False),
    ],
)
def test_leave_for_a_password_is_for_a_day_and_once(cast, account, other_account, fields, is_given):
    a_request(account, cast, **{"state": "granted", "decided_at": NOW, **fields})
    assert (request_rules.password_permission(account) is not None) is is_given
    assert request_rules.password_permission(other_account) is None


@pytest.mark.parametrize(("age", "is_undone"), [(DAY - SECOND, True), (DAY, True), (DAY + SECOND, False)])
def test_a_decision_is_undone_within_a_day(cast, account, age, is_undone):
    request = a_request(account, cast, state="refused", decided_at=NOW - age, decided_by=cast.support)
    if is_undone:
        assert requests.undo(request_id=request.pk, actor=cast.support).state == "waiting"
    else:
        with pytest.raises(WrongState, match="within one day"):
            requests.undo(request_id=request.pk, actor=cast.support)


@pytest.mark.parametrize(
    ("state", "after"),
    [("applying", "waiting"), ("undoing", "granted"), ("granted", "granted"), ("refused", "refused")],
)
def test_what_the_platform_did_not_take_goes_back_to_where_it_was(cast, account, state, after):
    lease = NOW if state in ("applying", "undoing") else None
    decided = {"decided_at": NOW, "decided_by": cast.support} if state in ("granted", "undoing", "refused") else {}
    request = a_request(account, cast, state=state, lease_until=lease, **decided)
    requests._not_done(request.pk)
    request.refresh_from_db()
    assert (request.state, request.lease_until) == (after, None)
    assert (HeldBecause.PLATFORM in request.held_because) is (state == "applying")


@pytest.mark.parametrize(
    ("claimed_by", "until", "is_refused"),
    [
        ("support", NOW + SECOND, False),
        ("administrator", NOW + SECOND, True),
        ("administrator", NOW, False),
        ("administrator", None, False),
    ],
)
def test_a_claim_keeps_others_away_until_it_ends(cast, account, claimed_by, until, is_refused):
    request = a_request(account, cast, state="waiting", claimed_by=getattr(cast, claimed_by), claimed_until=until)
    if is_refused:
        with pytest.raises(WrongState, match="is working on"):
            requests.refuse(request_id=request.pk, actor=cast.support, note="No")
    else:
        assert requests.refuse(request_id=request.pk, actor=cast.support, note="No").state == "refused"


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({}, []),
        ({"balance": Decimal("0.01")}, [HeldBecause.MONEY]),
        ({"credit": Decimal("0.01")}, [HeldBecause.MONEY]),
        ({"balance": Decimal("-0.01")}, [HeldBecause.MONEY]),
    ],
)
def test_money_of_this_account_keeps_it_open(account, other_account, fields, held):
    TradingAccount.objects.filter(pk=account.pk).update(**fields)
    account.refresh_from_db()
    assert request_rules.against_archive(account) == held
    assert request_rules.against_archive(other_account) == []


@pytest.mark.parametrize(
    ("state", "is_held"),
    [("reserved", True), ("sent", True), ("unknown", True), ("confirmed", False), ("failed", False)],
)
def test_money_on_its_way_and_positions_keep_an_account_open(account, other_account, state, is_held):
    ended = {"ticket": 1, "settled_at": NOW} if state == "confirmed" else {}
    ended["sent_at"] = None if state == "reserved" else NOW
    BalanceOperation.objects.create(
        account=account,
        server=account.server,
        kind="deposit",
        amount=Decimal(5),
        currency="EUR",
        **{"idempotency_key": "k", "reference": "r", "state": state, **ended},
    )
    assert request_rules.against_archive(account) == ([HeldBecause.MOVING] if is_held else [])
    with_a_position(other_account)
    assert request_rules.against_archive(other_account) == [HeldBecause.POSITIONS]


def test_an_account_becomes_only_a_type_of_its_kind(cast, account):
    """Of the same brand, server and currency, offered, and never demo for real."""
    another_server = make_server(name="Second MT5")
    possible = make_type(cast.brand, account.server, name="Raw", is_default=False)
    make_type(cast.other_brand, account.server, name="Theirs", is_default=False)
    make_type(cast.brand, another_server, name="Elsewhere", is_default=False)
    make_type(cast.brand, account.server, name="Dollars", currency="USD", is_default=False)
    make_type(cast.brand, account.server, name="Ended", is_enabled=False, is_default=False)
    make_type(cast.brand, account.server, name="Demo", is_demo=True, is_default=False)
    assert request_rules.types_to_change_to(account) == [possible]


@pytest.mark.parametrize(
    ("state", "is_open", "is_archived"),
    [(state.value, state == AccountState.OPEN, state == AccountState.ARCHIVED) for state in AccountState],
)
def test_an_account_is_closed_or_reopened_from_its_state_by_who_may(cast, account, state, is_open, is_archived):
    account.state = state

    def offered(user: User) -> tuple[bool, bool]:
        status = status_of(user, account)
        return status.may_archive, status.may_restore

    assert offered(cast.support) == (is_open, is_archived)
    assert offered(cast.agent) == (False, False)
    account.missing_since = NOW
    assert offered(cast.support) == (False, False)


def test_a_leverage_within_the_cap_waits_for_the_rule_of_its_class(cast, account):
    standard = make_type(cast.brand, account.server, name="Pro", group="real\\pro", leverages=[30], is_default=False)
    account.account_type = standard
    tell_margins(standard, {"XAUUSD": "1"})
    for leverage, is_of_class in ((30, True), (31, False)):
        wish = AccountRequest(
            account=account, kind=RequestKind.LEVERAGE, leverage=leverage, held_because=[HeldBecause.CAP]
        )
        [words] = map(str, request_rules.words_of(wish))
        assert ("gold" in words, "1:30 for retail" in words) == (is_of_class, not is_of_class)
