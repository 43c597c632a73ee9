"""Which plans a partner offers to sub-partners, and which plan each sub-partner is on."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.choices import PartnerRight
from ib.models import Partner, PartnerPlan, SubPartnerOffer
from ib.sub_partners import offers
from ib.sub_partners.forms import OfferForm
from ib.sub_partners.limits import Limits, Pay, limits_of, offered_plans
from ib.views.guards import partner_page
from trading.choices import SymbolGroup

SUB_PARTNERS_SHOWN = 50


@partner_page(PartnerRight.SEE_NETWORK, change=PartnerRight.INVITE)
def sub_plans(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the offers with what each side earns, the limits, and direct sub-partners' plans; take new offers."""
    limits = limits_of(partner)
    plans = offered_plans(partner, limits) if limits else []
    form = OfferForm(request.POST or None, plans=plans)
    if run_action(
        request,
        lambda: offers.create_offer(
            partner_id=partner.pk,
            name=form.cleaned_data["name"],
            plan_id=form.cleaned_data["plan"],
            percent=form.cleaned_data["percent"],
            actor=request.user,
        ),
        _("Offer created. Share its link with people who want to work below you."),
        form=form,
    ):
        return redirect("partner_sub_plans")
    versions = {version.plan_id: (version, card) for version, card, _most in plans}
    context = {
        "partner": partner,
        "form": form,
        "limits": limits,
        "plans": [(version.plan, most) for version, _card, most in plans],
        "offers": [
            {
                "row": offer,
                "url": offers.offer_url(offer, request),
                "rates": _rates(limits, offer, versions),
                "currency": versions[offer.plan_id][0].currency if offer.plan_id in versions else "",
            }
            for offer in offers.offers_of(partner)
        ],
        "held": PartnerPlan.usual.filter(
            partner__links_up__parent=partner, partner__links_up__ends_at__isnull=True, ends_at__isnull=True
        )
        .select_related("partner", "plan")
        .order_by("partner__name")[:SUB_PARTNERS_SHOWN],
    }
    return render(request, "partners/sub_plans.html", context, status=422 if form.errors else 200)


def _rates(limits: Limits | None, offer: SubPartnerOffer, versions: dict[int, tuple[Any, Any]]) -> list[dict[str, Any]]:
    """Say per symbol group what the sub-partner earns per lot of their own clients, and what the partner earns on it."""
    if limits is None or offer.plan_id not in versions:
        return []
    version, card = versions[offer.plan_id]
    pay = Pay(version, card, offer.percent)
    return [
        {"label": SymbolGroup(group).label, "theirs": pay.per_lot(group), "mine": limits.kept(pay, group)}
        for group in card.groups()
    ]


@partner_page(PartnerRight.INVITE)
@require_POST
def withdraw(request: UserRequest, partner: Partner, offer_id: int) -> HttpResponse:
    """Withdraw one of the partner's offers."""
    if not SubPartnerOffer.objects.filter(pk=offer_id, partner=partner).exists():
        raise Http404
    run_action(request, lambda: offers.withdraw_offer(offer_id=offer_id, actor=request.user), _("Offer withdrawn."))
    return redirect("partner_sub_plans")
