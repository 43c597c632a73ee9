"""Server days: 23 and 25 hours where clocks change, cut-offs at any time of day."""

import datetime as dt

import pytest

from prop.judge.days import ServerDays, to_msc, to_time
from tests.prop.judge.worlds import at

ATHENS, NEW_YORK = ServerDays("Europe/Athens"), ServerDays("America/New_York", dt.time(17))


@pytest.mark.parametrize(
    "days, date, start, hours",
    [
        (ATHENS, "2026-03-28", "2026-03-27T22:00+00:00", 24),
        (ATHENS, "2026-03-29", "2026-03-28T22:00+00:00", 23),
        (ATHENS, "2026-10-25", "2026-10-24T21:00+00:00", 25),
        (NEW_YORK, "2026-03-07", "2026-03-07T22:00+00:00", 23),
        (NEW_YORK, "2026-10-31", "2026-10-31T21:00+00:00", 25),
        # Cairo goes forward at midnight: the day begins at the change.
        (ServerDays("Africa/Cairo"), "2026-04-24", "2026-04-23T22:00+00:00", 23),
        # A cut-off within the hour that occurs twice: the first of them.
        (ServerDays("Europe/Berlin", dt.time(2, 30)), "2026-10-25", "2026-10-25T00:30+00:00", 25),
        (ServerDays("Europe/Berlin", dt.time(2, 30)), "2026-03-28", "2026-03-28T01:30+00:00", 24),
    ],
)
def test_day_begins_at_the_servers_cut_off(days, date, start, hours):
    day = dt.date.fromisoformat(date).toordinal()
    assert (days.start(day), days.hours(day)) == (at(start), hours)
    assert [days.day(days.start(day) + away) - day for away in (-1, 0, 1)] == [-1, 0, 0]


def test_each_instant_of_two_years_is_in_one_day():
    for days in (ATHENS, NEW_YORK, ServerDays("Africa/Cairo"), ServerDays("Europe/Berlin", dt.time(2, 30))):
        first = dt.date(2026, 1, 1).toordinal()
        starts = [days.start(day) for day in range(first, first + 730)]
        assert starts == sorted(set(starts))
        assert [days.day(each) for each in starts] == list(range(first, first + 730))


@pytest.mark.parametrize(
    "instant, held",
    [
        ("2026-03-27T19:59:59+00:00", False),
        ("2026-03-27T20:00+00:00", True),
        ("2026-03-29T20:59:59+00:00", True),
        ("2026-03-29T21:00+00:00", False),
    ],
)
def test_weekend_ends_with_the_weeks_first_day(instant, held):
    """In Athens from 22:00 on Friday until midnight on Monday, with an hour less between them."""
    assert ATHENS.is_weekend(at(instant), dt.time(22)) is held


def test_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without its zone"):
        to_msc(dt.datetime(2026, 3, 2))
    assert to_msc(to_time(1_772_450_000_123)) == 1_772_450_000_123
