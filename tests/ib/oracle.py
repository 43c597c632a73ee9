"""What trades earn, by brute force: sixty lines of plain Python that know nothing of SQL. The engine must agree."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

EIGHT = Decimal("0.00000001")


@dataclass
class Dated:
    value: object
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None


def held_at(rows: list[Dated], at: dt.datetime):
    return next((row.value for row in rows if row.starts_at <= at and (row.ends_at is None or at < row.ends_at)), None)


@dataclass
class Version:
    currency: str
    min_hold_seconds: int
    account_group: str
    rates: dict[str, Decimal]
    shares: dict[int, Decimal]
    overrides: dict[tuple[str, int], Decimal]


@dataclass
class World:
    parents: dict[int, list[Dated]] = field(default_factory=dict)
    plans: dict[int, list[Dated]] = field(default_factory=dict)
    versions: dict[int, list[Dated]] = field(default_factory=dict)
    active: dict[int, list[Dated]] = field(default_factory=dict)
    currency: dict[int, str] = field(default_factory=dict)
    introducers: dict[int, list[Dated]] = field(default_factory=dict)
    per_eur: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class Trade:
    client: int
    opened_at: dt.datetime
    closed_at: dt.datetime
    # The symbol's group, the account's and our lots: as they held when the deal was executed.
    group: str
    account_group: str
    lots: Decimal


def earnings(world: World, trade: Trade) -> dict[tuple[int, int], tuple[str, Decimal]]:
    """{(partner, level): (why not, amount)}."""
    found: dict[tuple[int, int], tuple[str, Decimal]] = {}
    partner, level = held_at(world.introducers.get(trade.client, []), trade.closed_at), 1
    if partner is None:
        return found
    plan = held_at(world.plans.get(partner, []), trade.closed_at)
    version = held_at(world.versions.get(plan, []), trade.closed_at)
    deepest = max([*version.shares, *(at for _group, at in version.overrides)]) if version else 1
    while partner is not None and level <= deepest:
        found[partner, level] = _one(world, trade, version, partner, level)
        partner, level = held_at(world.parents.get(partner, []), trade.closed_at), level + 1
    return found


def _one(world: World, trade: Trade, version: Version | None, partner: int, level: int) -> tuple[str, Decimal]:
    fixed = version.overrides.get((trade.group, level)) if version else None
    if not held_at(world.active.get(partner, []), trade.closed_at):
        return "partner_not_active", Decimal(0)
    if version is None:
        return "no_plan", Decimal(0)
    if version.account_group and not trade.account_group.startswith(version.account_group):
        return "account_group", Decimal(0)
    if not trade.group:
        return "symbol_not_mapped", Decimal(0)
    if trade.group not in version.rates and fixed is None:
        return "no_rate", Decimal(0)
    if level not in version.shares and fixed is None:
        return "beyond_levels", Decimal(0)
    if trade.lots == 0:
        return "nothing_closed", Decimal(0)
    if (trade.closed_at - trade.opened_at).total_seconds() < version.min_hold_seconds:
        return "held_too_short", Decimal(0)
    per_lot = fixed if fixed is not None else version.rates[trade.group] * version.shares[level]
    ours = (trade.lots * per_lot).quantize(EIGHT, ROUND_DOWN)
    rate = round(world.per_eur[world.currency[partner]] / world.per_eur[version.currency], 10)
    return "", (ours * rate).quantize(EIGHT, ROUND_DOWN)
