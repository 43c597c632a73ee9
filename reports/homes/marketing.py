"""Marketing's home: leads, registrations, first deposits and what one costs, per campaign and country."""

from __future__ import annotations

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
from crm.ui.kpis import Kpi, once_per_page
from leads.models import Campaign
from reports.homes.month import Month, reached_month
from reports.homes.parts import ftd_kpi, sales_chart, whole_money

ROWS = 6


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
        return [
            CampaignMonth(row, _cost_of_month(row, month), *brought.get((row.brand_id, row.code), (0, Decimal(0))))
            for row in rows.select_related("brand").order_by("pk")[:500]
        ]

    return once_per_page(user, "reports.campaign_months", read)  # type: ignore[no-any-return]


def _cost_of_month(campaign: Campaign, month: Month) -> Decimal:
    """Take this month's part of what was spent so far, as if every day of the campaign had cost the same."""
    first = campaign.starts_on or month.first
    last = min(campaign.ends_on or month.today, month.today)
    days = (last - first).days + 1
    in_month = (last - max(first, month.first)).days + 1
    if days <= 0 or in_month <= 0:
        return Decimal(0)
    return (campaign.cost * in_month / days).quantize(Decimal("0.01"))


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
    """Draw leads, registrations and first deposits of all campaigns by day."""
    return ChartCard(
        title=_("Leads, registrations and FTDs by day"),
        chart=sales_chart(reached_month(user), "home-leads-by-day"),
        url=reverse("reports_dashboard", args=["sales"]),
        url_text=_("Dashboard"),
    )


def campaigns_by_return(user: User) -> ListCard:
    """List running campaigns by what this month's first depositors brought for what the month cost."""
    rows = sorted(_campaigns(user), key=lambda row: (-(row.net / row.cost if row.cost else 0), row.campaign.name))
    return ListCard(
        title=_("Campaigns by ROI"),
        rows=[
            ListRow(
                title=row.campaign.name,
                url=reverse("campaign_edit", args=[row.campaign.pk]),
                note=_("%(cost)s spent · %(net)s net deposits")
                % {
                    "cost": whole_money(row.cost, row.campaign.brand.base_currency),
                    "net": whole_money(row.net, row.campaign.brand.base_currency),
                },
                end=f"{formats.number((row.net - row.cost) / row.cost * 100, 0)} %" if row.cost else "–",
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
