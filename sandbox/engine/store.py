"""The server's state in one SQLite file: users, deals, open positions, counters."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  login INTEGER PRIMARY KEY, grp TEXT NOT NULL, leverage INTEGER NOT NULL, rights INTEGER NOT NULL,
  balance TEXT NOT NULL, credit TEXT NOT NULL, pass_main TEXT NOT NULL, pass_investor TEXT NOT NULL,
  registration INTEGER NOT NULL, last_access INTEGER NOT NULL, fields TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deals (
  ticket INTEGER PRIMARY KEY, login INTEGER NOT NULL, time_msc INTEGER NOT NULL, symbol TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS deals_of_login ON deals (login, time_msc);
CREATE INDEX IF NOT EXISTS deals_by_time ON deals (time_msc);
CREATE TABLE IF NOT EXISTS positions (
  ticket INTEGER PRIMARY KEY, login INTEGER NOT NULL, symbol TEXT NOT NULL, action INTEGER NOT NULL,
  volume_ext INTEGER NOT NULL, price_open TEXT NOT NULL, time_msc INTEGER NOT NULL, storage TEXT NOT NULL,
  comment TEXT NOT NULL, close_at_msc INTEGER
);
CREATE TABLE IF NOT EXISTS orders (
  ticket INTEGER PRIMARY KEY, login INTEGER NOT NULL, is_open INTEGER NOT NULL, done_msc INTEGER NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of_login ON orders (login, is_open);
CREATE TABLE IF NOT EXISTS archive (login INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# What `User.fields` may hold about a person and an account, by name.
PERSONAL = (
    "Name",
    "Company",
    "Language",
    "Country",
    "City",
    "State",
    "ZipCode",
    "Address",
    "Phone",
    "Email",
    "ID",
    "Status",
    "Comment",
    "Color",
    "Agent",
    "PhonePassword",
    "FirstName",
    "LastName",
    "LeadSource",
    "LeadCampaign",
)


@dataclass
class User:
    login: int
    group: str
    leverage: int
    rights: int
    balance: Decimal
    credit: Decimal
    pass_main: str
    pass_investor: str
    registration: int
    last_access: int
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Position:
    """An open position. Volume in 1/100,000,000 lot; `storage` is the swap gathered so far."""

    ticket: int
    login: int
    symbol: str
    action: int
    volume_ext: int
    price_open: Decimal
    time_msc: int
    storage: Decimal
    comment: str = ""
    close_at_msc: int | None = None

    @property
    def lots(self) -> Decimal:
        return Decimal(self.volume_ext).scaleb(-8)


def hash_password(login: int, password: str) -> str:
    """Hash a password together with its login."""
    return hashlib.sha256(f"{login}:{password}".encode()).hexdigest()


def _user_from(data: dict[str, Any]) -> User:
    return User(**{**data, "balance": Decimal(data["balance"]), "credit": Decimal(data["credit"])})


class Store:
    """Users and positions live in memory and are written through; deals stay in the file."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA)
        if "changed" not in {row[1] for row in self.db.execute("PRAGMA table_info(deals)")}:
            self.db.execute("ALTER TABLE deals ADD COLUMN changed INTEGER NOT NULL DEFAULT 0")
        self.db.execute("CREATE INDEX IF NOT EXISTS deals_by_change ON deals (changed)")
        self.stamp: Callable[[], int] = lambda: 0  # the server's clock gives it
        self._touched: list[int] | None = None  # tickets, once somebody asked
        self._deleted: list[int] = []
        self._changed_users: set[int] | None = None  # logins, once somebody asked
        self.deal_versions: dict[int, int] = {}  # by login: grows with every change of its deals
        self.users: dict[int, User] = {}
        self.positions: dict[int, Position] = {}
        self.by_login: dict[int, set[int]] = {}
        self._load()

    def _load(self) -> None:
        for row in self.db.execute("SELECT * FROM users"):
            login, group, leverage, rights, balance, credit, main, investor, registered, seen, fields = row
            self.users[login] = User(
                login,
                group,
                leverage,
                rights,
                Decimal(balance),
                Decimal(credit),
                main,
                investor,
                registered,
                seen,
                json.loads(fields),
            )
        for row in self.db.execute("SELECT * FROM positions"):
            ticket, login, symbol, action, volume, price, at, storage, comment, close_at = row
            self._remember(
                Position(ticket, login, symbol, action, volume, Decimal(price), at, Decimal(storage), comment, close_at)
            )

    def _remember(self, position: Position) -> None:
        self.positions[position.ticket] = position
        self.by_login.setdefault(position.login, set()).add(position.ticket)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing on disk. A crash in between leaves the file as it was."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # -- counters and settings

    def get(self, key: str, default: str = "") -> str:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else default

    def put(self, key: str, value: object) -> None:
        self.db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, str(value))
        )

    def next_ticket(self, kind: str) -> int:
        """Take the next deal or order number. Inside the transaction that uses it."""
        number = int(self.get(f"next_{kind}", "1"))
        self.put(f"next_{kind}", number + 1)
        return number

    def raise_ticket(self, kind: str, at_least: int) -> None:
        if int(self.get(f"next_{kind}", "1")) <= at_least:
            self.put(f"next_{kind}", at_least + 1)

    # -- users

    def save_user(self, user: User) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO users VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                user.login,
                user.group,
                user.leverage,
                user.rights,
                str(user.balance),
                str(user.credit),
                user.pass_main,
                user.pass_investor,
                user.registration,
                user.last_access,
                json.dumps(user.fields),
            ),
        )
        self.users[user.login] = user
        if self._changed_users is not None:
            self._changed_users.add(user.login)

    def take_changed_users(self) -> set[int]:
        """Logins of users that were saved since the last time; the first time all."""
        changed = set(self.users) if self._changed_users is None else self._changed_users
        self._changed_users = set()
        return changed

    def delete_user(self, login: int) -> None:
        self.db.execute("DELETE FROM users WHERE login = ?", (login,))
        self.users.pop(login, None)

    def positions_of(self, login: int) -> list[Position]:
        return [self.positions[ticket] for ticket in sorted(self.by_login.get(login, ()))]

    # -- positions

    def save_position(self, position: Position) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO positions VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                position.ticket,
                position.login,
                position.symbol,
                position.action,
                position.volume_ext,
                str(position.price_open),
                position.time_msc,
                str(position.storage),
                position.comment,
                position.close_at_msc,
            ),
        )
        self._remember(position)

    def delete_position(self, position: Position) -> None:
        self.db.execute("DELETE FROM positions WHERE ticket = ?", (position.ticket,))
        self.positions.pop(position.ticket, None)
        self.by_login.get(position.login, set()).discard(position.ticket)

    # -- deals

    def add_deal(self, deal: dict[str, Any]) -> None:
        self.add_deals([deal])

    def _touch(self, deals: list[dict[str, Any]]) -> None:
        if self._touched is not None:
            self._touched += [int(deal["Deal"]) for deal in deals]

    def _count_change(self, *logins: int) -> None:
        for login in logins:
            self.deal_versions[login] = self.deal_versions.get(login, 0) + 1

    def add_deals(self, deals: Iterable[dict[str, Any]]) -> None:
        deals, stamp = list(deals), self.stamp()
        self._touch(deals)
        self._count_change(*(int(deal["Login"]) for deal in deals))
        self.db.executemany(
            "INSERT INTO deals (ticket, login, time_msc, symbol, data, changed) VALUES (?,?,?,?,?,?)",
            (
                (
                    int(d["Deal"]),
                    int(d["Login"]),
                    int(d["TimeMsc"]),
                    d["Symbol"],
                    json.dumps(d, ensure_ascii=False),
                    stamp,
                )
                for d in deals
            ),
        )

    def change_deal(self, deal: dict[str, Any]) -> None:
        self._touch([deal])
        self._count_change(int(deal["Login"]))
        self.db.execute(
            "UPDATE deals SET time_msc = ?, symbol = ?, data = ?, changed = ? WHERE ticket = ?",
            (
                int(deal["TimeMsc"]),
                deal["Symbol"],
                json.dumps(deal, ensure_ascii=False),
                self.stamp(),
                int(deal["Deal"]),
            ),
        )

    def take_touched(self) -> tuple[list[tuple[int, str]], list[int]]:
        """Take what an export has to follow: (change stamp, deal) of new and changed deals, and deleted tickets.

        The first time it is everything; from then on what happened since the last time.
        """
        if self._touched is None:
            rows = self.db.execute("SELECT changed, data FROM deals ORDER BY ticket").fetchall()
        else:
            query = "SELECT changed, data FROM deals WHERE ticket = ?"
            rows = [row for ticket in self._touched for row in self.db.execute(query, (ticket,))]
        deleted, self._touched, self._deleted = self._deleted, [], []
        return rows, deleted

    def delete_deal(self, ticket: int) -> None:
        if self._touched is not None:
            self._deleted.append(ticket)
        self._count_change(*(row[0] for row in self.db.execute("SELECT login FROM deals WHERE ticket = ?", (ticket,))))
        self.db.execute("DELETE FROM deals WHERE ticket = ?", (ticket,))

    # -- orders

    def save_order(self, order: dict[str, Any]) -> None:
        done = int(order["TimeDoneMsc"])
        self.db.execute(
            "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?)",
            (int(order["Order"]), int(order["Login"]), int(not done), done, json.dumps(order, ensure_ascii=False)),
        )

    def order(self, ticket: int) -> dict[str, Any] | None:
        row = self.db.execute("SELECT data FROM orders WHERE ticket = ?", (ticket,)).fetchone()
        return json.loads(row[0]) if row else None

    def delete_order(self, ticket: int) -> None:
        self.db.execute("DELETE FROM orders WHERE ticket = ?", (ticket,))

    def open_orders(self, login: int | None = None) -> list[dict[str, Any]]:
        query, arguments = "SELECT data FROM orders WHERE is_open", list[int]()
        if login is not None:
            query, arguments = query + " AND login = ?", [login]
        return [json.loads(data) for (data,) in self.db.execute(query + " ORDER BY ticket", arguments)]

    def closed_orders(self, login: int, first_msc: int, last_msc: int) -> list[dict[str, Any]]:
        query = "SELECT data FROM orders WHERE login = ? AND NOT is_open AND done_msc BETWEEN ? AND ?"
        return [json.loads(data) for (data,) in self.db.execute(query, (login, first_msc, last_msc))]

    def deal_of_order(self, order: int) -> dict[str, Any] | None:
        query = "SELECT data FROM deals WHERE json_extract(data, '$.Order') = ? LIMIT 1"
        row = self.db.execute(query, (str(order),)).fetchone()
        return json.loads(row[0]) if row else None

    # -- archive

    def archived_user(self, login: int) -> User | None:
        row = self.db.execute("SELECT data FROM archive WHERE login = ?", (login,)).fetchone()
        return _user_from(json.loads(row[0])) if row else None

    def archive_user(self, login: int) -> None:
        user = self.users[login]
        data = {**asdict(user), "balance": str(user.balance), "credit": str(user.credit)}
        self.db.execute("INSERT OR REPLACE INTO archive VALUES (?, ?)", (login, json.dumps(data)))
        self.delete_user(login)

    def archived(self) -> list[int]:
        return [login for (login,) in self.db.execute("SELECT login FROM archive ORDER BY login")]

    def restore_user(self, login: int, last_access: int) -> bool:
        """Bring a user back with a new time of access; False when there is none in the archive."""
        row = self.db.execute("SELECT data FROM archive WHERE login = ?", (login,)).fetchone()
        if row is None:
            return False
        self.db.execute("DELETE FROM archive WHERE login = ?", (login,))
        self.save_user(replace(_user_from(json.loads(row[0])), last_access=last_access))
        return True

    # -- reading deals

    def deal(self, ticket: int) -> dict[str, Any] | None:
        row = self.db.execute("SELECT data FROM deals WHERE ticket = ?", (ticket,)).fetchone()
        return json.loads(row[0]) if row else None

    def newest_deals(self, count: int) -> list[dict[str, Any]]:
        rows = self.db.execute("SELECT data FROM deals ORDER BY ticket DESC LIMIT ?", (count,))
        return [json.loads(data) for (data,) in rows]

    def deals_between(
        self, first_msc: int, last_msc: int, login: int | None = None, symbol: str = ""
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """(login, deal) in order of time and ticket."""
        query = "SELECT login, data FROM deals WHERE time_msc BETWEEN ? AND ?"
        arguments: list[int | str] = [first_msc, last_msc]
        if login is not None:
            query, arguments = query + " AND login = ?", [*arguments, login]
        if symbol:
            query, arguments = query + " AND symbol = ?", [*arguments, symbol]
        for owner, data in self.db.execute(query + " ORDER BY time_msc, ticket", arguments):
            yield owner, json.loads(data)

    def count_deals(self, login: int, first_msc: int, last_msc: int) -> int:
        row = self.db.execute(
            "SELECT count(*) FROM deals WHERE login = ? AND time_msc BETWEEN ? AND ?", (login, first_msc, last_msc)
        ).fetchone()
        return int(row[0])

    def page_of_deals(self, login: int, first_msc: int, last_msc: int, offset: int, total: int) -> list[dict[str, Any]]:
        rows = self.db.execute(
            "SELECT data FROM deals WHERE login = ? AND time_msc BETWEEN ? AND ? "
            "ORDER BY time_msc, ticket LIMIT ? OFFSET ?",
            (login, first_msc, last_msc, total, offset),
        )
        return [json.loads(row[0]) for row in rows]
