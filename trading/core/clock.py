"""Server time: many platforms write the wall clock of the server's zone, counted as if it were UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_utc(server_msc: int, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """Convert a server time in milliseconds (its zone's wall clock, counted as if it were UTC) to an instant.

    In the hour that a zone repeats in autumn the earlier instant is taken, or the `later` one; callers keep the raw
    value beside it.
    """
    wall = datetime(1970, 1, 1) + timedelta(milliseconds=server_msc)  # noqa: DTZ001 - a wall clock, on purpose
    return wall.replace(tzinfo=zone, fold=int(later)).astimezone(UTC)


def to_server_seconds(instant: datetime, zone: ZoneInfo) -> int:
    """Convert an instant to what the server writes: seconds of its wall clock, counted as if it were UTC."""
    wall = instant.astimezone(zone).replace(tzinfo=UTC)
    return int(wall.timestamp())
