"""Personal ratios: an agreement that pays another part of its plan's rates, for a partner, a link or a client."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import approvals
from crm.errors import DomainError, WrongState
from ib import engine
from ib.agreements.ratios import propose_ratio
from ib.explain import explain
from ib.models import Accrual, PartnerPlan, RatioProposal
from tests.ib.factories import LONG_AGO, card, make_trade
from tests.ib.test_agreements import agree, earned, paid
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def hold(partner, plan, percent):
    """Give a partner a plan at a ratio, from long before the trades on."""
    PartnerPlan.usual.filter(partner=partner, ends_at=None).update(ends_at=LONG_AGO.replace(day=5))
    PartnerPlan.objects.create(partner=partner, plan=plan, percent=percent, starts_at=LONG_AGO.replace(day=5))


def test_a_clients_ratio_comes_before_the_partners_and_counts_for_the_whole_card(network, cast):
    """10 EUR × 110 % × 60, 30 and 10 %; for the client 50 % of it."""
    plan = network.version.plan
    hold(network.sub, plan, 110)
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    assert paid(deal) == {(1, "lot"): Decimal("6.6"), (2, "lot"): Decimal("3.3"), (3, "lot"): Decimal("1.1")}
    row = Accrual.objects.get(deal_id=deal, level=1)
    assert (row.rate, row.ratio) == (11, 110)
    assert "Personal ratio: 110 % of the plan's rates" in [step.text for step in explain(row)]
    PartnerPlan.objects.create(partner=network.sub, plan=plan, client=cast.client, percent=50, starts_at=LONG_AGO)
    assert earned(network)[1, "lot"] == 3


def test_an_ancestors_own_agreement_has_a_ratio_of_its_own(network, cast):
    """The master's own plan pays level 2 a quarter of 40, and of that 120 %."""
    version = agree(cast, network.master, card({"fx_majors": "40"}, {1: "0.5", 2: "0.25"}), network="own")
    hold(network.master, version.plan, 120)
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): Decimal(12), (3, "lot"): Decimal(1)}


def test_a_ratio_holds_from_its_second_approval_on(network, cast):
    plan = network.version.plan_id
    with pytest.raises(DomainError, match="at most 200"):
        propose_ratio(partner_id=network.sub.pk, plan_id=plan, percent=Decimal(201), reason="r", actor=cast.ib_manager)
    with pytest.raises(WrongState, match="already set"):
        propose_ratio(partner_id=network.sub.pk, plan_id=plan, percent=Decimal(100), reason="r", actor=cast.ib_manager)
    item = propose_ratio(
        partner_id=network.sub.pk, plan_id=plan, percent=Decimal("110.5"), reason="r", actor=cast.ib_manager
    )
    assert not PartnerPlan.objects.filter(percent="110.5").exists()
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)
    item.refresh_from_db()
    held = PartnerPlan.usual.get(partner=network.sub, ends_at=None)
    assert (held.plan_id, held.percent) == (plan, Decimal("110.5")) and held.starts_at >= item.requested_at
    assert PartnerPlan.usual.filter(partner=network.sub).count() == 2
    with pytest.raises(IntegrityError, match="personal_ratio_is_within_bounds"), transaction.atomic():
        PartnerPlan.objects.create(partner=network.top, plan_id=plan, client=cast.client, percent=0, starts_at=LONG_AGO)


def test_the_partners_page_proposes_a_ratio_and_shows_it(network, cast, browse):
    address = reverse("ib_partner_plan", args=[network.sub.pk])
    sent = {"plan": network.version.plan_id, "percent": "90", "reason": "Agreed"}
    page = text_of(browse(cast.ib_manager).post(address, sent, follow=True))
    assert "Agreement proposed" in page
    item = RatioProposal.objects.get()
    assert "90 %" in text_of(browse(cast.finance).get(f"/approvals/personal-ratio/{item.pk}/"))
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)
    assert "90 %" in text_of(browse(cast.ib_manager).get(network.sub.get_absolute_url()))
    assert "Personal ratio: 90 % of the plan" in text_of(browse(network.sub.user).get("/partners/"))


def test_the_form_begins_with_what_is_agreed(network, cast, browse):
    plan = network.version.plan
    hold(network.sub, plan, 90)
    PartnerPlan.objects.create(partner=network.sub, plan=plan, client=cast.client, percent=50, starts_at=LONG_AGO)
    address = reverse("ib_partner_plan", args=[network.sub.pk])
    usual, client, other = (
        browse(cast.ib_manager).get(address + asked).context["form"].initial
        for asked in ("", f"?client={cast.client.pk}", "?client=999999")
    )
    assert (usual["plan"], usual["percent"]) == (plan.pk, 90)
    assert (client["plan"], client["percent"]) == (plan.pk, 50)
    assert (other.get("plan"), other["percent"]) == (None, 100)
