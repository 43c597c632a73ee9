"""How reading went, minute by minute and per server and kind: one row a minute, however often it is read."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection
from django.utils import timezone

from trading.models import SyncSample

KEPT: Final = dt.timedelta(days=7)
NOTE: Final = """
INSERT INTO trading_syncsample (server_id, kind, at, runs, failures, rows, duration_ms, lag_ms)
VALUES (%s, %s, date_trunc('minute', clock_timestamp()), 1, %s, %s, %s, %s)
ON CONFLICT (server_id, kind, at) DO UPDATE SET runs = trading_syncsample.runs + 1,
  failures = trading_syncsample.failures + excluded.failures, rows = trading_syncsample.rows + excluded.rows,
  duration_ms = trading_syncsample.duration_ms + excluded.duration_ms,
  lag_ms = greatest(trading_syncsample.lag_ms, excluded.lag_ms)
"""


def note(
    server_id: int,
    kind: str,
    *,
    rows: int = 0,
    duration_ms: int = 0,
    lag_ms: int | None = None,
    has_failed: bool = False,
) -> None:
    """Count one reading into its minute. `lag_ms`: of the newest deal it brought; a minute keeps the largest."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [server_id, kind, int(has_failed), rows, min(duration_ms, 10**9), lag_ms])


def forget_old() -> int:
    """Delete minutes older than a week: they aren't shown any more."""
    return SyncSample.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
