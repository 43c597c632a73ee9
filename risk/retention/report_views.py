"""Reports of retention: cohorts of clients, who was won back, and both as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Segment
from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.exports import csv_lines
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from risk.retention import cohorts, lifetime, winback
from risk.retention.kind import SEES

EXPORTS: Final = "risk.export_retention"
SEES_MONEY: Final = "wallet.view_deposit"


def sees_lifetime(user: User) -> bool:
    """Check whether somebody sees the value of many clients: who works on retention, and who pays for campaigns."""
    return user.has_perm(SEES) or user.has_perm("leads.view_campaign")


def segment_card(request: UserRequest, segment: Segment) -> dict[str, Any]:
    """Show the lifetime value of a segment's members in reach."""
    return {"value": lifetime.of_segment(request.user, segment.pk, segment.brand)}


@staff_page(SEES)
def cohort_page(request: UserRequest) -> HttpResponse:
    """Show how long clients stay by the month of their first deposit, and who trades again after a call; each also as CSV."""
    days = next((days for days in winback.DAYS if str(days) == request.GET.get("days")), winback.DAYS[0])
    if name := request.GET.get("export"):
        return _export(request, name, days)
    context = {
        "cohorts": cohorts.cohorts_of(request.user),
        "after": cohorts.AFTER,
        "win_back": winback.win_back(request.user, days),
        "days": days,
        "choices": winback.DAYS,
        "silent": winback.SILENT_DAYS,
        "sees_money": request.user.has_perm(SEES_MONEY),
        "may_export": request.user.has_perm(EXPORTS),
    }
    return render(request, "risk/retention/cohorts.html", context)


def _export(request: UserRequest, name: str, days: int) -> HttpResponse:
    """Write one of the two tables as CSV and log it. Who: `risk.export_retention`."""
    require_permission(request.user, EXPORTS)
    if name not in ("cohorts", "win-back"):
        raise Http404
    sees_money = request.user.has_perm(SEES_MONEY)
    rows = list(_cohort_rows(request, sees_money) if name == "cohorts" else _win_back_rows(request, days, sees_money))
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        target=f"risk.{name}",
        rows=len(rows) - 1,
        reason=f"{name}, {days}" if name == "win-back" else name,
    )
    response = HttpResponse("".join(csv_lines(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate()}.csv"'
    return response


def _cohort_rows(request: UserRequest, sees_money: bool) -> Iterator[list[Any]]:
    heads = [_("Brand"), _("First deposit"), _("Clients")]
    heads += [_("Traded after %(months)s months") % {"months": after} for after in cohorts.AFTER]
    yield [*heads, *([_("Net deposits"), _("Currency")] if sees_money else [])]
    for found in cohorts.cohorts_of(request.user):
        for row in found.rows:
            traded = [share.clients for share in row.shares]
            money = [row.net, found.brand.base_currency] if sees_money else []
            yield [found.brand.name, f"{row.month:%Y-%m}", row.clients, *traded, *money]


def _win_back_rows(request: UserRequest, days: int, sees_money: bool) -> Iterator[list[Any]]:
    heads = [_("Brand"), _("Result"), _("Days"), _("Cases"), _("Traded again")]
    yield [*heads, *([_("Net deposits"), _("Currency")] if sees_money else [])]
    for found in winback.win_back(request.user, days):
        for line in found.lines:
            if not line.is_total:
                money = [line.net, found.brand.base_currency] if sees_money else []
                yield [found.brand.name, line.label, days, line.cases, line.back, *money]
