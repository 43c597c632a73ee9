"""Server time: the wall clock of the server's zone, counted in seconds as if it were UTC, like the real platform."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

FILETIME_EPOCH = 11_644_473_600  # seconds from 1601 to 1970


class ServerClock:
    """`travel` moves the whole server to another instant; `shift` moves its clock against its zone, like a wrong switch."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self.travel = 0.0
        self.shift = 0

    def utc(self) -> float:
        """Compute the instant, in seconds since 1970."""
        return time.time() + self.travel

    def go_to(self, instant: datetime) -> None:
        """From now on it is `instant`, and time goes on from there."""
        self.travel = instant.timestamp() - time.time()

    def offset(self) -> timedelta:
        moment = datetime.fromtimestamp(self.utc(), self.zone)
        return (moment.utcoffset() or timedelta()) + timedelta(seconds=self.shift)

    def now_msc(self) -> int:
        at = self.utc()
        return int((at + self.offset().total_seconds()) * 1000)

    def filetime(self) -> int:
        """Compute the instant as the export's change stamp: UTC in 100 ns since 1601."""
        return int((self.utc() + FILETIME_EPOCH) * 10_000_000)

    def now(self) -> int:
        return self.now_msc() // 1000

    def settings(self) -> dict[str, object]:
        """Answer TIME_GET: the standard offset in minutes, and whether summer time is kept and in force."""
        now = datetime.fromtimestamp(self.utc(), self.zone)
        daylight = now.dst() or timedelta()
        standard = (now.utcoffset() or timedelta()) - daylight
        january = datetime(now.year, 1, 15, tzinfo=UTC).astimezone(self.zone).utcoffset()
        july = datetime(now.year, 7, 15, tzinfo=UTC).astimezone(self.zone).utcoffset()
        return {
            "TimeServer": self.now(),
            "TimeZone": (int(standard.total_seconds()) + self.shift) // 60,
            "Daylight": int(january != july),
            "DaylightState": int(bool(daylight)),
            "Days": [[1] * 24 for _day in range(7)],
        }
