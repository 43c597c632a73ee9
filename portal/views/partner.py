"""Becoming a partner: at a brand's public address, and from the client portal."""

from __future__ import annotations

from allauth.core import ratelimit
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from clients.models import Client
from crm.models import Brand
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.applications import applying
from ib.applications.agreement import agreement_for
from ib.applications.door import application_page
from ib.applications.forms import AgreementForm
from ib.brand_policies import APPLICATIONS_OPEN
from kyc.corporate.forms import CompanyForm
from leads import places
from portal import consents
from portal.brands import brand_page
from portal.guards import client_required
from portal.partnership.company_account import application_of, needs_company_account, open_company_account
from portal.partnership.forms import CompanyLoginForm
from portal.registration import Application, Registered


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
    partner = application_of(client)
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
        "needs_account": needs_company_account(partner, client),
        "is_of_company": partner is not None and partner.client_id != client.pk,
    }
    return render(request, "portal/partner.html", context, status=422 if form.errors and partner is None else 200)


@sensitive_post_parameters("login-password")
@client_required
def company_account(request: UserRequest, client: Client) -> HttpResponse:
    """Open an account for the company that a verified applicant applied for; their own stays as it is."""
    if not needs_company_account(application_of(client), client):
        return redirect("portal_partner")
    company = CompanyForm(request.POST or None)
    login = CompanyLoginForm(
        request.POST or None, client=client, texts=consents.current_texts(client.brand, request.LANGUAGE_CODE)
    )
    if request.method == "POST":
        limited: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
        if limited is not None:
            return limited
        if login.is_valid() and _open(request, client, company, login):
            return redirect("portal_partner")
    context = {"client": client, "form": company, "login": login}
    status = 422 if company.errors or login.errors else 200
    return render(request, "portal/partner_company.html", context, status=status)


def _open(request: UserRequest, client: Client, company: CompanyForm, login: CompanyLoginForm) -> bool:
    def work() -> Registered:
        return open_company_account(
            client=client,
            details=company.details,
            application=Application(
                email=login.cleaned_data["email"],
                password=login.cleaned_data["password"],
                first_name=client.first_name,
                last_name=client.last_name,
                phone="",
                country=client.country,
                date_of_birth=client.date_of_birth,
                language=request.LANGUAGE_CODE,
                time_zone=places.zone_of(client.country) or "",
                given=login.given(),
                refused=login.refused(),
            ),
            actor=request.user,
        )

    sent = _(
        "We’ve sent an e-mail to %(email)s. Confirm the address there, then sign in with it and upload the company’s documents."
    )
    try:
        done = run_action(
            request,
            work,
            sent % {"email": login.cleaned_data["email"]},
            form=company,
            field=lambda error: error.code if error.code in company.fields else None,
        )
    except ValidationError as weak:
        login.add_error("password", weak)
        return False
    return bool(done)
