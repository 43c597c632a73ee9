"""What detectors judge: round trips, money movements and what people share, in columns; and quotes beside them.

Times are milliseconds of one clock. Amounts are whole numbers of `MONEY_UNITS` to one unit of the account's currency, so that
sums are exact; prices and lots are statistics, so they are floats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MONEY_UNITS: Final = 10_000
STILL_OPEN: Final = -1
SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
# An older quote says nothing of the price at a moment.
QUOTE_AGE_MAX: Final = 60 * SECOND
# A fill so many spreads away from the quote is of another market or another clock: it can't be judged by these quotes.
SPREADS_MAX: Final = 60.0

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def units(amount: Decimal) -> int:
    """Convert an amount to whole money units."""
    return int((amount * MONEY_UNITS).to_integral_value())


def amount_of(whole: int) -> Decimal:
    """Convert whole money units to an amount."""
    return (Decimal(int(whole)) / MONEY_UNITS).quantize(Decimal("0.01"))


class CashKind(StrEnum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    BONUS = "bonus"


@dataclass(frozen=True, slots=True)
class Account:
    """An account and who owns it; `opened_ms` where it is known."""

    key: str
    client: str
    currency: str = ""
    opened_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    """A round trip, as rows are read before they become columns. side: 1 bought, -1 sold."""

    key: str
    account: str
    symbol: str
    side: int
    lots: float
    open_ms: int
    open_price: float
    close_ms: int = STILL_OPEN
    close_price: float = 0.0
    profit: int = 0
    swap: int = 0


@dataclass(frozen=True, slots=True)
class Cash:
    """Money that came to an account, or left it, as a positive amount in money units."""

    account: str
    at_ms: int
    amount: int
    kind: CashKind


@dataclass(frozen=True, slots=True)
class Mark:
    """That a client used a thing (a device, a card, a document): kind is a value of `IdentifierKind`, or "name"."""

    client: str
    kind: str
    value: str
    at_ms: int = 0


@dataclass(frozen=True)
class Quotes:
    """Bid and ask of symbols over time."""

    series: Mapping[str, tuple[Whole, Floats, Floats]] = field(default_factory=dict)

    def at(self, symbol: str, times: Whole) -> tuple[Floats, Floats]:
        """Return mid price and spread in force at each time; NaN where no quote of the last minute is known."""
        found = self.series.get(symbol)
        mid, spread = np.full(len(times), np.nan), np.full(len(times), np.nan)
        if found is None or not len(found[0]):
            return mid, spread
        at, bid, ask = found
        place = np.searchsorted(at, times, side="right") - 1
        last = np.clip(place, 0, None)
        # Behind the end of a series nothing is known, however young its last quote is.
        known = (place >= 0) & (times - at[last] <= QUOTE_AGE_MAX) & (times <= at[-1])
        mid[known] = (bid[last[known]] + ask[last[known]]) / 2
        spread[known] = ask[last[known]] - bid[last[known]]
        return mid, spread


class Book:
    """All that is judged together. Trades are in the order of their openings."""

    def __init__(
        self,
        trades: Iterable[Trade],
        accounts: Mapping[str, Account],
        *,
        cash: Iterable[Cash] = (),
        marks: Iterable[Mark] = (),
        known: Iterable[tuple[str, str]] = (),
        quotes: Quotes | None = None,
    ) -> None:
        rows = sorted(trades, key=lambda row: (row.open_ms, row.key))
        self.accounts: list[Account] = list(accounts.values())
        place = {key: n for n, key in enumerate(accounts)}
        self.symbols: list[str] = sorted({row.symbol for row in rows})
        symbol = {name: n for n, name in enumerate(self.symbols)}
        self.keys = [row.key for row in rows]
        self.account: Whole = _whole([place[row.account] for row in rows])
        self.symbol: Whole = _whole([symbol[row.symbol] for row in rows])
        self.side: Whole = _whole([row.side for row in rows])
        self.lots: Floats = np.array([row.lots for row in rows], dtype=np.float64)
        self.open_ms: Whole = _whole([row.open_ms for row in rows])
        self.close_ms: Whole = _whole([row.close_ms for row in rows])
        self.open_price: Floats = np.array([row.open_price for row in rows], dtype=np.float64)
        self.profit: Whole = _whole([row.profit for row in rows])
        self.swap: Whole = _whole([row.swap for row in rows])
        self.cash: dict[int, list[Cash]] = defaultdict(list)
        for movement in sorted(cash, key=lambda row: row.at_ms):
            if movement.account in place:
                self.cash[place[movement.account]].append(movement)
        self.marks: list[Mark] = list(marks)
        # Two clients, in the order of their texts, who are known to be two people.
        self.known = frozenset((min(pair), max(pair)) for pair in known)
        self.quotes = quotes or Quotes()

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def closed(self) -> Flags:
        return np.not_equal(self.close_ms, STILL_OPEN)

    @cached_property
    def hold_ms(self) -> Whole:
        """How long each closed trade was held; 0 for open ones."""
        return np.where(self.closed, np.maximum(self.close_ms - self.open_ms, 0), 0)

    @cached_property
    def rows_of(self) -> list[Whole]:
        """The trades of each account, by its place in `accounts`."""
        order = np.argsort(self.account, kind="stable")
        edges = np.searchsorted(self.account[order], np.arange(len(self.accounts) + 1))
        return [order[edges[n] : edges[n + 1]] for n in range(len(self.accounts))]

    @cached_property
    def by_client(self) -> dict[str, list[int]]:
        """The accounts of each client, by their places."""
        found: dict[str, list[int]] = defaultdict(list)
        for n, account in enumerate(self.accounts):
            found[account.client].append(n)
        return found

    def mid_after(self, delay_ms: int) -> tuple[Floats, Floats]:
        """Return mid price and spread so long after each opening."""
        mid, spread = np.full(len(self), np.nan), np.full(len(self), np.nan)
        for n, name in enumerate(self.symbols):
            rows = np.flatnonzero(self.symbol == n)
            mid[rows], spread[rows] = self.quotes.at(name, self.open_ms[rows] + delay_ms)
        return mid, spread

    def markout(self, delay_ms: int) -> Floats:
        """Return what each opening had gained so long after it, in spreads of its moment; NaN where quotes are missing.

        A fair fill at bid or ask is half a spread behind the mid price: -0.5.
        """
        mid, _spread = self.mid_after(delay_ms)
        _mid, spread = self._at_opening
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, self.side * (mid - self.open_price) / spread, np.nan)

    @cached_property
    def _at_opening(self) -> tuple[Floats, Floats]:
        mid, spread = self.mid_after(0)
        with np.errstate(invalid="ignore"):
            spread[np.abs(mid - self.open_price) > SPREADS_MAX * spread] = np.nan
        return mid, spread

    def net_of(self, rows: Sequence[int] | Whole) -> int:
        """Add up profit and swap of trades, in money units."""
        return int(self.profit[rows].sum() + self.swap[rows].sum())


def _whole(values: Sequence[Any]) -> Whole:
    return np.array(values, dtype=np.int64)
