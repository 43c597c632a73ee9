"""The page behind an agent's time to first contact."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest
from reports import origins
from reports.filters import FilterForm
from reports.first_contacts.rows import SHOWN_MAX, contacts_of
from reports.performance.rows import agent_in_reach, sees_rows


@staff_page(sees_rows)
def first_contacts(request: UserRequest, agent_id: int) -> HttpResponse:
    """Show the leads that make one agent's time to first contact in some days. Who is shown is in the access log."""
    form = FilterForm(request.GET, user=request.user)
    chosen = form.selection()
    agent = agent_in_reach(chosen, agent_id)
    if agent is None:
        raise Http404
    contacts = contacts_of(request.user, chosen, agent)
    shown = sum(row.client is not None for row in contacts.rows)
    access_log.note(user=request.user, kind=AccessKind.SEARCH, target="reports.first_contacts", rows=shown)
    context = {
        "agent": agent,
        "contacts": contacts,
        "most": SHOWN_MAX,
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "kept": {},
        "back": f"{reverse('reports_performance')}?{chosen.query()}",
        "refreshed_at": origins.refreshed_at(),
    }
    is_part = wants_fragment(request)
    template = "reports/first_contacts/_board.html" if is_part else "reports/first_contacts/page.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    if is_part:
        response["HX-Push-Url"] = f"{request.path}?{chosen.query()}"
    return response
