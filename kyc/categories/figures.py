"""Significant trades per quarter, which we can count ourselves. The app that has trades registers a reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from kyc.brand_policies import CATEGORY_TRADE_LOTS

QUARTERS: Final = 4
TRADES_PER_QUARTER: Final = 10
Reader = Callable[[Client, Sequence[tuple[dt.date, dt.date]], Decimal], list[int]]
_readers: list[Reader] = []


def reads_trades(reader: Reader) -> Reader:
    """Register who counts trades: given a client, periods [from, until) and the least lots, a number for each period."""
    _readers.append(reader)
    return reader


def last_quarters(today: dt.date) -> list[tuple[dt.date, dt.date]]:
    """List the four calendar quarters before this one, the oldest first, each as [from, until)."""
    start = dt.date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    periods = []
    for _number in range(QUARTERS):
        before = dt.date(start.year - (start.month == 1), 10 if start.month == 1 else start.month - 3, 1)
        periods.append((before, start))
        start = before
    return periods[::-1]


@dataclass(frozen=True)
class Quarter:
    start: dt.date
    trades: int

    @property
    def label(self) -> str:
        """“Q3 2026”."""
        return _("Q%(quarter)s %(year)s") % {"quarter": (self.start.month + 2) // 3, "year": self.start.year}


@dataclass(frozen=True)
class TradeFigures:
    """Significant trades with us in each of the last four quarters."""

    quarters: list[Quarter]
    lots: Decimal

    @property
    def total(self) -> int:
        return sum(quarter.trades for quarter in self.quarters)

    @property
    def average(self) -> Decimal:
        return Decimal(self.total) / QUARTERS

    @property
    def is_met(self) -> bool:
        return self.average >= TRADES_PER_QUARTER

    def as_json(self) -> dict[str, Any]:
        return {
            "lots": str(self.lots),
            "quarters": [{"start": quarter.start.isoformat(), "trades": quarter.trades} for quarter in self.quarters],
        }


def read_figures(stored: dict[str, Any]) -> TradeFigures | None:
    """Read figures as they were stored with a request; None where none were."""
    if not stored:
        return None
    quarters = [Quarter(dt.date.fromisoformat(row["start"]), row["trades"]) for row in stored["quarters"]]
    return TradeFigures(quarters, Decimal(stored["lots"]))


def trade_figures(client: Client, today: dt.date | None = None) -> TradeFigures:
    """Count a client's significant trades with us. MiFID II doesn't say what is significant: the brand's policy does, in lots."""
    periods = last_quarters(today or timezone.now().date())
    lots = CATEGORY_TRADE_LOTS.of(client.brand)
    counts = [reader(client, periods, lots) for reader in _readers]
    totals = [sum(column) for column in zip(*counts, strict=True)] if counts else [0] * QUARTERS
    return TradeFigures([Quarter(start, number) for (start, _until), number in zip(periods, totals, strict=True)], lots)
