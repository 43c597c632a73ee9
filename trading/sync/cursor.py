"""How far each kind of data of a server is read, how it went, and when a server that is away is asked again."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from django.utils import timezone

from trading.models import SyncCursor, TradingServer
from trading.platforms.errors import PlatformError
from trading.sync import samples

logger = logging.getLogger(__name__)
RUN_SECONDS_MAX: Final = 240
REST_SECONDS_MAX: Final = 60


@dataclass
class Run:
    """One reading in progress; what it sets here is kept when it succeeds."""

    server: TradingServer
    cursor: SyncCursor
    rows: int = 0
    position_msc: int | None = None
    lag_ms: int | None = None
    clock_offset_seconds: int | None = None


def is_resting(cursor: SyncCursor) -> bool:
    """Tell whether a server that failed is still left alone: for 1, 2, 4 … 60 seconds."""
    if not cursor.failures or cursor.error_at is None:
        return False
    rest = min(REST_SECONDS_MAX, 2 ** min(cursor.failures - 1, 10))
    return timezone.now() < cursor.error_at + dt.timedelta(seconds=rest)


@contextmanager
def reading(server: TradingServer, kind: str, *, seconds_max: int = RUN_SECONDS_MAX) -> Iterator[Run | None]:
    """Run one reading of one kind of data; None when another worker is at it, or the server rests after an error.

    seconds_max: for how long a worker that died keeps others away.

    A platform's error ends the run and is kept on the cursor for the health page; it is not raised.
    """
    cursor, _created = SyncCursor.objects.get_or_create(server=server, kind=kind)
    lock = f"trading-sync:{server.pk}:{kind}"
    if is_resting(cursor) or not cache.add(lock, 1, seconds_max):
        yield None
        return
    started = time.monotonic()
    run = Run(server, cursor)
    try:
        yield run
    except PlatformError as problem:
        _failed(cursor, problem)
    else:
        _succeeded(run, round((time.monotonic() - started) * 1000))
    finally:
        cache.delete(lock)


def _failed(cursor: SyncCursor, problem: PlatformError) -> None:
    if not cursor.failures:
        logger.warning("reading %s failed: %s", cursor, problem)
    SyncCursor.objects.filter(pk=cursor.pk).update(
        failures=cursor.failures + 1, error=str(problem)[:300], error_at=timezone.now()
    )
    samples.note(cursor.server_id, cursor.kind, has_failed=True)


def _succeeded(run: Run, duration_ms: int) -> None:
    changes = {
        "read_at": timezone.now(),
        "rows": run.rows,
        "duration_ms": duration_ms,
        "failures": 0,  # the last error stays to be read
        "position_msc": run.position_msc,
        "lag_ms": run.lag_ms,
        "clock_offset_seconds": run.clock_offset_seconds,
    }
    SyncCursor.objects.filter(pk=run.cursor.pk).update(**{k: v for k, v in changes.items() if v is not None})
    samples.note(run.server.pk, run.cursor.kind, rows=run.rows, duration_ms=duration_ms, lag_ms=run.lag_ms)
