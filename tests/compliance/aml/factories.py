"""Movements and rules for tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from compliance.aml import rules, stream
from compliance.aml.choices import MovementKind, MovementMethod, VersionState
from compliance.aml.measures import MEASURES
from compliance.aml.models import AmlMovement, AmlRuleVersion
from compliance.aml.opposite import ClosedPosition

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
_numbers = count(1)


def at(days: float = 0, hours: float = 0) -> dt.datetime:
    return START + dt.timedelta(days=days, hours=hours)


def movement(client: Any, kind: str, amount: float, when: dt.datetime, **fields: Any) -> stream.Movement:
    """A movement in EUR, the brand's base currency, by card."""
    given = {"source": f"test:{next(_numbers)}", "method": MovementMethod.CARD, "country": client.country, **fields}
    value = Decimal(str(amount))
    return stream.Movement(
        client_id=client.pk,
        brand_id=client.brand_id,
        kind=MovementKind(kind),
        at=when,
        currency="EUR",
        amount=value,
        base_amount=value,
        **given,
    )


def moved(client: Any, kind: str, amount: float, when: dt.datetime, **fields: Any) -> AmlMovement:
    one = movement(client, kind, amount, when, **fields)
    stream.record([one])
    return AmlMovement.objects.get(source=one.source)


def position(client: Any, net: float, closed_at: dt.datetime, *, is_long: bool = True, **fields: Any) -> ClosedPosition:
    """A lot of EURUSD, held for an hour."""
    given = {"symbol": "EURUSD", "volume": Decimal(100_000), "opened_at": closed_at - dt.timedelta(hours=1), **fields}
    return ClosedPosition(
        source=f"test:{next(_numbers)}",
        client_id=client.pk,
        brand_id=client.brand_id,
        login="1000",
        is_long=is_long,
        closed_at=closed_at,
        net_base=Decimal(str(net)),
        **given,
    )


def content(measure: str, threshold: float, *, days: float = 7, repeat: float = 7, **more: Any) -> rules.Content:
    parameters = {entry.name: entry.default for entry in MEASURES[measure].parameters} | more.pop("parameters", {})
    return rules.Content(
        measure, Decimal(str(threshold)), int(days * 24), int(repeat * 24), parameters=parameters, **more
    )


def draft(brand: Any, measure: str, threshold: float, **more: Any) -> AmlRuleVersion:
    name = more.pop("name", f"{measure} {next(_numbers)}")
    rule = rules.create_rule(
        brand_id=brand.pk, name=name, content=content(measure, threshold, **more), why="Test", actor=None
    )
    return rule.versions.select_related("rule__brand").get()


def live(
    cast: Any, measure: str, threshold: float, *, since: dt.datetime = START, brand: Any = None, **more: Any
) -> AmlRuleVersion:
    """A live version, as the approval leaves it, whose life began at an instant of the past."""
    version = draft(brand or cast.brand, measure, threshold, **more)
    version.state, version.live_since = VersionState.LIVE, since
    version.proposed_by, version.approved_by = cast.kyc_officer, cast.mlro
    version.save()
    return version
