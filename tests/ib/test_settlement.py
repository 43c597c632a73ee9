import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from crm import events
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import Notification, OutboxEvent
from ib import clawback, engine, explain, payouts, rollup, settlement
from ib.choices import PartnerState
from ib.models import Accrual, Payout, Settlement, SettlementPeriod
from ib.partners import change_state
from tests.ib.factories import NOON, make_trade, make_version
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.models import Deposit, Posting, Psp

pytestmark = pytest.mark.django_db
NEXT = dt.timedelta(days=31)


def accrue(network, **trade):
    engine.run_for_deals(deal_ids=[make_trade(network.account, **trade)])


def period_of(at):
    return SettlementPeriod.objects.get(starts_at__lte=at, ends_at__gt=at)


def paid_to(partner):
    return {row.currency: row.amount for row in Settlement.objects.filter(partner=partner)}


def test_a_settled_period_books_one_journal_per_partner(network, cast):
    accrue(network)
    accrue(network, lots="0.5", at=NOON + dt.timedelta(days=1))
    rows = settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    assert {row.partner_id: row.amount for row in rows} == {
        network.sub.pk: Decimal("9"),
        network.master.pk: Decimal("4.5"),
        network.top.pk: Decimal("1.5"),
    }
    owed = posting.partner_payable(brand_id=cast.brand.pk, partner_id=network.sub.pk, currency="EUR")
    assert posting.balance(owed) == 900
    assert posting.balance(posting.house(AccountKind.IB_COMMISSIONS, brand_id=cast.brand.pk, currency="EUR")) == -1500
    sub = Settlement.objects.get(partner=network.sub)
    assert sub.journal.kind == JournalKind.COMMISSION and Posting.objects.filter(journal=sub.journal).count() == 2
    assert (sub.trades, sub.lots) == (2, Decimal("1.5"))


def test_the_partner_is_told_and_the_event_carries_the_amount(network, cast):
    accrue(network)
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    assert OutboxEvent.objects.filter(name="ib.commission_settled").count() == 3
    events.drain()
    assert Notification.objects.get(user=network.sub.user).kind == "ib.commission_settled"


def test_a_period_is_settled_once(network, cast):
    accrue(network)
    period = period_of(NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    with pytest.raises(WrongState, match="already"):
        settlement.settle_period(period_id=period.pk, actor=cast.finance)
    assert Settlement.objects.count() == 3


def test_who_writes_plans_does_not_settle_and_nothing_changed(network, cast):
    accrue(network)
    with pytest.raises(NotAllowed):
        settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.ib_manager)
    assert not Settlement.objects.exists() and period_of(NOON).state == "open"


def test_an_earlier_open_period_comes_first(network, cast):
    accrue(network)
    accrue(network, at=NOON + NEXT)
    with pytest.raises(WrongState, match="earlier"):
        settlement.settle_period(period_id=period_of(NOON + NEXT).pk, actor=cast.finance)


def test_a_late_trade_of_a_settled_period_goes_into_the_next(network, cast):
    accrue(network)
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    accrue(network, lots="2", at=NOON + dt.timedelta(hours=2))
    late = Accrual.objects.filter(lots=2).first()
    assert late.period_id != period_of(NOON).pk and late.period.state == "open"


def test_the_database_refuses_an_accrual_in_a_settled_period(network, cast):
    accrue(network)
    period = period_of(NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    row = Accrual.objects.first()
    row.pk, row.deal_id = None, 999
    with pytest.raises(DatabaseError, match="closed commission period"), transaction.atomic():
        row.save(force_insert=True)


def test_a_running_period_can_be_settled_now_and_the_rest_is_a_period_of_its_own(network, cast):
    now = dt.datetime.now(dt.UTC)
    accrue(network, at=now - dt.timedelta(minutes=5), held_seconds=600)
    old = SettlementPeriod.objects.exclude(ends_at__lte=now).get()
    settlement.settle_period(period_id=old.pk, actor=cast.finance)
    new = SettlementPeriod.objects.get(state="open")
    old_end = old.ends_at
    old.refresh_from_db()
    assert old.ends_at == new.starts_at and new.ends_at == old_end
    assert Settlement.objects.count() == 3


def test_each_part_of_a_month_has_its_number(network, cast):
    now = dt.datetime.now(dt.UTC)
    accrue(network, at=now - dt.timedelta(minutes=5), held_seconds=600)
    for _cut in range(3):
        running = SettlementPeriod.objects.exclude(ends_at__lte=dt.datetime.now(dt.UTC)).get()
        settlement.settle_period(period_id=running.pk, actor=cast.finance)
    names = list(SettlementPeriod.objects.filter(brand=cast.brand).order_by("starts_at").values_list("name", flat=True))
    month = names[-4]
    assert names[-4:] == [month, f"{month} (2)", f"{month} (3)", f"{month} (4)"]


def test_what_is_finer_than_a_cent_is_carried_and_paid_later(network, cast):
    accrue(network, lots="0.0111")
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    first = Settlement.objects.get(partner=network.sub)
    assert (first.amount, first.carried_out) == (Decimal("0.06"), Decimal("0.0066"))
    accrue(network, lots="0.0111", at=NOON + NEXT)
    settlement.settle_period(period_id=period_of(NOON + NEXT).pk, actor=cast.finance)
    second = Settlement.objects.filter(partner=network.sub).latest("id")
    assert second.previous == first
    assert (second.carried_in, second.amount, second.carried_out) == (
        Decimal("0.0066"),
        Decimal("0.07"),
        Decimal("0.0032"),
    )


def test_a_sum_below_a_cent_pays_nothing_and_is_carried(network, cast):
    accrue(network, lots="0.001")
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    row = Settlement.objects.get(partner=network.top)
    assert (row.amount, row.carried_out, row.state, row.journal) == (0, Decimal("0.001"), "carried", None)


@pytest.mark.parametrize(
    ("currency", "total", "paid"),
    [("EUR", "1.239", "1.23"), ("JPY", "15.9", "15"), ("BTC", "0.123456789", "0.12345678"), ("EUR", "-4", "0")],
)
def test_whole_smallest_units_are_paid_and_never_rounded_up(currency, total, paid):
    assert settlement.payable(Decimal(total), currency) == Decimal(paid)


def test_settlements_are_never_changed(network, cast):
    accrue(network)
    row = settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)[0]
    row.amount = 5
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()


def test_due_periods_close_by_themselves_after_a_grace(network):
    accrue(network)
    assert settlement.settle_due() >= 1
    assert period_of(NOON).state == "closed"


def test_a_brand_that_cannot_be_settled_holds_up_no_other(network, cast, monkeypatch):
    accrue(network)
    ours = period_of(NOON)
    period = SettlementPeriod.objects.create(
        brand=cast.other_brand, name="2020-01", starts_at=ours.starts_at - NEXT, ends_at=ours.ends_at - NEXT
    )
    settle = settlement.settle_period
    monkeypatch.setattr(
        settlement,
        "settle_period",
        lambda *, period_id, actor: 1 / 0 if period_id == ours.pk else settle(period_id=period_id, actor=actor),
    )
    settlement.settle_due()
    period.refresh_from_db()
    assert (period.state, period_of(NOON).state) == ("closed", "open")


def arrived(cast, amount_minor, at, key, client=None):
    """A settled deposit with its journal."""
    psp = Psp.objects.filter(brand=cast.brand).first() or Psp.objects.create(
        brand=cast.brand, code="cards", name="Cards"
    )
    client = client or cast.client
    wallet = posting.wallet_of(client, "EUR")
    posted = posting.post(
        posting.Entry(
            key=f"deposit:{key}",
            kind=JournalKind.DEPOSIT,
            brand_id=cast.brand.pk,
            lines=(posting.Line(posting.psp_clearing(psp, "EUR"), -amount_minor), posting.Line(wallet, amount_minor)),
        )
    )
    return Deposit.objects.create(
        client=client,
        brand=cast.brand,
        psp=psp,
        wallet=wallet,
        reference=f"D-{key}",
        request_key=key,
        psp_reference=f"P-{key}",
        state="settled",
        amount_minor=amount_minor,
        currency="EUR",
        received_minor=amount_minor,
        credited_minor=amount_minor,
        base_amount=Decimal(amount_minor) / 100,
        journal_id=posted.journal_id,
        created_at=at,
        settled_at=at,
    )


def test_a_reversed_deposit_takes_its_part_of_the_commissions_back_once(network, cast):
    now = dt.datetime.now(dt.UTC)
    deposit = arrived(cast, 100_00, now - dt.timedelta(days=3), "a")
    arrived(cast, 300_00, now - dt.timedelta(days=2), "b")
    accrue(network, at=now - dt.timedelta(days=1))
    accrue(network, at=now - dt.timedelta(days=10))
    for _time in range(2):
        with transaction.atomic():
            events.publish(
                events.DepositReversed(
                    deposit_id=deposit.pk,
                    amount=Decimal(100),
                    currency="EUR",
                    kind="chargeback",
                    client_id=cast.client.pk,
                    brand_id=cast.brand.pk,
                )
            )
        events.drain()
    taken = Accrual.objects.filter(kind="clawback")
    assert {row.partner_id: row.amount for row in taken} == {
        network.sub.pk: Decimal("-1.5"),
        network.master.pk: Decimal("-0.75"),
        network.top.pk: Decimal("-0.25"),
    }
    assert {row.reason for row in taken} == {"deposit_reversed"} and all(row.corrects_id for row in taken)
    assert engine.run_nightly(brand=cast.brand).rows == 0
    assert rollup.differences() == []


def test_a_deposit_that_is_reversed_in_parts_takes_each_part_back_once(network, cast):
    now = dt.datetime.now(dt.UTC)
    deposit = arrived(cast, 100_00, now - dt.timedelta(days=3), "a")
    accrue(network, at=now - dt.timedelta(days=1))
    rows = [
        clawback.take_back(deposit_id=deposit.pk, amount=Decimal(25), reference=name)
        for name in ("dp_1", "W-REFUND", "dp_1")
    ]
    assert rows == [3, 3, 0]
    taken = Accrual.objects.filter(kind="clawback", partner=network.sub).values_list("amount", flat=True)
    assert list(taken) == [Decimal("-1.5"), Decimal("-1.5")]
    assert rollup.differences() == []


def test_a_clawback_larger_than_the_earnings_is_carried_as_a_negative(network, cast):
    accrue(network)
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    deposit = arrived(cast, 100_00, NOON - dt.timedelta(days=1), "a")
    assert clawback.take_back(deposit_id=deposit.pk, amount=Decimal(100)) == 3
    period = Accrual.objects.filter(kind="clawback").first().period
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    row = Settlement.objects.filter(partner=network.sub).latest("id")
    assert (row.amount, row.carried_out, row.state) == (0, -6, "carried")


def test_commissions_are_paid_out_to_the_partners_own_wallet_once(network, cast):
    accrue(network)
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    network.sub.client = cast.other_client
    network.sub.save(update_fields=["client"])
    for _time in range(2):
        payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal("2.50"), currency="EUR", request_key="k1", actor=network.sub.user
        )
    assert Payout.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal("3.50"), currency="EUR", request_key="k1", actor=network.sub.user
        )
    assert settlement.balances_of(network.sub) == {"EUR": Decimal("3.50")}
    assert posting.balance(posting.wallet_of(cast.other_client, "EUR")) == 250


@pytest.mark.parametrize("amount", ["6.01", "0", "1.005"])
def test_a_payout_of_what_is_not_there_is_refused(network, cast, amount):
    accrue(network)
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    network.sub.client = cast.other_client
    network.sub.save(update_fields=["client"])
    with pytest.raises(DomainError):
        payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal(amount), currency="EUR", request_key="k1", actor=network.sub.user
        )
    assert not Payout.objects.exists()


def test_a_blocked_partner_and_a_stranger_get_no_payout(network, cast):
    with pytest.raises(NotAllowed):
        payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal(1), currency="EUR", request_key="k", actor=cast.finance
        )
    change_state(partner_id=network.sub.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="review")
    with pytest.raises(WrongState):
        payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal(1), currency="EUR", request_key="k", actor=network.sub.user
        )


def test_an_accrual_is_explained_to_the_trade(network, cast):
    make_version(
        cast.brand, cast.ib_manager, cast.finance, plan=network.version.plan, starts_at=NOON - NEXT, currency="USD"
    )
    accrue(network, lots="0.5")
    row = Accrual.objects.get(level=1)
    text = " | ".join(f"{step.text} = {step.figure}" for step in explain.explain(row))
    assert "closed 0.5 lots of EURUSD" in text and "minimum is 3\xa0min" in text
    assert "0.5 lots × 10 USD per lot × 60 % for level 1 = 3 USD" in text
    assert "Converted at 0.8" in text and text.endswith("2.4 EUR")


def test_a_trade_that_was_not_paid_says_why_in_words(network):
    accrue(network, held_seconds=100)
    steps = explain.explain(Accrual.objects.get(level=1))
    assert steps[-1].text == f"Not paid: closed after 100 seconds; {network.version} requires at least 180 seconds"


def test_a_settlement_is_explained_from_sum_to_payment(network, cast):
    accrue(network, lots="0.0111")
    settlement.settle_period(period_id=period_of(NOON).pk, actor=cast.finance)
    steps = explain.explain_settlement(Settlement.objects.get(partner=network.sub))
    assert [step.figure for step in steps] == ["0.0666 EUR", "−0.0066 EUR", "€0.06"]
