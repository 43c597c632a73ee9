"""Monthly partitions of the big append-only tables. A default partition catches what no month was made for."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils import timezone

# table → nothing else: the tables partitioned by month, added to by `partitioned_by_month` in the apps that own them.
TABLES: set[str] = {"crm_accessevent"}


def partitioned_by_month(table: str) -> None:
    """Register an app's table for a partition per month."""
    TABLES.add(table)


def ensure_months(table: str, first: dt.date, last: dt.date) -> None:
    """Make the partitions of `table` for every month from `first` to `last`, both included."""
    month = first.replace(day=1)
    with connection.cursor() as cursor:
        while month <= last:
            cursor.execute("SELECT keelson_make_month(%s, %s)", [table, month])
            month = (month + dt.timedelta(days=32)).replace(day=1)


def ensure_upcoming(*, months_ahead: int = 2) -> None:
    """Create the partitions of this month and the next ones, for every registered table."""
    today = timezone.now().date()
    for table in sorted(TABLES):
        ensure_months(table, today, today + dt.timedelta(days=31 * months_ahead))
