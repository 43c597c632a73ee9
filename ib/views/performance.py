"""The managers' page of how partners do: a leaderboard for a range of days, as a page or CSV."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.exports import csv_lines
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib.manager_pages.leaderboard import lines_of
from ib.manager_pages.performance import ORDERS, Performance, performance
from ib.partner_pages.date_ranges import DateRange, date_range
from ib.tables import EXPORT
from ib.views.portal_home import period_switch
from wallet.core.rollup import Rollup


@staff_page("ib.view_accrual")
def performance_page(request: UserRequest) -> HttpResponseBase:
    """Show who brings clients and volume at what commission, in the order asked for."""
    span = date_range(request.GET.get("period", "30"))
    order = request.GET.get("by", "")
    order = order if order in ORDERS else "commission"
    rows, rollup = performance(request.user, span, order)
    if request.GET.get("export") == "csv":
        return _csv(request, rows, span, rollup)
    context = {
        "span": span,
        "switch": period_switch(request, span),
        "orders": [
            {"label": label, "url": f"?{urlencode({'period': span.code, 'by': code})}", "is_active": code == order}
            for code, (label, _key) in ORDERS.items()
        ],
        "rows": lines_of(rows, span, rollup, shows_plans=request.user.has_perm("ib.view_plan")),
        "csv_url": f"?{urlencode({'period': span.code, 'by': order, 'export': 'csv'})}",
        "may_export": request.user.has_perm(EXPORT),
    }
    return render(request, "ib/performance.html", context)


def _csv(request: UserRequest, rows: list[Performance], span: DateRange, rollup: Rollup) -> StreamingHttpResponse:
    require_permission(request.user, EXPORT)
    access_log.note(
        user=request.user, kind=AccessKind.EXPORT, target="ib.performance.csv", reason=f"{span.first}/{span.last}"
    )
    head = [_("Partner"), _("Code"), _("Plan"), _("Commission"), _("Currency"), _("Lots traded"), _("Paid trades")]
    head += [_("Not paid"), _("Clients"), _("New clients"), _("Lost clients"), _("Funded"), _("Active"), _("Churn")]
    head += [_("Revenue from own clients"), _("Commissions on them, all partners")]
    lines: list[list[Any]] = [head]
    for row in rows:
        assert row.partner is not None
        figures = [row.plan or "", row.earned.amount, rollup.currency, row.lots, row.trades, row.unpaid, row.clients]
        clients = [row.new_clients, row.lost_clients, row.funded, row.active, row.churned]
        lines.append([row.partner.name, row.partner.code, *figures, *clients, row.revenue.amount, row.cost.amount])
    response = StreamingHttpResponse(csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="partners-{span.first}-{span.last}.csv"'
    response["Cache-Control"] = "no-store"
    return response
