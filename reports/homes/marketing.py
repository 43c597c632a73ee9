"""Marketing's home: leads, registrations, first deposits and what one costs, per campaign and country."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.countries import country_name
from clients.filters import start_of
from clients.models import Client
from crm.i18n import formats
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.cards import ChartCard, ListCard, ListRow
from crm.ui.charts import Chart, Series
from crm.ui.kpis import Kpi, once_per_page
from leads.models import Campaign
from leads.spend.queries import spent_by_campaign
from reports import figures
from reports.campaigns.rows import cost_of
from reports.filters import Span
from reports.homes.month import reached_month
from reports.homes.parts import ftd_kpi, whole_money
from reports.models import OriginDay

ROWS = 6
# Campaigns with a colour of their own in the chart.
CHARTED = 5
DAYS = 30


@dataclass(frozen=True)
class CampaignMonth:
    """A campaign's cost of this month, spread evenly over its days so far, and the first deposits that it brought."""

    campaign: Campaign
    cost: Decimal
    ftds: int
    net: Decimal


def _ftd_rows(user: User) -> list[tuple[int, str, str, int, Decimal]]:
    """Count this month's first deposits per brand, campaign and country: a range of the index on first deposits."""

    def read() -> list[tuple[int, str, str, int, Decimal]]:
        month = reached_month(user)
        paid = Client.objects.filter(
            brand_id__in=reach_of(user).whole_brands, first_deposit_at__gte=start_of(month.first)
        ).exclude(stage="lead")
        rows = paid.order_by().values_list("brand_id", "campaign", "country")
        return list(rows.annotate(count=Count("pk"), net=Sum("net_deposits", default=0)))

    return once_per_page(user, "reports.ftd_rows", read)  # type: ignore[no-any-return]


def _campaigns(user: User) -> list[CampaignMonth]:
    def read() -> list[CampaignMonth]:
        month = reached_month(user)
        brought: dict[tuple[int, str], tuple[int, Decimal]] = {}
        for brand_id, code, _country, count, net in _ftd_rows(user):
            known = brought.get((brand_id, code), (0, Decimal(0)))
            brought[brand_id, code] = known[0] + count, known[1] + net
        rows = Campaign.objects.filter(brand_id__in=reach_of(user).whole_brands, is_active=True)
        campaigns = list(rows.select_related("brand").order_by("pk")[:500])
        spent = spent_by_campaign([row.pk for row in campaigns], month.first, month.today)
        return [
            CampaignMonth(
                row,
                cost_of(row, Span(month.first, month.today), month.today, spent) or Decimal(0),
                *brought.get((row.brand_id, row.code), (0, Decimal(0))),
            )
            for row in campaigns
        ]

    return once_per_page(user, "reports.campaign_months", read)  # type: ignore[no-any-return]


def leads(user: User) -> Kpi:
    """Make the card of this month's leads."""
    return _count_kpi(user, "leads", _("Leads this month"), "user-plus", f"{reverse('leads')}?created_from=")


def registrations(user: User) -> Kpi:
    """Make the card of this month's registrations."""
    url = f"{reverse('clients')}?registered_from="
    return _count_kpi(user, "registrations", _("Registrations this month"), "user-check", url)


def _count_kpi(user: User, name: str, label: str, icon: str, url: str) -> Kpi:
    month = reached_month(user)
    now = getattr(month.now(), name)
    return Kpi(
        label=label,
        value=formats.number(now, 0),
        url=url + month.first.isoformat(),
        icon=icon,
        now=now,
        before=getattr(month.before(), name),
        versus=_("vs last month to date"),
        hint=_("%(count)s today") % {"count": formats.number(getattr(month.on(month.today), name), 0)},
        trend=month.curve(name),
    )


def ftds(user: User) -> Kpi:
    """Make the card of this month's first deposits, with their share of leads."""
    month = reached_month(user)
    leads_now = month.now().leads
    share = f"{formats.number(100 * month.now().first_deposits / leads_now, 1)} %" if leads_now else ""
    hint = _("%(share)s of leads") % {"share": share} if share else ""
    return ftd_kpi(month, None, None, f"{reverse('clients')}?paid_in_from={month.first.isoformat()}", hint)


def cost_per_ftd(user: User) -> Kpi:
    """Divide this month's cost of the running campaigns by the first deposits that they brought, per currency."""
    sums: dict[str, tuple[Decimal, int]] = {}
    for row in _campaigns(user):
        code = row.campaign.brand.base_currency
        cost, count = sums.get(code, (Decimal(0), 0))
        sums[code] = cost + row.cost, count + row.ftds
    shown = [whole_money(cost / count, code) for code, (cost, count) in sorted(sums.items()) if count]
    spent = [whole_money(cost, code) for code, (cost, _count) in sorted(sums.items())]
    return Kpi(
        label=_("Cost per FTD this month"),
        value=" · ".join(shown) or "–",
        url=reverse("campaigns"),
        icon="coins",
        hint=_("%(spent)s spent, spread evenly over each campaign's days") % {"spent": " · ".join(spent)},
        tone="warning",
    )


def leads_by_day(user: User) -> ChartCard:
    """Stack the leads of the last thirty days by campaign: the five with the most, then all others."""
    month = reached_month(user)
    days = figures.days_until(month.today, DAYS)
    rows = (
        OriginDay.objects.filter(brand_id__in=reach_of(user).whole_brands, day__gte=days[0], day__lte=days[-1])
        .order_by()
        .values_list("brand_id", "campaign", "day")
        .annotate(leads=Sum("leads"))
    )
    by_campaign: dict[str, dict[dt.date, int]] = {}
    names = {(row.campaign.brand_id, row.campaign.code): row.campaign.name for row in _campaigns(user)}
    for brand_id, code, day, leads in rows:
        of_day = by_campaign.setdefault(names.get((brand_id, code), ""), {})
        of_day[day] = of_day.get(day, 0) + leads
    rest = by_campaign.pop("", {})
    best = sorted(by_campaign, key=lambda name: (-sum(by_campaign[name].values()), name))
    for name in best[CHARTED:]:
        for day, leads in by_campaign[name].items():
            rest[day] = rest.get(day, 0) + leads
    series = [
        Series(name, [by_campaign[name].get(day, 0) for day in days], kind="bars", decimals=0)
        for name in best[:CHARTED]
        if any(by_campaign[name].values())
    ]
    others = Series(_("Other"), [rest.get(day, 0) for day in days], kind="bars", tone="neutral", decimals=0)
    return ChartCard(
        title=_("Leads by campaign and day"),
        chart=Chart(id="home-leads-by-day", x=days, series=[*series, others], height=280, is_stacked=True),
        url=reverse("campaigns"),
        url_text=_("Campaigns"),
    )


def campaigns_by_return(user: User) -> ListCard:
    """List running campaigns by what this month's first depositors brought for what the month cost."""
    rows = sorted(_campaigns(user), key=lambda row: (-(row.net / row.cost if row.cost else 0), row.campaign.name))
    return ListCard(
        title=_("Campaigns by return on ad spend"),
        rows=[
            ListRow(
                title=row.campaign.name,
                url=reverse("campaign", args=[row.campaign.pk]),
                note=_("%(cost)s spent · %(net)s net deposits")
                % {
                    "cost": whole_money(row.cost, row.campaign.brand.base_currency),
                    "net": whole_money(row.net, row.campaign.brand.base_currency),
                },
                end=f"{formats.number(row.net / row.cost * 100, 0)} %" if row.cost else "–",
                end_note=ngettext("%(count)s FTD", "%(count)s FTDs", row.ftds) % {"count": row.ftds},
                tone=("success" if row.net >= row.cost else "danger") if row.cost else "",
            )
            for row in rows[:ROWS]
        ],
        icon="megaphone",
        url=reverse("campaigns"),
        empty=_("No campaigns yet"),
        empty_text=_("Campaigns are identified by utm_campaign."),
        empty_icon="megaphone",
    )


def countries(user: User) -> ListCard:
    """List the countries with the most first deposits this month."""
    month = reached_month(user)
    counts: dict[str, int] = {}
    for _brand, _campaign, country, count, _net in _ftd_rows(user):
        counts[country] = counts.get(country, 0) + count
    best = sorted(counts, key=lambda code: (-counts[code], code))[:ROWS]
    first = month.first.isoformat()
    total = sum(counts.values())
    return ListCard(
        title=_("FTDs by country"),
        rows=[
            ListRow(
                title=country_name(code) if code else _("Unknown"),
                url=f"{reverse('clients')}?country={code}&paid_in_from={first}",
                end=formats.number(counts[code], 0),
                end_note=f"{round(100 * counts[code] / total)} %",
            )
            for code in best
        ],
        icon="globe",
        url=f"{reverse('clients')}?paid_in_from={first}",
        empty=_("No first deposits this month"),
        empty_text=_("Countries appear here with their first deposits."),
        empty_icon="globe",
    )
