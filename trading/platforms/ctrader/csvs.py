"""Positions in CSV, as WebServices tells them: the source of deals and positions where there is no Manager API.

One row per closing deal, `positionId` repeats on partial closes; volumes in units, times in UTC without saying so. What opened a
position and what moved money is not among them. Source: recorded rows of public connectors.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from trading.platforms.aside import read_each
from trading.platforms.base import DealData, PositionData
from trading.platforms.ctrader import units
from trading.platforms.ctrader.rows import BUY, OUT, SELL

CLOSED_COLUMNS = frozenset(
    """
    login positionId dealId openTimestamp closeTimestamp entryPrice closePrice direction volume symbol
    commission swap pnl
    """.split()
)
OPEN_COLUMNS = frozenset("login positionId openTimestamp entryPrice direction volume symbol commission swap".split())


def rows_of(text: str, columns: Iterable[str]) -> list[dict[str, str]]:
    """Read rows by column name. Raises: ValueError when a column is missing or a row has not as many fields as the head."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"columns are missing: {', '.join(sorted(missing))}")
    rows = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"line {reader.line_num} has another number of fields")
            rows.append(row)
    except csv.Error as problem:
        raise ValueError(f"line {reader.line_num}: {problem}") from None
    return rows


class LotSizes:
    """Units in a lot by symbol or asset class, as an administrator wrote them down: this interface does not tell."""

    def __init__(self, sizes: Iterable[tuple[str, Decimal]], classes: Mapping[str, str]) -> None:
        self.sizes = {name.casefold(): size for name, size in sizes}
        self.classes = classes

    def of(self, symbol: str) -> Decimal:
        for name in (symbol, self.classes.get(symbol, ""), "*"):
            if (size := self.sizes.get(name.casefold())) is not None:
                return size
        return Decimal(0)


def deals_from(rows: Iterable[Mapping[str, str]], sizes: LotSizes) -> Iterator[DealData]:
    """Read closing deals: the ticket is the `dealId`, as the Manager API has it. Raises: ValueError, KeyError."""
    yield from read_each(lambda row: _deal(row, sizes), rows)


def _deal(row: Mapping[str, str], sizes: LotSizes) -> DealData:
    size, at = sizes.of(row["symbol"]), units.from_date_text(row["closeTimestamp"])
    lots = units.lots(units.decimal(row["volume"]), size)
    return DealData(
        ticket=int(row["dealId"]),
        login=row["login"].strip(),
        server_msc=units.milliseconds(at),
        executed_at=at,
        action=SELL if row["direction"] == "BUY" else BUY,
        entry=OUT,
        reason=0,
        symbol=units.text(row["symbol"], 32),
        lots=lots,
        closed_lots=lots,
        contract_size=size,
        price=units.decimal(row["closePrice"]),
        price_position=units.decimal(row["entryPrice"]),
        profit=units.decimal(row["pnl"]),
        commission=-abs(units.decimal(row["commission"])),
        swap=units.decimal(row["swap"]),
        fee=Decimal(0),
        position_id=int(row["positionId"]),
        order_id=0,
        comment="",
        raw={"csv": dict(row)},
    )


def positions_from(rows: Iterable[Mapping[str, str]], sizes: LotSizes) -> Iterator[PositionData]:
    """Open positions; what they are worth now is not told. Raises: ValueError, KeyError."""
    for row in rows:
        size, at = sizes.of(row["symbol"]), units.from_date_text(row["openTimestamp"])
        price = units.decimal(row["entryPrice"])
        yield PositionData(
            ticket=int(row["positionId"]),
            login=row["login"].strip(),
            symbol=units.text(row["symbol"], 32),
            action=BUY if row["direction"] == "BUY" else SELL,
            lots=units.lots(units.decimal(row["volume"]), size),
            contract_size=size,
            price_open=price,
            price_current=price,
            profit=Decimal(0),
            swap=units.decimal(row["swap"]),
            server_msc=units.milliseconds(at),
            opened_at=at,
            comment="",
        )
