"""Two at once: a partner's balance is paid once, commissions are calculated once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from crm.errors import DomainError
from ib import engine, payouts, settlement
from ib.models import Accrual, Payout, SettlementPeriod
from tests.ib.factories import NOON, make_trade, recompute
from tests.racing import race
from wallet.ledger import posting

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


def test_two_recalculations_of_one_day_write_the_difference_once(network, cast):
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
