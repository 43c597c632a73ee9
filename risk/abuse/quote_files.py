"""Read quotes: with a heading in any order, or without one as tick archives give them; a file of one symbol may be named for it.

| shape | row |
|---|---|
| Dukascopy | `Gmt time,Ask,Bid,AskVolume,BidVolume`, day first |
| MetaTrader 5 | `<DATE> <TIME> <BID> <ASK> <LAST> <VOLUME> <FLAGS>`; a price that didn't change is empty |
| HistData | no heading: `20120201 000003660,bid,ask,0` |
| TrueFX | no heading: `EUR/USD,20130101 21:59:59.981,bid,ask` |
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from crm.errors import DomainError
from risk.abuse.cell_values import CellError, Values
from risk.abuse.file_report import Report
from risk.abuse.file_rows import File, Table, plain, table_of

BYTES_MAX: Final = 1 << 30
QUOTES_MAX: Final = 20_000_000
SYMBOLS_MAX: Final = 5_000
QUOTE_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "instrument", "item", "market", "pair", "currencypair"),
    "date": ("date", "day"),
    "time": ("time", "timemsc", "timems", "datetime", "timestamp", "ts", "at", "gmttime", "localtime", "date"),
    "bid": ("bid", "bidprice"),
    "ask": ("ask", "askprice", "offer"),
}
BARS: Final = frozenset({"open", "high", "low", "close"})
# Columns of files without a heading, by what their first row holds.
PLAIN_SHAPES: Final = (("time", "bid", "ask"), ("symbol", "time", "bid", "ask"), ("date", "time", "bid", "ask"))
Series = tuple[Any, Any, Any]


def read_quotes(paths: Sequence[Path], traded: Iterable[str], report: Report) -> dict[str, Series]:
    """Read all files into times, bids and asks of each symbol. Raises: DomainError."""
    gathered: dict[str, tuple[array[int], array[float], array[float]]] = {}
    traded = list(traded)
    for path in paths:
        _read(path, traded, report, gathered)
    series = {}
    for symbol, (times, bids, asks) in gathered.items():
        order = np.argsort(np.array(times, dtype=np.int64), kind="stable")
        series[symbol] = tuple(np.array(values)[order] for values in (times, bids, asks))
    return series  # type: ignore[return-value]


def _read(path: Path, traded: Sequence[str], report: Report, gathered: dict[str, Any]) -> None:
    file = File(path, bytes_max=BYTES_MAX)
    values = Values(file.is_day_first)
    whole = ""
    latest: dict[str, dict[str, str]] = {}
    for row, found, table in _rows(file):
        symbol = found.get("symbol", "")
        if "symbol" not in table.places:
            whole = whole or _symbol_of(path, traded)
            symbol = whole
        known = latest.setdefault(symbol, {})
        if len(latest) > SYMBOLS_MAX:
            raise DomainError(f"{path.name} has more than {SYMBOLS_MAX} symbols.")
        if not found.get("bid") and not found.get("ask"):
            report.quotes_without_price += 1
            continue
        # MetaTrader leaves out a price that didn't change.
        known.update({side: found[side] for side in ("bid", "ask") if found.get(side)})
        if len(known) < 2:
            report.quotes_without_price += 1
            continue
        _take(row, {**found, **known}, table, (values, report, path.name), gathered.setdefault(symbol, _empty()))


def _empty() -> tuple[array[int], array[float], array[float]]:
    return array("q"), array("d"), array("d")


def _take(
    row: int, cells: dict[str, str], table: Table, how: tuple[Values, Report, str], series: tuple[Any, Any, Any]
) -> None:
    """Add one quote to its symbol's, or note what can't be read."""
    values, report, name = how
    if table.columns.get("date") and table.columns["date"] != table.columns["time"]:
        cells["time"] = f"{cells.get('date', '')} {cells.get('time', '')}"
    try:
        at, bid, ask = values.time(cells, "time"), values.number(cells, "bid"), values.number(cells, "ask")
    except CellError as error:
        column, value = error.args
        report.fault(row, f"{name}: {table.columns.get(column, column)}", value)
        return
    if not 0 < bid <= ask:
        report.fault(row, f"{name}: {table.columns['ask']}", cells["ask"])
        return
    for kept, value in zip(series, (at, bid, ask), strict=True):
        kept.append(value)
    report.quotes += 1


def _rows(file: File) -> Iterator[tuple[int, dict[str, str], Table]]:
    table: Table | None = None
    for row, cells in file.rows(_is_head):
        if row > QUOTES_MAX + 1:
            raise DomainError(f"{file.path.name} has more than {QUOTES_MAX} rows.")
        if not cells:
            continue
        if table is None:
            table = _table(file, cells)
            if "" not in table.plains:  # a heading
                continue
        yield row, table.cells(cells), table


def _is_head(cells: list[str]) -> bool:
    return {"time", "bid", "ask"} <= set(table_of(cells, QUOTE_COLUMNS).places)


def _table(file: File, first: list[str]) -> Table:
    """Find the columns by the heading, or by the first row of a file that has none. Raises: DomainError."""
    if _is_head(first):
        return table_of(first, QUOTE_COLUMNS)
    for shape in PLAIN_SHAPES:
        table = Table(dict(zip(shape, range(len(shape)), strict=True)), {name: name for name in shape}, ("",), 1)
        if len(first) >= len(shape) and _fits(table.cells(first), Values(file.is_day_first)):
            return table
    found = table_of(first, QUOTE_COLUMNS)
    if set(found.plains) >= BARS:
        raise DomainError(f"{file.path.name} has bars (open, high, low, close). Quotes of each moment are needed.")
    missing = [name for name in ("time", "bid", "ask") if name not in found.places]
    raise DomainError(f"{file.path.name}: columns are missing: {', '.join(missing)}.")


def _fits(cells: dict[str, str], values: Values) -> bool:
    if "date" in cells:
        cells = {**cells, "time": f"{cells['date']} {cells['time']}"}
    if "symbol" in cells and not any(sign.isalpha() for sign in cells["symbol"]):
        return False
    try:
        values.time(cells, "time")
        return 0 < values.number(cells, "bid") <= values.number(cells, "ask")
    except CellError:
        return False


def _symbol_of(path: Path, traded: Sequence[str]) -> str:
    """Find which traded symbol a file's name holds: `DAT_ASCII_EURUSD_T_201202.csv`. Raises: DomainError."""
    name = plain(path.stem)
    named = {symbol for symbol in traded if len(plain(_base(symbol))) > 2 and plain(_base(symbol)) in name}
    longest = max((len(plain(_base(symbol))) for symbol in named), default=0)
    symbols = {plain(_base(symbol)): symbol for symbol in sorted(named) if len(plain(_base(symbol))) == longest}
    if len(symbols) == 1:
        return _base(next(iter(symbols.values())))
    raise DomainError(
        f"{path.name}: a column of the symbol is missing, and the name of the file holds "
        + ("no traded symbol." if not symbols else "several traded symbols.")
    )


def _base(symbol: str) -> str:
    """Take a broker's suffix off a symbol."""
    return symbol.split(".")[0]
