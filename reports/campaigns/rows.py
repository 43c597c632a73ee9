"""What campaigns cost and brought: leads, registrations, first deposits and money, and the cost of each.

People belong to the campaign of their first lead (`Client.campaign`); deposits of later months stay with it. A campaign costs
what its spend by day says; without any, its cost is one sum, spent so far, and is spread evenly over its days.

**Return on ad spend** (ROAS) is net deposits per unit of cost, as a percentage: 100 % is a campaign whose people have, in the
period, paid in (less withdrawals, refunds and chargebacks) as much as the campaign cost in it. It is no profit: that is
**return on investment** (ROI), revenue from their trading (`reports.campaigns.revenue`) less the cost, as a percentage of the cost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from leads.models import Campaign
from leads.spend.queries import spent_by_campaign
from reports import origins
from reports.campaigns.revenue import revenue_by
from reports.figures import Totals, add_up
from reports.filters import CAMPAIGNS_MAX, Selection, Span, brands_within
from reports.texts import whole_money

CENT = Decimal("0.01")
DEFAULT_SORT = "-cost"


def cost_of(campaign: Campaign, span: Span, today: dt.date, spent: Mapping[int, Decimal | None]) -> Decimal | None:
    """Return what a campaign cost in a period: its spend by day, as `spent` has it.

    A campaign without any spend by day costs the period's part of its cost so far, as if every day had cost the same;
    without a first day all of it counts as spent in the period.
    """
    if campaign.pk in spent:
        return spent[campaign.pk]
    first = campaign.starts_on or span.first
    last = min(campaign.ends_on or today, today)
    days = (last - first).days + 1
    in_period = (min(last, span.last) - max(first, span.first)).days + 1
    if days <= 0 or in_period <= 0:
        return Decimal(0)
    return (campaign.cost * in_period / days).quantize(CENT)


def roi_of(revenue: Decimal, cost: Decimal | None) -> Decimal | None:
    """Return the return on investment as a percentage; None without a cost."""
    return 100 * (revenue - cost) / cost if cost else None


@dataclass
class Row:
    """One campaign's figures of the period, in the base currency of its brand.

    `cost` is None where it can't be told what part of it these figures cost: a single desk, or a country without spend of its own.
    """

    campaign: Campaign
    currency: str
    totals: Totals
    cost: Decimal | None
    revenue: Decimal = Decimal(0)

    @property
    def deposits(self) -> Decimal:
        return Decimal(origins.deposits_of(self.totals, self.currency))

    @property
    def net(self) -> Decimal:
        return Decimal(origins.net_of(self.totals, self.currency))

    @property
    def shown(self) -> dict[str, str]:
        """Write the sums without cents."""
        sums = {"deposits": self.deposits, "net": self.net, "cost": self.cost or Decimal(0), "revenue": self.revenue}
        return {name: whole_money(amount, self.currency) for name, amount in sums.items()}

    def per(self, count: int) -> Decimal | None:
        """Return the cost of one of these; None without a cost or without any."""
        return (self.cost / count).quantize(CENT) if self.cost and count else None

    @property
    def per_lead(self) -> Decimal | None:
        return self.per(self.totals.leads)

    @property
    def per_registration(self) -> Decimal | None:
        return self.per(self.totals.registrations)

    @property
    def per_ftd(self) -> Decimal | None:
        return self.per(self.totals.first_deposits)

    @property
    def roas(self) -> Decimal | None:
        """Return net deposits as a percentage of the cost; None without a cost."""
        return 100 * self.net / self.cost if self.cost else None

    @property
    def roi(self) -> Decimal | None:
        """Return what is left of the revenue after the cost, as a percentage of the cost; None without a cost."""
        return roi_of(self.revenue, self.cost)


def _number(value: Decimal | None) -> Decimal:
    return Decimal(-1) if value is None else value


SORTS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.campaign.name.lower(),
    "leads": lambda row: row.totals.leads,
    "registrations": lambda row: row.totals.registrations,
    "verified": lambda row: row.totals.verified,
    "ftds": lambda row: row.totals.first_deposits,
    "deposits": lambda row: row.deposits,
    "net": lambda row: row.net,
    "cost": lambda row: _number(row.cost),
    "per_lead": lambda row: _number(row.per_lead),
    "per_registration": lambda row: _number(row.per_registration),
    "per_ftd": lambda row: _number(row.per_ftd),
    "roas": lambda row: Decimal(-(10**12)) if row.roas is None else row.roas,
    "revenue": lambda row: row.revenue,
    "roi": lambda row: Decimal(-(10**12)) if row.roi is None else row.roi,
}


def campaigns_of(selection: Selection) -> Iterable[Campaign]:
    """Select the campaigns of the brands that are shown: five hundred at most, running ones first."""
    rows = Campaign.objects.filter(brand__in=brands_within(selection.reach)).select_related("brand")
    if selection.campaign:
        rows = rows.filter(code=selection.campaign)
    return rows.order_by("-is_active", "-id")[:CAMPAIGNS_MAX]


def costs_of(
    selection: Selection, campaigns: Sequence[Campaign], span: Span, today: dt.date
) -> dict[int, Decimal | None]:
    """Return what campaigns cost in a period; None of a single desk, and of a country where spend isn't reported by country."""
    if selection.desk or selection.reach.desks:
        return dict.fromkeys((row.pk for row in campaigns), None)
    spent = spent_by_campaign([row.pk for row in campaigns], span.first, span.last, selection.country)
    return {
        row.pk: None if selection.country and row.pk not in spent else cost_of(row, span, today, spent)
        for row in campaigns
    }


def rows_of(selection: Selection, span: Span, today: dt.date, *, sort: str = DEFAULT_SORT) -> list[Row]:
    """Return the campaigns with their figures of some days: four statements, whatever their number."""
    found = origins.sum_by(origins.days_of(selection, span).exclude(campaign=""), "brand_id", "campaign")
    chosen = list(campaigns_of(selection))
    costs, earned = costs_of(selection, chosen, span, today), revenue_by(selection, span)
    rows = [
        Row(
            row,
            row.brand.base_currency,
            found.get((row.brand_id, row.code), Totals()),
            costs[row.pk],
            earned.get((row.brand_id, row.code, None), Decimal(0)),
        )
        for row in chosen
    ]
    key = sort.removeprefix("-")
    rows.sort(key=lambda row: row.campaign.name.lower())
    rows.sort(key=SORTS.get(key, SORTS["cost"]), reverse=sort.startswith("-"))
    return rows


def totals_of(rows: Sequence[Row]) -> list[Row]:
    """Add rows up: one line per currency, for money is never added across them."""
    sums: dict[str, Row] = {}
    for row in rows:
        known = sums.setdefault(row.currency, Row(row.campaign, row.currency, Totals(), None))
        known.totals = add_up([known.totals, row.totals])
        known.revenue += row.revenue
        if row.cost is not None:
            known.cost = (known.cost or Decimal(0)) + row.cost
    return [sums[code] for code in sorted(sums)]


def in_reach(selection: Selection, pk: int) -> Campaign | None:
    """Find a campaign of a brand in reach."""
    rows = Campaign.objects.filter(Q(brand_id__in=selection.reach.brands) | Q(brand__desks__in=selection.reach.desks))
    return rows.select_related("brand").filter(pk=pk).distinct().first()
