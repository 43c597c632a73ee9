"""A company in the client portal: its details, its people with their documents, and its ownership."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from clients.models import Client
from crm.web.requests import UserRequest
from kyc import incoming
from kyc.choices import UploadState
from kyc.corporate import pages
from kyc.corporate.policies import can_manage
from kyc.corporate.structure import structure_of
from kyc.models import UploadDraft
from kyc.queries import requirements_of
from portal.guards import client_required


@client_required
def company(request: UserRequest, client: Client) -> HttpResponse:
    """Show the company with its people and ownership; before that, the form that registers it."""
    found = pages.company_of(client)
    if found is None:
        return redirect("portal_company_details")
    context = {
        "client": client,
        "company": found,
        "structure": structure_of(found),
        "may_manage": bool(can_manage(request.user, client)),
    }
    return render(request, "portal/company.html", context)


@client_required
def details(request: UserRequest, client: Client) -> HttpResponse:
    """Register the client as a company, or change its details."""
    form, is_done = pages.save_company(request, client)
    return redirect("portal_company") if is_done else _form(request, client, "company", form)


@client_required
def person(request: UserRequest, client: Client, link_id: int = 0) -> HttpResponse:
    """Add a person, or change one; with their documents."""
    pages.structure_for(client)
    link = pages.link_of(client, link_id) if link_id else None
    form, is_done = pages.save_person(request, client, link)
    if is_done:
        return redirect("portal_company")
    more: dict[str, Any] = {}
    if link is not None:
        more = {
            "link": link,
            "has_account": link.person.user_id is not None,
            "identity": requirements_of(link.person)[0],
            "incoming": incoming.shown_for(link.person),
            "draft": UploadDraft.objects.filter(
                client=link.person, state=UploadState.OPEN, opened_by=request.user
            ).first(),
        }
    return _form(request, client, "person", form, **more)


@client_required
def holding(request: UserRequest, client: Client) -> HttpResponse:
    """Add a share of the company."""
    form, is_done = pages.save_holding(request, client, pages.structure_for(client))
    return redirect("portal_company") if is_done else _form(request, client, "holding", form)


def _form(request: UserRequest, client: Client, what: str, form: Any, **more: Any) -> HttpResponse:
    context = {"client": client, "form": form, "what": what, **more}
    return render(request, "portal/company_form.html", context, status=422 if form.errors else 200)


@client_required
@require_POST
def remove_person(request: UserRequest, client: Client, link_id: int) -> HttpResponse:
    """Remove a person from the company."""
    pages.drop_person(request, client, link_id)
    return redirect("portal_company")


@client_required
@require_POST
def remove_holding(request: UserRequest, client: Client, holding_id: int) -> HttpResponse:
    """Remove a share of the company."""
    pages.structure_for(client)
    pages.drop_holding(request, client, holding_id)
    return redirect("portal_company")
