"""Counts for the cards of a home: rows per day, bounded counts, and how long something has waited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from crm.i18n import formats

CHART_DAYS = 30
CURVE_DAYS = 14


def last_days(count: int = CHART_DAYS) -> list[dt.date]:
    """List the reader's last days up to today, oldest first."""
    today = timezone.localdate()
    return [today - dt.timedelta(days=back) for back in range(count - 1, -1, -1)]


def midnight(day: dt.date) -> dt.datetime:
    """Return when a day begins in the reader's time zone."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def counts_by_day(rows: QuerySet[Any], column: str, days: Sequence[dt.date]) -> list[int]:
    """Count the rows of each of some days (consecutive, oldest first); the column needs an index."""
    inside = rows.filter(**{f"{column}__gte": midnight(days[0]), f"{column}__lt": midnight(days[-1] + dt.timedelta(1))})
    counted = inside.order_by().annotate(_day=TruncDate(column)).values_list("_day").annotate(n=Count("pk"))
    by_day: dict[dt.date, int] = dict(counted)
    return [by_day.get(day, 0) for day in days]


def count_up_to(rows: QuerySet[Any], most: int) -> int:
    """Count rows, but no more than `most`: `count_text` then writes "100+"."""
    return len(rows.order_by().values_list("pk")[:most])


def count_text(count: int, most: int) -> str:
    """Write a bounded count: "37", or "100+" where counting stopped."""
    return f"{formats.number(most, 0)}+" if count >= most else formats.number(count, 0)


def age_text(since: dt.datetime | None) -> str:
    """Write how long something has waited: "12 min", "5 h", "3 d 4 h"; a dash where nothing waits."""
    if since is None:
        return "–"
    return formats.duration(timezone.now() - since, to_minute=True)
