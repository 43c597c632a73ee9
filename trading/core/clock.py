"""Server time: many platforms write the wall clock of the server's zone, counted as if it were UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_utc(server_msc: int, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """A server time in milliseconds (wall clock of the server's zone, counted as if it were UTC) as an instant.

    In the hour that a zone lives twice in autumn the earlier instant is taken, or the `later` one; callers keep the raw
    value beside it.
    """
    wall = datetime(1970, 1, 1) + timedelta(milliseconds=server_msc)  # noqa: DTZ001 - a wall clock, on purpose
    return wall.replace(tzinfo=zone, fold=int(later)).astimezone(UTC)


def to_server_seconds(instant: datetime, zone: ZoneInfo) -> int:
    """An instant as the server writes it: seconds of its wall clock, counted as if it were UTC."""
    wall = instant.astimezone(zone).replace(tzinfo=UTC)
    return int(wall.timestamp())
