"""The page of results beside behaviour."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest
from reports import origins
from reports.behaviour import rows as behaviours
from reports.filters import FilterForm
from reports.people import KEYS
from reports.sorting import sort_links

HEADS = [
    ("leads", gettext_lazy("Leads")),
    ("ftds", gettext_lazy("FTDs")),
    ("rate", gettext_lazy("FTD rate")),
    ("net", gettext_lazy("Net")),
    ("calls", gettext_lazy("Calls")),
    ("talk", gettext_lazy("Talk time")),
    ("alerts", gettext_lazy("Alerts")),
    ("unusual", gettext_lazy("Unusual days")),
    ("clients", gettext_lazy("Clients opened")),
    ("outside", gettext_lazy("Outside own book")),
    ("reveals", gettext_lazy("Contacts revealed")),
    ("exports", gettext_lazy("Exports")),
]
GROUPS = {"agent": gettext_lazy("Agents"), "desk": gettext_lazy("Desks"), "brand": gettext_lazy("Brands")}
ROWS_MAX = 500


@staff_page(behaviours.sees_behaviour)
def behaviour(request: UserRequest) -> HttpResponse:
    """Show conversion, first deposits, net deposits and talk time beside signals and alerts, per agent, desk or brand."""
    form = FilterForm(request.GET, user=request.user)
    chosen = form.selection()
    by = request.GET.get("by", "")
    by = by if by in KEYS else "agent"
    rows, sort = behaviours.rows_of(request.user, chosen, by=by, sort=request.GET.get("sort", behaviours.DEFAULT_SORT))
    access_log.note(user=request.user, kind=AccessKind.VIEW, target="reports.behaviour", rows=len(rows))
    grouping = {"by": by} if by != "agent" else {}
    kept = {**grouping, **({"sort": sort} if sort != behaviours.DEFAULT_SORT else {})}
    context = {
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "rows": rows[:ROWS_MAX],
        "left_out": max(0, len(rows) - ROWS_MAX),
        "by": by,
        "kept": kept,
        "heads": sort_links(HEADS, sort, lambda name: chosen.query(sort=name, **grouping)),
        "groups": [
            (key, label, chosen.query(**({"by": key} if key != "agent" else {}))) for key, label in GROUPS.items()
        ],
        "refreshed_at": origins.refreshed_at(),
    }
    is_part = wants_fragment(request)
    response = render(request, "reports/_behaviour.html" if is_part else "reports/behaviour.html", context)
    patch_vary_headers(response, ["HX-Request"])
    if is_part:
        query = chosen.query(**kept)
        response["HX-Push-Url"] = f"{request.path}{'?' if query else ''}{query}"
    return response
