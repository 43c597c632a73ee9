"""Every limit of the checks: just below, exactly there, just above, with a second client whose rows must not count."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine

from crm.audit_codes import CrmAction
from crm.security import audit
from tests.brand_policies import set_policies
from tests.ib.factories import make_deal
from tests.trading.factories import make_account, make_server
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, paid_in, rich
from wallet.choices.withdrawals import Purpose
from wallet.ledger import posting
from wallet.models import Deposit, Withdrawal
from wallet.withdrawals.checks.registry import CHECKS, Finding, Request
from wallet.withdrawals.destinations import hash_destination
from wallet.withdrawals.verbs import cancel_withdrawal, reject_withdrawal

__all__ = ["rich"]
pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = dt.timedelta(seconds=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def found(cast, name: str, minor: int = 1_000, **fields) -> Finding:
    request = Request(
        client=cast.client,
        wallet=posting.wallet_of(cast.client, "EUR"),
        amount_minor=minor,
        currency="EUR",
        destination=IBAN,
        **fields,
    )
    return CHECKS[name].run(request)


def asks_for_a_look(cast, name: str, minor: int = 1_000, **fields) -> bool:
    return found(cast, name, minor, **fields).outcome == "review"


@pytest.fixture
def clock():
    with time_machine.travel(dt.datetime.now(dt.UTC).replace(microsecond=0), tick=False) as clock:
        yield clock


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def set_policy(cast, **values) -> None:
    set_policies(cast.client.brand, **values)


# ── in and out ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("minor", "is_looked_at"), [(79_999, False), (80_000, True), (80_001, True)])
def test_four_fifths_of_what_came_in_is_in_and_out(rich, minor, is_looked_at):
    assert asks_for_a_look(rich, "churn", minor) is is_looked_at


@pytest.mark.parametrize(("ago", "is_looked_at"), [(14 * DAY, True), (14 * DAY + SECOND, False)])
def test_in_and_out_looks_back_two_weeks(rich, clock, ago, is_looked_at):
    Deposit.objects.update(settled_at=now() - ago)
    assert asks_for_a_look(rich, "churn", 90_000) is is_looked_at


def test_what_another_client_paid_in_is_not_in_and_out(rich):
    Deposit.objects.update(client=rich.other_client)
    assert not asks_for_a_look(rich, "churn", 90_000)


@pytest.mark.parametrize(
    ("lots", "fields", "is_looked_at"),
    [
        ("0.09", {}, True),
        ("0.10", {}, False),
        ("0.11", {}, False),
        ("0.10", {"is_demo": True}, True),
        ("0.10", {"client": "other"}, True),
        ("0.10", {"ago": 14 * DAY}, False),
        ("0.10", {"ago": 14 * DAY + SECOND}, True),
    ],
)
def test_a_tenth_of_a_lot_per_thousand_is_trading(rich, clock, lots, fields, is_looked_at):
    client = rich.other_client if fields.pop("client", "") else rich.client
    at = now() - fields.pop("ago", DAY)
    account = make_account(client, make_server(), **fields)
    make_deal(account, at=at, entry=1, lots=lots, closed=lots, position=1)
    assert asks_for_a_look(rich, "churn", 90_000) is is_looked_at


# ── how often, how much ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ago", "of_day", "of_week"), [(DAY, 1, 1), (DAY + SECOND, 0, 1), (7 * DAY + SECOND, 0, 0)])
@pytest.mark.parametrize("most", [1, 2])
def test_requests_are_counted_over_a_day_and_a_week(rich, outside, clock, ago, of_day, of_week, most):
    ask(rich, outside, "10")
    Withdrawal.objects.update(requested_at=now() - ago)
    set_policy(rich, withdrawal_requests_per_day=most)
    assert asks_for_a_look(rich, "velocity") is (of_day >= most)
    set_policy(rich, withdrawal_requests_per_week=most)
    assert asks_for_a_look(rich, "velocity") is (of_week >= most)


def test_a_week_ends_with_its_last_second(rich, outside, clock):
    ask(rich, outside, "10")
    Withdrawal.objects.update(requested_at=now() - 7 * DAY)
    set_policy(rich, withdrawal_requests_per_week=1)
    assert asks_for_a_look(rich, "velocity")


@pytest.mark.parametrize("change", [{"client": "other"}, {"purpose": Purpose.REFUND}])
def test_what_is_no_request_of_this_client_is_not_counted(rich, outside, change):
    withdrawal = ask(rich, outside, "10")
    set_policy(rich, withdrawal_requests_per_day=1, withdrawal_amount_per_day_minor=1_999)
    assert asks_for_a_look(rich, "velocity")
    if "client" in change:
        change = {"client": rich.other_client}
    Withdrawal.objects.filter(pk=withdrawal.pk).update(**change)
    assert not asks_for_a_look(rich, "velocity")


@pytest.mark.parametrize("is_rejected", [True, False])
def test_what_was_never_paid_is_not_counted_as_money(rich, outside, is_rejected):
    withdrawal = ask(rich, outside, "10")
    set_policy(rich, withdrawal_amount_per_day_minor=1_999)
    assert asks_for_a_look(rich, "velocity")
    if is_rejected:
        reject_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance, reason="Mistaken")
    else:
        cancel_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.client_user)
    assert not asks_for_a_look(rich, "velocity")


@pytest.mark.parametrize(("most", "is_looked_at"), [(1_999, True), (2_000, False), (2_001, False)])
@pytest.mark.parametrize(
    ("key", "days"), [("withdrawal_amount_per_day_minor", 1), ("withdrawal_amount_per_week_minor", 7)]
)
def test_the_amount_of_a_day_and_a_week_may_be_just_the_limit(rich, outside, clock, key, days, most, is_looked_at):
    ask(rich, outside, "10")
    set_policy(rich, **{key: most})
    Withdrawal.objects.update(requested_at=now() - days * DAY)
    assert asks_for_a_look(rich, "velocity") is is_looked_at
    Withdrawal.objects.update(requested_at=now() - days * DAY - SECOND)
    assert not asks_for_a_look(rich, "velocity")


# ── what was changed ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ago", "is_looked_at"), [(24 * HOUR, True), (24 * HOUR + SECOND, False)])
def test_a_new_password_is_looked_at_for_a_day(rich, clock, ago, is_looked_at):
    with time_machine.travel(now() - ago, tick=False):
        audit.record(
            actor=None, action=CrmAction.PASSWORD_CHANGED, target=rich.client, client_id=rich.client.pk, after={}
        )
        audit.record(
            actor=None, action=CrmAction.PASSWORD_RESET, target=rich.client, client_id=rich.other_client.pk, after={}
        )
    said = found(rich, "cooling_off")
    assert (said.outcome == "review") is is_looked_at and "reset" not in said.reason


@pytest.mark.parametrize(
    ("ago", "change", "is_looked_at"),
    [
        (24 * HOUR, {}, True),
        (24 * HOUR + SECOND, {}, False),
        (24 * HOUR + SECOND, {"destination_hash": "another"}, True),
        (SECOND, {"client": "other"}, False),
        (SECOND, {"purpose": Purpose.REFUND}, False),
    ],
)
def test_a_destination_is_new_for_a_day(rich, outside, clock, ago, change, is_looked_at):
    """The first destination of all isn't looked at: there is none before it that could have been exchanged."""
    ask(rich, outside, "10")
    change = {"client": rich.other_client} if "client" in change else change
    fields = {"way": "payout", "source_deposit": None, "destination_hash": hash_destination(IBAN)} | change
    Withdrawal.objects.update(requested_at=now() - ago, **fields)
    known = Withdrawal(client=rich.client, way="payout", destination_hash=hash_destination(IBAN))
    assert asks_for_a_look(rich, "cooling_off", known=known) is is_looked_at


# ── small deposits, payers, chargebacks, margin ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("policies", "is_looked_at"),
    [
        ({"structuring_count": 4}, True),
        ({"structuring_count": 5}, True),
        ({"structuring_count": 6}, False),
        ({"structuring_each_minor": 70_004}, False),  # the largest is no small one any more
        ({"structuring_each_minor": 70_005}, True),
        ({"structuring_total_minor": 350_009}, True),
        ({"structuring_total_minor": 350_010}, False),
    ],
)
def test_five_small_deposits_that_are_more_than_the_total(rich, outside, policies, is_looked_at):
    for number in range(5):
        paid_in(rich.client, outside.psp, 70_000 + number)
    set_policy(rich, **policies)
    assert asks_for_a_look(rich, "structuring") is is_looked_at
    if is_looked_at:
        Deposit.objects.filter(amount_minor=70_000).update(client=rich.other_client)
        assert not asks_for_a_look(rich, "structuring")


@pytest.mark.parametrize(("ago", "is_looked_at"), [(7 * DAY, True), (7 * DAY + SECOND, False)])
def test_small_deposits_count_for_a_week(rich, outside, clock, ago, is_looked_at):
    for number in range(5):
        paid_in(rich.client, outside.psp, 70_000 + number)
    Deposit.objects.filter(amount_minor=70_000).update(settled_at=now() - ago)
    assert asks_for_a_look(rich, "structuring") is is_looked_at


@pytest.mark.parametrize(
    ("ago", "of_other", "is_looked_at"),
    [(365 * DAY, False, True), (365 * DAY + SECOND, False, False), (DAY, True, False)],
)
def test_who_paid_in_is_looked_at_for_a_year(rich, clock, ago, of_other, is_looked_at):
    client = rich.other_client if of_other else rich.client
    Deposit.objects.update(payer_name="Boris Badenov", settled_at=now() - ago, client=client)
    assert asks_for_a_look(rich, "payer") is is_looked_at


@pytest.mark.parametrize(
    ("ago", "of_other", "is_looked_at"),
    [(180 * DAY, False, True), (180 * DAY + SECOND, False, False), (DAY, True, False)],
)
def test_a_chargeback_is_looked_at_for_half_a_year(rich, clock, ago, of_other, is_looked_at):
    client = rich.other_client if of_other else rich.client
    Deposit.objects.update(state="charged_back", updated_at=now() - ago, client=client)
    assert asks_for_a_look(rich, "chargeback") is is_looked_at


@pytest.mark.parametrize(
    ("level", "margin", "of_other", "is_looked_at"),
    [("99.99", 100, False, True), ("100", 100, False, False), ("99.99", 0, False, False), ("99.99", 100, True, False)],
)
def test_margin_is_short_below_a_hundred_per_cent(rich, level, margin, of_other, is_looked_at):
    client = rich.other_client if of_other else rich.client
    make_account(client, make_server(), margin=Decimal(margin), margin_level=Decimal(level))
    assert asks_for_a_look(rich, "open_margin") is is_looked_at


@pytest.mark.parametrize(("needed", "outcome"), [(1, "pass"), (2, "pass"), (3, "stop")])
def test_the_level_that_a_brand_asks_for(rich, needed, outcome):
    set_policy(rich, withdrawal_kyc_level=needed)
    assert found(rich, "kyc").outcome == outcome


@pytest.mark.parametrize(("minor", "outcome"), [(99_999, "pass"), (100_000, "pass"), (100_001, "stop"), (0, "pass")])
def test_the_wallet_may_be_emptied(rich, minor, outcome):
    assert found(rich, "funds", minor).outcome == outcome
