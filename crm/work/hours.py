"""Working hours: when the clock of a service level runs. Pure, but for reading a brand's policies."""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from crm.brand_policies import Lines, Policy, PolicyArea, declare
from crm.models import Brand

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LINE = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.ASCII)
DAY_MINUTES = 24 * 60
NOTHING = dt.timedelta(0)
# Minutes after midnight at which an interval of a weekday (0 is Monday) begins and ends.
Span = tuple[int, int, int]


class WeekHours(Lines):
    """Intervals of weekdays, such as mon-fri 09:00-18:00."""

    hint = _("One interval a line, such as mon-fri 09:00-18:00 or sat 10:00-14:00. Empty: around the clock.")

    def clean_line(self, text: str) -> str:
        line = " ".join(text.lower().replace("–", "-").split())
        spans_of(line)
        return line


class Holidays(Lines):
    """Days on which nobody works."""

    hint = _("One date a line, such as 2027-01-01.")

    def clean_line(self, text: str) -> str:
        return dt.date.fromisoformat(text).isoformat()


WORKING_HOURS = declare(
    Policy(
        "working_hours",
        PolicyArea.PROMISES,
        _("Working hours"),
        WeekHours(),
        ["mon-fri 09:00-18:00"],
        _("In the brand's time zone. Time to review documents and matches is counted in them."),
        needs_four_eyes=False,
    )
)
HOLIDAYS = declare(
    Policy(
        "holidays",
        PolicyArea.PROMISES,
        _("Holidays"),
        Holidays(),
        [],
        _("Days without working hours."),
        needs_four_eyes=False,
    )
)


def spans_of(line: str) -> list[Span]:
    """Read one line of working hours; a range of days may run over the weekend (sat-thu). Raises: ValueError."""
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError(line)
    first = DAYS.index(match["first"])
    last = DAYS.index(match["last"] or match["first"])
    start, end = _minute(match["start"]), _minute(match["end"])
    if start >= end:
        raise ValueError(line)
    return [((first + number) % 7, start, end) for number in range((last - first) % 7 + 1)]


def _minute(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > DAY_MINUTES:
        raise ValueError(text)
    return hours * 60 + minutes


@dataclass(frozen=True)
class WorkingHours:
    """A week's intervals in a time zone, without holidays. No interval at all means around the clock."""

    zone: zoneinfo.ZoneInfo
    week: tuple[Span, ...] = ()
    holidays: frozenset[dt.date] = field(default_factory=frozenset)

    def after(self, start: dt.datetime, amount: dt.timedelta) -> dt.datetime:
        """Return when so much working time has passed; from outside working hours the clock starts when they begin."""
        if not self.week:
            return start + amount
        for begin, end in self._open(start):
            if amount <= end - begin:
                return begin + amount
            amount -= end - begin
        raise AssertionError("working hours never end")

    def between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """Return how much working time lies between two instants; nothing where the second is earlier."""
        if not self.week:
            return max(NOTHING, end - start)
        worked = NOTHING
        if start < end:
            for begin, close in self._open(start):
                if begin >= end:
                    break
                worked += min(close, end) - begin
        return worked

    def _open(self, start: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Yield the open intervals from an instant on, in UTC and order; as long as they really are where clocks change."""
        day, done = start.astimezone(self.zone).date() - dt.timedelta(days=1), start.astimezone(dt.UTC)
        while True:
            if day not in self.holidays:
                for weekday, first, last in self.week:
                    if weekday == day.weekday():
                        begin, end = max(done, self._at(day, first)), self._at(day, last)
                        if begin < end:
                            yield begin, end
                            done = end
            day += dt.timedelta(days=1)

    def _at(self, day: dt.date, minute: int) -> dt.datetime:
        days, minute = divmod(minute, DAY_MINUTES)
        time = dt.time(minute // 60, minute % 60)
        return dt.datetime.combine(day + dt.timedelta(days=days), time, self.zone).astimezone(dt.UTC)


def hours_of(brand: Brand) -> WorkingHours:
    """Return a brand's working hours as they are today."""
    return _hours(brand.time_zone or "UTC", WORKING_HOURS.of(brand), HOLIDAYS.of(brand))


@functools.lru_cache(maxsize=64)
def _hours(zone: str, lines: tuple[str, ...], holidays: tuple[str, ...]) -> WorkingHours:
    week = sorted({span for line in lines for span in spans_of(line)})
    return WorkingHours(zoneinfo.ZoneInfo(zone), tuple(week), frozenset(dt.date.fromisoformat(day) for day in holidays))
