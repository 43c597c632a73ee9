"""A company on the client's page, and the forms with which staff enter it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.queries import get_client
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.corporate import pages
from kyc.corporate.policies import RIGHT, can_manage
from kyc.corporate.structure import structure_of


def section_for(request: UserRequest, client: Client) -> dict[str, Any]:
    """Describe a company for the client's KYC tab; nothing but whether it may be entered for a person."""
    may_manage = bool(can_manage(request.user, client))
    company = pages.company_of(client)
    if company is None:
        return {"may_register": may_manage and not client.kyc_level}
    return {"company": company, "structure": structure_of(company), "may_manage": may_manage}


def _back(client: Client) -> HttpResponse:
    return redirect(f"{client.get_absolute_url()}?tab=kyc")


@staff_page(RIGHT)
def company(request: UserRequest, client_id: int) -> HttpResponse:
    """Enter a client's company, or change its details."""
    client = get_client(request.user, client_id)
    form, is_done = pages.save_company(request, client)
    return _back(client) if is_done else _page(request, client, "company", form)


@staff_page(RIGHT)
def person(request: UserRequest, client_id: int, link_id: int = 0) -> HttpResponse:
    """Add a person to a company, or change one."""
    client = get_client(request.user, client_id)
    pages.structure_for(client)
    form, is_done = pages.save_person(request, client, pages.link_of(client, link_id) if link_id else None)
    return _back(client) if is_done else _page(request, client, "person", form)


@staff_page(RIGHT)
def holding(request: UserRequest, client_id: int) -> HttpResponse:
    """Add a share to a company's ownership."""
    client = get_client(request.user, client_id)
    form, is_done = pages.save_holding(request, client, pages.structure_for(client))
    return _back(client) if is_done else _page(request, client, "holding", form)


def _page(request: UserRequest, client: Client, what: str, form: Any) -> HttpResponse:
    context = {
        "client": client,
        "form": form,
        "what": what,
        "action": request.path,
        "back": reverse("client", args=[client.pk]),
    }
    return render(request, "kyc/corporate/form.html", context, status=422 if form.errors else 200)


@staff_page(RIGHT)
@require_POST
def remove_person(request: UserRequest, client_id: int, link_id: int) -> HttpResponse:
    """Remove a person from a company."""
    client = get_client(request.user, client_id)
    pages.drop_person(request, client, link_id)
    return _back(client)


@staff_page(RIGHT)
@require_POST
def remove_holding(request: UserRequest, client_id: int, holding_id: int) -> HttpResponse:
    """Remove a share from a company's ownership."""
    client = get_client(request.user, client_id)
    pages.structure_for(client)
    pages.drop_holding(request, client, holding_id)
    return _back(client)
