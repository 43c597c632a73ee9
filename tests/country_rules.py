"""Set a brand's country rules for a test, as an approved change of long ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from clients.choices import CountryBand, Gate
from clients.country_rules.changes import write_rules
from crm.models import Brand

SINCE = dt.date(2000, 1, 1)


def set_country_rule(
    brand: Brand, *countries: str, refused: Collection[str] = (), band: str = CountryBand.STANDARD, on: dt.date = SINCE
) -> None:
    """Refuse countries at some gates and accept them at all others. The row that is passed reads the new rules too."""
    accepted = [gate for gate in Gate if gate not in refused] if band else []
    write_rules(brand, countries, band, accepted, on, actor=None, reason="For this test")
