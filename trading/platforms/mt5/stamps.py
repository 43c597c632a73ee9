"""The export's change stamps and the server's wall clock: how one tells about the other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import median_low
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.core import clock
from trading.platforms.base import ServerTime

FILETIME_EPOCH: Final = 11_644_473_600  # seconds from 1601 to 1970
TICKS: Final = 10_000_000  # of 100 ns in a second
FRESH_SECONDS: Final = 120  # a row changed so soon after its deal was not edited since
WALL_CLOCK: Final = frozenset({"Registration", "LastAccess", "LastPassChange"})  # times, besides those called Time…
QUARTER_SECONDS: Final = 900  # zones differ from UTC by whole quarters of an hour


def filetime(instant: dt.datetime) -> int:
    """Convert an instant to the export's change stamp."""
    return int((instant.timestamp() + FILETIME_EPOCH) * TICKS)


def from_filetime(stamp: int) -> dt.datetime:
    """Convert the export's change stamp to an instant."""
    seconds, rest = divmod(stamp, TICKS)
    return dt.datetime.fromtimestamp(seconds - FILETIME_EPOCH, dt.UTC) + dt.timedelta(microseconds=rest // 10)


def offset_of(server_msc: int, changed_at: dt.datetime) -> int | None:
    """Estimate the seconds by which the server's clock is ahead of UTC, from a row that was not touched after its deal."""
    apart = server_msc / 1000 - changed_at.timestamp()
    offset = round(apart / QUARTER_SECONDS) * QUARTER_SECONDS
    return offset if abs(apart - offset) <= FRESH_SECONDS and abs(offset) <= 15 * 3600 else None


def instant_of(server_msc: int, changed_at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Convert a server time to an instant; in autumn's doubled hour the change stamp of a fresh row decides which one."""
    first, second = clock.to_utc(server_msc, zone), clock.to_utc(server_msc, zone, later=True)
    is_second = first != second and abs((changed_at - second).total_seconds()) <= FRESH_SECONDS
    return second if is_second else first


def text_of(name: str, value: object) -> str:
    """Write a column as the Web API does: times in seconds or milliseconds of the server's clock, the rest as text."""
    if value is None:
        return ""
    if isinstance(value, str) and "-" in value and (name.startswith("Time") or name in WALL_CLOCK):
        value = dt.datetime.fromisoformat(value)
    if isinstance(value, dt.datetime):
        seconds = value.replace(tzinfo=dt.UTC).timestamp()
        return str(round(seconds * 1000) if name.endswith("Msc") else int(seconds))
    if isinstance(value, float):  # a database that keeps prices as floats: as many digits as it has
        return format(Decimal(repr(value)), "f")
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def clock_of(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> ServerTime:
    """Estimate the server's offset from its fresh rows; without any, from the zone."""
    seen = []
    for row in rows:
        msc = int(text_of("TimeMsc", row.get("TimeMsc")) or int(text_of("Time", row["Time"])) * 1000)
        offset = offset_of(msc, from_filetime(int(row["Timestamp"])))
        if offset is not None:
            seen.append(offset)
    now = dt.datetime.now(dt.UTC)
    zone_offset = now.astimezone(zone).utcoffset() or dt.timedelta()
    offset = median_low(seen) if seen else int(zone_offset.total_seconds())
    return ServerTime(server_msc=int((now.timestamp() + offset) * 1000), offset_seconds=offset)
