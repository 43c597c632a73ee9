"""Terms with four eyes, disputes and cycles, as staff and partners use them."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from ib import engine, settlement
from ib.models import Accrual, CommissionDispute, Settlement, SettlementTerms
from ib.settlements.terms import terms_of
from tests.ib.factories import make_account, make_trade
from trading.models import Deal

pytestmark = pytest.mark.django_db
FORM = {
    "cycle": "daily",
    "minimum": "5",
    "hold_days": "0",
    "negative": "carried",
    "payout_schedule": "request",
    "payout_day": "1",
    "approval_above": "1000",
    "vat_treatment": "none",
    "vat_rate": "0",
    "reason": "Agreed by e-mail",
}


def agree(cast, partner, **values) -> SettlementTerms:
    """Terms that two people agreed."""
    return SettlementTerms.objects.create(
        partner=partner,
        state="approved",
        reason="Agreed",
        requested_by=cast.ib_manager,
        requested_at=timezone.now(),
        decided_by=cast.finance,
        decided_at=timezone.now(),
        **values,
    )


def trade(network, days_ago=2, **fields) -> Accrual:
    deal_id = make_trade(network.account, at=timezone.now() - dt.timedelta(days=days_ago), **fields)
    engine.run_for_deals(deal_ids=[deal_id])
    return Accrual.objects.get(partner=network.sub, deal_id=deal_id)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_terms_are_proposed_by_who_manages_partners_and_approved_by_finance(network, cast, browse):
    address = reverse("ib_partner_terms", args=[network.sub.pk])
    assert browse(cast.ib_manager).post(address, FORM).status_code == 302
    item = SettlementTerms.objects.get(partner=network.sub)
    assert terms_of(network.sub).cycle == "monthly"
    tab = reverse("ib_partner_tab", args=[network.sub.pk, "settlements"])
    assert "await a second approval" in text_of(browse(cast.ib_manager).get(tab))
    assert "€5.00" in text_of(browse(cast.finance).get(f"/approvals/settlement-terms/{item.pk}/"))
    approvals.approve(SettlementTerms, item.pk, actor=cast.finance)
    assert (terms_of(network.sub).cycle, terms_of(network.sub).minimum) == ("daily", 5)
    assert "Daily" in text_of(browse(cast.ib_manager).get(tab))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"vat_treatment": "exempt"}, "An invoice needs this."),
        ({"vat_treatment": "standard", "vat_rate": "0"}, "Enter a rate where VAT is included"),
        ({"hold_days": "366"}, "less than or equal to 365"),
        ({"minimum": "-1"}, "greater than or equal to 0"),
    ],
)
def test_terms_that_do_not_fit_together_are_refused(network, cast, browse, wrong, text):
    answer = browse(cast.ib_manager).post(reverse("ib_partner_terms", args=[network.sub.pk]), {**FORM, **wrong})
    assert answer.status_code == 422 and text in text_of(answer)
    assert not SettlementTerms.objects.exists()


def test_a_daily_cycle_is_settled_from_the_page_of_periods(network, cast, browse):
    agree(cast, network.sub, cycle="daily")
    trade(network)
    page = text_of(browse(cast.finance).get(reverse("ib_periods")))
    assert "Settle due cycles" in page
    for _time in range(2):
        browse(cast.finance).post(reverse("ib_settle_now", args=[cast.brand.pk]))
    row = Settlement.objects.get()
    assert (row.partner, row.amount, row.cycle) == (network.sub, Decimal(6), "daily")
    assert row.name in text_of(browse(network.sub.user).get(reverse("partner_payouts")))


def test_a_partner_disputes_a_trade_and_it_waits_for_the_answer(network, cast, browse):
    agree(cast, network.sub, cycle="daily")
    disputed, other = trade(network), trade(network, lots="0.5")
    partner = browse(network.sub.user)
    partner.post(reverse("partner_dispute", args=[disputed.pk]), {"reason": "It was 2 lots"})
    dispute = CommissionDispute.objects.get()
    assert "in dispute" in text_of(partner.get(reverse("partner_trade", args=[disputed.pk])))
    settlement.settle_cycles(brand=cast.brand)
    assert Settlement.objects.get().amount == other.amount
    finance = browse(cast.finance)
    address = reverse("ib_dispute", args=[dispute.pk])
    assert "It was 2 lots" in text_of(finance.get(address)) and "It was 2 lots" in text_of(
        finance.get(reverse("ib_disputes"))
    )
    page = text_of(finance.get(address))
    for part in ("Platform record", f"#{disputed.ticket}", "Not settled while", "1 lots", "unchanged since"):
        assert part in page
    assert finance.post(address, {"answer": ""}).status_code == 422
    finance.post(address, {"answer": "The platform reports 1 lot."})
    assert "The platform reports 1 lot." in text_of(partner.get(reverse("partner_trade", args=[disputed.pk])))
    assert text_of(browse(cast.ib_manager).get(address)).count("Resolve dispute") == 0
    agree(cast, network.sub, cycle="instant")
    settlement.settle_cycles(brand=cast.brand)
    assert Settlement.objects.latest("id").amount == disputed.amount


def test_nobody_disputes_anothers_trade(network, cast, browse):
    row = trade(network)
    assert (
        browse(network.master.user).post(reverse("partner_dispute", args=[row.pk]), {"reason": "x"}).status_code == 404
    )
    assert not CommissionDispute.objects.exists()


def test_a_frozen_partner_is_neither_settled_nor_paid(network, cast, browse):
    agree(cast, network.sub, cycle="instant")
    trade(network)
    finance = browse(cast.finance)
    finance.post(reverse("ib_partner_freeze", args=[network.sub.pk]), {"reason": "Suspicious referrals"})
    settlement.settle_cycles(brand=cast.brand)
    assert not Settlement.objects.exists()
    assert "on hold" in text_of(browse(network.sub.user).get(reverse("partner_payouts")))
    finance.post(reverse("ib_dispute", args=[CommissionDispute.objects.get().pk]), {"answer": "Cleared"})
    settlement.settle_cycles(brand=cast.brand)
    assert Settlement.objects.get().amount == 6


def test_finance_puts_a_deal_on_hold(network, cast, browse):
    row = trade(network)
    finance = browse(cast.finance)
    assert "Put on hold" in text_of(finance.get(reverse("ib_accrual", args=[row.pk])))
    assert finance.get(reverse("ib_hold", args=[row.pk])).status_code == 200
    finance.post(reverse("ib_hold", args=[row.pk]), {"reason": "Platform corrects the deal"})
    assert "In dispute" in text_of(finance.get(reverse("ib_accrual", args=[row.pk])))
    assert CommissionDispute.objects.get().deal_id == row.deal_id


def test_a_missing_commission_is_found_by_its_deal_or_disputed(network, cast, browse):
    """A deal with an entry leads to it; one without any waits from then on, also when it is accrued later; others' aren't found."""
    agree(cast, network.sub, cycle="instant")
    known = trade(network)
    partner, address = browse(network.sub.user), reverse("partner_missing_deal")
    answer = partner.post(address, {"number": known.ticket, "reason": "Where?"})
    assert answer["Location"] == reverse("partner_trade", args=[known.pk])
    late = make_trade(network.account, at=timezone.now() - dt.timedelta(hours=1))
    foreign = make_trade(make_account(cast.other_client))
    numbers = dict(Deal.objects.filter(pk__in=[late, foreign]).values_list("pk", "ticket"))
    for number in (numbers[foreign], 1):
        assert "no such deal" in text_of(partner.post(address, {"number": number, "reason": "Where?"}))
    assert partner.post(address, {"number": numbers[late], "reason": "Where?"})["Location"] == reverse(
        "partner_payouts"
    )
    dispute = CommissionDispute.objects.get()
    assert (dispute.deal_id, dispute.accrual_id) == (late, None)
    assert "Where?" in text_of(partner.get(reverse("partner_payouts")))
    page = text_of(browse(cast.finance).get(reverse("ib_dispute", args=[dispute.pk])))
    assert "No entry for this deal" in page and "calculated yet" in page
    engine.run_for_deals(deal_ids=[late])
    settlement.settle_cycles(brand=cast.brand)
    assert Settlement.objects.get(partner=network.sub).amount == known.amount
    assert "In dispute" in text_of(browse(cast.finance).get(reverse("ib_disputes")))
