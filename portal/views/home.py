"""The trader's room: its front page, what happened, profile and security."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clients.models import Client
from crm.accounts.views import security_context
from crm.ui.views import wants_fragment
from portal import queries
from portal.room import room


@room
def dashboard(request: HttpRequest, client: Client) -> HttpResponse:
    return render(request, "portal/dashboard.html", {"client": client, "activity": queries.activity(client, size=8)})


@room
def activity(request: HttpRequest, client: Client) -> HttpResponse:
    """Everything that happened, page by page."""
    page = queries.activity(client, cursor=request.GET.get("cursor", ""))
    template = "portal/_activity.html" if wants_fragment(request) else "portal/activity.html"
    return render(request, template, {"client": client, "activity": page, "is_paged": True})


@room
def security(request: HttpRequest, client: Client) -> HttpResponse:
    """Password, second factor, passkeys, sessions."""
    return render(request, "account/security.html", {"client": client, **security_context(request)})
