"""Pages of reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.exports import defuse
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest
from reports import cohorts, dashboards, origins, people
from reports.filters import FilterForm, Span
from reports.links import Links
from reports.performance import definitions
from reports.sorting import sort_links

TITLES = {
    "sales": gettext_lazy("Sales"),
    "money": gettext_lazy("Money"),
    "compliance": gettext_lazy("Compliance"),
    "partners": gettext_lazy("Partners"),
}
ICONS = {"sales": "trending-up", "money": "banknote", "compliance": "shield-check", "partners": "handshake"}


# What the cohorts show first.
COHORTS_OF = {"money": cohorts.NET}
# The columns of the export: times in seconds, money with cents.
EXPORTED = definitions.chosen(
    "leads",
    "contacted",
    "speed",
    "late",
    "calls",
    "talk",
    "registrations",
    "ftds",
    "rate",
    "deposits",
    "withdrawals",
    "reversals",
    "net",
)


def sees_any_board(user: User) -> bool:
    return bool(dashboards.boards_for(user))


@staff_page(sees_any_board)
def dashboard(request: UserRequest, slug: str = "") -> HttpResponse:
    """Show one dashboard, or for HTMX what its filter bar changes; without a name the first that this role may see."""
    mine = dashboards.boards_for(request.user)
    if not slug:
        return redirect("reports_dashboard", mine[0])
    if slug not in dashboards.BOARDS:
        raise Http404
    if slug not in mine:
        raise PermissionDenied
    kind = dashboards.BOARDS[slug]
    form = FilterForm(request.GET, user=request.user, narrows=kind.narrows)
    chosen = form.selection()
    measure = request.GET.get("cohorts", "")
    measure = measure if measure in (cohorts.NET, cohorts.SHARE) else COHORTS_OF.get(slug, cohorts.SHARE)
    sheet = dashboards.Sheet(request.user, chosen, form.today, measure)
    context = {
        "board": kind.make(sheet),
        "form": form,
        "selection": chosen,
        "has_period": kind.has_period,
        "has_comparison": True,
        "path": request.path,
        "kept": {"cohorts": measure} if measure != COHORTS_OF.get(slug, cohorts.SHARE) else {},
        "tabs": _tabs(mine, chosen.query()),
        "refreshed_at": origins.refreshed_at(),
        "net_query": chosen.query(cohorts=cohorts.NET),
        "share_query": chosen.query(cohorts=cohorts.SHARE),
        "performance_query": chosen.query(),
    }
    return _page_or_part(request, "reports/dashboard.html", "reports/_board.html", context)


def _tabs(mine: list[str], query: str) -> list[dict[str, Any]]:
    """Name the boards of this role; each keeps what the filter bar chose."""
    return [
        {
            "slug": name,
            "label": TITLES[name],
            "icon": ICONS[name],
            "url": f"{reverse('reports_dashboard', args=[name])}{'?' if query else ''}{query}",
        }
        for name in mine
    ]


def _page_or_part(request: UserRequest, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, part if wants_fragment(request) else page, context)
    patch_vary_headers(response, ["HX-Request"])
    if wants_fragment(request):  # the address without the fields that were left empty
        query = context["selection"].query(**context.get("kept", {}))
        response["HX-Push-Url"] = f"{request.path}{'?' if query else ''}{query}"
    return response


@staff_page("reports.view_performance")
def performance(request: UserRequest) -> HttpResponse:
    """Show figures per agent or desk over some days, and the same as CSV."""
    form = FilterForm(request.GET, user=request.user)
    chosen = form.selection()
    by = "desk" if request.GET.get("by") == "desk" else "agent"
    ranking = people.ranking(
        chosen, Links.of(request.user, chosen), by=by, sort=request.GET.get("sort", people.DEFAULT_SORT)
    )
    if request.GET.get("export") == "csv":
        require_permission(request.user, "reports.export_performance")
        access_log.note(
            user=request.user,
            kind=AccessKind.EXPORT,
            target="reports.performance",
            rows=ranking.count,
            reason=f"{chosen.span.first} – {chosen.span.last}",
        )
        return _as_csv(ranking.lines, chosen.span)
    grouping = {"by": "desk"} if by == "desk" else {}
    context = {
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "ranking": ranking,
        "by": by,
        "kept": {**grouping, **({"sort": ranking.sort} if ranking.sort != people.DEFAULT_SORT else {})},
        "heads": sort_links(
            [(figure.code, figure.label) for figure in ranking.figures],
            ranking.sort,
            lambda sort: chosen.query(sort=sort, **grouping),
        ),
        "agents_query": chosen.query(),
        "desks_query": chosen.query(by="desk"),
        "csv_query": chosen.query(export="csv", sort=ranking.sort, **grouping),
        "may_export": request.user.has_perm("reports.export_performance"),
        "refreshed_at": origins.refreshed_at(),
    }
    return _page_or_part(request, "reports/performance.html", "reports/_performance.html", context)


def _as_csv(lines: Sequence[people.Line], span: Span) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    labels = [
        _("%(figure)s (seconds)") % {"figure": figure.label} if figure.code in ("speed", "talk") else str(figure.label)
        for figure in EXPORTED
    ]
    writer.writerow([_("Name"), _("Desk"), _("Brand"), *labels, _("Currency")])
    for line in lines:
        values = [figure.value(line.totals, line.currency) for figure in EXPORTED]
        numbers = ["" if value is None else round(value, 2) for value in values]
        writer.writerow([defuse(line.name), defuse(line.desk), defuse(line.brand), *numbers, line.currency])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="performance-{span.first}-{span.last}.csv"'
    return response
