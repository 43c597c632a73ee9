"""Server time: the wall clock of the server's zone, counted in seconds as if it were UTC, like the real platform."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class ServerClock:
    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    def offset(self, at: float | None = None) -> timedelta:
        moment = datetime.fromtimestamp(time.time() if at is None else at, self.zone)
        return moment.utcoffset() or timedelta()

    def now_msc(self) -> int:
        at = time.time()
        return int((at + self.offset(at).total_seconds()) * 1000)

    def now(self) -> int:
        return self.now_msc() // 1000

    def settings(self) -> dict[str, object]:
        """What TIME_GET answers: the standard offset in minutes, and whether summer time is kept and in force."""
        now = datetime.now(self.zone)
        daylight = now.dst() or timedelta()
        standard = (now.utcoffset() or timedelta()) - daylight
        january = datetime(now.year, 1, 15, tzinfo=UTC).astimezone(self.zone).utcoffset()
        july = datetime(now.year, 7, 15, tzinfo=UTC).astimezone(self.zone).utcoffset()
        return {
            "TimeServer": self.now(),
            "TimeZone": int(standard.total_seconds() // 60),
            "Daylight": int(january != july),
            "DaylightState": int(bool(daylight)),
            "Days": [[1] * 24 for _day in range(7)],
        }
