"""Figures by where people come from: what the dashboards and campaign pages read. Sums of `OriginDay`, a few hundred rows each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet, Sum

from reports.figures import ORIGIN_COUNTS, ORIGIN_FIGURES, SUMS, Totals, _add
from reports.filters import Selection, Span
from reports.models import FiguresState, OriginDay


def days_of(selection: Selection, span: Span) -> QuerySet[OriginDay]:
    """Select the rows of some days within what is chosen, for the caller to sum."""
    reach = selection.reach
    rows = OriginDay.objects.filter(
        Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), day__gte=span.first, day__lte=span.last
    )
    if selection.country:
        rows = rows.filter(country=selection.country)
    if selection.campaign:
        rows = rows.filter(campaign=selection.campaign)
    return rows.order_by()


def sum_by(rows: QuerySet[OriginDay], *keys: str) -> dict[Any, Totals]:
    """Sum rows by some columns in one statement: by the column's value, or by a tuple of several."""
    sums: dict[str, Any] = {f"sum_{name}": Sum(name) for name in ORIGIN_FIGURES}
    found: dict[Any, Totals] = {}
    for row in rows.values(*keys, "brand__base_currency").annotate(**sums).iterator(chunk_size=5_000):
        key = row[keys[0]] if len(keys) == 1 else tuple(row[name] for name in keys)
        _add(found.setdefault(key, Totals()), row, row["brand__base_currency"], ORIGIN_COUNTS)
    return found


def net_of(totals: Totals, currency: str) -> Any:
    """Return the net deposits in one currency."""
    return totals.net.get(currency, 0)


def deposits_of(totals: Totals, currency: str, name: str = "deposits") -> Any:
    """Return one sum of money in one currency."""
    assert name in SUMS
    return totals.money.get(currency, {}).get(name, 0)


def refreshed_at() -> dt.datetime | None:
    """Return when the figures last took in what had changed; None before their first round."""
    return FiguresState.objects.values_list("refreshed_at", flat=True).first()
