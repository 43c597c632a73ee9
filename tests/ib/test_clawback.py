"""Commissions of deposits that went back to the payer, in part, and came again: any order, any repetition."""

import datetime as dt
import itertools
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm import events
from crm.models import AuditEvent
from ib import clawback, engine, explain, periods, rollup, settlement
from ib.models import Accrual, CommissionRun, ReversedPart
from tests.examples import examples
from tests.ib.factories import make_trade
from tests.ib.test_settlement import arrived
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.deposits.verbs import apply_payment
from wallet.disputes.verbs import apply_dispute
from wallet.psp.values import EventKind

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
_keys = itertools.count(1)


def accrue(network, **trade):
    engine.run_for_deals(deal_ids=[make_trade(network.account, **trade)])


def left_to(partner):
    return Accrual.objects.filter(partner=partner).aggregate(sum=Sum("amount"))["sum"]


@pytest.fixture
def traded(network, cast):
    """A deposit of EUR 100 that all the client's money is, and a lot traded on it: 6, 3 and 1 EUR."""
    deposit = arrived(cast, 100_00, timezone.now() - 3 * DAY, "a")
    accrue(network, at=timezone.now() - DAY)
    return deposit


def test_a_reversed_chargeback_gives_back_what_it_took_once(network, traded):
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(25), reference="dp_1")
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(50), reference="dp_2")
    assert left_to(network.sub) == Decimal("1.5")
    rows = [clawback.give_back(deposit_id=traded.pk, amount=Decimal(50), reference="dp_2") for _time in range(3)]
    assert rows == [3, 0, 0]
    assert left_to(network.sub) == Decimal("4.5")
    back = Accrual.objects.get(kind="restored", partner=network.sub)
    assert (back.amount, back.state, back.reason) == (3, "accrued", "deposit_restored")
    assert rollup.differences() == [] and engine.run_nightly(brand=traded.brand).rows == 0
    assert AuditEvent.objects.filter(action="ib.commissions_given_back").count() == 1
    assert CommissionRun.objects.get(kind="restored").corrected == 3


def test_a_reversal_that_is_heard_before_its_chargeback_moves_nothing(network, traded):
    clawback.give_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_1")
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_1")
    assert left_to(network.sub) == 6 and Accrual.objects.exclude(kind="original").count() == 0


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_a_part_of_nothing_leaves_the_real_one_to_come(network, traded, amount):
    assert clawback.take_back(deposit_id=traded.pk, amount=Decimal(amount), reference="dp_1") == 0
    assert not ReversedPart.objects.exists()
    assert clawback.take_back(deposit_id=traded.pk, amount=Decimal("0.01"), reference="dp_1") == 3
    assert clawback.take_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_1") == 0, "heard once"


def test_what_comes_back_after_the_settlement_is_paid_with_the_next(network, cast, traded):
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_1")
    settle_everything(cast)
    clawback.give_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_1")
    settle_everything(cast)
    assert settlement.balances_of(network.sub) == {"EUR": Decimal("6.00")}


def test_parts_beyond_the_whole_do_not_take_twice_and_come_back_in_full(network, cast, traded):
    """Two deposits, each all the client had when it went back: together they take no more than was earned."""
    other = arrived(cast, 100_00, timezone.now() - 2 * DAY, "b")
    clawback.take_back(deposit_id=other.pk, amount=Decimal(100), reference="dp_b")
    assert left_to(network.sub) == 0
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(100), reference="dp_a")
    assert left_to(network.sub) == 0
    clawback.give_back(deposit_id=other.pk, amount=Decimal(100), reference="dp_b")
    assert left_to(network.sub) == 3, "the first deposit is half of what was paid in since it"


def test_money_that_arrived_in_another_currency_is_weighed_in_that_currency(network, cast, traded):
    type(traded).objects.filter(pk=traded.pk).update(arrived_currency="JPY", received_minor=16_000)
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(4_000), currency="JPY", reference="dp_1")
    assert left_to(network.sub) == Decimal("4.5")


def test_both_halves_of_a_part_are_set_once(network, traded):
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(25), reference="dp_1")
    with pytest.raises(DatabaseError, match="each half once"), transaction.atomic():
        ReversedPart.objects.update(taken=1)
    with pytest.raises(DatabaseError, match="each half once"), transaction.atomic():
        ReversedPart.objects.all().delete()


def test_staff_are_told_which_money_it_was_and_partners_only_its_share(network, traded):
    clawback.take_back(deposit_id=traded.pk, amount=Decimal(25), reference="dp_1")
    clawback.give_back(deposit_id=traded.pk, amount=Decimal(25), reference="dp_1")
    taken = Accrual.objects.get(kind="clawback", partner=network.sub)
    back = Accrual.objects.get(kind="restored", partner=network.sub)
    text = " | ".join(step.text for step in explain.explain(taken, for_staff=True))
    assert "€25.00 of €100.00 of deposit D-a was returned to the payer (dp_1) | 25 % of the client's deposits" in text
    text = " | ".join(step.text for step in explain.explain(back, for_staff=True))
    assert "Chargeback dp_1 of deposit D-a was reversed: €25.00 of €100.00 recovered" in text
    text = " | ".join(f"{step.text} {step.figure}" for step in explain.explain(back))
    assert "D-a" not in text and "25 % of the client's deposits" in text and text.endswith("+€1.50")


def test_the_banks_changes_of_mind_reach_the_partners_books(network, cast):
    """Through the wallet's own events: taken, given back, taken a second time, given back again."""
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    type(deposit).objects.filter(pk=deposit.pk).update(settled_at=timezone.now() - 2 * DAY)
    accrue(network, at=timezone.now() - DAY)
    seen = []
    for kind, fields in [
        (EventKind.CHARGEBACK, {}),
        (EventKind.CHARGEBACK_REVERSED, {}),
        (EventKind.CHARGEBACK, {"type": "SECOND_CHARGEBACK"}),
        (EventKind.CHARGEBACK_REVERSED, {}),
    ]:
        apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, deposit.amount_minor, **fields))
        events.drain()
        seen.append(left_to(network.sub))
    assert seen == [0, 6, 0, 6]
    assert list(ReversedPart.objects.values_list("reference", flat=True).order_by("pk"))[1].endswith(":2")


def settle_everything(cast):
    while (period := periods.open_period(cast.brand.pk)) is not None and period.starts_at < timezone.now():
        settlement.settle_period(period_id=period.pk, actor=cast.finance)
        if period.ends_at > timezone.now():
            return


class Undo(Exception):
    pass


PARTS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 50_00)), min_size=1, max_size=5)
HEARD = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["taken", "taken", "restored", "settle"])), max_size=14)


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    amounts=st.tuples(st.integers(50_00, 300_00), st.integers(50_00, 300_00)),
    lots=st.lists(st.decimals("0.01", "3", places=2), min_size=1, max_size=3),
    parts=PARTS,
    heard=HEARD,
)
def test_any_sequence_leaves_the_partner_with_exactly_what_the_kept_money_earns(
    network, cast, amounts, lots, parts, heard
):
    with pytest.raises(Undo), transaction.atomic():
        _play(network, cast, amounts, lots, parts, heard)
        raise Undo


def _play(network, cast, amounts, lots, parts, heard):
    now = timezone.now()
    ages = (40, 20)
    deposits = [
        arrived(cast, amount, now - age * DAY, f"h{next(_keys)}") for amount, age in zip(amounts, ages, strict=True)
    ]
    for number, lot in enumerate(lots):
        accrue(network, lots=str(lot), at=now - (45, 30, 10)[number] * DAY)
    kept_parts, room = [], list(amounts)
    for which, amount in parts:
        kept_parts.append((which, min(amount, room[which])))
        room[which] -= kept_parts[-1][1]
    taken, restored = set(), set()
    for number, what in heard:
        if what == "settle":
            settle_everything(cast)
            continue
        number %= len(kept_parts)
        which, amount = kept_parts[number]
        if not amount:
            continue
        verb, done = (clawback.take_back, taken) if what == "taken" else (clawback.give_back, restored)
        verb(deposit_id=deposits[which].pk, amount=Decimal(amount) / 100, currency="EUR", reference=f"dp_{number}")
        done.add(number)
    standing = taken - restored
    for number, row in enumerate(Accrual.objects.filter(kind="original").order_by("closed_at", "level")):
        trade = number // 3
        share = Fraction(0)
        for part in standing:
            which, amount = kept_parts[part]
            if ages[which] > (45, 30, 10)[trade]:
                paid_in = sum(amounts[which:])
                share += Fraction(amount, paid_in)
        exact = Fraction(row.amount) * min(share, Fraction(1))
        gone = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("1e-12"), ROUND_HALF_UP)
        due = row.amount - gone.quantize(Decimal("1e-8"), ROUND_DOWN)
        left = Accrual.objects.filter(deal_id=row.deal_id, partner_id=row.partner_id).aggregate(s=Sum("amount"))["s"]
        assert left == due, (trade, row.level, share)
    assert rollup.differences() == []
    settle_everything(cast)
    for partner in (network.sub, network.master, network.top):
        whole = settlement.payable(left_to(partner), "EUR")
        owed = settlement.balances_of(partner).get("EUR", Decimal(0))
        assert owed >= whole, "settled in between, it may be ahead of later clawbacks, never behind"
