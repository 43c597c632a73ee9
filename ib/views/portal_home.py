"""A partner's first page: what was earned in a range of days, against the range before, and where it came from."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from crm.ui.charts import Chart, Series
from crm.ui.kpis import Kpi
from crm.web.requests import UserRequest
from ib import figures, settlement
from ib.agreements.scopes import Scope, in_order
from ib.choices import AccrualState, AttributionMethod, PartnerRight, Reason
from ib.models import Accrual, Partner, Settlement
from ib.news.publishing import news_for
from ib.partner_pages import date_ranges
from ib.partner_pages import figures as partner_figures
from ib.partner_pages.client_names import masked_name
from ib.partner_pages.date_ranges import DateRange, date_range
from ib.partner_pages.figures import ACTIVE_DAYS, EarnedSums, Funnel
from ib.partner_pages.levels import next_level
from ib.partner_pages.remedies import remedy
from ib.partner_pages.tables import sees_money
from ib.rates import rates_of
from ib.views.guards import partner_page

TRADES_SHOWN = 8
TRADE_FIELDS = ("closed_at", "deal_id", "component", "symbol", "ticket", "lots", "level", "amount", "currency")


@partner_page(PartnerRight.SEE_CLIENTS)
def home(request: UserRequest, partner: Partner) -> HttpResponse:
    """Show earnings with their curve, the way from click to trading client, who earns most, and the trades.

    A role that doesn't see money starts with the links instead.
    """
    if not sees_money(request.user):
        return redirect("partner_links")
    span = date_range(request.GET.get("period"))
    month_ago = timezone.localdate() - dt.timedelta(days=ACTIVE_DAYS)
    earliest, latest = min(span.days_before[0], month_ago), max(span.days[-1], timezone.localdate())
    read = partner_figures.earned_by_day(partner, earliest, latest)
    now = partner_figures.earned_between(partner, span.days, read)
    before = partner_figures.earned_between(partner, span.days_before, read)
    leaders = partner_figures.leaders(partner, span, now)
    agreements = in_order(partner, client=None)
    plan = next((row for row in agreements if Scope.of(row).is_usual), None)
    is_unpaid = request.GET.get("trades") == "unpaid"
    context = {
        "partner": partner,
        "news": news_for(partner),
        "span": span,
        "switch": period_switch(request, span),
        "hero": Kpi(
            span.title,
            formats.money(now.amount, now.currency),
            now=now.amount,
            before=before.amount,
            versus=span.versus,
        ),
        "earned": now,
        "chart": curve(span, now, before),
        "kpis": kpis(partner, span, now, before),
        "funnel": funnel_steps(partner_figures.funnel(partner, span), span),
        "leaders": leaders,
        "top_clients": [(masked_name(row.client, partner), row) for row in leaders.clients],
        "unpaid": [
            (row, earnings_url(span, state="excluded", reason=row.reason), remedy(row.reason))
            for row in leaders.reasons
        ],
        "unpaid_count": sum(row.trades for row in leaders.reasons),
        "is_unpaid": is_unpaid,
        "trade_tabs": trade_tabs(request, sum(row.trades for row in leaders.reasons)),
        "trade_tab": "unpaid" if is_unpaid else "paid",
        "latest": [] if is_unpaid else latest_paid(partner, span),
        "earnings_url": earnings_url(span, state="excluded" if is_unpaid else "accrued"),
        "settlements": Settlement.objects.filter(partner=partner)[:3],
        "link": partner.referral_links.filter(is_active=True).order_by("id").first(),
        "rates": rates_of(partner, agreements),
        "plan": plan,
        "level": next_level(partner, plan.plan if plan else None, read),
    }
    return render(request, "partners/home.html", context)


def period_switch(request: HttpRequest, span: DateRange) -> list[dict[str, Any]]:
    """List the ranges as links that keep the rest of the address."""
    links = []
    for code, label in date_ranges.choices():
        query = request.GET.copy()
        query["period"] = code
        links.append({"label": label, "url": f"?{query.urlencode()}", "is_active": code == span.code})
    return links


def curve(span: DateRange, now: EarnedSums, before: EarnedSums) -> Chart | None:
    """Draw the sum so far, day by day, over that of the range before; None where neither earned anything."""
    if not any(now.by_day) and not any(before.by_day):
        return None
    days, earlier = span.days, before.running[: len(span.days)]
    return Chart(
        id="earned",
        x=days,
        height=190,
        series=[
            Series(span.label, now.running, kind="area", unit=now.currency),
            Series(
                capfirst(str(span.versus)),
                [*earlier, *[None] * (len(days) - len(earlier))],
                tone="neutral",
                unit=now.currency,
            ),
        ],
    )


def kpis(partner: Partner, span: DateRange, now: EarnedSums, before: EarnedSums) -> list[Kpi]:
    """Collect the four figures of the second row."""
    counts = partner_figures.counts(partner, span)
    unsettled = {row.currency: row.amount for row in figures.not_settled(partner)}
    balances = settlement.balances_of(partner)
    return [
        Kpi(
            _("Balance"),
            _money_list(balances, partner.currency),
            reverse("partner_payouts"),
            "wallet",
            hint=_("Not settled yet: %(money)s") % {"money": _money_list(unsettled, partner.currency)},
        ),
        Kpi(
            _("New clients"),
            formats.number(counts.new, 0),
            clients_url(span),
            "user-plus",
            now=counts.new,
            before=counts.new_before,
            versus=span.versus,
            hint=ngettext("%(count)s client in total", "%(count)s clients in total", counts.clients)
            % {"count": formats.number(counts.clients, 0)},
        ),
        Kpi(
            _("Lots traded"),
            formats.number(now.lots, 2),
            earnings_url(span, state="accrued"),
            "chart-candlestick",
            now=now.lots,
            before=before.lots,
            versus=span.versus,
            hint=ngettext("%(count)s paid trade", "%(count)s paid trades", now.trades)
            % {"count": formats.number(now.trades, 0)},
        ),
        Kpi(
            _("Sub-partners"),
            formats.number(counts.network, 0),
            reverse("partner_network"),
            "network",
            hint=ngettext("with %(count)s client", "with %(count)s clients", counts.network_clients)
            % {"count": formats.number(counts.network_clients, 0)},
        ),
    ]


def _money_list(balances: dict[str, Any], currency: str) -> str:
    shown = balances or {currency: 0}
    return " · ".join(formats.money(amount, code) for code, amount in shown.items())


def funnel_steps(counts: Funnel, span: DateRange) -> list[dict[str, Any]]:
    """List the steps with the share of the step before, each with the list it counts."""
    rows = [
        (_("Clicks"), counts.clicks, f"{reverse('partner_links')}?period={span.code}"),
        (_("Registrations"), counts.registered, clients_url(span, method=AttributionMethod.LINK)),
        (_("Verified"), counts.verified, clients_url(span, method=AttributionMethod.LINK, step="verified")),
        (_("First deposit"), counts.funded, clients_url(span, method=AttributionMethod.LINK, step="funded")),
        (_("Active"), counts.active, clients_url(span, method=AttributionMethod.LINK, step="active")),
    ]
    steps: list[dict[str, Any]] = []
    for number, (label, count, url) in enumerate(rows):
        before = rows[number - 1][1] if number else 0
        steps.append({"label": label, "count": count, "url": url, "rate": rate_of(count, before) if number else ""})
    return steps


def rate_of(part: int, whole: int) -> str:
    """Write a share in per cent: one digit below ten, a dash where there is nothing to divide by."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{formats.number(percent, 1 if 0 < percent < 10 else 0)} %"


def clients_url(span: DateRange, **filters: str) -> str:
    """Return the address of the client list with those who came in a range."""
    query = {"since_after": span.first.isoformat(), "since_before": span.last.isoformat(), **filters}
    return f"{reverse('partner_clients')}?{urlencode(query)}"


def earnings_url(span: DateRange, *, state: str, reason: Reason | str = "") -> str:
    """Return the address of the list of trades of a range."""
    query = {"closed_after": span.first.isoformat(), "closed_before": span.last.isoformat(), "state": state}
    if reason:
        query["reason"] = str(reason)
    return f"{reverse('partner_earnings')}?{urlencode(query)}"


def trade_tabs(request: HttpRequest, unpaid: int) -> list[dict[str, Any]]:
    """Make the two tabs of the card of trades: what was paid, and what was not."""
    tabs = []
    for slug, label, count in (("paid", _("Latest trades"), 0), ("unpaid", _("Not paid, by reason"), unpaid)):
        query = request.GET.copy()
        query["trades"] = slug
        shown = formats.number(count, 0) if count else ""
        tabs.append({"slug": slug, "label": label, "url": f"?{query.urlencode()}#trades", "count": shown})
    return tabs


def latest_paid(partner: Partner, span: DateRange) -> list[Accrual]:
    """List the newest trades of a range that earned something, by an index of the partner's."""
    rows = Accrual.objects.filter(
        partner=partner, state=AccrualState.ACCRUED, closed_at__gte=span.starts_at, closed_at__lt=span.ends_at
    )
    return list(rows.only(*TRADE_FIELDS).order_by("-closed_at", "-id")[:TRADES_SHOWN])
