"""A client whose verification was revoked, or whose referral is fraudulent, earns nobody anything, settled or not."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from clients.models import Client
from crm import approvals, events
from crm.errors import DomainError
from ib import clawback, engine, rollup, settlement
from ib.choices import ForfeitCause, VerdictKind
from ib.models import Accrual, ReferralVerdict, Settlement
from ib.settlements import forfeits
from tests.ib.test_settlement import arrived
from tests.ib.test_settlement_pages import agree, text_of, trade

pytestmark = pytest.mark.django_db
FRAUD = ForfeitCause.FRAUD


def earned(network):
    sums = dict(Accrual.objects.values_list("partner_id").annotate(Sum("amount")).order_by())
    return [sums[partner.pk] for partner in (network.sub, network.master, network.top)]


def publish(client, level, before, *, event=events.KycLevelLost, **fields):
    Client.objects.filter(pk=client.pk).update(kyc_level=level)
    events.publish(event(level=level, level_before=before, client_id=client.pk, brand_id=client.brand_id, **fields))
    events.drain()


def test_a_revoked_verification_takes_everything_back_from_the_upline_until_it_is_there_again(network, cast):
    trade(network)
    publish(cast.client, 0, 1, reason="expired")
    assert earned(network) == [6, 3, 1]
    publish(cast.client, 0, 1, reason="overturned")
    assert earned(network) == [0, 0, 0]
    assert set(Accrual.objects.filter(kind="clawback").values_list("reason", flat=True)) == {"client_forfeited"}
    publish(cast.client, 0, 1, reason="overturned")
    assert Accrual.objects.filter(kind="clawback").count() == 3
    publish(cast.client, 1, 0, event=events.KycLevelRegained)
    assert earned(network) == [6, 3, 1]
    assert engine.run_nightly(brand=cast.brand).rows == 0 and rollup.differences() == []


def test_what_was_settled_is_carried_as_a_negative_or_written_off(network, cast):
    agree(cast, network.sub, cycle="instant")
    agree(cast, network.master, cycle="instant", negative="written")
    trade(network)
    settlement.settle_cycles(brand=cast.brand)
    forfeits.declare(client_id=cast.client.pk, cause=FRAUD)
    settlement.settle_cycles(brand=cast.brand)
    sub, master = (Settlement.objects.filter(partner=one).latest("id") for one in (network.sub, network.master))
    assert (sub.amount, sub.carried_out, sub.written_off) == (0, -6, 0)
    assert (master.amount, master.carried_out, master.written_off) == (0, 0, -3)


def test_trades_after_the_verdict_are_taken_back_before_they_are_settled(network, cast):
    agree(cast, network.sub, cycle="instant")
    forfeits.declare(client_id=cast.client.pk, cause=FRAUD)
    trade(network)
    assert earned(network) == [6, 3, 1]
    settlement.settle_cycles(brand=cast.brand)
    assert earned(network) == [0, 0, 0] and Settlement.objects.get(partner=network.sub).amount == 0
    trade(network, lots="2")
    settlement.settle_cycles(brand=cast.brand)
    assert earned(network) == [0, 0, 0] and rollup.differences() == []


def test_trades_beyond_the_clawback_days_and_other_clients_stay_paid(network, cast):
    days = network.version.clawback_days
    trade(network, days_ago=days + 1)
    trade(network, days_ago=days - 1)
    forfeits.declare(client_id=cast.client.pk, cause=FRAUD)
    assert earned(network) == [6, 3, 1]
    forfeits.declare(client_id=cast.other_client.pk, cause=FRAUD)
    assert earned(network) == [6, 3, 1]


def test_two_causes_and_a_reversed_deposit_never_take_more_than_was_earned(network, cast):
    now = dt.datetime.now(dt.UTC)
    deposit = arrived(cast, 100_00, now - dt.timedelta(days=9), "a")
    trade(network)
    forfeits.declare(client_id=cast.client.pk, cause=FRAUD)
    assert clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50)) == 0
    forfeits.declare(client_id=cast.client.pk, cause=ForfeitCause.KYC_REVOKED)
    assert forfeits.lift(client_id=cast.client.pk, cause=FRAUD) == 0 and earned(network) == [0, 0, 0]
    forfeits.lift(client_id=cast.client.pk, cause=ForfeitCause.KYC_REVOKED)
    assert earned(network) == [3, Decimal("1.5"), Decimal("0.5")]  # the deposit's half stays taken
    assert rollup.differences() == []


def test_a_verdict_needs_a_second_person_and_can_be_lifted(network, cast, browse):
    trade(network)
    address = reverse("ib_verdict", args=[cast.client.pk])
    browse(cast.ib_manager).post(address, {"reason": "Bought clicks"})
    assert earned(network) == [6, 3, 1]
    approvals.approve(ReferralVerdict, ReferralVerdict.objects.get().pk, actor=cast.finance)
    assert earned(network) == [0, 0, 0]
    tab = browse(cast.ib_manager).get(reverse("client_tab", args=[cast.client.pk, "partner"]))
    assert "Fraudulent referral" in text_of(tab)
    with pytest.raises(DomainError, match="Nothing changes"):
        forfeits.propose_verdict(
            client_id=cast.client.pk, kind=VerdictKind.FRAUD, reason="Again", actor=cast.ib_manager
        )
    assert "Lift the fraud verdict" in text_of(browse(cast.ib_manager).get(address))
    browse(cast.ib_manager).post(address, {"reason": "A mistake"})
    approvals.approve(ReferralVerdict, ReferralVerdict.objects.first().pk, actor=cast.finance)
    assert earned(network) == [6, 3, 1]
