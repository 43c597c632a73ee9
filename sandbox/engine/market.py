"""A seeded random walk over all symbols. Crosses follow their legs, so that no price contradicts another."""

from __future__ import annotations

import math
import random
from decimal import ROUND_HALF_UP, Decimal

from sandbox.engine.contracts import SYMBOLS, Group, Symbol

YEAR_SECONDS = 365 * 86_400
NEWS_EVERY_SECONDS = 6 * 3600  # of market time
CROSSES = {"EURGBP": ("EURUSD", "GBPUSD", -1), "EURJPY": ("EURUSD", "USDJPY", 1)}


class Market:
    """Middle prices and what they are worth in each currency."""

    def __init__(self, seed: int, pace: float = 1.0) -> None:
        self.random = random.Random(seed)
        self.pace = pace  # how many market seconds one real second is worth
        self.middle = {name: symbol.level for name, symbol in SYMBOLS.items()}
        self.ticks = 0
        self.calendar = "always"
        self.news_left: dict[str, float] = {}  # symbol → seconds for which it is restless
        self.before = dict(self.middle)
        self.level = dict(self.middle)  # where prices are drawn to over time
        self.day = -1
        self.today: dict[str, tuple[float, float, float]] = {}  # first, lowest and highest price of the server's day
        self._cross()
        self._watch(None)

    def anchor(self, levels: dict[str, float]) -> None:
        """From here on prices are drawn to these levels."""
        self.level.update({name: level for name, level in levels.items() if name in self.middle and level > 0})

    def _watch(self, server_seconds: int | None) -> None:
        day = self.day if server_seconds is None else server_seconds // 86_400
        for name, price in self.middle.items():
            first, low, high = (price,) * 3 if day != self.day or name not in self.today else self.today[name]
            self.today[name] = (first, min(low, price), max(high, price))
        self.day = day

    @staticmethod
    def rounded(name: str, price: float) -> Decimal:
        return Decimal(str(price)).quantize(SYMBOLS[name].point, ROUND_HALF_UP)

    def restore(self, levels: dict[str, float]) -> None:
        """Continue from stored prices; unknown symbols and nonsense are left alone."""
        for name, level in levels.items():
            if name in self.middle and level > 0:
                self.middle[name] = float(level)
        self._cross()
        self._watch(None)

    def is_open(self, symbol: Symbol, server_seconds: int) -> bool:
        """Trading hours: crypto always; the rest from Monday to Friday, closed for ten minutes around midnight."""
        if self.calendar == "always" or symbol.is_always_open:
            return self.calendar != "closed" or symbol.is_always_open
        if self.calendar == "closed":
            return False
        weekday, minute = (server_seconds // 86_400 + 3) % 7, server_seconds % 86_400 // 60
        return weekday < 5 and 5 <= minute < 1435

    def news(self, currency: str, seconds: float = 30.0) -> list[str]:
        """Something is published: symbols of this currency move eight times as fast, with four times the spread."""
        hit = [name for name, symbol in SYMBOLS.items() if currency in (symbol.base, symbol.profit)]
        self.news_left.update(dict.fromkeys(hit, seconds))
        return hit

    def step(self, seconds: float, server_seconds: int | None = None) -> None:
        """Time passes. Prices of symbols whose market is closed stand still."""
        self.before = dict(self.middle)
        if self.random.random() < seconds * self.pace / NEWS_EVERY_SECONDS:
            self.news(self.random.choice(("USD", "EUR", "GBP", "JPY")))
        self.news_left = {name: left - seconds for name, left in self.news_left.items() if left > seconds}
        for name, symbol in SYMBOLS.items():
            if name in CROSSES or (server_seconds is not None and not self.is_open(symbol, server_seconds)):
                continue
            spread = symbol.year_volatility * math.sqrt(seconds * self.pace / YEAR_SECONDS)
            if name in self.news_left:
                spread *= 8
            pull = math.log(self.level[name] / self.middle[name]) * min(0.5, seconds * self.pace / (30 * 86_400))
            self.middle[name] *= math.exp(self.random.gauss(0, spread) + pull)
        self._cross()
        self._watch(server_seconds)
        self.ticks += 1

    def _cross(self) -> None:
        for name, (left, right, sign) in CROSSES.items():
            self.middle[name] = self.middle[left] * self.middle[right] ** sign

    def quote(self, symbol: Symbol, group: Group | None = None, *, stale: bool = False) -> tuple[Decimal, Decimal]:
        """Bid and ask, for a group with its markup; `stale`: as they were before the last step."""
        wide = 4 if symbol.name in self.news_left else 1
        half = symbol.point * (wide * symbol.spread_points / Decimal(2) + (group.markup_points if group else 0))
        middle = Decimal(str((self.before if stale else self.middle)[symbol.name]))
        bid = (middle - half).quantize(symbol.point, ROUND_HALF_UP)
        ask = (middle + half).quantize(symbol.point, ROUND_HALF_UP)
        return bid, max(ask, bid + symbol.point)

    def in_dollars(self, currency: str) -> Decimal:
        if currency == "USD":
            return Decimal(1)
        if currency == "USC":
            return Decimal("0.01")
        direct = self.middle.get(f"{currency}USD")
        if direct is not None:
            return Decimal(str(direct))
        return 1 / Decimal(str(self.middle[f"USD{currency}"]))

    def rate(self, source: str, target: str) -> Decimal:
        """Units of `target` for one `source`, to eight places as the platform's RateProfit."""
        if source == target:
            return Decimal(1)
        return (self.in_dollars(source) / self.in_dollars(target)).quantize(Decimal("0.00000001"), ROUND_HALF_UP)
