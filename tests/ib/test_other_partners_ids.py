"""Addresses of partner pages with another partner's number: neither a stranger nor the upline gets in, in whatever role."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import events
from crm.models import ApiToken
from ib import payouts, settlement, urls
from ib.choices import TeamRole
from ib.models import (
    CommissionDispute,
    CreditNote,
    DisputeMessage,
    PartnerMember,
    PayoutRequest,
    Postback,
    PostbackDelivery,
    ReferralLink,
    SelfBillingInvoice,
    SubPartnerOffer,
)
from ib.partners import link_wallet
from ib.settlements import disputes
from ib.sub_partners.offers import create_offer
from ib.team.members import add_member
from ib.tracking import postbacks
from tests.ib.factories import make_partner
from tests.ib.test_invoices import COMPANY, invoiced, take_back_one
from tests.ib.test_partner_tokens import new
from tests.ib.test_settlement_pages import agree, trade
from tests.ib.test_team import add

__all__ = ["invoiced"]
pytestmark = pytest.mark.django_db
# Banners are the brand's.
OTHERS = {"referral_banner", "partner_material_picture"}
PLAIN = {"ending": "pdf", "verb": "switch"}
CHANGED = (
    ApiToken,
    CommissionDispute,
    DisputeMessage,
    PartnerMember,
    PayoutRequest,
    Postback,
    PostbackDelivery,
    ReferralLink,
    SubPartnerOffer,
)


@pytest.fixture
def numbers(invoiced, cast):
    """One of everything that an address of a partner page names, all of `invoiced.sub`."""
    sub = invoiced.sub
    first = SelfBillingInvoice.objects.get(partner=sub)
    vat = {"vat_treatment": "standard", "vat_rate": Decimal(19), **COMPANY}
    agree(cast, sub, cycle="instant", approval_above=Decimal(1), **vat)
    trade(invoiced, lots="2")
    take_back_one(first, cast)
    settlement.settle_cycles(brand=cast.brand)
    cast.other_client.kyc_level, cast.other_client.email_confirmed_at = 2, timezone.now()
    cast.other_client.save()
    link_wallet(partner_id=sub.pk, client_id=cast.other_client.pk, actor=cast.ib_manager, reason="agreed")
    sub.refresh_from_db()
    asked = payouts.pay_out(partner_id=sub.pk, amount=Decimal(5), currency="EUR", request_key="k", actor=sub.user)
    disputed, accrual = trade(invoiced), trade(invoiced)
    dispute = disputes.open_dispute(partner_id=sub.pk, accrual_id=disputed.pk, reason="Too little", actor=sub.user)
    plan_id = invoiced.version.plan_id
    offer = create_offer(partner_id=sub.pk, name="Half", plan_id=plan_id, percent=Decimal(50), actor=sub.user)
    postback = postbacks.save_postback(
        partner_id=sub.pk, url="http://127.0.0.1/?a={event}", events=["ftd"], actor=sub.user
    )
    postbacks.send_test(postback_id=postback.pk, actor=sub.user)
    colleague = add_member(
        partner_id=sub.pk, name="Colleague", email="colleague@sub.example", role=TeamRole.MARKETING, actor=None
    )
    for _twice in range(2):  # the invoice's file is made by the event of the first round
        events.drain()
    return {
        "partner_id": sub.pk,
        "offer_id": offer.pk,
        "accrual_id": accrual.pk,
        "dispute_id": dispute.pk,
        "settlement_id": first.settlement_id,
        "note_id": CreditNote.objects.get().pk,
        "request_id": asked.pk,
        "link_id": sub.referral_links.get().pk,
        "postback_id": postback.pk,
        "delivery_id": PostbackDelivery.objects.get().pk,
        "member_id": colleague.pk,
        "token_id": new(sub.user)[0].pk,
    }


def addresses(numbers):
    """(name, address) of every partner page whose address has a number; a further number needs its object in `numbers`."""
    for pattern in urls.own:
        named = set(pattern.pattern.regex.groupindex)
        if any(name.endswith("_id") for name in named) and pattern.name not in OTHERS:
            given = {**numbers, **PLAIN, **({"ending": "svg"} if pattern.name == "partner_link_qr" else {})}
            yield pattern.name, reverse(pattern.name, kwargs={name: given[name] for name in named})


def test_nobody_opens_or_changes_what_is_another_partners(invoiced, numbers, cast, browse):
    owner = browse(invoiced.sub.user)
    for name, address in addresses(numbers):
        assert owner.get(address).status_code in (200, 302, 405), f"{name} isn't opened by its own partner"
    stranger = make_partner(cast.brand)
    visitors = {f"stranger's {role}": add(stranger, role).user for role in TeamRole}
    before = [list(model.objects.order_by("pk").values()) for model in CHANGED]
    wrong = []
    for who, user in {**visitors, "stranger": stranger.user, "upline": invoiced.master.user}.items():
        browser = browse(user)
        for name, address in addresses(numbers):
            if who == "upline" and name == "partner_branch":
                continue  # the network below is the upline's own page
            answers = browser.get(address).status_code, browser.post(address).status_code
            if answers[0] not in (403, 404, 405) or answers[1] not in (403, 404):
                wrong.append(f"{name} as {who}: {answers}")
    assert not wrong, "\n".join(wrong)
    assert before == [list(model.objects.order_by("pk").values()) for model in CHANGED]
