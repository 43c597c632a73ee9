"""Two at once: a partner's balance is paid once, commissions are calculated once."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection

from crm import approvals, events
from crm.errors import DomainError, WrongState
from ib import engine, links, payouts, rollup, settlement
from ib.models import (
    Accrual,
    AutomaticPayout,
    CommissionDispute,
    Payout,
    ReferralDay,
    Replay,
    ReplayLine,
    ReplayProposal,
    SelfBillingInvoice,
    Settlement,
    SettlementPeriod,
)
from ib.replay.replays import run_replay
from ib.settlements.automatic_payouts import pay_due
from ib.settlements.disputes import open_dispute
from tests.faults.killing import Rounds, killed_at
from tests.ib.factories import NOON, make_trade, recompute
from tests.ib.test_invoices import COMPANY
from tests.ib.test_replay import requested, waiting
from tests.ib.test_settlement_pages import agree, trade
from tests.racing import race
from wallet.ledger import posting
from wallet.ledger.verification import verify

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def accruals():
    return sorted(Accrual.objects.values_list("partner_id", "level", "amount"))


def test_two_payouts_of_the_whole_balance_pay_it_once(network, cast):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    network.sub.client = cast.other_client
    network.sub.save(update_fields=["client"])

    def pay(key):
        return payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal(6), currency="EUR", request_key=key, actor=network.sub.user
        )

    both = race(lambda: pay("one"), lambda: pay("two"))
    assert isinstance(both.first, Payout) and isinstance(both.second, DomainError)
    assert both.has_waited
    assert Payout.objects.count() == 1 and settlement.balances_of(network.sub).get("EUR", 0) == 0
    assert posting.balance(posting.wallet_of(cast.other_client, "EUR")) == 600


def test_no_click_is_lost_while_the_database_is_away(network):
    """Its sessions end and none begins for half a second, as when it restarts; a click may count twice, whose answer was lost."""
    link, name, made = network.sub.referral_links.get(), connection.settings_dict["NAME"], 0

    def restart():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            try:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
                time.sleep(0.5)
            finally:
                cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    thread = Thread(target=restart)
    thread.start()
    while thread.is_alive():
        assert links.follow(link.code, counts=True).pk == link.pk
        made += 1
    thread.join()
    assert links.follow(link.code, counts=True) is not None
    assert made + 1 <= sum(ReferralDay.objects.values_list("clicks", flat=True)) <= made + 2


def test_a_form_sent_twice_at_once_is_one_payout(network, cast):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    network.sub.client = cast.other_client
    network.sub.save(update_fields=["client"])

    def pay():
        return payouts.pay_out(
            partner_id=network.sub.pk, amount=Decimal(2), currency="EUR", request_key="k", actor=network.sub.user
        )

    both = race(pay, pay)
    assert both.first == both.second == Payout.objects.get()


def test_two_runs_over_one_day_write_the_difference_once(network, cast):
    make_trade(network.account)

    def again():
        return recompute(
            brand=cast.brand, from_at=NOON - DAY, to_at=NOON + DAY, actor=cast.ib_manager, reason="A late trade"
        )

    both = race(again, again)
    assert both.has_waited and not [one for one in (both.first, both.second) if isinstance(one, Exception)]
    once = accruals()
    assert len(once) == 3 and len({one[:2] for one in once}) == 3
    again()
    assert accruals() == once


@pytest.mark.slow
def test_a_pass_killed_at_any_step_writes_each_line_once(network, cast):
    """A worker dies before each of its words to the database in turn: nothing is there, or all of it."""
    for step in range(1, 200, 5):
        deal = make_trade(network.account)
        was_killed = killed_at(step, lambda deal=deal: engine.run_for_deals(deal_ids=[deal]))
        assert Accrual.objects.filter(deal_id=deal).count() in ((0, 3) if was_killed else (3,))
        engine.run_for_deals(deal_ids=[deal])
        lines = Accrual.objects.filter(deal_id=deal)
        assert sorted(lines.values_list("amount", flat=True)) == [1, 3, 6] and rollup.differences() == []
        if not was_killed:
            break
    else:
        pytest.fail("it has more steps than this test kills")


def approved(item, actor):
    return lambda: approvals.approve(ReplayProposal, item.pk, actor=actor)


def test_two_people_apply_one_replay_once(network, cast):
    make_trade(network.account)
    item = waiting(cast)
    both = race(approved(item, cast.finance), approved(item, cast.second_finance))
    assert both.has_waited and isinstance(both.second, WrongState)
    assert sorted(amount for _partner, _level, amount in accruals()) == [1, 3, 6]
    assert Replay.objects.get().ended_by == cast.finance


def test_two_replays_of_one_day_are_applied_once(network, cast):
    make_trade(network.account)
    one, other = waiting(cast), waiting(cast)
    both = race(approved(one, cast.finance), approved(other, cast.second_finance))
    assert both.has_waited and isinstance(both.second, DomainError)
    assert sorted(amount for _partner, _level, amount in accruals()) == [1, 3, 6]


def test_two_workers_do_each_piece_of_a_replay_once(network, cast):
    make_trade(network.account)
    replay = requested(cast)
    both = race(lambda: run_replay(replay_id=replay.pk), lambda: run_replay(replay_id=replay.pk))
    assert both.has_waited and [both.first.state, both.second.state] == ["ready", "ready"]
    assert ReplayLine.objects.count() == 3 and not Accrual.objects.exists()


@pytest.mark.slow
def test_a_replay_killed_at_any_step_goes_on_without_doubling(network, cast):
    """A worker dies before each of its words to the database in turn; the next one does what is left."""
    make_trade(network.account)
    for step in range(1, 200, 7):
        replay = requested(cast)
        was_killed = killed_at(step, lambda pk=replay.pk: run_replay(replay_id=pk))
        assert ReplayLine.objects.filter(replay=replay).count() in (0, 3) and not Accrual.objects.exists()
        assert run_replay(replay_id=replay.pk).state == "ready"
        lines = ReplayLine.objects.filter(replay=replay)
        assert sorted(lines.values_list("difference", flat=True)) == [1, 3, 6]
        if not was_killed:
            break
    else:
        pytest.fail("it has more steps than this test kills")


def in_ledger(partner) -> Decimal:
    owed = posting.partner_payable(brand_id=partner.brand_id, partner_id=partner.pk, currency="EUR")
    return Decimal(posting.balance(owed)) / 100


def test_two_settlements_at_once_pay_each_trade_once(network, cast):
    """The month's and the daily one: both are for the same partner where the terms change in between."""
    agree(cast, network.sub, cycle="daily", vat_treatment="reverse", **COMPANY)
    trade(network)
    both = race(lambda: settlement.settle_cycles(brand=cast.brand), lambda: settlement.settle_cycles(brand=cast.brand))
    assert both.has_waited and [len(both.first), len(both.second)] == [1, 0]
    agree(cast, network.sub, cycle="monthly")
    period = SettlementPeriod.objects.filter(state="open").earliest("starts_at")
    both = race(
        lambda: settlement.settle_period(period_id=period.pk, actor=cast.finance),
        lambda: settlement.settle_period(period_id=period.pk, actor=cast.finance),
    )
    assert both.has_waited and isinstance(both.second, WrongState)
    assert in_ledger(network.sub) == sum(row.amount for row in Settlement.objects.filter(partner=network.sub)) == 6
    assert SelfBillingInvoice.objects.get().number == 1


def test_a_trade_that_comes_while_its_period_closes_is_in_the_next_settlement(network, cast):
    first = trade(network)
    period = first.period
    late = make_trade(network.account, at=first.closed_at, lots="2")
    both = race(
        lambda: settlement.settle_period(period_id=period.pk, actor=cast.finance),
        lambda: engine.run_for_deals(deal_ids=[late]),
    )
    assert both.has_waited and not isinstance(both.second, Exception)
    row = Accrual.objects.get(partner=network.sub, deal_id=late)
    assert row.period_id != period.pk and in_ledger(network.sub) == 6
    settlement.settle_period(period_id=row.period_id, actor=cast.finance)
    assert in_ledger(network.sub) == 18


def test_a_dispute_that_comes_during_a_settlement_is_too_late_or_holds(network, cast):
    agree(cast, network.sub, cycle="instant")
    row = trade(network)

    def dispute():
        return open_dispute(partner_id=network.sub.pk, accrual_id=row.pk, reason="Two lots", actor=network.sub.user)

    both = race(dispute, lambda: settlement.settle_cycles(brand=cast.brand))
    assert both.has_waited and isinstance(both.first, CommissionDispute)
    assert in_ledger(network.sub) == 0 and Settlement.objects.get().amount == 0


@pytest.mark.slow
def test_a_settlement_killed_at_any_step_pays_no_cent_twice(network, cast):
    """A worker dies before each of its words to the database in turn; the next one does what is left."""
    agree(cast, network.sub, cycle="daily", vat_treatment="standard", vat_rate=Decimal(19), **COMPANY)
    expected = Decimal(0)
    rounds = Rounds()
    for step in range(1, 60, 3):
        trade(network)
        expected += 6
        was_killed = rounds.killed_at(step, "settle", lambda: settlement.settle_cycles(brand=cast.brand))
        assert in_ledger(network.sub) in (expected, expected - 6)
        agree(cast, network.sub, cycle="instant", vat_treatment="standard", vat_rate=Decimal(19), **COMPANY)
        settlement.settle_due()
        assert in_ledger(network.sub) == expected
        if not was_killed:
            break
    else:
        pytest.fail("it has more steps than this test kills")
    rows = Settlement.objects.filter(partner=network.sub)
    assert sum(row.amount for row in rows) == expected
    numbers = sorted(SelfBillingInvoice.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) == rows.exclude(amount=0).count()
    events.drain()
    assert verify().holds


@pytest.mark.slow
def test_an_automatic_payout_killed_at_any_step_pays_no_cent_twice(network, cast):
    network.sub.client = cast.other_client
    network.sub.save(update_fields=["client"])
    agree(cast, network.sub, cycle="instant", payout_schedule="settled")
    expected, rounds = 0, Rounds()
    for step in range(1, 60, 3):
        trade(network)
        settlement.settle_cycles(brand=cast.brand)
        expected += 600
        was_killed = rounds.killed_at(step, "pay", lambda: pay_due(cast.brand))
        race(lambda: pay_due(cast.brand), lambda: pay_due(cast.brand))
        assert posting.balance(posting.wallet_of(cast.other_client, "EUR")) == expected
        assert in_ledger(network.sub) == 0
        if not was_killed:
            break
    else:
        pytest.fail("it has more steps than this test kills")
    paid = AutomaticPayout.objects.filter(state="paid")
    assert paid.count() == AutomaticPayout.objects.count() == Payout.objects.count()
    assert verify().holds
