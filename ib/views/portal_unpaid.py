"""A partner's trades that earned nothing, grouped by reason with what would have to change, beside the list of all trades."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.security import access_log
from crm.web.requests import UserRequest
from ib.models import Partner
from ib.partner_pages import figures
from ib.partner_pages.date_ranges import date_range
from ib.partner_pages.downloads import csv_file
from ib.partner_pages.remedies import remedy
from ib.views.portal_home import earnings_url, period_switch, rate_of

VIEW = "unpaid"


def earnings_tabs() -> list[dict[str, Any]]:
    """Make the tabs of the earnings: each trade, and what wasn't paid by its reason."""
    address = reverse("partner_earnings")
    return [
        {"slug": "trades", "label": _("All trades"), "url": address},
        {"slug": VIEW, "label": _("Not paid, by reason"), "url": f"{address}?view={VIEW}"},
    ]


def unpaid_page(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the reasons of a range of days, as a page or CSV, each with the list of its trades."""
    span = date_range(request.GET.get("period", "30"))
    found = figures.leaders(partner, span, figures.earned_between(partner, span.days))
    if request.GET.get("export") == "csv":
        access_log.note(user=request.user, kind=AccessKind.EXPORT, target="partners.unpaid.csv", reason=span.code)
        head = [_("Reason"), _("What would have to change"), _("Trades")]
        lines = [[str(row.reason.label), remedy(row.reason), row.trades] for row in found.reasons]
        return csv_file([head, *lines], f"unpaid-{span.first}-{span.last}")
    total = sum(row.trades for row in found.reasons)
    context = {
        "partner": partner,
        "span": span,
        "switch": period_switch(request, span),
        "tabs": earnings_tabs(),
        "tab": VIEW,
        "rows": [
            {
                "label": row.reason.label,
                "url": earnings_url(span, state="excluded", reason=row.reason),
                "remedy": remedy(row.reason),
                "trades": row.trades,
                "share": rate_of(row.trades, total),
            }
            for row in found.reasons
        ],
        "kept_at": found.kept_at,
        "csv_url": f"?view={VIEW}&period={span.code}&export=csv",
    }
    return render(request, "partners/unpaid.html", context)
