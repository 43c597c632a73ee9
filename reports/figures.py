"""Reading the day figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum
from django.utils import timezone

from crm.models import Brand
from reports.models import DayFigure
from reports.texts import time_text

FIGURES = (
    "leads",
    "touched",
    "touch_seconds",
    "late",
    "calls",
    "call_seconds",
    "registrations",
    "first_deposits",
    "deposits",
    "withdrawals",
    "reversals",
)
# Of the people first seen on a day: how far they have come so far. Each step has a filter of the clients list.
FUNNEL = ("seen", "seen_contacted", "seen_registered", "seen_verified", "seen_funded", "seen_active")
# What is kept per country and campaign.
ORIGIN_FIGURES = (*FIGURES, "verified", *FUNNEL)
COHORT_FIGURES = ("clients", "depositors", "deposits", "withdrawals", "reversals")


def average_seconds(seconds: int, count: int) -> int | None:
    """Return the time to first contact; nothing where all were contacted before they were assigned."""
    return seconds // count if seconds else None


@dataclass
class Totals:
    """Sums over some days; money by currency, because brands have different ones."""

    leads: int = 0
    touched: int = 0
    touch_seconds: int = 0
    late: int = 0
    calls: int = 0
    call_seconds: int = 0
    registrations: int = 0
    first_deposits: int = 0
    verified: int = 0
    seen: int = 0
    seen_contacted: int = 0
    seen_registered: int = 0
    seen_verified: int = 0
    seen_funded: int = 0
    seen_active: int = 0
    money: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def conversion(self) -> Decimal | None:
        """First deposits per hundred leads; nothing where more people deposited than came, for those came before."""
        return Decimal(100 * self.first_deposits) / self.leads if self.leads >= max(1, self.first_deposits) else None

    @property
    def speed_seconds(self) -> int | None:
        """Return the average from assignment to first contact."""
        return average_seconds(self.touch_seconds, self.touched)

    @property
    def speed_text(self) -> str:
        """Say the same with its units."""
        return time_text(self.speed_seconds)

    @property
    def net(self) -> dict[str, Decimal]:
        return {
            currency: sums["deposits"] - sums["withdrawals"] - sums["reversals"]
            for currency, sums in self.money.items()
        }


COUNTS = FIGURES[:8]
SUMS = FIGURES[8:]
ORIGIN_COUNTS = (*COUNTS, "verified", *FUNNEL)


@dataclass(frozen=True)
class Reach:
    """Whose figures: whole brands, or single desks."""

    brands: frozenset[int]
    desks: frozenset[int]

    @property
    def is_empty(self) -> bool:
        return not (self.brands or self.desks)


def days_until(last: dt.date, days: int) -> list[dt.date]:
    """List the `days` days that end with `last`, oldest first."""
    return [last - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]


def figures_of(reach: Reach, first: dt.date, last: dt.date) -> QuerySet[DayFigure]:
    """Select the figures of the days from `first` to `last` within reach, for the caller to sum."""
    from django.db.models import Q

    return DayFigure.objects.filter(
        Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), day__gte=first, day__lte=last
    ).order_by()


def per_day(reach: Reach, first: dt.date, last: dt.date) -> dict[dt.date, Totals]:
    """Sum the totals of each day; days without anything have none."""
    sums = {name: Sum(name) for name in FIGURES}
    totals: dict[dt.date, Totals] = {}
    rows = figures_of(reach, first, last).values("day", "brand__base_currency")
    for row in rows.annotate(**{f"sum_{name}": expression for name, expression in sums.items()}):
        _add(totals.setdefault(row["day"], Totals()), row, row["brand__base_currency"])
    return totals


def _add(totals: Totals, row: Mapping[str, Any], currency: str, counts: Iterable[str] = COUNTS) -> None:
    for name in counts:
        setattr(totals, name, getattr(totals, name) + (row[f"sum_{name}"] or 0))
    held = totals.money.setdefault(currency, dict.fromkeys(SUMS, Decimal(0)))
    for name in SUMS:
        held[name] += row[f"sum_{name}"] or 0


def add_up(days: Iterable[Totals]) -> Totals:
    """Add up the totals of several days."""
    total = Totals()
    for day in days:
        for name in ORIGIN_COUNTS:
            setattr(total, name, getattr(total, name) + getattr(day, name))
        for currency, sums in day.money.items():
            held = total.money.setdefault(currency, dict.fromkeys(SUMS, Decimal(0)))
            for name in SUMS:
                held[name] += sums[name]
    return total


def today_of(brands: frozenset[int]) -> dt.date:
    """Return today where the first of some brands is; UTC's where there is none."""
    brand = Brand.objects.filter(pk__in=brands).order_by("pk").first()
    return timezone.now().astimezone(ZoneInfo(brand.time_zone if brand else "UTC")).date()
