"""Set a brand's country rules for a test, as an approved change of long ago."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from clients.choices import CountryBand, Gate
from clients.country_rules.changes import write_rules
from clients.country_rules.exemptions import propose_exemption
from clients.country_rules.rules import NO_LIMITS, Limits
from clients.models import Exemption
from crm import approvals
from crm.brand_policies.registry import today
from crm.models import Brand

SINCE = dt.date(2000, 1, 1)


def set_country_rule(
    brand: Brand,
    *countries: str,
    refused: Collection[str] = (),
    band: str = CountryBand.STANDARD,
    on: dt.date = SINCE,
    limits: Limits = NO_LIMITS,
) -> None:
    """Refuse countries at some gates and accept them at all others. The row that is passed reads the new rules too."""
    accepted = [gate for gate in Gate if gate not in refused] if band else []
    write_rules(brand, countries, band, accepted, on, actor=None, reason="For this test", limits=limits)


def exempt(cast, *gates: str, days: int = 30, client=None) -> Exemption:
    """Exempt a client at gates, proposed and approved by two people."""
    client = client or cast.client
    ends_on = today(cast.brand) + dt.timedelta(days=days) if gates else None
    made = propose_exemption(
        client_id=client.pk, gates=gates, ends_on=ends_on, actor=cast.mlro, reason="Known to us for years"
    )
    return approvals.approve(Exemption, made.pk, actor=cast.administrator)
