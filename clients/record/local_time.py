"""The time where a client lives."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.utils import timezone

from clients.models import Client


def local_time(client: Client) -> dt.datetime | None:
    """Return the time where the client lives, so that nobody is called at three at night; None if unknown."""
    try:
        return timezone.now().astimezone(zoneinfo.ZoneInfo(client.time_zone)) if client.time_zone else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
