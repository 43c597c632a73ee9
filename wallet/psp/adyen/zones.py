"""Times as Adyen's reports write them: a local time, and beside it the abbreviation of its zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from wallet.psp.settlement import cell_error, plausible

# Zones as the reports abbreviate them, where the time zone database has no such name.
ZONES = {
    "CEST": "CET",
    "BST": "Europe/London",
    "EDT": "America/New_York",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong",
    "JST": "Asia/Tokyo",
}


class Zones:
    """The zones that one report uses, each looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, ZoneInfo] = {}

    def local(self, line: int, column: str, text: str, zone_column: str, name: str) -> dt.datetime:
        """Read a time in the report's own zone; UTC where none is named.

        Raises: BadFile.
        """
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError:
            raise cell_error(
                line, column, _("“%(value)s” is not a date like 2026-10-31.") % {"value": text[:40]}
            ) from None
        zone = self._known.get(name)
        if zone is None:
            try:
                zone = self._known[name] = ZoneInfo(ZONES.get(name, name or "UTC"))
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise cell_error(
                    line, zone_column, _("“%(value)s” is not a known time zone.") % {"value": name[:40]}
                ) from None
        return plausible(line, column, at.replace(tzinfo=zone))
