"""The SQL export as brokers switch it on: deals in a table per year with a change stamp, users, accounts and positions.

Times are the server's wall clock, as DATETIME; deals keep `Timestamp`, the stamp of their last change.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.engine.books import Books
from sandbox.mt5 import users

LEFT_OUT = ("ApiData", "Time", "TimeMsc", "Deal")
CLOCKS = ("TimeCreate", "TimeUpdate", "Registration", "LastAccess", "LastPassChange")
KEYS = {"mt5_users": "Login", "mt5_accounts": "Login", "mt5_positions": "Position_ID"}


class Exporter:
    """Writes what changed since the last time; a deleted deal is deleted in the export, too."""

    def __init__(self, books: Books, path: Path) -> None:
        self.books, self.store = books, books.store
        self.db = sqlite3.connect(path, isolation_level=None)
        self.tables: set[str] = set()
        self.shown: set[int] = set()

    def step(self) -> int:
        """How many deals were written."""
        rows, deleted = self.store.take_touched()
        logins = self._changed_logins()
        if not rows and not deleted and not logins:
            return 0
        self.db.execute("BEGIN IMMEDIATE")
        self._accounts(logins)
        for stamp, data in rows:
            self._write(stamp, json.loads(data))
        for table in self.tables:
            self.db.executemany(f'DELETE FROM {table} WHERE "Deal" = ?', [(ticket,) for ticket in deleted])  # noqa: S608
        self.db.execute("COMMIT")
        return len(rows)

    def _changed_logins(self) -> set[int]:
        """Accounts whose figures moved: touched ones, those with positions, and those that had some the last time."""
        held = {login for login, tickets in self.store.by_login.items() if tickets}
        changed = self.store.take_changed_users() | held | self.shown
        self.shown = held
        return changed

    def _accounts(self, logins: set[int]) -> None:
        known = [self.store.users[login] for login in sorted(logins) if login in self.store.users]
        self._put("mt5_users", [users.user_json(self.books, user) for user in known])
        self._put("mt5_accounts", [users.account_json(self.books, user.login) for user in known])
        if "mt5_positions" in self.tables:
            self.db.execute("DELETE FROM mt5_positions")
        held = [login for login in self.store.by_login if login in self.store.users]
        self._put("mt5_positions", [row for login in held for row in users.position_json(self.books, login)])

    def _put(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            values = {name: _stored(name, value) for name, value in row.items() if name != "ApiData"}
            if table == "mt5_positions":
                values = {"Position_ID": values.pop("Position"), **values}
            self._insert(table, KEYS[table], values)

    def _write(self, stamp: int, deal: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(int(deal["TimeMsc"]) / 1000, UTC).replace(tzinfo=None)
        names = [name for name in deal if name not in LEFT_OUT]
        values = {
            "Deal": int(deal["Deal"]),
            "Timestamp": stamp,
            "Time": str(at.replace(microsecond=0)),
            "TimeMsc": at.isoformat(" ", "milliseconds"),
            **{name: str(deal[name]) for name in names},
        }
        self._insert(f"mt5_deals_{at.year}", "Deal", values)

    def _insert(self, table: str, key: str, values: dict[str, object]) -> None:
        if table not in self.tables:
            kinds = {name: "INTEGER" if isinstance(value, int) else "TEXT" for name, value in values.items()}
            kinds[key] = "INTEGER PRIMARY KEY"
            columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
            self.db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
            self.tables.add(table)
        marks = ", ".join("?" for _value in values)
        quoted = ", ".join(f'"{name}"' for name in values)
        self.db.execute(f"INSERT OR REPLACE INTO {table} ({quoted}) VALUES ({marks})", list(values.values()))  # noqa: S608


def _stored(name: str, value: object) -> object:
    if name in CLOCKS:
        return str(datetime.fromtimestamp(int(str(value)), UTC).replace(tzinfo=None))
    if name.endswith("Msc"):
        return datetime.fromtimestamp(int(str(value)) / 1000, UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")
    return value if isinstance(value, int) else str(value)
