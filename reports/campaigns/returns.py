# ruff: noqa: S608 - statements made of constants of this module
"""What campaigns' money brought by campaign, source, country, day or cohort, credited to the first, the last or all campaigns.

A person is credited to the campaign of their first lead, to the last one before their first deposit, or to all of these in equal
parts. The first is read from `OriginDay`; the others need each person's leads, so that their period is bounded.

Revenue is that of `reports.campaigns.revenue`; ROI is what is left of it after the cost, by the cost.

Cost without a country (or of a campaign without a source) is spread over the campaign's leads. A cohort is a month: what was
spent in it, the leads of it, who registered in it, and what these have paid in, taken out and brought in revenue so far.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import country_name
from crm.i18n import formats
from leads.models import Campaign
from leads.spend.queries import spent_by_campaign, spent_by_day
from reports import origins
from reports.campaigns.revenue import BY_DAY, LOST_OR_CHARGED, PASSED_ON, passed_on, revenue_by, traded, values_of
from reports.campaigns.rows import CENT, campaigns_of, cost_of, roi_of
from reports.filters import Selection, Span
from reports.models import CohortMonth
from reports.texts import whole_money

DAYS_MAX = 100
ROWS_MAX = 100
ZERO = Decimal(0)


class Dimension(models.TextChoices):
    CAMPAIGN = "campaign", gettext_lazy("Campaign")
    SOURCE = "source", gettext_lazy("Source")
    COUNTRY = "country", gettext_lazy("Country")
    COHORT = "cohort", gettext_lazy("Cohort")
    DAY = "day", gettext_lazy("Day")


class Attribution(models.TextChoices):
    FIRST = "first", gettext_lazy("First campaign")
    LAST = "last", gettext_lazy("Last campaign before the first deposit")
    LINEAR = "linear", gettext_lazy("All campaigns in equal parts")


@dataclass
class Sums:
    """What was brought. Decimals: with several campaigns a person counts in parts."""

    leads: Decimal = ZERO
    registrations: Decimal = ZERO
    ftds: Decimal = ZERO
    deposits: Decimal = ZERO
    net: Decimal = ZERO
    revenue: Decimal = ZERO

    def add(self, other: Sums) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class ReturnRow:
    """One line. `cost` is None where it isn't known: of a single desk."""

    label: str
    currency: str
    key: Any = None
    sums: Sums = field(default_factory=Sums)
    cost: Decimal | None = None
    campaign_id: int | None = None

    def per(self, count: Decimal) -> Decimal | None:
        return (self.cost / count).quantize(CENT) if self.cost and count else None

    @property
    def per_lead(self) -> Decimal | None:
        return self.per(self.sums.leads)

    @property
    def per_registration(self) -> Decimal | None:
        return self.per(self.sums.registrations)

    @property
    def per_ftd(self) -> Decimal | None:
        return self.per(self.sums.ftds)

    @property
    def roas(self) -> Decimal | None:
        return 100 * self.sums.net / self.cost if self.cost else None

    @property
    def result(self) -> Decimal | None:
        """Return what is left of net deposits after the cost."""
        return None if self.cost is None else self.sums.net - self.cost

    @property
    def roi(self) -> Decimal | None:
        """Return what is left of the revenue after the cost, as a percentage of the cost; None without a cost."""
        return roi_of(self.sums.revenue, self.cost)

    @property
    def shown(self) -> dict[str, str]:
        """Write the sums without cents."""
        sums = {"deposits": self.sums.deposits, "net": self.sums.net, "cost": self.cost, "result": self.result}
        sums["revenue"] = self.sums.revenue
        return {name: "–" if amount is None else whole_money(amount, self.currency) for name, amount in sums.items()}


# (campaign, key of the dimension) → what it brought.
Brought = dict[tuple[Campaign, Any], Sums]

CREDITED = f"""
WITH people AS MATERIALIZED (
  SELECT client_id, key, sum(leads) AS leads, sum(registrations) AS registrations, sum(first_deposits) AS ftds,
    sum(deposits) AS deposits, sum(deposits - withdrawals - reversals) AS net, sum(revenue) AS revenue
  FROM (
    SELECT client_id, {{key}} AS key, leads, registrations, first_deposits, deposits, withdrawals, reversals, 0 AS revenue
    FROM reports_clientday
    WHERE day BETWEEN %(first)s AND %(last)s AND (brand_id = ANY(%(brands)s) OR desk_id = ANY(%(desks)s))
    UNION ALL SELECT c.id, {{traded_key}}, 0, 0, 0, 0, 0, 0, {LOST_OR_CHARGED} {{traded}}
    UNION ALL SELECT c.id, {{traded_key}}, 0, 0, 0, 0, 0, 0, {PASSED_ON} {{passed_on}}
  ) gave {{narrowed}} GROUP BY 1, 2
), {{weighed}}
SELECT w.campaign_id, p.key, sum(p.leads * w.weight), sum(p.registrations * w.weight), sum(p.ftds * w.weight),
  sum(p.deposits * w.weight), sum(p.net * w.weight), sum(p.revenue * w.weight)
FROM people p JOIN weights w ON w.client_id = p.client_id
GROUP BY 1, 2
"""
MEMBERS = """WHERE client_id IN (
  SELECT client_id FROM clients_segmentmember WHERE segment_id = %(segment)s AND left_at IS NULL
)"""
FIRST_ONLY = """weights AS (
  SELECT c.id AS client_id, g.id AS campaign_id, 1 AS weight FROM (SELECT DISTINCT client_id FROM people) p
  JOIN clients_client c ON c.id = p.client_id JOIN leads_campaign g ON g.brand_id = c.brand_id AND g.code = c.campaign
)"""
TOUCHED = """touches AS (
  SELECT l.client_id, l.campaign_id,
    CASE WHEN %(is_linear)s THEN 1.0 / count(*) OVER (PARTITION BY l.client_id)
      ELSE (row_number() OVER (PARTITION BY l.client_id ORDER BY l.captured_at DESC, l.id DESC) = 1)::int END AS weight
  FROM (SELECT DISTINCT client_id FROM people) p
  JOIN clients_client c ON c.id = p.client_id
  JOIN leads_lead l ON l.client_id = p.client_id AND l.campaign_id IS NOT NULL
    AND l.captured_at <= coalesce(c.first_deposit_at, 'infinity')
), weights AS (
  SELECT client_id, campaign_id, sum(weight) AS weight FROM touches GROUP BY 1, 2 HAVING sum(weight) > 0
)"""
KEYS = {
    Dimension.CAMPAIGN: "NULL::text",
    Dimension.SOURCE: "source",
    Dimension.COUNTRY: "country",
    Dimension.DAY: "day",
}
# The same of what clients traded.
TRADED_KEYS = {
    Dimension.CAMPAIGN: "NULL::text",
    Dimension.SOURCE: "c.source",
    Dimension.COUNTRY: "c.country",
    Dimension.DAY: BY_DAY,
}


def returns_of(
    selection: Selection,
    dimension: Dimension,
    attribution: Attribution,
    today: dt.date,
    *,
    segment_id: int | None = None,
) -> tuple[list[ReturnRow], list[ReturnRow]]:
    """Return the lines of a dimension and their totals, one per currency. A bounded number of statements.

    segment_id: only who is in a segment now; what they cost isn't known.
    """
    campaigns = list(campaigns_of(selection))
    if dimension == Dimension.COHORT:
        brought = _by_cohort(selection, campaigns)
    elif attribution == Attribution.FIRST and segment_id is None:
        brought = _by_first(selection, campaigns, dimension)
    else:
        brought = _credited(selection, campaigns, dimension, attribution, segment_id)
    has_cost = not (selection.desk or selection.reach.desks or segment_id)
    lines: dict[tuple[Any, str], ReturnRow] = {}

    def line(campaign: Campaign, key: Any) -> ReturnRow:
        currency = campaign.brand.base_currency
        if (key, currency) not in lines:
            row = ReturnRow(_label(dimension, campaign, key), currency, key, cost=ZERO if has_cost else None)
            row.campaign_id = campaign.pk if dimension == Dimension.CAMPAIGN else None
            lines[key, currency] = row
        return lines[key, currency]

    for (campaign, key), sums in brought.items():
        line(campaign, key).sums.add(sums)
    if has_cost:
        for campaign, key, amount in _costs(campaigns, selection.span, today, dimension, brought):
            row = line(campaign, key)
            row.cost = (row.cost or ZERO) + amount
    rows = [row for row in lines.values() if row.cost or any(vars(row.sums).values())]
    return _in_order(rows, dimension), _totals(rows, has_cost=has_cost)


def _by_first(selection: Selection, campaigns: Sequence[Campaign], dimension: Dimension) -> Brought:
    keys = ["brand_id", "campaign", *([] if dimension == Dimension.CAMPAIGN else [dimension.value])]
    found = origins.sum_by(origins.days_of(selection, selection.span).exclude(campaign=""), *keys)
    by_code = {(row.brand_id, row.code): row for row in campaigns}
    brought: Brought = defaultdict(Sums)
    for key, totals in found.items():
        if campaign := by_code.get(key[:2]):
            currency = campaign.brand.base_currency
            brought[campaign, _key(dimension, campaign, key[-1])].add(
                Sums(
                    Decimal(totals.leads),
                    Decimal(totals.registrations),
                    Decimal(totals.first_deposits),
                    Decimal(origins.deposits_of(totals, currency)),
                    Decimal(origins.net_of(totals, currency)),
                )
            )
    _add_revenue(brought, by_code, revenue_by(selection, selection.span, TRADED_KEYS[dimension]), dimension)
    return brought


def _add_revenue(
    brought: Brought,
    by_code: Mapping[tuple[int, str], Campaign],
    revenue: Mapping[tuple[int, str, Any], Decimal],
    dimension: Dimension,
) -> None:
    for (brand_id, code, key), amount in revenue.items():
        if campaign := by_code.get((brand_id, code)):
            brought[campaign, _key(dimension, campaign, key)].add(Sums(revenue=amount))


def _credited(
    selection: Selection,
    campaigns: Sequence[Campaign],
    dimension: Dimension,
    attribution: Attribution,
    segment_id: int | None,
) -> Brought:
    by_id = {row.pk: row for row in campaigns}
    brought: Brought = defaultdict(Sums)
    with connection.cursor() as cursor:
        cursor.execute(
            CREDITED.format(
                key=KEYS[dimension],
                traded_key=TRADED_KEYS[dimension],
                traded=traded(selection),
                passed_on=passed_on(selection),
                narrowed=MEMBERS if segment_id else "",
                weighed=FIRST_ONLY if attribution == Attribution.FIRST else TOUCHED,
            ),
            {
                **values_of(replace(selection, campaign=""), selection.span, is_by_day=dimension == Dimension.DAY),
                "is_linear": attribution == Attribution.LINEAR,
                "segment": segment_id,
            },
        )
        for campaign_id, key, *figures in cursor.fetchall():
            if campaign := by_id.get(campaign_id):
                sums = Sums(*(Decimal(value) for value in figures))
                sums.revenue *= selection.has_revenue
                brought[campaign, _key(dimension, campaign, key)].add(sums)
    return brought


def _by_cohort(selection: Selection, campaigns: Sequence[Campaign]) -> Brought:
    """Return per month its leads and FTDs, its registrations, and what those who registered in it have paid in until now."""
    by_code = {(row.brand_id, row.code): row for row in campaigns}
    brought: Brought = defaultdict(Sums)
    span, reach = selection.span, selection.reach
    days = origins.days_of(selection, span).exclude(campaign="").annotate(month=TruncMonth("day"))
    for (brand_id, code, month), totals in origins.sum_by(days, "brand_id", "campaign", "month").items():
        if campaign := by_code.get((brand_id, code)):
            sums = Sums(Decimal(totals.leads), Decimal(totals.registrations), Decimal(totals.first_deposits))
            brought[campaign, month].add(sums)
    paid: Any = (
        CohortMonth.objects.filter(
            Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks),
            registered_month__gte=span.first.replace(day=1),
            registered_month__lte=span.last,
        )
        .exclude(campaign="")
        .order_by()
        .values_list("brand_id", "campaign", "registered_month")
        .annotate(Sum("deposits"), Sum("withdrawals"), Sum("reversals"))
    )
    for brand_id, code, month, deposits, withdrawals, reversals in paid:
        if campaign := by_code.get((brand_id, code)):
            brought[campaign, month].add(Sums(deposits=deposits, net=deposits - withdrawals - reversals))
    _add_revenue(brought, by_code, revenue_by(selection, span, is_cohort=True), Dimension.COHORT)
    return brought


def _key(dimension: Dimension, campaign: Campaign, key: Any) -> Any:
    if dimension == Dimension.CAMPAIGN:
        return campaign.pk
    return campaign.source or key if dimension == Dimension.SOURCE else key


def _label(dimension: Dimension, campaign: Campaign, key: Any) -> str:
    if dimension == Dimension.CAMPAIGN:
        return campaign.name
    if dimension == Dimension.COUNTRY:
        return country_name(key) if key else _("Unknown")
    if dimension == Dimension.DAY:
        return formats.day(key)
    return formats.month(key) if dimension == Dimension.COHORT else key or _("Unknown")


def _costs(
    campaigns: Sequence[Campaign], span: Span, today: dt.date, dimension: Dimension, brought: Brought
) -> Iterator[tuple[Campaign, Any, Decimal]]:
    """Say what each campaign cost, by key of the dimension."""
    parts = _parts(campaigns, span, today, is_by_day=dimension in (Dimension.DAY, Dimension.COHORT))
    leads: dict[int, dict[Any, Decimal]] = defaultdict(dict)
    for (campaign, key), sums in brought.items():
        leads[campaign.pk][key] = sums.leads
    for campaign, day, country, amount in parts:
        if dimension == Dimension.CAMPAIGN:
            yield campaign, campaign.pk, amount
        elif dimension == Dimension.DAY:
            yield campaign, day, amount
        elif dimension == Dimension.COHORT:
            yield campaign, day.replace(day=1), amount
        elif key := country if dimension == Dimension.COUNTRY else campaign.source:
            yield campaign, key, amount
        else:
            yield from ((campaign, of_key, part) for of_key, part in _shares(amount, leads[campaign.pk]))


def _parts(
    campaigns: Sequence[Campaign], span: Span, today: dt.date, *, is_by_day: bool
) -> Iterator[tuple[Campaign, dt.date, str, Decimal]]:
    """List what campaigns cost by day and country; without spend by day, the cost so far spread over the days."""
    by_id = {row.pk: row for row in campaigns}
    recorded = spent_by_campaign(list(by_id), span.first, span.last)
    for (campaign_id, day, country), amount in spent_by_day(list(recorded), span.first, span.last).items():
        yield by_id[campaign_id], day, country, amount
    for campaign in campaigns:
        if campaign.pk not in recorded and campaign.cost:
            spans = [Span(day, day) for day in span.days] if is_by_day and campaign.starts_on else [span]
            for some in spans:
                if spread := cost_of(campaign, some, today, {}):
                    yield campaign, some.last, "", spread


def _shares(amount: Decimal, leads: Mapping[Any, Decimal]) -> Iterator[tuple[Any, Decimal]]:
    """Split an amount by leads; without any it is nowhere's."""
    total = sum(leads.values(), ZERO)
    if not total:
        yield "", amount
        return
    for key, count in leads.items():
        if count:
            yield key, amount * count / total


def _in_order(rows: list[ReturnRow], dimension: Dimension) -> list[ReturnRow]:
    """Sort: days and months newest first, else by cost and leads. The smallest beyond the limit become one line per currency."""
    if dimension in (Dimension.DAY, Dimension.COHORT):
        return sorted(rows, key=lambda row: (row.key, row.currency), reverse=True)
    rows = sorted(rows, key=lambda row: (-(row.cost or ZERO), -row.sums.leads, row.label))
    if dimension == Dimension.CAMPAIGN:
        return rows
    others = _totals(rows[ROWS_MAX:], has_cost=any(row.cost is not None for row in rows), label=_("Others"))
    return [*rows[:ROWS_MAX], *others]


def _totals(rows: Iterable[ReturnRow], *, has_cost: bool, label: str = "") -> list[ReturnRow]:
    """Add lines up, one per currency."""
    found: dict[str, ReturnRow] = {}
    for row in rows:
        total = found.setdefault(row.currency, ReturnRow(label, row.currency, cost=ZERO if has_cost else None))
        total.sums.add(row.sums)
        if total.cost is not None:
            total.cost += row.cost or ZERO
    return [found[currency] for currency in sorted(found)]
