"""Reads a broker's SQL export (`mt5_deals`, `mt5_deals_2024`, `mt5_users`, `mt5_accounts`, `mt5_positions`): the robust read side.

`Timestamp` of a row says when it was last changed: a Windows FILETIME, UTC in 100 ns since 1601. It is the cursor, so an
edit by a dealer is found like a new deal, however old the deal is. `Time` and `TimeMsc` are the server's wall clock; beside
the change stamp of a fresh row they show the server's offset from UTC, also in the hour that a zone lives twice in autumn.

Rows that were deleted leave no trace here: the nightly check of balances finds them. The export's user may only read.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg

from trading.platforms.aside import UNREADABLE, read_each
from trading.platforms.base import AccountData, AccountMoney, DealData, DealPage, PositionData
from trading.platforms.errors import FinalError
from trading.platforms.masks import matches
from trading.platforms.mt5.deal import deal_from
from trading.platforms.mt5.dialects import dialect_of, names_of, open_export, schema_of
from trading.platforms.mt5.export_names import KNOWN
from trading.platforms.mt5.rows import account_from, money_from, position_from
from trading.platforms.mt5.stamps import TICKS, clock_of, filetime, from_filetime, instant_of, text_of

FIRST_READ_SECONDS: Final = 2 * 86_400
PAGE: Final = 5000
GROUPS_PER_QUERY: Final = 500  # databases take 1,000 or 2,100 values in one query
DEALS: Final = re.compile(r"mt5_deals(_\d{4})?", re.IGNORECASE)
Row = dict[str, Any]

_exports: weakref.WeakSet[SqlExport] = weakref.WeakSet()
_inherited: list[Any] = []  # of a parent process; kept, because a driver that lets go of one would end it


class SqlExport:
    """One server's export. One connection, opened when first needed and after a failure again. Thread-safe."""

    def __init__(self, url: str, zone: ZoneInfo, *, read_seconds: float = 20.0, page: int = PAGE) -> None:
        self.dialect, self._url, self.zone = dialect_of(url), url, zone
        self.read_seconds, self.page = read_seconds, page
        self._schema = schema_of(urlsplit(url))
        self._connection: Any = None
        self._columns: dict[str, dict[str, str]] = {}
        self._in_reach: list[str] = []
        self._lock = threading.Lock()
        _exports.add(self)

    # -- deals --------------------------------------------------------------------------------------------------------

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read deals whose row changed after `cursor`, oldest change first; whole change stamps, so that none is missed.

        `overlap` covers rows that were stamped before, and committed after, the newest one that was read.
        Raises: NotStarted, ReadTimedOut, FinalError.
        """
        now = filetime(dt.datetime.now(dt.UTC))
        start = (cursor or now - FIRST_READ_SECONDS * TICKS) - int(overlap.total_seconds() * TICKS)
        with self._lock, self._asking():
            tables = self._tables(DEALS)
            if not tables:
                question = "the export has no table mt5_deals: is this its database and schema?"
                raise FinalError(question, command="EXPORT")
            unwanted = self._groups(mask, wanted=False)
            parts = [self._changed(table, start, unwanted) for table in tables]
        full = [int(rows[-1]["Timestamp"]) for rows in parts if len(rows) >= self.page]
        last = min(full) if full else None
        rows = [row for part in parts for row in part if last is None or int(row["Timestamp"]) <= last]
        rows.sort(key=lambda row: (int(row["Timestamp"]), int(row["Deal"])))
        try:
            deals = list(read_each(self._deal, rows))
        except UNREADABLE as problem:
            raise FinalError(f"a row of the export can't be read ({problem!r})", command="EXPORT") from problem
        newest = int(rows[-1]["Timestamp"]) if rows else start
        return DealPage(deals, max(cursor or 0, newest), clock_of(rows, self.zone), has_more=bool(full))

    def _changed(self, table: str, start: int, unwanted: list[str]) -> list[Row]:
        """Read one table's rows changed after `start`: at most a page, and then the rest of its last change stamp."""
        stamp, deal = self._column(table, "Timestamp"), self._column(table, "Deal")
        skip, arguments = self._of_groups(table, unwanted, "NOT IN")
        query = self.dialect.first_rows("*", self._name(table), f"{stamp} > ?{skip}", f"{stamp}, {deal}", self.page)
        rows = self._ask(query, [start, *arguments])
        if len(rows) >= self.page:
            last = rows[-1]
            rest = f"SELECT * FROM {self._name(table)} WHERE {stamp} = ? AND {deal} > ?{skip} ORDER BY {stamp}, {deal}"  # noqa: S608
            rows += self._ask(rest, [last["Timestamp"], last["Deal"], *arguments])
        return rows

    def _deal(self, row: Row) -> DealData:
        """Read a row through the Web API's names, so that both ways to read a deal produce the same one."""
        stamp = from_filetime(int(row["Timestamp"]))
        raw = self._texts(row)
        raw["TimeMsc"] = raw.get("TimeMsc") or str(int(raw["Time"]) * 1000)
        raw["Time"] = str(int(raw["TimeMsc"]) // 1000)
        return deal_from(raw, executed_at=instant_of(int(raw["TimeMsc"]), stamp, self.zone))

    # -- accounts and positions ---------------------------------------------------------------------------------------

    def accounts(self, *, mask: str) -> Iterator[AccountData]:
        """Yield all accounts in the groups of `mask`, by login; archived ones, too, where the export keeps them."""
        for row in self._by_key("mt5_users", ("Login",), mask):
            yield self._read(lambda fields: account_from(self._texts(fields), self.zone), row)

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        """Yield what every account in the groups is worth, as of the export's last update of it."""
        for row in self._by_key("mt5_accounts", ("Login",), mask):
            yield self._read(lambda fields: money_from(self._texts(fields)), row)

    def positions(self, *, mask: str) -> list[PositionData]:
        """List all open positions of the groups."""
        rows = self._by_key("mt5_positions", ("Position",), mask)
        return [self._read(lambda fields: position_from(self._texts(fields), self.zone), row) for row in rows]

    def _by_key(self, table_name: str, key: tuple[str], mask: str) -> Iterator[Row]:
        """Yield all rows of a table whose login is in the groups, a page at a time, by a unique column."""
        last: object = -1
        while True:
            with self._lock, self._asking():
                tables = self._tables(re.compile(table_name, re.IGNORECASE))
                if not tables:
                    raise FinalError(f"the export has no table {table_name}", command="EXPORT")
                (table,) = tables
                column = self._column(table, key[0])
                everybody = mask.strip() in ("", "*")
                groups = [] if everybody else self._groups(mask, wanted=True)
                if not everybody and not groups:
                    return
                limit, arguments = self._of_groups(table, groups, "IN")
                query = self.dialect.first_rows("*", self._name(table), f"{column} > ?{limit}", column, self.page)
                rows = self._ask(query, [last, *arguments])
            yield from rows
            if len(rows) < self.page:
                return
            last = rows[-1][key[0]]

    def _texts(self, row: Mapping[str, Any]) -> dict[str, str]:
        return {name: text_of(name, value) for name, value in row.items() if name != "Timestamp"}

    @staticmethod
    def _read(reading: Any, row: Row) -> Any:
        """Read a row. Raises: FinalError for one that can't be read."""
        try:
            return reading(row)
        except (KeyError, ValueError) as problem:
            raise FinalError(f"a row of the export can't be read ({problem!r})", command="EXPORT") from problem

    # -- connection and queries ---------------------------------------------------------------------------------------

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._columns.clear()
        if connection is not None:
            with contextlib.suppress(*self.dialect.errors()):
                connection.close()

    def renew_after_fork(self) -> None:
        """Close a child's copy of the parent's socket silently, and never let the driver end the session."""
        self._lock = threading.Lock()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        _inherited.append(connection)
        if isinstance(connection, psycopg.Connection):
            with contextlib.suppress(OSError, psycopg.Error):
                os.close(connection.fileno())
        elif hasattr(connection, "_force_close"):  # PyMySQL: the socket without its farewell
            connection._force_close()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """Run the queries of one read. A failure ends the connection; the next read opens another. Raises: the five errors."""
        self._in_reach = []  # a new year brings a new table
        try:
            if self._connection is None:
                self._connection = open_export(self.dialect, self._url, self.read_seconds)
            yield
        except self.dialect.errors() as problem:
            self._drop()
            raise self.dialect.error_for(problem) from problem

    def _ask(self, query: str, arguments: Sequence[object] = ()) -> list[Row]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(self.dialect.marks(query), tuple(arguments))
            names = names_of(cursor.description, KNOWN)
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def _tables(self, pattern: re.Pattern[str]) -> list[str]:
        """List the tables in reach, spelled as the database does."""
        if not self._in_reach:
            rows = self._ask(self.dialect.tables.replace("{schema}", self._schema))
            self._in_reach = sorted(str(next(iter(row.values()))) for row in rows)
        return [name for name in self._in_reach if pattern.fullmatch(name)]

    def _name(self, table: str) -> str:
        schema = self._schema.upper() if self.dialect.name == "oracle" else self._schema
        prefix = f"{self.dialect.quote(schema)}." if schema and self.dialect.has_schema else ""
        return prefix + self.dialect.quote(table)

    def _column(self, table: str, name: str) -> str:
        """Quote a table's column in the spelling that this database keeps. Raises: FinalError without it."""
        if table not in self._columns:
            cursor = self._connection.cursor()
            try:
                cursor.execute(f"SELECT * FROM {self._name(table)} WHERE 1 = 0")  # noqa: S608 - quoted
                spelled = [str(column[0]) for column in cursor.description]
                self._columns[table] = dict(zip(names_of(cursor.description, KNOWN), spelled, strict=True))
            finally:
                cursor.close()
        try:
            return self.dialect.quote(self._columns[table][name])
        except KeyError:
            raise FinalError(f"the export's table {table} has no column {name}", command="EXPORT") from None

    def _groups(self, mask: str, *, wanted: bool) -> list[str]:
        """List the groups that the mask takes, or those that it leaves out."""
        if mask.strip() in ("", "*"):
            return []
        (table,) = self._tables(re.compile("mt5_users", re.IGNORECASE)) or [""]
        if not table:
            raise FinalError("the export has no table mt5_users: groups can't be distinguished", command="EXPORT")
        query = f"SELECT DISTINCT {self._column(table, 'Group')} FROM {self._name(table)}"  # noqa: S608 - quoted
        names = [str(row["Group"]) for row in self._ask(query)]
        return [name for name in names if matches(mask, name) == wanted]

    def _of_groups(self, table: str, groups: list[str], how: str) -> tuple[str, list[object]]:
        """Write the condition "login in (or not in) these groups". A login without a user row is not left out."""
        if not groups:
            return "", []
        (users,) = self._tables(re.compile("mt5_users", re.IGNORECASE))
        login, group = self._column(users, "Login"), self._column(users, "Group")
        parts = []
        for start in range(0, len(groups), GROUPS_PER_QUERY):
            marks = ", ".join("?" for _name in groups[start : start + GROUPS_PER_QUERY])
            inside = f"SELECT {login} FROM {self._name(users)} WHERE {group} IN ({marks})"  # noqa: S608 - quoted
            parts.append(f"{self._column(table, 'Login')} {how} ({inside})")
        return f" AND ({(' OR ' if how == 'IN' else ' AND ').join(parts)})", list(groups)


def _in_child() -> None:
    for export in list(_exports):
        export.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)


__all__ = ["SqlExport"]
