"""The rows of the leaderboard as HTML, written in one go: as template tags they took the page half of its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.i18n import formats
from crm.templatetags.keelson import icon
from ib.manager_pages.performance import Performance
from ib.partner_pages.date_ranges import DateRange
from wallet.core.rollup import Rollup

ROW: Final = """<tr>
<td><span class="num faint">{number}.</span> <a class="row-link" href="{url}">{name}</a> <span class="faint mono">{code}</span></td>
<td data-label="{plan_label}">{plan}</td>
<td class="end num nowrap" data-label="{commission_label}">{earned}{missing}<span class="d-block faint">{before}</span></td>
<td class="end num nowrap" data-label="{revenue_label}">{revenue}{without}{cost}</td>
<td class="end num" data-label="{lots_label}">{lots}</td>
<td class="end num nowrap" data-label="{unpaid_label}">{unpaid}</td>
<td class="end num" data-label="{clients_label}">{clients}</td><td class="end num" data-label="{new_label}">{new}</td>
<td class="end num" data-label="{lost_label}">{lost}</td>
<td class="end num nowrap" data-label="{active_label}">{active}<span class="d-block faint">{dormant}</span></td>
<td class="end num nowrap" data-label="{churn_label}">{churn}</td>
</tr>"""
FAINT: Final = '<span class="d-block faint">{}</span>'
LINK: Final = '<a href="{}">{}</a>'


def lines_of(rows: Sequence[Performance], span: DateRange, rollup: Rollup, *, shows_plans: bool) -> list[SafeString]:
    """Write a row per partner, in their order."""
    labels = {
        "plan_label": _("Plan"),
        "commission_label": _("Commission"),
        "revenue_label": _("Revenue from own clients"),
        "lots_label": _("Lots traded"),
        "unpaid_label": pgettext("share", "Not paid"),
        "clients_label": _("Clients"),
        "new_label": _("New clients"),
        "lost_label": _("Lost clients"),
        "active_label": _("Active"),
        "churn_label": _("Churn"),
    }
    days = urlencode({"closed_after": span.first.isoformat(), "closed_before": span.last.isoformat()})
    unpaid_url = f"{reverse('ib_exclusions')}?{days}&partner="
    dormant, versus = _("dormant: %(share)s"), str(span.versus)
    lines = []
    for number, row in enumerate(rows, 1):
        assert row.partner is not None
        unpaid = percent(row.unpaid_percent)
        lines.append(
            format_html(
                ROW,
                **labels,
                number=number,
                url=row.partner.get_absolute_url(),
                name=row.partner.name,
                code=row.partner.code,
                plan=_plan(row, shows_plans=shows_plans),
                earned=rollup.figure(row.earned),
                missing=_faint(rollup.missing(row.earned)),
                before=f"{versus}: {rollup.figure(row.earned_before)}",
                revenue=rollup.figure(row.revenue),
                without=_faint(rollup.missing(row.revenue)),
                cost=_cost(row, rollup),
                lots=formats.number(row.lots, 2),
                unpaid=format_html(LINK, unpaid_url + row.partner.code, unpaid) if row.unpaid else unpaid,
                clients=formats.number(row.clients, 0),
                new=formats.number(row.new_clients, 0),
                lost=formats.number(row.lost_clients, 0),
                active=formats.number(row.active, 0),
                dormant=dormant % {"share": percent(row.dormant_percent)},
                churn=percent(row.churn_percent),
            )
        )
    return lines


def _plan(row: Performance, *, shows_plans: bool) -> str:
    if row.plan is None:
        return "–"
    return format_html(LINK, row.plan.get_absolute_url(), row.plan.name) if shows_plans else row.plan.name


def _faint(text: str) -> str:
    return format_html(FAINT, text) if text else ""


def _cost(row: Performance, rollup: Rollup) -> SafeString:
    """Write what all partners earned on the clients, marked where it exceeds the revenue."""
    cost = _("Commissions: %(cost)s") % {"cost": rollup.figure(row.cost)}
    if not row.is_over:
        return format_html(FAINT, cost)
    mark = icon("triangle-alert", "icon-sm")
    over = _("Exceeds revenue")
    return format_html(
        '<span class="d-block neg">{}<span class="visually-hidden">{}</span> {}</span>', mark, over, cost
    )


def percent(share: float | None) -> str:
    """Write a share in per cent; a dash where there is nothing to divide by."""
    return "–" if share is None else f"{formats.number(share, 1)} %"
