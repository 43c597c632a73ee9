"""Read deals and quotes of another system, with the column names that platforms and their reports give.

Deals come as CSV or as an MT4 or MT5 statement in HTML, in both shapes: a row per closed order (open and close time and price),
and a row per deal (in and out of a position; without its number, in the order of time). What can't be read is named by row and
column, and counted; nothing is guessed. A trade that closed before it opened is left out, one that lies in the future is judged,
and both are counted. Quotes are in `quote_files`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils import timezone

from crm.errors import DomainError
from risk.abuse.book import STILL_OPEN, Account, Book, Cash, CashKind, Mark, Quotes, Trade
from risk.abuse.cell_values import CellError, Values
from risk.abuse.file_report import Report
from risk.abuse.file_rows import LINES_BEFORE_MAX, File, Table, account_before, plain, table_of
from risk.abuse.moments import epoch_ms
from risk.abuse.pairing import Loose, paired
from risk.abuse.quote_files import SYMBOLS_MAX, read_quotes

BYTES_MAX: Final = 1 << 30
DEALS_MAX: Final = 2_000_000
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
    "side": ("buysell", "openingdirection", "type", "side", "direction", "action", "cmd", "ordertype", "dealtype"),
    "entry": ("entry", "direction", "inout", "entrytype"),
    "lots": ("volume", "lots", "size", "quantity", "volumelots", "lot", "closingquantity", "unitslots"),
    "open_time": (
        *("opentime", "openingtime", "opendate", "timeopen", "openedat"),
        *("openms", "opents", "opentimems", "opentimestamp"),
    ),
    "close_time": (
        *("closetime", "closingtime", "closedate", "timeclose", "closedat"),
        *("closems", "closets", "closetimems", "closetimestamp"),
    ),
    "open_price": ("openprice", "priceopen", "entryprice"),
    "close_price": ("closeprice", "closingprice", "priceclose", "exitprice"),
    "time": ("time", "timemsc", "timems", "datetime", "timestamp", "ts", "executedat", "date"),
    "price": ("price", "dealprice", "fillprice"),
    "profit": (
        *("profit", "grossprofit", "netprofit", "gross", "net", "pnl", "pl", "profitloss", "amount"),
        *(f"{kind}{currency}" for kind in ("gross", "net") for currency in ("usd", "eur", "gbp", "chf")),
    ),
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
SIDES: Final = {"buy": 1, "0": 1, "long": 1, "b": 1, "1": -1, "sell": -1, "short": -1, "s": -1, "-1": -1}
BALANCE: Final = {"balance", "credit", "deposit", "withdrawal", "bonus", "2", "3", "6", "7"}
CREDITS: Final = {"credit", "bonus", "3", "7"}
INS: Final = {"in", "0", "entryin", "open"}
# Of orders that wait for a price, and of those that were cancelled.
PENDING: Final = {f"{side}{kind}" for side in ("buy", "sell") for kind in ("limit", "stop", "stoplimit")}
WORDS: Final = {*SIDES, *BALANCE, *PENDING}
OUTS: Final = {"out", "1", "entryout", "close", "outby", "3", "inout", "2"}


def read_book(deals: Path, quotes: Sequence[Path] = ()) -> tuple[Book, Report]:
    """Read the files into a book. Raises: DomainError where one is too large, or a column that is needed isn't there."""
    report = Report()
    reader = _Deals(report)
    reader.read(deals)
    trades = list(reader.finish())
    series = read_quotes(quotes, {trade.symbol for trade in trades}, report)
    book = Book(
        trades, reader.accounts, cash=reader.cash, marks=reader.marks, quotes=_for_symbols(trades, series, report)
    )
    report.clock_shift_ms = _clock_shift(book)
    if report.clock_shift_ms:
        shifted = {name: (at - report.clock_shift_ms, bid, ask) for name, (at, bid, ask) in book.quotes.series.items()}
        book = Book(trades, reader.accounts, cash=reader.cash, marks=reader.marks, quotes=Quotes(shifted))
    return book, report


def deal_rows(file: File, most: int) -> Iterator[tuple[int, list[str], Table, list[list[str]]]]:
    """Iterate over (row, cells, its table, rows before the first heading). Raises: DomainError.

    A file whose first row is no heading that we know has it as one all the same: it then lacks columns.
    """
    known = {name for names in DEAL_COLUMNS.values() for name in names} | {"state"}
    rows = file.rows(_is_head)
    before: list[list[str]] = []
    table: Table | None = None
    held: list[tuple[int, list[str]]] = []
    for row, cells in rows:
        if row > most + 1:
            raise DomainError(f"{file.path.name} has more than {most} rows.")
        if not cells:
            continue
        if (table is None or plain(cells[0]) in known) and _is_head(cells):
            before, held = (before if table else [line for _row, line in held]), []
            table = table_of(cells, DEAL_COLUMNS, row + 1)
        elif table is None:
            held.append((row, cells))
            if len(held) > LINES_BEFORE_MAX:
                break
        else:
            yield row, cells, table, before
    if table is None and held:
        table = table_of(held[0][1], DEAL_COLUMNS)
        for row, cells in held[1:]:
            yield row, cells, table, []


def _is_head(cells: list[str]) -> bool:
    places = table_of(cells, DEAL_COLUMNS).places
    return "side" in places and ("time" in places or "open_time" in places)


class NoTrade(Exception):
    """A row of a report that is no trade."""


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
        # Deals whose positions have no number: of (account, symbol), in the order of time.
        self.loose: dict[tuple[str, str], list[Loose]] = {}
        self.has_trips = False
        self.account = self.currency = ""
        self.values = Values()

    def read(self, path: Path) -> None:
        file = File(path, bytes_max=BYTES_MAX)
        self.values = Values(file.is_day_first)
        table: Table | None = None
        for row, cells, its_table, before in deal_rows(file, DEALS_MAX):
            if its_table is not table:
                self._begin(its_table, before, path)
                table = its_table
            if "state" in table.plains and "profit" not in table.places:  # of orders, beside that of their deals
                continue
            try:
                self._row(row, table.cells(cells), table)
                self.report.rows += 1
            except NoTrade:
                self.report.texts += 1
            except CellError as error:
                column, value = error.args
                self.report.fault(row, table.columns.get(column, column), value)
        if not self.report.rows:
            raise DomainError("; ".join(self.report.errors[:3]) or f"{path.name} has no rows.")

    def _begin(self, table: Table, before: list[list[str]], path: Path) -> None:
        """Check a table's columns. Without one of the account, it is the one that the file names, else the file itself."""
        missing = [] if "side" in table.places else ["side"]
        if not {"open_time", "time"} & set(table.places):
            missing.append("time")
        if missing:
            known = "; ".join(f"{name}: {', '.join(DEAL_COLUMNS[name])}" for name in missing)
            raise DomainError(f"{path.name}: columns are missing. Known names: {known}.")
        if not self.report.columns:
            named, self.currency = account_before(before)
            self.account = named or path.stem[:60]
            self.report.columns = dict(table.columns)
            if "account" not in table.places:
                self.report.columns["account"] = f"none: {'account' if named else 'file'} {self.account}"
        self.has_trips |= {"open_time", "close_time"} <= set(table.places)

    def _row(self, row: int, cells: dict[str, str], table: Table) -> None:
        account = cells.get("account", "") if "account" in table.places else self.account
        side = plain(cells.get("side", ""))
        if table.first_row > 2 and side not in WORDS and self._is_text(cells):
            raise NoTrade
        if side in PENDING:
            self.report.pending += 1
            return
        if not account:
            raise CellError("account", "")
        self._person(account, cells)
        number = cells.get("key") or str(row)
        if side in BALANCE and side not in SIDES:
            self._movement(account, side, cells)
            return
        if side not in SIDES and cells.get("side", "").strip() != "-1":
            raise CellError("side", cells.get("side", ""))
        sign = -1 if cells.get("side", "").strip() == "-1" else SIDES[side]
        if self.has_trips and "close_time" not in table.places and "entry" in table.places:
            return  # the deals of the positions that were read
        if (number, account, cells.get("entry", "")) in self.seen:
            self.report.repeated += 1  # sent again after an edit: the later row counts
        self.seen.add((number, account, cells.get("entry", "")))
        lots, money = self.values.number(cells, "lots"), self.values.money(cells, "profit")
        if lots <= 0:
            raise CellError("lots", cells.get("lots", ""))
        swap = self.values.money(cells, "swap")
        self._bound(cells.get("symbol", ""), money, swap)
        if "open_time" in cells:
            closes = cells.get("close_time", "")
            self.trades[f"{account}/{number}"] = Trade(
                number,
                account,
                cells.get("symbol", ""),
                sign,
                lots,
                self.values.time(cells, "open_time"),
                self.values.number(cells, "open_price" if "open_price" in cells else "price"),
                self.values.time(cells, "close_time") if closes and not closes.startswith("1970") else STILL_OPEN,
                self.values.number(cells, "close_price") if cells.get("close_price") else 0.0,
                money,
                swap,
            )
            return
        if "position" in cells or "entry" not in cells:
            self._deal(account, number, sign, lots, money, swap, cells)
            return
        entry = plain(cells["entry"])
        if entry not in INS and entry not in OUTS:
            raise CellError("entry", cells["entry"])
        at, price = self.values.time(cells, "time"), self.values.number(cells, "price")
        loose = Loose(at, row, entry in INS, sign, lots, price, money, swap, number)
        self.loose.setdefault((account, cells.get("symbol", "")), []).append(loose)

    def _is_text(self, cells: dict[str, str]) -> bool:
        """Whether a row of a report has no time where a trade has one."""
        try:
            self.values.time(cells, "open_time" if "open_time" in cells else "time")
        except CellError:
            return True
        return False

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
        at, price = self.values.time(cells, "time"), self.values.number(cells, "price")
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
        self.report.without_opening += sum(len(parts) for at, parts in self.closed.items() if at not in self.opened)

    def _round_trips(self) -> Iterator[Trade]:
        """Give all round trips. A position that was closed in parts is one trade until its last part."""
        yield from self.trades.values()
        for (account, symbol), deals in self.loose.items():
            trades, without = paired(account, symbol, deals)
            self.report.without_opening += without
            yield from trades
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
        amount = self.values.money(cells, "profit")
        at = self.values.time(cells, "open_time" if "open_time" in cells else "time")
        if side in CREDITS or "bonus" in cells.get("comment", "").lower():
            if amount > 0:
                self.cash.append(Cash(account, at, amount, CashKind.BONUS))
        elif side == "withdrawal" or amount < 0:
            self.cash.append(Cash(account, at, abs(amount), CashKind.WITHDRAWAL))
        else:
            self.cash.append(Cash(account, at, amount, CashKind.DEPOSIT))

    def _person(self, account: str, cells: dict[str, str]) -> None:
        if account not in self.accounts:
            opened = epoch_ms(cells["opened"], is_day_first=self.values.is_day_first) if cells.get("opened") else None
            client = cells.get("client") or account
            currency = cells.get("currency", "") or self.currency
            self.accounts[account] = Account(account, client, currency[:5], opened)
        client = self.accounts[account].client
        for kind in MARKS:
            value = cells.get(kind)
            if value and (client, kind, value, "mark") not in self.seen:
                self.seen.add((client, kind, value, "mark"))
                self.marks.append(Mark(client, kind, value.lower()))


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
