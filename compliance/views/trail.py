"""The regulator's trail, the audit log, the access log, and who saw a client."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.queries import get_client
from clients.record.access import log_access
from compliance import packs, record_views, trails
from compliance.forms import TrailForm, ViewForm
from compliance.tables import AuditTable, TrailTable
from crm.models import AccessEvent, User
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import StaffView, TableView, show_table
from crm.web.requests import UserRequest


class Trail(StaffView):
    """Everything that was ever done to one client, newest first."""

    permission = "crm.view_audit"

    def get(self, request: UserRequest, client_id: int) -> HttpResponseBase:
        client = get_client(request.user, client_id)
        log_access(request.user, client, f"compliance.trail:{client.pk}")
        table = TrailTable(request.user, request.GET, path=request.path, scope={"client_id": client.pk})
        context = {"client": client, "head": trails.head_seal()}
        return show_table(request, table, "compliance/trail.html", lambda _table: context)

    def post(self, request: UserRequest, client_id: int) -> HttpResponse:
        """Ask for the pack of what the filter shows."""
        client = get_client(request.user, client_id)
        form = TrailForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("The filter isn't valid. Choose it again."))
            return redirect("compliance:trail", client.pk)
        done = run_action(request, lambda: packs.request_pack(client=client, actor=request.user, chosen=form.chosen()))
        return redirect("job", pk=done.result.pk) if done else redirect("compliance:trail", client.pk)


class AuditLog(TableView):
    table = AuditTable
    template_name = "compliance/audit_log.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"head": trails.head_seal()}


class AccessLog(StaffView):
    """Who looked at what."""

    permission = "crm.view_access_log"

    def get(self, request: UserRequest) -> HttpResponse:
        form = ViewForm(request.GET or None)
        rows = record_views.views_visible_to(request.user)
        if form.is_valid():
            rows = narrowed(rows, form.cleaned_data)
        page = record_views.page_of(rows, request.user, request.GET.get("cursor", ""))
        return render(request, "compliance/access_log.html", {"form": form, "page": page})


def narrowed(rows: QuerySet[AccessEvent], chosen: dict[str, Any]) -> QuerySet[AccessEvent]:
    if chosen.get("kind"):
        rows = rows.filter(kind=chosen["kind"])
    if chosen.get("client"):
        rows = rows.filter(client_id=chosen["client"])
    if chosen.get("person"):
        rows = rows.filter(user__in=User.objects.filter(email__iexact=chosen["person"]))
    if chosen.get("day"):
        end = dt.datetime.combine(chosen["day"] + dt.timedelta(days=1), dt.time(), timezone.get_current_timezone())
        rows = rows.filter(at__lt=end)
    return rows


class WhoSaw(StaffView):
    """Who saw this client: per person, and look by look."""

    permission = "crm.view_access_log"

    def get(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        rows = record_views.views_visible_to(request.user).filter(client_id=client.pk)
        context = {
            "client": client,
            "people": record_views.who_saw(rows),
            "page": record_views.page_of(rows, request.user, request.GET.get("cursor", "")),
        }
        return render(request, "compliance/who_saw.html", context)
