"""Pages of reports."""

from __future__ import annotations

import csv
import datetime as dt
import io

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.exports import defuse
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from reports import dashboards, figures, queries
from reports.forms import PerformanceForm

TITLES = {
    "sales": gettext_lazy("Sales"),
    "money": gettext_lazy("Money"),
    "compliance": gettext_lazy("Compliance"),
    "partners": gettext_lazy("Partners"),
}
ICONS = {"sales": "trending-up", "money": "banknote", "compliance": "shield-check", "partners": "handshake"}


def sees_any_board(user: User) -> bool:
    return bool(dashboards.boards_for(user))


@staff_page(sees_any_board)
def dashboard(request: UserRequest, slug: str = "") -> HttpResponse:
    """Show one dashboard; without a name the first that this role may see."""
    mine = dashboards.boards_for(request.user)
    if not slug:
        return redirect("reports_dashboard", mine[0])
    if slug not in dashboards.BOARDS:
        raise Http404
    if slug not in mine:
        raise PermissionDenied
    _permission, make = dashboards.BOARDS[slug]
    tabs = [
        {"slug": name, "label": TITLES[name], "icon": ICONS[name], "url": reverse("reports_dashboard", args=[name])}
        for name in mine
    ]
    return render(request, "reports/dashboard.html", {"board": make(request.user), "tabs": tabs})


@staff_page("reports.view_performance")
def performance(request: UserRequest) -> HttpResponse:
    """Show figures per agent or desk over some days, and the same as CSV."""
    reach = queries.reach_of_reports(request.user)
    today = figures.today_of(reach.brands)
    form = PerformanceForm(request.GET or None, today=today)
    first, last, by = form.chosen()
    lines = queries.performance(request.user, first, last, by=by)
    if request.GET.get("export") == "csv":
        require_permission(request.user, "reports.export_performance")
        access_log.note(
            user=request.user,
            kind=AccessKind.EXPORT,
            target="reports.performance",
            rows=len(lines),
            reason=f"{first} – {last}",
        )
        return _as_csv(lines, first, last)
    return render(
        request,
        "reports/performance.html",
        {
            "form": form,
            "lines": lines,
            "first": first,
            "last": last,
            "by": by,
            "may_export": request.user.has_perm("reports.export_performance"),
            "query": form.query(),
        },
    )


def _as_csv(lines: list[queries.Line], first: dt.date, last: dt.date) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        [
            _("Name"),
            _("Desk"),
            _("Brand"),
            _("Leads"),
            _("Contacted"),
            _("Seconds to first contact"),
            _("Late"),
            _("Calls"),
            _("Registrations"),
            _("First deposits"),
            _("Deposits"),
            _("Withdrawals"),
            _("Refunds and chargebacks"),
            _("Net"),
            _("Currency"),
        ]
    )
    for line in lines:
        sums, total = line.totals.money[line.currency], line.totals
        writer.writerow(
            [
                defuse(line.name),
                defuse(line.desk),
                defuse(line.brand),
                total.leads,
                total.touched,
                total.speed_seconds or "",
                total.late,
                total.calls,
                total.registrations,
                total.first_deposits,
                sums["deposits"],
                sums["withdrawals"],
                sums["reversals"],
                total.net[line.currency],
                line.currency,
            ]
        )
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="performance-{first}-{last}.csv"'
    return response
