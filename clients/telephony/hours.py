"""When a client may be called: by the clock where they live, as the brand's policy says.

A country with several time zones: the hour must fit in each of them, for nobody knows in which one the client is.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from typing import Final

from babel.core import get_global
from django.utils import timezone

from clients.brand_policies import CALL_HOUR_FROM, CALL_HOUR_UNTIL, CALLS_ON_SUNDAYS
from clients.canonical import country_of_phone
from clients.models import Client

STEP: Final = dt.timedelta(minutes=15)
# Two days off in a row and zones half a world apart fit into this; after it there is no hour that fits.
AHEAD_MAX: Final = dt.timedelta(days=4)
SUNDAY: Final = 6


@functools.cache
def known_zones() -> frozenset[str]:
    """List the names of time zones: read once, for they are files."""
    return frozenset(zoneinfo.available_timezones())


@functools.cache
def zones_of_country(country: str) -> tuple[zoneinfo.ZoneInfo, ...]:
    """List the time zones of a country, by its ISO 3166-1 alpha-2 code."""
    names = get_global("territory_zones").get(country, ())
    return tuple(zoneinfo.ZoneInfo(name) for name in names if name in known_zones())


def zones_of(client: Client) -> tuple[zoneinfo.ZoneInfo, ...]:
    """List where a client may be: their own time zone, else those of their country, of their number, or the brand's."""
    if client.time_zone in known_zones():
        return (zoneinfo.ZoneInfo(client.time_zone),)
    for country in (client.country, country_of_phone(client.phone)):
        if country and (zones := zones_of_country(country)):
            return zones
    return (zoneinfo.ZoneInfo(client.brand.time_zone),)


def allowed_from(client: Client, now: dt.datetime | None = None) -> dt.datetime | None:
    """Return from when a client may be called, in the time of where they live; None where they may be now."""
    brand = client.brand
    hours = range(CALL_HOUR_FROM.of(brand), CALL_HOUR_UNTIL.of(brand))
    return next_open(zones_of(client), hours, now or timezone.now(), on_sundays=CALLS_ON_SUNDAYS.of(brand))


def next_open(
    zones: tuple[zoneinfo.ZoneInfo, ...], hours: range, now: dt.datetime, *, on_sundays: bool = True
) -> dt.datetime | None:
    """Return when the next of these hours begins in all of these zones, in the first's time; None where it is one of them now."""

    def fits(at: dt.datetime) -> bool:
        there = [at.astimezone(zone) for zone in zones]
        return all(local.hour in hours and (on_sundays or local.weekday() != SUNDAY) for local in there)

    if fits(now):
        return None
    start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    steps = range(1, AHEAD_MAX // STEP)
    first = next((start + STEP * number for number in steps if fits(start + STEP * number)), start + AHEAD_MAX)
    return first.astimezone(zones[0])
