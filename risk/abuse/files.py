"""Read deals and quotes of another system from CSV, with the column names that MT4 and MT5 export.

Both shapes are read: a row per closed order (open and close time and price), and a row per deal (in and out of a position).
What can't be read is named by row and column, and counted; nothing is guessed. A trade that closed before it opened is left
out, one that lies in the future is judged, and both are counted.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from django.utils import timezone

from crm.errors import DomainError
from risk.abuse.book import STILL_OPEN, Account, Book, Cash, CashKind, Mark, Quotes, Trade, units
from risk.abuse.moments import epoch_ms

BYTES_MAX: Final = 1 << 30
DEALS_MAX: Final = 2_000_000
QUOTES_MAX: Final = 20_000_000
ERRORS_MAX: Final = 20
CELL_MAX: Final = 4_000
LINE_MAX: Final = 64_000
SYMBOLS_MAX: Final = 5_000
AMOUNT_MAX: Final = Decimal(10) ** 12
# Sums of money units are kept in 64 bits.
TOTAL_UNITS_MAX: Final = 1 << 62
# A time without a zone is the platform's own, which may be so far ahead of ours.
AHEAD_MAX: Final = dt.timedelta(hours=14)

DEAL_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "key": ("deal", "dealid", "ticket", "order", "orderid", "id", "tradeid", "positionid", "position"),
    "position": ("positionid", "position", "positionticket"),
    "account": ("login", "account", "accountid", "accountnumber", "accountlogin", "tradingaccount"),
    "client": ("client", "clientid", "customer", "customerid", "user", "userid", "person"),
    "symbol": ("symbol", "item", "instrument", "market"),
    "side": ("type", "side", "direction", "action", "cmd", "buysell", "ordertype", "dealtype"),
    "entry": ("entry", "direction", "inout", "entrytype"),
    "lots": ("volume", "lots", "size", "quantity", "volumelots", "lot"),
    "open_time": ("opentime", "timeopen", "openedat", "openms", "opents", "opentimems", "opentimestamp"),
    "close_time": ("closetime", "timeclose", "closedat", "closems", "closets", "closetimems", "closetimestamp"),
    "open_price": ("openprice", "priceopen", "entryprice"),
    "close_price": ("closeprice", "priceclose", "exitprice"),
    "time": ("time", "timemsc", "timems", "datetime", "timestamp", "ts", "executedat", "date"),
    "price": ("price", "dealprice", "fillprice"),
    "profit": ("profit", "pnl", "pl", "profitloss", "amount"),
    "swap": ("swap", "storage", "swaps", "rollover"),
    "comment": ("comment", "comments"),
    "currency": ("currency", "accountcurrency", "profitcurrency"),
    "opened": ("registered", "registeredat", "registration", "accountopened", "accountopenedat"),
    "device": ("device", "deviceid", "cid", "fingerprint"),
    "ip_prefix": ("ip", "ipaddress", "lastip"),
    "email": ("email", "emailaddress"),
    "phone": ("phone", "telephone"),
    "card": ("card", "cardhash", "cardnumber"),
    "bank_account": ("iban", "bankaccount"),
    "document": ("document", "documentnumber", "passport", "idnumber"),
    "name": ("name", "clientname", "fullname"),
}
MARKS: Final = ("device", "ip_prefix", "email", "phone", "card", "bank_account", "document", "name")
QUOTE_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "instrument", "item", "market"),
    "date": ("date",),
    "time": ("time", "timemsc", "timems", "datetime", "timestamp", "ts", "at", "date"),
    "bid": ("bid", "bidprice"),
    "ask": ("ask", "askprice", "offer"),
}
SIDES: Final = {"buy": 1, "0": 1, "long": 1, "b": 1, "1": -1, "sell": -1, "short": -1, "s": -1, "-1": -1}
BALANCE: Final = {"balance", "credit", "deposit", "withdrawal", "bonus", "2", "3", "6", "7"}
CREDITS: Final = {"credit", "bonus", "3", "7"}
INS: Final = {"in", "0", "entryin", "open"}
OUTS: Final = {"out", "1", "entryout", "close", "outby", "3", "inout", "2"}


@dataclass
class Report:
    """What was read, and what could not be.

    left_out: trades that closed before they opened. ahead: those that lie in the future. without_opening: closings whose opening
    isn't in the file.
    """

    rows: int = 0
    quotes: int = 0
    repeated: int = 0
    unreadable: int = 0
    left_out: int = 0
    ahead: int = 0
    without_opening: int = 0
    errors: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    symbols_without_quotes: list[str] = field(default_factory=list)
    clock_shift_ms: int = 0

    def fault(self, row: int, column: str, value: str) -> None:
        """Note a cell that can't be read."""
        self.unreadable += 1
        if len(self.errors) < ERRORS_MAX:
            shown = "".join(sign if sign.isprintable() else "?" for sign in value[:40])
            self.errors.append(f"row {row}, column {column[:80]}: “{shown}” can't be read")


class _Lines:
    """A file's lines; a row of the table, which may go over several, has at most `LINE_MAX` characters."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.file, self.name, self.read = file, name, 0

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LINE_MAX + 1):
            self.read += len(line)
            if self.read > LINE_MAX:
                raise DomainError(f"{self.name}: a row has more than {LINE_MAX} characters.")
            yield line


class CellError(Exception):
    """A cell that can't be read: its column and its text."""


def plain(name: str) -> str:
    """Reduce a column's name to its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_book(deals: Path, quotes: Path | None) -> tuple[Book, Report]:
    """Read both files into a book. Raises: DomainError where a file is too large, or a column that is needed isn't there."""
    report = Report()
    reader = _Deals(report)
    reader.read(deals)
    series = _read_quotes(quotes, report) if quotes else {}
    trades = list(reader.finish())
    book = Book(
        trades, reader.accounts, cash=reader.cash, marks=reader.marks, quotes=_for_symbols(trades, series, report)
    )
    report.clock_shift_ms = _clock_shift(book)
    if report.clock_shift_ms:
        shifted = {name: (at - report.clock_shift_ms, bid, ask) for name, (at, bid, ask) in book.quotes.series.items()}
        book = Book(trades, reader.accounts, cash=reader.cash, marks=reader.marks, quotes=Quotes(shifted))
    return book, report


def _rows(
    path: Path, known: Mapping[str, tuple[str, ...]], most: int
) -> Iterator[tuple[int, dict[str, str], dict[str, str]]]:
    """Iterate over (row, cells by our names, columns by our names). Every cell is bounded."""
    if path.stat().st_size > BYTES_MAX:
        raise DomainError(f"{path.name} is larger than {BYTES_MAX >> 20} MB.")
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        lines = _Lines(file, path.name)
        head = next(iter(lines), "")
        delimiter = max(",;\t|", key=head.count)
        heads = next(csv.reader([head], delimiter=delimiter), [])
        names = _columns(heads, known)
        columns = {ours: heads[place] for ours, place in names.items()}
        rows = csv.reader(lines, delimiter=delimiter)
        row = 1
        while True:
            row += 1
            lines.read = 0
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise DomainError(f"{path.name}, row {row}: {error}") from error
            if row > most + 1:
                raise DomainError(f"{path.name} has more than {most} rows.")
            # Python's own limit is one for the whole process, other files included.
            if any(len(cell) > CELL_MAX for cell in cells):
                raise DomainError(f"{path.name}, row {row}: a cell has more than {CELL_MAX} characters.")
            if cells:
                yield row, {ours: cells[place].strip() for ours, place in names.items() if place < len(cells)}, columns


def _columns(heads: list[str], known: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Find which column is what. MT4's statements call both prices "Price" and leave it to their order."""
    plains = [plain(head) for head in heads]
    found: dict[str, int] = {}
    for ours, theirs in known.items():
        for name in theirs:
            if name in plains:
                found[ours] = plains.index(name)
                break
    if plains.count("price") == 2 and "open_price" not in found:
        found["open_price"] = plains.index("price")
        found["close_price"] = plains.index("price", found["open_price"] + 1)
    if plains.count("time") == 2 and "open_time" not in found:
        found["open_time"] = plains.index("time")
        found["close_time"] = plains.index("time", found["open_time"] + 1)
    if "direction" in plains and found.get("side") != plains.index("direction"):
        found.setdefault("entry", plains.index("direction"))
    elif found.get("entry") == found.get("side"):
        found.pop("entry", None)
    return found


class _Deals:
    """Rows of deals, gathered into round trips."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.accounts: dict[str, Account] = {}
        self.cash: list[Cash] = []
        self.marks: list[Mark] = []
        self.trades: dict[str, Trade] = {}
        self.opened: dict[tuple[str, str], Trade] = {}
        self.closed: dict[tuple[str, str], list[tuple[int, float, float, int, int]]] = {}
        self.seen: set[tuple[str, ...]] = set()
        self.symbols: set[str] = set()
        self.total = 0

    def read(self, path: Path) -> None:
        for row, cells, columns in _rows(path, DEAL_COLUMNS, DEALS_MAX):
            if not self.report.columns:
                self._check(columns, path)
            try:
                self._row(row, cells)
                self.report.rows += 1
            except CellError as error:
                column, value = error.args
                self.report.fault(row, columns.get(column, column), value)
        if not self.report.rows:
            raise DomainError("; ".join(self.report.errors[:3]) or f"{path.name} has no rows.")

    def _check(self, columns: dict[str, str], path: Path) -> None:
        missing = [name for name in ("account", "side") if name not in columns]
        if "open_time" not in columns and "time" not in columns:
            missing.append("time")
        if missing:
            known = "; ".join(f"{name}: {', '.join(DEAL_COLUMNS[name])}" for name in missing)
            raise DomainError(f"{path.name}: columns are missing. Known names: {known}.")
        self.report.columns = columns

    def _row(self, row: int, cells: dict[str, str]) -> None:
        account = cells.get("account", "")
        if not account:
            raise CellError("account", "")
        self._person(account, cells)
        side = plain(cells.get("side", ""))
        number = cells.get("key") or str(row)
        if side in BALANCE and side not in SIDES:
            self._movement(account, side, cells)
            return
        if side not in SIDES and cells.get("side", "").strip() != "-1":
            raise CellError("side", cells.get("side", ""))
        sign = -1 if cells.get("side", "").strip() == "-1" else SIDES[side]
        if (number, account, cells.get("entry", "")) in self.seen:
            self.report.repeated += 1  # sent again after an edit: the later row counts
        self.seen.add((number, account, cells.get("entry", "")))
        lots, money = _number(cells, "lots"), _money(cells, "profit")
        if lots <= 0:
            raise CellError("lots", cells.get("lots", ""))
        swap = _money(cells, "swap")
        self._bound(cells.get("symbol", ""), money, swap)
        if "open_time" in cells:
            closes = cells.get("close_time", "")
            self.trades[f"{account}/{number}"] = Trade(
                number,
                account,
                cells.get("symbol", ""),
                sign,
                lots,
                _time(cells, "open_time"),
                _number(cells, "open_price" if "open_price" in cells else "price"),
                _time(cells, "close_time") if closes and not closes.startswith("1970") else STILL_OPEN,
                _number(cells, "close_price") if cells.get("close_price") else 0.0,
                money,
                swap,
            )
            return
        self._deal(account, number, sign, lots, money, swap, cells)

    def _bound(self, symbol: str, *amounts: int) -> None:
        """Refuse a file that is no broker's. Raises: DomainError."""
        self.symbols.add(symbol)
        self.total += sum(abs(amount) for amount in amounts)
        if len(self.symbols) > SYMBOLS_MAX:
            raise DomainError(f"The file has more than {SYMBOLS_MAX} symbols.")
        if self.total > TOTAL_UNITS_MAX:
            raise DomainError("The profits and swaps of the file add up to more than can be judged.")

    def _deal(
        self, account: str, number: str, sign: int, lots: float, money: int, swap: int, cells: dict[str, str]
    ) -> None:
        """Take a deal in or out of a position; a closing part is put beside its opening at the end."""
        position = (account, cells.get("position") or number)
        at, price = _time(cells, "time"), _number(cells, "price")
        entry = plain(cells.get("entry", "in"))
        if entry in INS:
            self.opened[position] = Trade(number, account, cells.get("symbol", ""), sign, lots, at, price)
        elif entry in OUTS:
            self.closed.setdefault(position, []).append((at, price, lots, money, swap))
        else:
            raise CellError("entry", cells.get("entry", ""))

    def finish(self) -> Iterator[Trade]:
        """Give the round trips whose times are possible, and count the others, and those that lie in the future."""
        latest = int((timezone.now() + AHEAD_MAX).timestamp() * 1000)
        for trade in self._round_trips():
            if trade.close_ms != STILL_OPEN and trade.close_ms < trade.open_ms:
                self.report.left_out += 1
                continue
            self.report.ahead += max(trade.open_ms, trade.close_ms) > latest
            yield trade
        self.report.without_opening = sum(len(parts) for at, parts in self.closed.items() if at not in self.opened)

    def _round_trips(self) -> Iterator[Trade]:
        """Give all round trips. A position that was closed in parts is one trade until its last part."""
        yield from self.trades.values()
        for position, opening in self.opened.items():
            parts = self.closed.get(position)
            if not parts:
                yield opening
                continue
            last = max(parts)
            yield Trade(
                opening.key,
                opening.account,
                opening.symbol,
                opening.side,
                opening.lots,
                opening.open_ms,
                opening.open_price,
                last[0],
                last[1],
                sum(part[3] for part in parts),
                sum(part[4] for part in parts),
            )

    def _movement(self, account: str, side: str, cells: dict[str, str]) -> None:
        amount = _money(cells, "profit")
        at = _time(cells, "open_time" if "open_time" in cells else "time")
        if side in CREDITS or "bonus" in cells.get("comment", "").lower():
            if amount > 0:
                self.cash.append(Cash(account, at, amount, CashKind.BONUS))
        elif side == "withdrawal" or amount < 0:
            self.cash.append(Cash(account, at, abs(amount), CashKind.WITHDRAWAL))
        else:
            self.cash.append(Cash(account, at, amount, CashKind.DEPOSIT))

    def _person(self, account: str, cells: dict[str, str]) -> None:
        if account not in self.accounts:
            opened = epoch_ms(cells["opened"]) if cells.get("opened") else None
            client = cells.get("client") or account
            self.accounts[account] = Account(account, client, cells.get("currency", "")[:5], opened)
        client = self.accounts[account].client
        for kind in MARKS:
            value = cells.get(kind)
            if value and (client, kind, value, "mark") not in self.seen:
                self.seen.add((client, kind, value, "mark"))
                self.marks.append(Mark(client, kind, value.lower()))


def _read_quotes(path: Path, report: Report) -> dict[str, tuple[Any, Any, Any]]:
    gathered: dict[str, tuple[array[int], array[float], array[float]]] = {}
    checked = False
    for row, cells, columns in _rows(path, QUOTE_COLUMNS, QUOTES_MAX):
        if not checked:
            missing = [name for name in ("symbol", "time", "bid", "ask") if name not in columns]
            if missing:
                raise DomainError(f"{path.name}: columns are missing: {', '.join(missing)}.")
            checked = True
        if columns.get("date") and columns["date"] != columns["time"]:
            cells["time"] = f"{cells.get('date', '')} {cells.get('time', '')}"
        try:
            at, bid, ask = _time(cells, "time"), _number(cells, "bid"), _number(cells, "ask")
        except CellError as error:
            column, value = error.args
            report.fault(row, f"{path.name}: {columns.get(column, column)}", value)
            continue
        if not 0 < bid <= ask:
            report.fault(row, f"{path.name}: {columns['ask']}", cells["ask"])
            continue
        symbol = cells.get("symbol", "")
        if symbol not in gathered:
            gathered[symbol] = array("q"), array("d"), array("d")
            if len(gathered) > SYMBOLS_MAX:
                raise DomainError(f"{path.name} has more than {SYMBOLS_MAX} symbols.")
        times, bids, asks = gathered[symbol]
        times.append(at)
        bids.append(bid)
        asks.append(ask)
        report.quotes += 1
    series = {}
    for symbol, (times, bids, asks) in gathered.items():
        order = np.argsort(np.array(times, dtype=np.int64), kind="stable")
        series[symbol] = tuple(np.array(values)[order] for values in (times, bids, asks))
    return series  # type: ignore[return-value]


def _for_symbols(trades: list[Trade], series: dict[str, tuple[Any, Any, Any]], report: Report) -> Quotes:
    """Find the quotes of each traded symbol: by its name, else without the broker's suffix."""
    by_plain = {plain(name): name for name in series}
    found = {}
    for symbol in sorted({row.symbol for row in trades}):
        name = symbol if symbol in series else by_plain.get(plain(symbol)) or by_plain.get(plain(symbol.split(".")[0]))
        if name is None:
            report.symbols_without_quotes.append(symbol)
        else:
            found[symbol] = series[name]
    report.symbols_without_quotes = report.symbols_without_quotes[:50]
    return Quotes(found)


def _clock_shift(book: Book) -> int:
    """Find by how many half hours the quotes' clock is ahead of the deals': where most fills lie within the quotes."""
    if not len(book) or not book.quotes.series:
        return 0
    step = 30 * 60 * 1000

    def fit(shift: int) -> float:
        mid, spread = book.mid_after(shift)
        with np.errstate(invalid="ignore"):
            return float((np.abs(mid - book.open_price) <= 1.5 * spread).mean())

    here = fit(0)
    if here > 0.5:
        return 0
    best = max((n * step for n in range(-28, 29)), key=fit)
    return best if fit(best) > here + 0.3 else 0


def _number(cells: dict[str, str], column: str) -> float:
    text = cells.get(column, "").replace(" ", "").replace("\u00a0", "")
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        raise CellError(column, text) from None
    if not np.isfinite(value) or abs(value) > 1e12:
        raise CellError(column, text)
    return value


def _money(cells: dict[str, str], column: str) -> int:
    text = cells.get(column, "").replace(" ", "").replace("\u00a0", "")
    if not text:
        return 0
    if "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise CellError(column, text) from None
    # `abs` would round, and stumble over 1e9999999.
    if not value.is_finite() or value.copy_abs() > AMOUNT_MAX:
        raise CellError(column, text)
    return units(value)


def _time(cells: dict[str, str], column: str) -> int:
    value = epoch_ms(cells.get(column, ""))
    if value is None:
        raise CellError(column, cells.get(column, ""))
    return value
