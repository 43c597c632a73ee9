"""A partner offers a plan to sub-partners: never more than the own agreement pays, refused with the exact limit."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.urls import reverse

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from ib import plans
from ib.agreements.cards import ComponentRow, CpaRow
from ib.applications.approving import propose_approval
from ib.models import Partner, PartnerPlan, SubPartnerOffer
from ib.sub_partners.offers import create_offer, withdraw_offer
from ib.team.members import add_member
from tests.brand_policies import set_policies
from tests.ib.factories import applied, card, make_partner, make_version
from tests.ib.test_applications import send, verified
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def opened(cast, rate_card=None, **fields):
    version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card, **fields)
    plans.open_to_sub_partners(plan_id=version.plan_id, is_open=True, actor=cast.ib_manager)
    return version.plan_id


def offer(partner, plan_id, percent="100", actor=None) -> SubPartnerOffer:
    return create_offer(
        partner_id=partner.pk,
        name=f"Offer {SubPartnerOffer.objects.count()}",
        plan_id=plan_id,
        percent=Decimal(percent),
        actor=actor or partner.user,
    )


def test_an_offer_beyond_the_agreement_names_the_limit(network, cast):
    """The master earns 6 EUR per lot of FX majors, 60 % of a pot of 10."""
    master, own = network.master, network.version.plan_id
    richer = opened(cast, card({"fx_majors": "16"}))
    metals = opened(cast, card({"fx_majors": "5", "metals": "5"}))
    lot = ComponentRow("commission", "", "", Decimal("0.2"))
    shared = opened(cast, replace(card({"fx_majors": "5"}), components=(lot,)))
    cpa = opened(cast, replace(card({"fx_majors": "5"}), cpa=(CpaRow((), Decimal(200)),)))
    in_dollars = opened(cast, card({"fx_majors": "1"}), currency="USD")
    hidden = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card({"fx_majors": "1"})).plan_id
    for plan_id, percent, text in (
        (own, "101", "6.06 EUR per lot, your agreement allows 6 at most. At most 100 %"),
        (richer, "70", "FX majors: 6.72 EUR per lot, your agreement allows 6 at most. At most 62.5 %"),
        (metals, "10", "Metals: 0.3 EUR per lot, your agreement allows 0 at most"),
        (shared, "100", "commission on all symbol groups: 12 %, your agreement allows 0 % at most"),
        (cpa, "50", "CPA for any other country: 120 EUR, your agreement allows 0 at most"),
        (in_dollars, "100", "pays in USD, your agreement in EUR"),
        (hidden, "100", "isn't offered to sub-partners"),
        (own, "0", "more than 0"),
        (999_999, "50", "in force"),
    ):
        with pytest.raises(DomainError, match=text.replace("(", "\\(")):
            offer(master, plan_id, percent)
    assert not SubPartnerOffer.objects.exists()
    offer(master, richer, "62.5")
    set_policies(cast.brand, sub_partner_share=50)
    with pytest.raises(DomainError, match=r"allows 3 at most\. At most 50 %"):
        offer(master, own, "50.01")
    assert offer(master, own, "50").percent == 50


def test_the_agreements_components_cpa_and_caps_are_limits_too(cast):
    master = make_partner(cast.brand)
    rows = (
        ComponentRow("commission", "", "", Decimal("0.5")),
        ComponentRow("commission", "metals", "", Decimal("0.2")),
    )
    rich = replace(card({"fx_majors": "10"}), components=rows, cpa=(CpaRow((), Decimal(200), Decimal(100)),))
    own = opened(cast, rich, cap_day=Decimal(500))
    plans.assign_plan(partner_id=master.pk, plan_id=own, actor=None)
    metals = replace(card({"fx_majors": "1"}), components=(ComponentRow("commission", "metals", "", Decimal("0.4")),))
    easy = replace(card({"fx_majors": "1"}), cpa=(CpaRow((), Decimal(50)),))
    for rate_card, fields, percent, text in (
        (metals, {"cap_day": Decimal(500)}, "100", "Metals: 24 %, your agreement allows 12 % at most. At most 50 %"),
        (easy, {"cap_day": Decimal(500)}, "100", "reached sooner than yours, which needs €100.00"),
        (card({"fx_majors": "1"}), {}, "50", "more per day than yours, which is limited to €500.00"),
    ):
        with pytest.raises(DomainError, match=text):
            offer(master, opened(cast, rate_card, **fields), percent)
    assert offer(master, own, "99.99").plan_id == own


def test_who_may_offer_and_withdraw(network, cast):
    own = network.version.plan_id
    member = add_member(
        partner_id=network.master.pk, name="Ada", email="ada@x.example", role="finance", actor=network.master.user
    )
    for stranger in (network.top.user, cast.agent, member.user):
        with pytest.raises(NotAllowed):
            offer(network.master, own, "50", actor=stranger)
    made = offer(network.master, own, "50", actor=cast.ib_manager)
    withdraw_offer(offer_id=made.pk, actor=network.master.user)
    with pytest.raises(WrongState):
        withdraw_offer(offer_id=made.pk, actor=network.master.user)
    with pytest.raises(WrongState, match="no plan"):
        offer(make_partner(cast.brand), own)


def test_an_invited_applicant_is_approved_on_the_offer(network, cast, browse, django_assert_max_num_queries):
    own, browser = network.version.plan_id, browse(network.master.user)
    address = reverse("partner_sub_plans")
    page = browser.post(address, {"name": "Bronze", "plan": own, "percent": "120"})
    assert page.status_code == 422 and "At most 100 %" in text_of(page)
    browser.post(address, {"name": "Bronze", "plan": own, "percent": "70"})
    made = network.master.offers.get()
    with django_assert_max_num_queries(32):
        page = browser.get(address)
    assert "4.2" in text_of(page) and "70 %" in text_of(page) and network.sub.name in text_of(page)
    link = reverse("partner_join", args=[made.code])
    assert link in page.content.decode() and "4.2 EUR per lot" in text_of(browse(None).get(link))
    send(browse(None), link, kind="person")
    partner = Partner.objects.get(name="Nordlicht")
    assert partner.application.offer == made and partner.links_up.get().parent == network.master
    partner.client = verified(cast.other_client)
    partner.save(update_fields=["client"])
    form = browse(cast.ib_manager).get(reverse("ib_partner_approve", args=[partner.pk])).context["form"]
    assert (form["plan"].value(), form["percent"].value()) == (own, 70)
    ask = {"partner_id": partner.pk, "plan_id": own, "reason": "Known", "actor": cast.ib_manager}
    with pytest.raises(DomainError, match="At most 100 %"):
        propose_approval(**ask, percent=Decimal(101))
    item = propose_approval(**ask, percent=Decimal(70))
    set_policies(cast.brand, sub_partner_share=60)
    with pytest.raises(DomainError, match="At most 60 %"):
        approvals.approve(type(item), item.pk, actor=cast.finance)
    set_policies(cast.brand, sub_partner_share=70)
    approvals.approve(type(item), item.pk, actor=cast.finance)
    assert PartnerPlan.usual.get(partner=partner, ends_at=None).percent == 70
    browser.post(reverse("partner_offer_withdraw", args=[made.pk]))
    assert browse(None).get(link).status_code == 302
    assert browse(network.sub.user).post(reverse("partner_offer_withdraw", args=[made.pk])).status_code == 404


def test_a_closed_plan_is_opened_on_its_page(network, cast, browse):
    plan = network.version.plan
    browse(cast.ib_manager).post(reverse("ib_plan_open", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.is_for_sub_partners
    assert applied(cast, parent_id=network.sub.pk).application.offer is None
