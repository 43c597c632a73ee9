"""What one campaign's page shows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.cards import FunnelStep
from crm.ui.charts import Chart, Series
from crm.ui.kpis import Kpi
from leads.models import Campaign, CampaignSpend, Lead
from leads.spend.queries import spent_by_day
from reports import dashboards, figures, origins
from reports.campaigns.revenue import revenue_by
from reports.campaigns.rows import Row, cost_of, costs_of
from reports.filters import Selection, Span
from reports.models import ClientDay
from reports.texts import whole_money

ROWS = 10
# Leads of a period that are grouped by landing page: the newest.
LEADS_MAX = 20_000


@dataclass(frozen=True)
class OriginRow:
    """One source or landing page: how many leads, and what became of them."""

    name: str
    leads: int
    registrations: int
    ftds: int
    share: int
    url: str = ""


@dataclass(frozen=True)
class CampaignPage:
    kpis: Sequence[Kpi]
    charts: Sequence[Chart]
    funnel: Sequence[FunnelStep]
    countries: Sequence[dashboards.CountryRow]
    sources: Sequence[OriginRow]
    landing_pages: Sequence[OriginRow]


def page_of(user: User, campaign: Campaign, chosen: Selection, today: dt.date) -> CampaignPage:
    """Read and put together what a campaign's page shows."""
    sheet = dashboards.Sheet(user, chosen, today).read()
    now = _row(campaign, chosen, chosen.span, today, sheet.total)
    before = None
    if chosen.before and sheet.before:
        before = _row(campaign, chosen, chosen.before, today, sheet.before)
    return CampaignPage(
        kpis=_kpis(sheet, now, before),
        charts=[_people_chart(sheet), *_money_chart(sheet, now, today)],
        funnel=dashboards.funnel_of(sheet.total, sheet.links),
        countries=dashboards.countries_of(sheet),
        sources=_sources(sheet),
        landing_pages=_landing_pages(campaign, chosen),
    )


def _row(campaign: Campaign, chosen: Selection, span: Span, today: dt.date, totals: figures.Totals) -> Row:
    cost = costs_of(chosen, [campaign], span, today)[campaign.pk]
    earned = sum(revenue_by(chosen, span).values(), Decimal(0))
    return Row(campaign, campaign.brand.base_currency, totals, cost, earned)


def _kpis(sheet: dashboards.Sheet, now: Row, before: Row | None) -> list[Kpi]:
    money = now.currency

    def cost_card(label: str, name: str, icon: str) -> Kpi:
        value = getattr(now, name)
        return Kpi(
            label,
            whole_money(value, money) if value is not None else "–",
            icon=icon,
            now=value,
            before=getattr(before, name) if before else None,
            versus=sheet.selection.versus,
            is_more_better=None if name == "cost" else False,
            tone="warning",
        )

    def share_card(label: str, name: str, icon: str, hint: str) -> Kpi:
        share = getattr(now, name)
        return Kpi(
            label,
            f"{formats.number(share, 0)} %" if share is not None else "–",
            icon=icon,
            now=share,
            before=getattr(before, name) if before else None,
            versus=sheet.selection.versus,
            hint=hint,
            tone="teal",
        )

    cards = dashboards.sales_kpis(sheet)
    found = [
        *cards[:3],
        next(card for card in cards if card.icon == "scale"),
        cost_card(_("Cost"), "cost", "coins"),
        cost_card(_("Cost per lead"), "per_lead", "user-plus"),
        cost_card(_("Cost per FTD"), "per_ftd", "circle-dollar-sign"),
        share_card(_("Return on ad spend"), "roas", "target", _("Net deposits ÷ cost")),
        Kpi(
            _("Revenue"),
            whole_money(now.revenue, money),
            icon="banknote",
            now=now.revenue,
            before=before.revenue if before else None,
            versus=sheet.selection.versus,
            hint=_("Charges and client losses, as far as trades are kept"),
            tone="success" if now.revenue >= 0 else "danger",
        ),
        share_card(_("ROI"), "roi", "percent", _("Revenue less cost, ÷ cost")),
    ]
    return found if sheet.selection.has_revenue else found[:-2]


def _people_chart(sheet: dashboards.Sheet) -> Chart:
    return Chart(
        id="campaign-days",
        title=_("Leads, registrations and FTDs by day"),
        x=sheet.selection.span.days,
        series=[
            Series(_("Leads"), sheet.course(lambda t: t.leads), kind="bars", decimals=0),
            Series(_("Registrations"), sheet.course(lambda t: t.registrations), tone="warning", decimals=0),
            Series(_("FTDs"), sheet.course(lambda t: t.first_deposits), tone="teal", decimals=0),
        ],
        height=260,
        urls=sheet.links.seen_on(sheet.selection.span.days),
    )


def _money_chart(sheet: dashboards.Sheet, row: Row, today: dt.date) -> list[Chart]:
    """Draw cost and net deposits, each added up over the period: where the lines cross, the campaign has paid off."""
    days = sheet.selection.span.days
    nets = [Decimal(origins.net_of(sheet.by_day.get(day, figures.Totals()), row.currency)) for day in days]
    series = [Series(_("Net deposits"), list(accumulate(nets)), kind="area", tone="teal", unit=row.currency)]
    if row.cost is not None:
        costs = _costs_so_far(row.campaign, sheet.selection.country, days, today)
        series.append(Series(_("Cost"), costs, tone="warning", unit=row.currency))
    return [
        Chart(id="campaign-return", title=_("Net deposits and cost, cumulative"), x=days, series=series, height=260)
    ]


def _costs_so_far(campaign: Campaign, country: str, days: Sequence[dt.date], today: dt.date) -> list[Decimal]:
    """Add up what a campaign cost from the first day to each."""
    if CampaignSpend.objects.filter(campaign=campaign).exists():
        by_day: dict[dt.date, Decimal] = defaultdict(Decimal)
        for (_campaign, day, of_country), amount in spent_by_day([campaign.pk], days[0], days[-1]).items():
            if not country or of_country == country:
                by_day[day] += amount
        return list(accumulate(by_day[day] for day in days))
    return [cost_of(campaign, Span(days[0], day), today, {}) or Decimal(0) for day in days]


def _sources(sheet: dashboards.Sheet) -> list[OriginRow]:
    chosen, links = sheet.selection, sheet.links
    found = origins.sum_by(origins.days_of(chosen, chosen.span), "source")
    best = sorted(found, key=lambda name: (-found[name].leads, name))[:ROWS]
    most = max((found[name].leads for name in best), default=0)
    return [
        OriginRow(
            name or _("Unknown"),
            found[name].leads,
            found[name].registrations,
            found[name].first_deposits,
            round(100 * found[name].leads / most) if most else 0,
            links.seen(source=name) if name else "",
        )
        for name in best
        if found[name].leads or found[name].registrations
    ]


def _landing_pages(campaign: Campaign, chosen: Selection) -> list[OriginRow]:
    """Group the newest leads of the period by landing page: a range of the index on campaign and time.

    Of a desk they are those that it had on the day of the lead, as in the other figures of the page.
    """
    zone = ZoneInfo(campaign.brand.time_zone)
    since = dt.datetime.combine(chosen.span.first, dt.time.min, tzinfo=zone)
    until = dt.datetime.combine(chosen.span.last + dt.timedelta(days=1), dt.time.min, tzinfo=zone)
    of_desk = ClientDay.objects.filter(
        client_id=OuterRef("client_id"), day=OuterRef("captured_day"), desk_id__in=chosen.reach.desks, leads__gt=0
    )
    leads = Lead.objects.annotate(captured_day=TruncDate("captured_at", tzinfo=zone)).filter(
        Q(brand_id__in=chosen.reach.brands) | Exists(of_desk),
        campaign=campaign,
        captured_at__gte=since,
        captured_at__lt=until,
        is_duplicate=False,
    )
    if chosen.country:
        leads = leads.filter(client__country=chosen.country)
    newest = leads.order_by("-captured_at").values("pk")[:LEADS_MAX]
    summed: Any = (
        Lead.objects.filter(pk__in=newest)
        .order_by()
        .values_list("landing_page__slug", "landing_page__language")
        .annotate(
            leads=Count("pk"),
            registered=Count("pk", filter=Q(client__registered_at__isnull=False)),
            funded=Count("pk", filter=Q(client__first_deposit_at__isnull=False)),
        )
    )
    rows = sorted(summed, key=lambda row: -row[2])[:ROWS]
    most = rows[0][2] if rows else 0
    return [
        OriginRow(
            f"{slug} ({language})" if slug else _("No landing page"),
            count,
            registered,
            funded,
            round(100 * count / most) if most else 0,
        )
        for slug, language, count, registered, funded in rows
    ]
