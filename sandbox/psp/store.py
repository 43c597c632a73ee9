"""The sandbox's memory: one SQLite file, one connection, one lock. Restarting the server loses nothing."""

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
  id TEXT PRIMARY KEY, psp TEXT NOT NULL, reference TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT
  NULL,
  method TEXT NOT NULL DEFAULT '', status TEXT NOT NULL, return_url TEXT NOT NULL, locale TEXT NOT NULL DEFAULT 'en',
  merchant_name TEXT NOT NULL DEFAULT '', request_hash TEXT NOT NULL, token TEXT NOT NULL UNIQUE, received_minor
  INTEGER,
  refunded_minor INTEGER NOT NULL DEFAULT 0, payer_name TEXT NOT NULL DEFAULT '', instrument TEXT NOT NULL DEFAULT '',
  failure TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, updated_at REAL NOT NULL, UNIQUE (psp, reference));
CREATE TABLE IF NOT EXISTS transfers (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('payout', 'refund')), psp TEXT NOT NULL, reference TEXT NOT
  NULL,
  payment_id TEXT, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, destination TEXT NOT NULL DEFAULT '{}',
  status TEXT NOT NULL, request_hash TEXT NOT NULL, failure TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL,
  updated_at REAL NOT NULL, UNIQUE (psp, kind, reference));
CREATE TABLE IF NOT EXISTS movements (
  id INTEGER PRIMARY KEY, psp TEXT NOT NULL, type TEXT NOT NULL, psp_reference TEXT NOT NULL, merchant_reference TEXT
  NOT NULL,
  original_reference TEXT NOT NULL DEFAULT '', gross_minor INTEGER NOT NULL, fee_minor INTEGER NOT NULL, currency
  TEXT NOT NULL,
  method TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, UNIQUE (psp, type, psp_reference));
CREATE INDEX IF NOT EXISTS movements_by_day ON movements (psp, created_at);
CREATE TABLE IF NOT EXISTS events (
  id TEXT PRIMARY KEY, psp TEXT NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, event_id TEXT NOT NULL REFERENCES events(id), psp TEXT NOT NULL, due_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting', answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS timers (
  id INTEGER PRIMARY KEY, due_at REAL NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS disputes (
  id TEXT PRIMARY KEY, psp TEXT NOT NULL, payment_id TEXT NOT NULL UNIQUE, amount_minor INTEGER NOT NULL, currency TEXT
  NOT NULL,
  reason TEXT NOT NULL, status TEXT NOT NULL, withdrawn INTEGER NOT NULL DEFAULT 0, evidence TEXT NOT NULL DEFAULT '{}',
  due_at REAL NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS idempotency (
  psp TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, status INTEGER, body BLOB, PRIMARY KEY (psp, key));
CREATE TABLE IF NOT EXISTS notes (
  psp TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (psp, subject, name));
CREATE TABLE IF NOT EXISTS faults (
  psp TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, remaining INTEGER, PRIMARY KEY (psp, name));
"""


class Store:
    """SQLite behind a lock; `transaction()` is the only way to write."""

    def __init__(self, path: Path | str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator["Store"]:
        """Everything inside happens, or nothing does; nesting joins the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement and return how many rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, values: list[tuple[Any, ...]]) -> int:
        with self._lock:
            return self._connection.executemany(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> None:
        """Insert one row; table and column names come from our own code only."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        self.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values.values())  # noqa: S608

    def note(self, psp: str, subject: str, name: str, value: str) -> None:
        """Remember something about a payment, a transfer or the dialect itself; the later note counts."""
        self.run(
            "INSERT OR REPLACE INTO notes (psp, subject, name, value) VALUES (?, ?, ?, ?)", psp, subject, name, value
        )

    def noted(self, psp: str, subject: str, name: str) -> str:
        row = self.row("SELECT value FROM notes WHERE psp = ? AND subject = ? AND name = ?", psp, subject, name)
        return row["value"] if row else ""

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def new_id(prefix: str) -> str:
    """Make a random id with this prefix."""
    return f"{prefix}_{secrets.token_hex(12)}"


def now() -> float:
    """Read the clock, in seconds since 1970."""
    return time.time()
