"""A partner misses a commission: by the deal's number to its entry, or into a dispute where it has none."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.ui.actions import run_action
from crm.ui.views import embedded_table, wants_fragment
from crm.web.requests import UserRequest
from ib.choices import DisputeState, PartnerRight
from ib.forms import MissingDealForm
from ib.models import Accrual, CommissionDispute, Partner
from ib.partner_pages.downloads import csv_of
from ib.partner_pages.tables import MyDisputesTable
from ib.queries import of_deals
from ib.settlements.dispute_effect import effect_of
from ib.settlements.disputes import add_message, deal_with_number, open_dispute
from ib.team.rights import has_right
from ib.views.guards import partner_page
from trading.models import Deal


@partner_page(PartnerRight.DISPUTE)
def missing(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Take a deal number: an entry that exists is shown with its reason, a missing one becomes a dispute."""
    form = MissingDealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        deal = deal_with_number(partner, form.cleaned_data["number"])
        entry = Accrual.objects.filter(of_deals([deal.pk]), partner=partner).order_by("pk").first() if deal else None
        if entry is not None:
            messages.info(request, _("This deal has an entry. If it's wrong, dispute it below."))
            return redirect("partner_trade", entry.pk)
        if deal is None:
            form.add_error("number", _("We found no such deal among the clients of your network."))
        elif run_action(
            request,
            lambda: open_dispute(
                partner_id=partner.pk, deal_id=deal.pk, reason=form.cleaned_data["reason"], actor=request.user
            ),
            _("Dispute opened. We'll review the deal and answer you."),
            form=form,
        ):
            return redirect("partner_payouts")
    return render(request, "partners/missing_deal.html", {"form": form}, status=422 if form.errors else 200)


@partner_page(PartnerRight.SEE_MONEY)
def own_disputes(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show all disputes of the partner about deals, as a page or CSV."""
    table = MyDisputesTable(request.user, request.GET, path=request.path)
    if request.GET.get("export") == "csv":
        return csv_of(table)
    if wants_fragment(request):
        return embedded_table(request, table)
    return render(request, "partners/table.html", {"table": table, "partner": partner, "is_disputes": True})


@partner_page(PartnerRight.SEE_MONEY, change=PartnerRight.DISPUTE)
def dispute_page(request: UserRequest, partner: Partner, dispute_id: int) -> HttpResponseBase:
    """Show a partner their dispute about a deal with its messages, and take theirs."""
    dispute = (
        CommissionDispute.objects.select_related("partner__brand", "work")
        .filter(pk=dispute_id, partner=partner, deal_id__isnull=False)
        .first()
    )
    if dispute is None or dispute.deal_id is None:
        raise Http404
    if request.method == "POST":
        run_action(
            request,
            lambda: add_message(dispute_id=dispute.pk, text=request.POST.get("text", ""), actor=request.user),
            _("Message sent."),
        )
        return redirect("partner_dispute_page", dispute.pk)
    context = {
        "dispute": dispute,
        "line": Accrual.objects.filter(pk=dispute.accrual_id or 0).first() if dispute.deal_id < 0 else None,
        "deal": Deal.every.filter(pk=dispute.deal_id).values_list("ticket", flat=True).first(),
        "adjustment": Accrual.objects.filter(pk=dispute.adjustment_id).first() if dispute.adjustment_id else None,
        "thread": dispute.messages.all(),
        "effect": effect_of(dispute),
        "may_write": dispute.state == DisputeState.OPEN and has_right(PartnerRight.DISPUTE, request.user),
        "message_url": request.path,
    }
    return render(request, "partners/dispute.html", context)
