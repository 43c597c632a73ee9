"""A dispute is work: a clock, messages both ways, and an adjustment that two people agree on and the next settlement pays."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, WorkProposal
from ib import clawback, engine, rollup, settlement
from ib.models import Accrual, CommissionDispute, CommissionRun, DisputeMessage, PartnerDay, Settlement
from ib.settlements import forfeits
from ib.settlements.dispute_effect import effect_of
from ib.settlements.disputes import add_message, open_dispute, propose_adjustment, resolve_dispute
from tests.ib.factories import NOON, card, make_account, make_trade
from tests.ib.test_agreements import agree as on_plan
from tests.ib.test_clawback import DAY, arrived
from tests.ib.test_pages import text_of
from tests.ib.test_settlement_pages import agree, trade

pytestmark = pytest.mark.django_db


def disputed(network, row) -> CommissionDispute:
    return open_dispute(partner_id=network.sub.pk, accrual_id=row.pk, reason="It was 2 lots", actor=network.sub.user)


def test_a_dispute_waits_in_the_queue_with_its_clock(network, cast, browse):
    dispute = disputed(network, trade(network))
    assert dispute.work.kind == "ib.dispute" and dispute.work.due_at > dispute.opened_at
    assert "left" in text_of(browse(cast.finance).get(reverse("ib_disputes")))
    work.claim(item_id=dispute.work_id, actor=cast.finance)
    with pytest.raises(NotAllowed, match="is working on this"):
        resolve_dispute(dispute_id=dispute.pk, answer="No", actor=cast.second_finance)
    resolve_dispute(dispute_id=dispute.pk, answer="The platform reports 1 lot.", actor=cast.finance)
    dispute.work.refresh_from_db()
    assert (dispute.work.outcome, dispute.work.decided_by) == ("answered", cast.finance)


def test_messages_go_both_ways_while_it_is_open(network, cast, browse):
    dispute = disputed(network, trade(network))
    partner, address = browse(network.sub.user), reverse("partner_dispute_page", args=[dispute.pk])
    partner.post(address, {"text": "See the screenshot"})
    browse(cast.finance).post(reverse("ib_dispute_message", args=[dispute.pk]), {"text": "Which account?"})
    for reader, page in ((partner, address), (browse(cast.ib_manager), reverse("ib_dispute", args=[dispute.pk]))):
        assert all(text in text_of(reader.get(page)) for text in ("See the screenshot", "Which account?"))
    assert cast.finance.get_full_name() not in text_of(partner.get(address))
    for user in (cast.finance, network.sub.user):
        assert Notification.objects.filter(kind="ib.dispute_message", user=user).count() == 1
    assert browse(network.master.user).get(address).status_code == 404
    for text in ("", " ", "x" * 1_001):
        with pytest.raises(DomainError, match="at most"):
            add_message(dispute_id=dispute.pk, text=text, actor=network.sub.user)
    for stranger in (cast.agent, network.master.user):
        with pytest.raises(NotAllowed):
            add_message(dispute_id=dispute.pk, text="x", actor=stranger)
    resolve_dispute(dispute_id=dispute.pk, answer="No", actor=cast.finance)
    with pytest.raises(WrongState):
        add_message(dispute_id=dispute.pk, text="Too late", actor=network.sub.user)
    assert DisputeMessage.objects.count() == 2


def test_an_adjustment_takes_two_people_and_is_settled_once(network, cast, browse):
    agree(cast, network.sub, cycle="instant")
    row = trade(network)
    dispute = disputed(network, row)
    settlement.settle_cycles(brand=cast.brand)
    assert not Settlement.objects.filter(amount__gt=0).exists()
    for reader, name in ((network.sub.user, "partner_dispute_page"), (cast.finance, "ib_dispute")):
        assert "Waits for the answer €6.00" in text_of(browse(reader).get(reverse(name, args=[dispute.pk])))
    for amount, problem in (("0", "isn't zero"), ("1000001", "isn't zero"), ("1.005", "decimal places")):
        with pytest.raises(DomainError, match=problem):
            propose_adjustment(dispute_id=dispute.pk, amount=Decimal(amount), answer="x", actor=cast.ib_manager)
    with pytest.raises(NotAllowed):
        propose_adjustment(dispute_id=dispute.pk, amount=Decimal(1), answer="x", actor=network.sub.user)
    browse(cast.ib_manager).post(
        reverse("ib_dispute_adjust", args=[dispute.pk]), {"amount": "6.00", "answer": "You were right: 2 lots."}
    )
    item = WorkProposal.objects.get()
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, item.pk, actor=cast.ib_manager)
    with pytest.raises(NotAllowed):
        resolve_dispute(dispute_id=dispute.pk, answer="No", actor=cast.finance)
    assert not Accrual.objects.filter(kind="adjusted").exists()
    approvals.approve(WorkProposal, item.pk, actor=cast.finance)
    dispute.refresh_from_db()
    line = Accrual.objects.get(kind="adjusted")
    assert (line.amount, line.corrects, line.source) == (6, row, f"dispute:{dispute.pk}")
    assert (dispute.state, dispute.adjustment_id, dispute.answer) == ("resolved", line.pk, "You were right: 2 lots.")
    assert PartnerDay.objects.get(partner=network.sub).amount == row.amount + 6
    assert AuditEvent.objects.filter(action="ib.dispute_adjusted").count() == 1
    settlement.settle_cycles(brand=cast.brand)
    settlement.settle_cycles(brand=cast.brand)
    assert Settlement.objects.get(amount__gt=0).amount == row.amount + 6
    partner = browse(network.sub.user)
    assert "€6.00" in text_of(partner.get(reverse("partner_dispute_page", args=[dispute.pk])))
    assert "Agreed after a dispute" in text_of(partner.get(reverse("partner_trade", args=[line.pk])))
    # A recalculation leaves it alone; it goes with the trade when the client's commissions are taken back.
    engine.run_for_deals(deal_ids=[row.deal_id], corrects=True)
    assert Accrual.objects.filter(deal_id=row.deal_id, partner=network.sub).count() == 2
    forfeits.declare(client_id=row.client_id, cause="fraud")
    assert Accrual.objects.get(partner=network.sub, kind="clawback").amount == -(row.amount + 6)
    assert CommissionRun.objects.filter(kind="adjusted").count() == 1


def test_a_missing_line_is_adjusted_by_its_deal(network, cast):
    account = make_account(cast.client)
    deal = make_trade(account)
    dispute = open_dispute(partner_id=network.sub.pk, deal_id=deal, reason="Where is it?", actor=network.sub.user)
    propose_adjustment(dispute_id=dispute.pk, amount=Decimal(3), answer="Paid by hand", actor=cast.ib_manager)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.finance)
    line = Accrual.objects.get(deal_id=deal)
    assert (line.kind, line.partner, line.introducer, line.level, line.client) == (
        "adjusted",
        network.sub,
        network.sub,
        1,
        cast.client,
    )


def test_an_adjustment_neither_fills_a_cap_nor_is_cut_by_it(network, cast):
    """10 EUR a day: the first trade's 6 EUR, 5 more after a dispute, and of the second trade's 6 the 4 that are left of the cap."""
    on_plan(cast, network.sub, card(), cap_day=Decimal(10))
    first, second = (make_trade(network.account, at=NOON.replace(hour=hour)) for hour in (9, 11))
    engine.run_for_deals(deal_ids=[first])
    dispute = disputed(network, Accrual.objects.get(partner=network.sub))
    propose_adjustment(dispute_id=dispute.pk, amount=Decimal(5), answer="Agreed", actor=cast.ib_manager)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.finance)
    engine.run_for_deals(deal_ids=[second])
    engine.run_for_deals(deal_ids=[first, second], corrects=True)
    mine = Accrual.objects.filter(partner=network.sub).order_by("pk").values_list("deal_id", "kind", "amount")
    assert list(mine) == [
        (first, "original", 6),
        (first, "adjusted", 5),
        (second, "original", 6),
        (second, "capped", -2),
    ]
    assert rollup.differences() == []


def test_a_settled_and_reversed_line_is_disputed_and_paid_no_cent_twice(network, cast):
    """6 EUR settled, half of the deposit charged back: -3 EUR wait with the dispute, and go with the 4 EUR that are agreed."""
    deposit = arrived(cast, 100_00, timezone.now() - 5 * DAY, "a")
    agree(cast, network.sub, cycle="instant")
    row = trade(network)
    settlement.settle_cycles(brand=cast.brand)
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50), reference="dp_1")
    dispute = disputed(network, row)
    settlement.settle_cycles(brand=cast.brand)
    assert settlement.balances_of(network.sub) == {"EUR": Decimal(6)}
    effect = effect_of(dispute)
    assert effect and effect.waiting == {"EUR": -3} and effect.settled == [Settlement.objects.get(amount=6)]
    propose_adjustment(dispute_id=dispute.pk, amount=Decimal(4), answer="Agreed", actor=cast.ib_manager)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.finance)
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50), reference="dp_1")
    for _time in range(2):
        settlement.settle_cycles(brand=cast.brand)
    assert settlement.balances_of(network.sub) == {"EUR": Decimal(7)}
    assert sum(Accrual.objects.filter(partner=network.sub).values_list("amount", flat=True)) == 7
    assert rollup.differences() == []
