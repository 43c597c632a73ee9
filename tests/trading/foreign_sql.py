"""Databases that are not here, over SQLite: their SQL is read by a parser of their own dialect and answered by the same rules.

For MySQL there is its wire protocol around it, so that the driver meets a real socket; `KEELSON_TEST_MYSQL_URL` puts a real
MySQL or MariaDB in its place. What no test here can show: how a real SQL Server or Oracle answers.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import sqlglot
from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, User
from mysql_mimic import Session as MimicSession

PASSWORD = "Secret-1!"
TABLES = re.compile(r"information_schema\.tables|all_tables")


class ForeignDatabase:
    """One database in memory that understands `dialect` (as sqlglot calls it); `asked` is every query it got."""

    def __init__(self, dialect: str, fold: Any = str) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.dialect, self.fold, self.asked = dialect, fold, list[str]()

    def run(self, sql: str, arguments: Sequence[object] = ()) -> tuple[list[str], list[list[object]]]:
        self.asked.append(sql)
        if TABLES.search(sql):
            rows = self.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return [self.fold("table_name")], [[self.fold(name)] for (name,) in rows]
        text = re.sub(r"%s|:\d+", "?", sql) if arguments else sql
        (statement,) = sqlglot.transpile(text, read=self.dialect, write="sqlite")
        cursor = self.db.execute(statement, list(arguments))
        names = [column[0] for column in cursor.description or []]
        rows = [[_as_stored(name, value) for name, value in zip(names, row, strict=True)] for row in cursor]
        return [self.fold(name) for name in names], rows


def _as_stored(name: str, value: object) -> object:
    """Times and money as the types in which a database hands them out; SQLite keeps both as text."""
    if isinstance(value, str) and (name.startswith("Time") or name == "Registration"):
        return dt.datetime.fromisoformat(value)
    is_money = name.startswith(("Price", "Profit", "Balance", "Equity", "Margin", "Rate"))
    return Decimal(str(value)) if is_money and value is not None else value


class ForeignConnection:
    """The little of a driver's connection that a reader needs."""

    def __init__(self, database: ForeignDatabase) -> None:
        self.database, self.description, self.rows = database, list[tuple[str]](), list[list[object]]()

    def cursor(self) -> ForeignConnection:
        return self

    def execute(self, sql: str, arguments: Sequence[object] = ()) -> None:
        names, self.rows = self.database.run(sql, arguments)
        self.description = [(name,) for name in names]

    def fetchall(self) -> list[list[object]]:
        return self.rows

    def close(self) -> None:
        """Nothing is open."""


class MySqlSession(MimicSession):
    """A MySQL session over the database of the class."""

    database_in_memory: ForeignDatabase

    async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:
        names, rows = self.database_in_memory.run(sql)
        return rows, names

    async def schema(self) -> dict[str, Any]:
        names = self.database_in_memory.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {"export": {name: {"Timestamp": "BIGINT"} for (name,) in names}}


class Reader(IdentityProvider):
    """One user, whose password is checked as MySQL does."""

    def get_plugins(self) -> list[NativePasswordAuthPlugin]:
        return [NativePasswordAuthPlugin()]

    async def get_user(self, username: str) -> User | None:
        secret = NativePasswordAuthPlugin.create_auth_string(PASSWORD)
        return User(name=username, auth_string=secret, auth_plugin=NativePasswordAuthPlugin.name)


@contextmanager
def mysql_address() -> Iterator[str]:
    """The address of an empty MySQL database: a real one where the environment names it."""
    if real := os.environ.get("KEELSON_TEST_MYSQL_URL"):
        yield real
        return
    kind = type("Session", (MySqlSession,), {"database_in_memory": ForeignDatabase("mysql")})
    started, loop = threading.Event(), asyncio.new_event_loop()
    server = MysqlServer(session_factory=kind, identity_provider=Reader())
    ports: list[int] = []

    async def serve() -> None:
        await server.start_server(host="127.0.0.1", port=0)
        ports.append(server._server.sockets[0].getsockname()[1])
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        server.close()
        loop.run_until_complete(_end(loop))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield f"mysql://reader:{PASSWORD}@127.0.0.1:{ports[0]}/export"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Let the sessions that are still open go."""
    tasks = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
