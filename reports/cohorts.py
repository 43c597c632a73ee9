"""Cohorts: clients by month of registration, and what they paid in the months after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from crm.i18n import formats
from reports.figures import COHORT_FIGURES
from reports.filters import ONE_DAY, Selection
from reports.links import Links
from reports.models import CohortMonth

MONTHS = 12
SHADES = 5
NET, SHARE = "net", "share"


@dataclass(frozen=True)
class HeatCell:
    """One month of one cohort. `heat` is 0 to 5, or -1 to -5 where more was paid out than in."""

    text: str
    heat: int
    url: str
    title: str


@dataclass(frozen=True)
class HeatRow:
    month: str
    clients: int
    url: str
    cells: Sequence[HeatCell | None]


@dataclass(frozen=True)
class HeatTable:
    """The cohorts of one currency, or the shares of all."""

    currency: str
    rows: Sequence[HeatRow]

    @property
    def columns(self) -> range:
        return range(max((len(row.cells) for row in self.rows), default=0))


@dataclass
class _Month:
    clients: int = 0
    depositors: int = 0
    net: Decimal = Decimal(0)


def heat_tables(selection: Selection, links: Links, today: dt.date, measure: str) -> list[HeatTable]:
    """Make the table of the last twelve months of registration: one of shares, or one of net deposits per currency."""
    first = _months_before(today.replace(day=1), MONTHS - 1)
    found = _read(selection, first)
    currencies = selection.currencies if measure == NET else [""]
    return [table for code in currencies if (table := _table(code, found, links, first, today)).rows]


def _read(selection: Selection, first: dt.date) -> dict[str, dict[tuple[dt.date, dt.date], _Month]]:
    """Sum per currency, cohort and month; under "" over all currencies, for what is counted and not paid."""
    reach = selection.reach
    rows = CohortMonth.objects.filter(
        Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), registered_month__gte=first
    )
    if selection.country:
        rows = rows.filter(country=selection.country)
    if selection.campaign:
        rows = rows.filter(campaign=selection.campaign)
    summed: Any = (
        rows.order_by()
        .values("brand__base_currency", "registered_month", "month")
        .annotate(**{f"sum_{name}": Sum(name) for name in COHORT_FIGURES})
    )
    found: dict[str, dict[tuple[dt.date, dt.date], _Month]] = {}
    for row in summed:
        for code in (row["brand__base_currency"], ""):
            month = found.setdefault(code, {}).setdefault((row["registered_month"], row["month"]), _Month())
            month.clients += row["sum_clients"]
            month.depositors += row["sum_depositors"]
            month.net += row["sum_deposits"] - row["sum_withdrawals"] - row["sum_reversals"]
    return found


def _table(
    currency: str, found: dict[str, dict[tuple[dt.date, dt.date], _Month]], links: Links, first: dt.date, today: dt.date
) -> HeatTable:
    months = found.get(currency, {})
    cohorts = [cohort for number in range(MONTHS) if (cohort := _months_before(first, -number)) <= today]
    sizes = {cohort: months.get((cohort, cohort), _Month()).clients for cohort in cohorts}
    values = {key: _value(month, sizes.get(key[0], 0), currency) for key, month in months.items()}
    most = max((abs(value) for value in values.values()), default=Decimal(0))
    rows = []
    for cohort in cohorts:
        if not sizes[cohort]:
            continue
        cells = []
        month = cohort
        while month <= today:
            cells.append(_cell(values.get((cohort, month), Decimal(0)), most, currency, (cohort, month), links))
            month = _months_before(month, -1)
        url = links.clients(registered_from=cohort.isoformat(), registered_to=_end_of(cohort).isoformat())
        rows.append(HeatRow(formats.month(cohort, is_short=True), sizes[cohort], url, cells))
    return HeatTable(currency, rows)


def _value(month: _Month, size: int, currency: str) -> Decimal:
    if currency:
        return month.net
    return Decimal(100 * month.depositors) / size if size else Decimal(0)


def _cell(value: Decimal, most: Decimal, currency: str, months: tuple[dt.date, dt.date], links: Links) -> HeatCell:
    cohort, month = months
    heat = 0 if not value or not most else max(1, round(SHADES * float(abs(value) / most)))
    if currency:
        text, whole = _short(value), formats.money(value, currency)
    else:
        text = whole = f"{formats.number(value, 0)} %"
    url = links.clients(
        registered_from=cohort.isoformat(),
        registered_to=_end_of(cohort).isoformat(),
        deposited_from=month.isoformat(),
        deposited_to=_end_of(month).isoformat(),
    )
    title = _("Registered %(cohort)s, deposits in %(month)s: %(value)s") % {
        "cohort": formats.month(cohort),
        "month": formats.month(month),
        "value": whole,
    }
    return HeatCell(text if value else "–", -heat if value < 0 else heat, url, title)


def _short(value: Decimal) -> str:
    """Say an amount in a narrow cell: 940, 12.4k, 1.2M."""
    for limit, letter in ((Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if abs(value) >= limit:
            return f"{formats.number(value / limit, 1)}{letter}"
    return formats.number(value, 0)


def _end_of(month: dt.date) -> dt.date:
    return _months_before(month, -1) - ONE_DAY


def _months_before(month: dt.date, count: int) -> dt.date:
    number = month.year * 12 + month.month - 1 - count
    return dt.date(number // 12, number % 12 + 1, 1)
