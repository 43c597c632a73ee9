"""Days as a trading server counts them: from one cut-off to the next, in the server's time zone.

An instant is an integer of milliseconds since 1970 in UTC. A day has 23 or 25 hours where the zone's clocks change.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MILLISECOND = dt.timedelta(milliseconds=1)
FRIDAY = 4
DAYS_A_WEEK = 7


def to_msc(at: dt.datetime) -> int:
    """Turn an aware time into milliseconds since 1970."""
    if at.tzinfo is None:
        raise ValueError("A time without its zone can't be judged.")
    return (at - EPOCH) // MILLISECOND


def to_time(msc: int) -> dt.datetime:
    """Turn milliseconds since 1970 into a time in UTC."""
    return EPOCH + msc * MILLISECOND


@lru_cache(maxsize=4096)
def instant_of(zone: str, day: int, at: dt.time) -> int:
    """Find the instant of a time of day on a date (its ordinal).

    A time that occurs twice, as clocks go back, is the first of the two. One that doesn't occur, as clocks go forward, is the
    instant that the old offset gives, so midnight in such a gap is the instant of the change.
    """
    local = dt.datetime.combine(dt.date.fromordinal(day), at, tzinfo=ZoneInfo(zone))
    return to_msc(local.astimezone(dt.UTC))


@dataclass(frozen=True, slots=True)
class ServerDays:
    """The days of a server: `zone` by its IANA name, `cut_off` the local time at which a day begins."""

    zone: str
    cut_off: dt.time = dt.time(0)

    def start(self, day: int) -> int:
        """Find the instant at which the day with this ordinal begins."""
        return instant_of(self.zone, day, self.cut_off)

    def day(self, msc: int) -> int:
        """Find the day (its ordinal) that an instant is in: the cut-off itself belongs to the day that it begins."""
        day = to_time(msc).astimezone(ZoneInfo(self.zone)).date().toordinal() - 1
        while self.start(day + 1) <= msc:
            day += 1
        return day

    def hours(self, day: int) -> float:
        """Count the hours of a day: 24, or 23 and 25 where clocks change."""
        return (self.start(day + 1) - self.start(day)) / 3_600_000

    def weekend_after(self, msc: int, close: dt.time) -> int:
        """Find the first instant after `msc` that is a Friday's `close` in the server's zone."""
        day = to_time(msc).astimezone(ZoneInfo(self.zone)).date().toordinal() - 1
        while True:
            is_friday = dt.date.fromordinal(day).weekday() == FRIDAY
            if is_friday and (instant := instant_of(self.zone, day, close)) > msc:
                return instant
            day += 1

    def is_weekend(self, msc: int, close: dt.time) -> bool:
        """Say whether an instant lies from Friday's `close` until the week's first day begins."""
        friday = self.weekend_after(msc, close)
        local = to_time(friday).astimezone(ZoneInfo(self.zone)).date().toordinal() - DAYS_A_WEEK
        # A day that begins in the afternoon begins the week on Sunday, as New York's does at 17:00.
        monday = local + (2 if self.cut_off >= dt.time(12) else 3)
        return instant_of(self.zone, local, close) <= msc < self.start(monday)
