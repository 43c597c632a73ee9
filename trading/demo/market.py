"""Symbols of the demo with their contract data, and a price for each at any minute of its three months."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from decimal import Decimal

from trading.choices import SymbolGroup

HOUR = 3600
YEAR_HOURS = 365 * 24


@dataclass(frozen=True)
class Contract:
    """What the demo's server says about a symbol. `level` is today's price; the spread is in points."""

    name: str
    description: str
    path: str
    group: SymbolGroup
    base: str
    profit: str
    digits: int
    size: Decimal
    level: float
    year_volatility: float
    spread: int
    weight: int
    is_forex: bool = True


def _fx(name: str, description: str, digits: int, level: float, vol: float, spread: int, weight: int) -> Contract:
    """Describe a currency pair: major when the dollar is on one side, a hundred thousand units of its base to the lot."""
    is_major = "USD" in name
    return Contract(
        name,
        description,
        f"Forex\\{'Majors' if is_major else 'Crosses'}\\{name}",
        SymbolGroup.FX_MAJORS if is_major else SymbolGroup.FX_MINORS,
        base=name[:3],
        profit=name[3:],
        digits=digits,
        size=Decimal(100_000),
        level=level,
        year_volatility=vol,
        spread=spread,
        weight=weight,
    )


CONTRACTS = {
    contract.name: contract
    for contract in (
        _fx("EURUSD", "Euro vs US Dollar", 5, 1.0860, 0.075, 24, 30),
        _fx("GBPUSD", "Great Britain Pound vs US Dollar", 5, 1.2720, 0.085, 27, 14),
        _fx("USDJPY", "US Dollar vs Japanese Yen", 3, 151.20, 0.10, 26, 12),
        _fx("USDCHF", "US Dollar vs Swiss Franc", 5, 0.8840, 0.08, 28, 5),
        _fx("AUDUSD", "Australian Dollar vs US Dollar", 5, 0.6580, 0.095, 26, 7),
        _fx("USDCAD", "US Dollar vs Canadian Dollar", 5, 1.3620, 0.065, 29, 5),
        _fx("EURGBP", "Euro vs Great Britain Pound", 5, 0.85377, 0.055, 28, 4),
        _fx("EURJPY", "Euro vs Japanese Yen", 3, 164.20, 0.10, 32, 4),
        Contract(
            "XAUUSD",
            "Gold vs US Dollar",
            "Metals\\XAUUSD",
            SymbolGroup.METALS,
            "XAU",
            "USD",
            2,
            Decimal(100),
            2350.0,
            0.15,
            37,
            22,
            is_forex=False,
        ),
        Contract(
            "US500",
            "US 500 Index",
            "Indices\\US500",
            SymbolGroup.INDICES,
            "USD",
            "USD",
            1,
            Decimal(1),
            5430.0,
            0.17,
            17,
            8,
            is_forex=False,
        ),
        Contract(
            "DE40",
            "Germany 40 Index",
            "Indices\\DE40",
            SymbolGroup.INDICES,
            "EUR",
            "EUR",
            1,
            Decimal(1),
            18420.0,
            0.18,
            24,
            6,
            is_forex=False,
        ),
        Contract(
            "BTCUSD",
            "Bitcoin vs US Dollar",
            "Crypto\\BTCUSD",
            SymbolGroup.CRYPTO,
            "BTC",
            "USD",
            2,
            Decimal(1),
            64200.0,
            0.55,
            2512,
            6,
            is_forex=False,
        ),
    )
}
USD_WORTH = {"USD": 1.0, "EUR": 1.0860, "GBP": 1.2720, "JPY": 1 / 151.20, "CHF": 1 / 0.8840, "CAD": 1 / 1.3620}


def rate(source: str, target: str) -> Decimal:
    """Units of `target` for one `source`, to eight places; one rate for the whole demo."""
    if source == target:
        return Decimal(1)
    return Decimal(USD_WORTH[source] / USD_WORTH[target]).quantize(Decimal("0.00000001"))


class PricePaths:
    """An hourly walk per symbol that ends at today's level, with a straight line between the hours."""

    def __init__(self, rng: random.Random, since: dt.datetime, now: dt.datetime) -> None:
        self.since = since
        self.hours = int((now - since).total_seconds() // HOUR) + 2
        self.paths: dict[str, list[float]] = {}
        for contract in CONTRACTS.values():
            step = contract.year_volatility * math.sqrt(1 / YEAR_HOURS)
            walk = [0.0]
            for _hour in range(self.hours):
                walk.append(walk[-1] + rng.gauss(0, step))
            end = walk[-1]
            self.paths[contract.name] = [contract.level * math.exp(value - end) for value in walk]

    def middle(self, symbol: str, at: dt.datetime) -> float:
        position = max(0.0, (at - self.since).total_seconds() / HOUR)
        hour = min(int(position), self.hours - 1)
        path = self.paths[symbol]
        return path[hour] + (path[hour + 1] - path[hour]) * min(1.0, position - hour)
