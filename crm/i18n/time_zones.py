"""The time zones' names, read once a process: the library opens every zone's file each time, which takes 25 ms."""

from __future__ import annotations

import zoneinfo
from functools import cache


@cache
def all_zones() -> frozenset[str]:
    """List every name that this server knows."""
    return frozenset(zoneinfo.available_timezones())


@cache
def zones_of_places() -> tuple[str, ...]:
    """List those that are named for a continent and a city, sorted."""
    return tuple(sorted(zone for zone in all_zones() if "/" in zone and not zone.startswith("Etc/")))
