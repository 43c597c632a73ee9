"""This month beside the same days of the month before, from the day figures: one query for all cards of a home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from crm.models import Brand, User
from crm.ui.kpis import once_per_page
from reports import figures, queries
from reports.figures import FIGURES
from reports.models import DayFigure, Target

CURVE_DAYS = 14


@dataclass
class Sums:
    """What some rows of day figures add up to; money in the base currency of one brand."""

    leads: int = 0
    touched: int = 0
    touch_seconds: int = 0
    late: int = 0
    calls: int = 0
    call_seconds: int = 0
    registrations: int = 0
    first_deposits: int = 0
    deposits: Decimal = Decimal(0)
    withdrawals: Decimal = Decimal(0)
    reversals: Decimal = Decimal(0)

    def add(self, row: DayRow) -> None:
        for name in FIGURES:
            setattr(self, name, getattr(self, name) + (row.figures[name] or 0))

    @property
    def net(self) -> Decimal:
        return self.deposits - self.withdrawals - self.reversals

    @property
    def speed(self) -> int | None:
        """Return the average seconds from assignment to first contact."""
        return figures.average_seconds(self.touch_seconds, self.touched)


@dataclass(frozen=True)
class DayRow:
    day: dt.date
    owner_id: int | None
    figures: dict[str, Any]


@dataclass(frozen=True)
class Month:
    """The rows since the first day of the month before, and where "today" is."""

    today: dt.date
    rows: Sequence[DayRow]
    currency: str

    @property
    def first(self) -> dt.date:
        return self.today.replace(day=1)

    @property
    def first_before(self) -> dt.date:
        return (self.first - dt.timedelta(days=1)).replace(day=1)

    @property
    def same_day_before(self) -> dt.date:
        """Return the day of the month before until which this month is compared."""
        return min(self.first_before + dt.timedelta(days=self.today.day - 1), self.first - dt.timedelta(days=1))

    def total(self, first: dt.date, last: dt.date, owner_id: int | None = None) -> Sums:
        sums = Sums()
        for row in self.rows:
            if first <= row.day <= last and (owner_id is None or row.owner_id == owner_id):
                sums.add(row)
        return sums

    def now(self, owner_id: int | None = None) -> Sums:
        return self.total(self.first, self.today, owner_id)

    def before(self, owner_id: int | None = None) -> Sums:
        return self.total(self.first_before, self.same_day_before, owner_id)

    def on(self, day: dt.date, owner_id: int | None = None) -> Sums:
        return self.total(day, day, owner_id)

    def days(self, first: dt.date, last: dt.date, owner_id: int | None = None) -> list[Sums]:
        """Sum each of some days, oldest first."""
        by_day: dict[dt.date, Sums] = {}
        for row in self.rows:
            if owner_id is None or row.owner_id == owner_id:
                by_day.setdefault(row.day, Sums()).add(row)
        count = (last - first).days + 1
        return [by_day.get(first + dt.timedelta(days=number), Sums()) for number in range(count)]

    def curve(self, name: str, owner_id: int | None = None) -> list[float]:
        """Return one figure of the last fourteen days."""
        first = self.today - dt.timedelta(days=CURVE_DAYS - 1)
        return [float(getattr(sums, name)) for sums in self.days(first, self.today, owner_id)]

    def owners(self) -> dict[int, Sums]:
        """Sum this month per agent."""
        sums: dict[int, Sums] = {}
        for row in self.rows:
            if row.owner_id is not None and self.first <= row.day <= self.today:
                sums.setdefault(row.owner_id, Sums()).add(row)
        return sums


def _rows(rows: QuerySet[DayFigure], currency: str) -> list[DayRow]:
    is_summed = Q(brand__base_currency=currency)
    sums = {f"sum_{name}": Sum(name, filter=is_summed if name in figures.SUMS else None) for name in FIGURES}
    summed = rows.order_by().values("day", "owner_id").annotate(**sums)
    return [
        DayRow(row["day"], row["owner_id"], {name: row[f"sum_{name}"] for name in FIGURES})  # type: ignore[literal-required]
        for row in summed.iterator(chunk_size=5_000)
    ]


def own_month(user: User) -> Month:
    """Read the agent's own figures and those of the desk, against which they are ranked."""
    return once_per_page(user, "reports.own_month", lambda: _own_month(user))  # type: ignore[no-any-return]


def _own_month(user: User) -> Month:
    brand = user.desk.brand if user.desk else user.brand
    today = figures.today_of(frozenset({brand.pk} if brand else ()))
    mine = Q(owner_id=user.pk) | Q(desk_id=user.desk_id) if user.desk_id else Q(owner_id=user.pk)
    rows = DayFigure.objects.filter(mine, brand=brand, day__gte=_start(today), day__lte=today)
    currency = brand.base_currency if brand else "EUR"
    return Month(today, _rows(rows, currency), currency)


def reached_month(user: User) -> Month:
    """Read the figures of the desks and brands that the user reaches as a whole.

    Counts are those of all of them. Money is that of the brands with the first one's base currency: currencies are never
    added up.
    """
    return once_per_page(user, "reports.reached_month", lambda: _reached_month(user))  # type: ignore[no-any-return]


def _reached_month(user: User) -> Month:
    reach = queries.reach_of_reports(user)
    brand = (user.desk.brand if user.desk else user.brand) or Brand.objects.filter(pk__in=reach.brands).order_by(
        "pk"
    ).first()
    today = figures.today_of(frozenset({brand.pk} if brand else ()))
    currency = brand.base_currency if brand else "EUR"
    return Month(today, _rows(figures.figures_of(reach, _start(today), today), currency), currency)


def _start(today: dt.date) -> dt.date:
    return (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def rank_of(owner_id: int, scores: dict[int, Any]) -> tuple[int, int] | None:
    """Return the place among the desk's agents and how many they are; None where nobody has a figure."""
    if owner_id not in scores or not any(scores.values()):
        return None
    return 1 + sum(score > scores[owner_id] for score in scores.values()), len(scores)


def desk_ids_of(user: User) -> list[int]:
    """List the desks whose targets add up on a head's home."""
    return sorted(queries.reach_of_reports(user).desks)


def targets_of(user: User, month: dt.date, *, desks: Iterable[int] | None = None) -> dict[str, Decimal]:
    """Read the targets of a month: the agent's own, or with `desks` those of whole desks, added up."""

    def read() -> dict[str, Decimal]:
        rows = Target.objects.filter(month=month)
        rows = rows.filter(agent=user) if desks is None else rows.filter(agent=None, desk_id__in=list(desks))
        return dict(rows.order_by().values("figure").annotate(total=Sum("value")).values_list("figure", "total"))

    return once_per_page(user, f"reports.targets.{month}.{desks is None}", read)  # type: ignore[no-any-return]
