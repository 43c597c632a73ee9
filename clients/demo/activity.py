"""When people work: office hours of a desk, with a late morning and an afternoon peak, hardly ever at weekends.

Times are in UTC: hours that are added to a local time follow the wall clock, which skips one in spring.
"""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from functools import lru_cache

OPENS, CLOSES = 9, 18
# Share of a working day's activity per hour from nine to six.
HOURS = (6, 12, 14, 9, 6, 11, 14, 12, 7)


@lru_cache(maxsize=64)
def zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def during(rng: random.Random, day: dt.date, zone_name: str) -> dt.datetime:
    """A moment of a working day."""
    hour = OPENS + rng.choices(range(len(HOURS)), HOURS)[0]
    local = dt.datetime.combine(day, dt.time(hour, rng.randrange(60), rng.randrange(60)), zone(zone_name))
    return local.astimezone(dt.UTC)


def next_open(at: dt.datetime, zone_name: str) -> dt.datetime:
    """The same moment when the desk is open, else a while after it opens next."""
    local = at.astimezone(zone(zone_name))
    if local.hour >= CLOSES:
        local = (local + dt.timedelta(days=1)).replace(hour=OPENS, minute=local.minute // 2)
    elif local.hour < OPENS:
        local = local.replace(hour=OPENS, minute=local.minute // 2)
    while local.weekday() >= 5:
        local = (local + dt.timedelta(days=1)).replace(hour=OPENS, minute=local.minute // 2)
    return local.astimezone(dt.UTC)


def workdays(first: dt.date, last: dt.date) -> list[dt.date]:
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


def enquiry(rng: random.Random, since: dt.datetime, now: dt.datetime, zone_name: str) -> dt.datetime:
    """When someone fills in a form: by day and evening where they live, more of late than three months ago."""
    span = (now - since).total_seconds()
    at = since + dt.timedelta(seconds=span * (rng.random() ** 0.8))
    hour = rng.choices(
        range(24), (1, 1, 0, 0, 0, 1, 3, 6, 9, 11, 12, 11, 12, 11, 10, 10, 11, 12, 13, 14, 13, 10, 6, 3)
    )[0]
    local = at.astimezone(zone(zone_name)).replace(hour=hour, minute=rng.randrange(60), second=rng.randrange(60))
    if local.weekday() >= 5 and rng.random() < 0.4:
        local -= dt.timedelta(days=2)
    return min(max(local, since), now - dt.timedelta(minutes=rng.uniform(2, 90))).astimezone(dt.UTC)
