"""The clock of working hours: adding and measuring agree, through weekends, holidays and both changes of the clocks."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.work.hours import WorkingHours

# A slow machine is no reason to fail.
CALMLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOTHING = dt.timedelta(0)
FROM, TO = dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31)
DAYS = [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 12, 25), dt.date(2027, 1, 1), dt.date(2026, 6, 1)]
minutes = st.integers(0, 1440)
spans = st.tuples(st.integers(0, 6), minutes, minutes).filter(lambda span: span[1] < span[2])
hours = st.builds(
    WorkingHours,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Dubai", "Australia/Lord_Howe", "UTC"]).map(
        zoneinfo.ZoneInfo
    ),
    # An hour by day as well: an interval that only a change of the clocks contains may never come.
    st.lists(spans, max_size=6).map(lambda found: tuple(sorted({*found, (2, 600, 660)}))),
    st.frozensets(st.sampled_from(DAYS)),
)
moments = st.datetimes(FROM, TO, timezones=st.just(dt.UTC))
amounts = st.integers(0, 200 * 60).map(lambda count: dt.timedelta(minutes=count))


@CALMLY
@given(hours, moments, amounts)
def test_so_much_time_lies_between_as_was_added(clock, start, amount):
    end = clock.after(start, amount)
    assert end >= start
    assert clock.between(start, end) == amount


@CALMLY
@given(hours, moments, moments, moments)
def test_time_adds_up(clock, one, other, last):
    first, second, third = sorted((one, other, last))
    assert clock.between(first, second) + clock.between(second, third) == clock.between(first, third)
    assert NOTHING <= clock.between(first, third) <= third - first
    assert clock.between(third, first) == NOTHING


@CALMLY
@given(hours, moments, amounts, amounts)
def test_more_time_ends_later(clock, start, amount, more):
    assert clock.after(start, amount) <= clock.after(start, amount + more)


@CALMLY
@given(hours, st.sampled_from(DAYS))
def test_a_holiday_has_no_working_time(clock, day):
    begin = dt.datetime.combine(day, dt.time(), clock.zone).astimezone(dt.UTC)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), clock.zone).astimezone(dt.UTC)
    assert (clock.between(begin, end) == NOTHING) or day not in clock.holidays


@CALMLY
@given(moments, amounts)
def test_without_hours_the_clock_never_stops(start, amount):
    assert WorkingHours(zoneinfo.ZoneInfo("UTC")).after(start, amount) == start + amount


def test_a_night_on_which_the_clocks_change_is_as_long_as_it_is():
    berlin = WorkingHours(zoneinfo.ZoneInfo("Europe/Berlin"), ((6, 0, 1440),))
    for day, length in ((dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)):
        begin = dt.datetime.combine(day, dt.time(), berlin.zone)
        assert berlin.between(begin, begin.astimezone(dt.UTC) + dt.timedelta(days=2)) == dt.timedelta(hours=length)


def test_friday_evening_to_monday_morning_is_nothing():
    office = WorkingHours(zoneinfo.ZoneInfo("Europe/Berlin"), tuple((day, 540, 1080) for day in range(5)))
    friday, monday = dt.datetime(2026, 11, 27, 17, tzinfo=dt.UTC), dt.datetime(2026, 11, 30, 8, tzinfo=dt.UTC)
    assert office.between(friday, monday) == NOTHING
    assert office.after(friday, dt.timedelta(hours=1)) == dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
