"""Becoming a partner: at a brand's public address, and from the client portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from clients.models import Client
from crm.models import Brand
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.applications import applying
from ib.applications.agreement import agreement_for
from ib.applications.door import application_page
from ib.applications.forms import AgreementForm
from ib.brand_policies import APPLICATIONS_OPEN
from ib.models import Partner
from portal.brands import brand_page
from portal.guards import client_required


@never_cache
@brand_page
def apply(request: HttpRequest, brand: Brand) -> HttpResponse:
    """Show and take a stranger's application at a brand that takes any."""
    if brand.archived_at is not None:
        return render(request, "portal/closed_brand.html", {"brand": brand}, status=410)
    if not APPLICATIONS_OPEN.of(brand):
        return render(request, "partners/applications_closed.html", {"brand": brand})
    return application_page(request, brand)


@client_required
def become_partner(request: UserRequest, client: Client) -> HttpResponse:
    """Show a client's application with its state, or take it."""
    partner = Partner.objects.filter(client=client).first()
    wording = agreement_for(client.brand, request.LANGUAGE_CODE)
    start = {"country": client.country}
    form = AgreementForm(request.POST or None, wording=wording, currency=client.brand.base_currency, initial=start)
    if request.method == "POST" and partner is None:
        done = run_action(
            request,
            lambda: applying.apply_as_client(
                client=client,
                actor=request.user,
                currency=form.cleaned_data["currency"],
                answers=form.answers(),
                accepted=form.accepted(),
            ),
            form=form,
        )
        partner = done.result if done else None
    context = {
        "client": client,
        "brand": client.brand,
        "partner": partner,
        "form": form,
        "wording": wording,
        "is_open": APPLICATIONS_OPEN.of(client.brand),
    }
    return render(request, "portal/partner.html", context, status=422 if form.errors and partner is None else 200)
