"""The SQL export as brokers switch it on: deals in a table per year, times as the server's wall clock, and a change stamp."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.mt5.store import Store

TEXTS = ("ExternalID", "Symbol", "Comment", "Gateway")
LEFT_OUT = ("ApiData", "Time", "TimeMsc", "Deal")


class Exporter:
    """Writes what changed since the last time; a deleted deal is deleted in the export, too."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store = store
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute('CREATE TABLE IF NOT EXISTS mt5_users ("Login" INTEGER PRIMARY KEY, "Group" TEXT)')
        self.tables: set[str] = set()

    def step(self) -> int:
        """How many deals were written."""
        rows, gone = self.store.take_touched()
        if not rows and not gone:
            return 0
        self.db.execute("BEGIN IMMEDIATE")
        users = [(user.login, user.group) for user in self.store.users.values()]
        self.db.executemany("INSERT OR REPLACE INTO mt5_users VALUES (?, ?)", users)
        for stamp, data in rows:
            self._write(stamp, json.loads(data))
        for table in self.tables:
            self.db.executemany(f'DELETE FROM {table} WHERE "Deal" = ?', [(ticket,) for ticket in gone])  # noqa: S608
        self.db.execute("COMMIT")
        return len(rows)

    def _write(self, stamp: int, deal: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(int(deal["TimeMsc"]) / 1000, UTC).replace(tzinfo=None)
        names = [name for name in deal if name not in LEFT_OUT]
        table = f"mt5_deals_{at.year}"
        if table not in self.tables:
            columns = ", ".join(f'"{name}" TEXT' for name in names)
            self.db.execute(
                f'CREATE TABLE IF NOT EXISTS {table} ("Deal" INTEGER PRIMARY KEY, "Timestamp" INTEGER, "Time" TEXT, '
                f'"TimeMsc" TEXT, {columns})'
            )
            self.tables.add(table)
        values = [int(deal["Deal"]), stamp, str(at.replace(microsecond=0)), at.isoformat(" ", "milliseconds"),
                  *(str(deal[name]) for name in names)]  # fmt: skip
        marks = ", ".join("?" for _value in values)
        quoted = ", ".join(f'"{name}"' for name in ("Deal", "Timestamp", "Time", "TimeMsc", *names))
        self.db.execute(f"INSERT OR REPLACE INTO {table} ({quoted}) VALUES ({marks})", values)  # noqa: S608
