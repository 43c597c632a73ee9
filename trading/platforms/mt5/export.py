"""Reads deals from the tables of a broker's SQL export (`mt5_deals`, `mt5_deals_2024`, …): the robust read side.

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
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median_low
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import psycopg

from trading.platforms.base import DealData, DealPage, ServerTime
from trading.platforms.errors import FinalError, NotStarted, PlatformError, ReadTimedOut
from trading.platforms.mt5 import units
from trading.platforms.mt5.deal import deal_from

FILETIME_EPOCH: Final = 11_644_473_600  # seconds from 1601 to 1970
TICKS: Final = 10_000_000  # of 100 ns in a second
FIRST_READ_SECONDS: Final = 2 * 86_400
PAGE: Final = 5000
FRESH_SECONDS: Final = 120  # a row changed so soon after its deal was not edited since
QUARTER_SECONDS: Final = 900  # zones differ from UTC by whole quarters of an hour
TABLE: Final = re.compile(r"mt5_deals(_\d{4})?", re.IGNORECASE)
CONNECT_SECONDS: Final = 5

_exports: weakref.WeakSet[SqlExport] = weakref.WeakSet()
_inherited: list[Any] = []  # of a parent process; kept, because a driver that lets go of one would end it


@dataclass(frozen=True, slots=True)
class Driver:
    """How to speak to one kind of database. `mark`: its placeholder; `tables`: names of all tables in reach."""

    connect: Callable[[str, float], Any]
    mark: str
    tables: str


def _postgres(url: str, seconds: float) -> Any:
    options = f"-c statement_timeout={int(seconds * 1000)} -c default_transaction_read_only=on"
    return psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True, options=options)


def _sqlite(url: str, seconds: float) -> Any:
    path = "/" + unquote(urlsplit(url).path).lstrip("/")
    return sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True, timeout=seconds, check_same_thread=False)


PG_TABLES: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = ANY(current_schemas(false))"
DRIVERS: Final[dict[str, Driver]] = {
    "postgresql": Driver(_postgres, "%s", PG_TABLES),
    "sqlite": Driver(_sqlite, "?", "SELECT name FROM sqlite_master WHERE type = 'table'"),
}


def filetime(instant: dt.datetime) -> int:
    """An instant as the export's change stamp."""
    return int((instant.timestamp() + FILETIME_EPOCH) * TICKS)


def from_filetime(stamp: int) -> dt.datetime:
    seconds, rest = divmod(stamp, TICKS)
    return dt.datetime.fromtimestamp(seconds - FILETIME_EPOCH, dt.UTC) + dt.timedelta(microseconds=rest // 10)


class SqlExport:
    """The deals of one server's export. One connection, opened when first needed and after a failure again."""

    def __init__(self, url: str, zone: ZoneInfo, *, read_seconds: float = 20.0, page: int = PAGE) -> None:
        scheme = urlsplit(url).scheme
        if scheme not in DRIVERS:
            raise FinalError(
                f"an export is read from {', '.join(DRIVERS)}, not from {scheme or 'nothing'}", command="EXPORT"
            )
        self.driver, self._url, self.zone = DRIVERS[scheme], url, zone
        self.read_seconds, self.page = read_seconds, page
        self._connection: Any = None
        self._lock = threading.Lock()
        _exports.add(self)

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Deals whose row changed after `cursor`, oldest change first; whole change stamps, so that nothing falls between.

        `overlap` covers rows that were stamped before, and committed after, the newest one that was read.
        Raises: NotStarted, ReadTimedOut, FinalError.
        """
        with self._lock:
            return self._page_after(cursor, mask, overlap)

    def _page_after(self, cursor: int | None, mask: str, overlap: dt.timedelta) -> DealPage:
        now = filetime(dt.datetime.now(dt.UTC))
        start = (cursor or now - FIRST_READ_SECONDS * TICKS) - int(overlap.total_seconds() * TICKS)
        try:
            tables = self._tables()
            groups = self._unwanted_groups(mask)
            parts = [self._rows(table, start, groups) for table in tables]
        except (psycopg.Error, sqlite3.Error) as problem:
            self.close()
            raise _as_error(problem) from problem
        full = [rows[-1]["Timestamp"] for rows in parts if len(rows) >= self.page]
        last = min(full) if full else None
        rows = [row for part in parts for row in part if last is None or row["Timestamp"] <= last]
        rows.sort(key=lambda row: (row["Timestamp"], row["Deal"]))
        try:
            deals = [self._deal(row) for row in rows]
        except (KeyError, ValueError) as problem:
            raise FinalError(f"a row of the export can't be read ({problem!r})", command="EXPORT") from problem
        newest = rows[-1]["Timestamp"] if rows else start
        return DealPage(deals, max(cursor or 0, newest), self._clock(rows), has_more=bool(full))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def renew_after_fork(self) -> None:
        """In a child: close our copy of the parent's socket without a word, and never let the driver end the session."""
        self._lock = threading.Lock()
        connection, self._connection = self._connection, None
        if connection is not None:
            _inherited.append(connection)
            if isinstance(connection, psycopg.Connection):
                with contextlib.suppress(OSError, psycopg.Error):
                    os.close(connection.fileno())

    # -- queries ------------------------------------------------------------------------------------------------------

    def _ask(self, query: str, arguments: Sequence[object] = ()) -> list[dict[str, Any]]:
        if self._connection is None:
            try:
                self._connection = self.driver.connect(self._url, self.read_seconds)
            except (psycopg.Error, sqlite3.Error) as problem:
                raise NotStarted(f"can't reach the export ({_without_secrets(problem)})", command="EXPORT") from problem
        cursor = self._connection.cursor()
        try:
            cursor.execute(query.replace("?", self.driver.mark), arguments)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def _tables(self) -> list[str]:
        names = [str(next(iter(row.values()))) for row in self._ask(self.driver.tables)]
        found = sorted(name for name in names if TABLE.fullmatch(name))
        if not found:
            raise FinalError("the export has no table mt5_deals: is this its database and schema?", command="EXPORT")
        return found

    def _unwanted_groups(self, mask: str) -> list[str]:
        """Groups that the mask leaves out. Deals of a login that no user row explains are read: nothing is dropped."""
        if mask.strip() in ("", "*"):
            return []
        names = [str(row["Group"]) for row in self._ask('SELECT DISTINCT "Group" FROM mt5_users')]
        return [name for name in names if not group_matches(mask, name)]

    def _rows(self, table: str, start: int, unwanted: list[str]) -> list[dict[str, Any]]:
        """One table's rows changed after `start`: at most a page, and then the rest of its last change stamp."""
        skip, arguments = "", []
        if unwanted:
            marks = ", ".join("?" for _name in unwanted)
            skip = f' AND "Login" NOT IN (SELECT "Login" FROM mt5_users WHERE "Group" IN ({marks}))'  # noqa: S608 - marks
            arguments = list(unwanted)
        head = f'SELECT * FROM "{table}" WHERE '  # noqa: S608 - a name that TABLE allowed
        order = ' ORDER BY "Timestamp", "Deal"'
        rows = self._ask(f'{head}"Timestamp" > ?{skip}{order} LIMIT {self.page}', [start, *arguments])
        if len(rows) >= self.page:
            last = rows[-1]
            rows += self._ask(
                f'{head}"Timestamp" = ? AND "Deal" > ?{skip}{order}', [last["Timestamp"], last["Deal"], *arguments]
            )
        return rows

    # -- reading rows -------------------------------------------------------------------------------------------------

    def _deal(self, row: Mapping[str, Any]) -> DealData:
        """The row in the Web API's words, so that both ways to read a deal give the same one."""
        stamp = from_filetime(int(row["Timestamp"]))
        raw = {key: _text(key, value) for key, value in row.items() if key != "Timestamp"}
        raw["TimeMsc"] = raw.get("TimeMsc") or str(int(raw["Time"]) * 1000)
        raw["Time"] = str(int(raw["TimeMsc"]) // 1000)
        return deal_from(raw, executed_at=instant_of(int(raw["TimeMsc"]), stamp, self.zone))

    def _clock(self, rows: Iterable[Mapping[str, Any]]) -> ServerTime:
        """The server's offset as its fresh rows show it; without any, as the zone says."""
        seen = []
        for row in rows:
            msc = int(_text("TimeMsc", row.get("TimeMsc")) or int(_text("Time", row["Time"])) * 1000)
            offset = offset_of(msc, from_filetime(int(row["Timestamp"])))
            if offset is not None:
                seen.append(offset)
        now = dt.datetime.now(dt.UTC)
        zone_offset = now.astimezone(self.zone).utcoffset() or dt.timedelta()
        offset = median_low(seen) if seen else int(zone_offset.total_seconds())
        return ServerTime(server_msc=int((now.timestamp() + offset) * 1000), offset_seconds=offset)


def _in_child() -> None:
    for export in list(_exports):
        export.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)


def offset_of(server_msc: int, changed_at: dt.datetime) -> int | None:
    """Seconds by which the server's clock is ahead of UTC, from a row that was not touched after its deal."""
    apart = server_msc / 1000 - changed_at.timestamp()
    offset = round(apart / QUARTER_SECONDS) * QUARTER_SECONDS
    return offset if abs(apart - offset) <= FRESH_SECONDS and abs(offset) <= 15 * 3600 else None


def instant_of(server_msc: int, changed_at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """A server time as an instant; in the doubled hour of autumn the change stamp of a fresh row tells which one."""
    first, second = units.to_utc(server_msc, zone), units.to_utc(server_msc, zone, later=True)
    is_second = first != second and abs((changed_at - second).total_seconds()) <= FRESH_SECONDS
    return second if is_second else first


def group_matches(mask: str, name: str) -> bool:
    """`real*,!real\\test`: a list with `*` as a wildcard; `!` takes away."""
    wanted = False
    for item in filter(None, (part.strip() for part in mask.split(","))):
        if re.fullmatch(re.escape(item.removeprefix("!")).replace(r"\*", ".*"), name):
            if item.startswith("!"):
                return False
            wanted = True
    return wanted


def _text(name: str, value: object) -> str:
    """A column's value as the Web API writes it: times in seconds or milliseconds of the server's clock, the rest as text."""
    if value is None:
        return ""
    if name.startswith("Time") and isinstance(value, str) and "-" in value:
        value = dt.datetime.fromisoformat(value)
    if isinstance(value, dt.datetime):
        seconds = value.replace(tzinfo=dt.UTC).timestamp()
        return str(round(seconds * 1000) if name.endswith("Msc") else int(seconds))
    if isinstance(value, float):  # a database that keeps prices as floats: as many digits as it has
        return format(Decimal(repr(value)), "f")
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _as_error(problem: Exception) -> PlatformError:
    """What went wrong with a query: time, way, or the export itself."""
    told = _without_secrets(problem)
    if isinstance(problem, psycopg.errors.QueryCanceled) or "locked" in told:
        return ReadTimedOut(f"the export did not answer in time ({told})", command="EXPORT")
    if isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError):
        return ReadTimedOut(f"the connection to the export was lost ({told})", command="EXPORT")
    return FinalError(f"the export can't be read ({told})", command="EXPORT")


def _without_secrets(problem: Exception) -> str:
    return re.sub(
        r"(://[^:/@\s]+:)[^@\s]+@", r"\1***@", str(problem).strip().splitlines()[0] if str(problem) else "no reason"
    )


__all__ = ["SqlExport", "filetime", "from_filetime", "group_matches", "instant_of", "offset_of"]
