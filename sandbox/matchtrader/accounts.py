"""User accounts with their passwords, and what a trading account has beside the engine's books: uuid, version, remarks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.engine.books import RIGHT_TRADE_DISABLED, RIGHTS_DEFAULT, Books, Refused
from sandbox.engine.store import User, hash_password
from sandbox.matchtrader.names import (
    ACCESS_RIGHTS,
    CLOSE_ONLY,
    FULL,
    LOCKED_CLOSE_ONLY,
    LOGIN_DISABLED,
    OFFERED,
    TRADING_DISABLED,
    wire_group,
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS mtr_people (
  email TEXT PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, password TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mtr_accounts (
  login INTEGER PRIMARY KEY, version INTEGER NOT NULL, word TEXT NOT NULL, data TEXT NOT NULL
);
"""
SPACE = uuid.UUID("6f0d3c1e-52a4-4d0b-9a55-0d6f1f6f0b11")
ENABLED = 0x1
BAD, UNKNOWN, TAKEN, STALE = 3, 13, 3004, 4090  # the books' codes, and one of our own


def bits(word: str, now: int) -> int:
    """Set the engine's rights for one of the platform's words."""
    if word == FULL:
        return (now | ENABLED) & ~RIGHT_TRADE_DISABLED
    if word == LOGIN_DISABLED:
        return (now | RIGHT_TRADE_DISABLED) & ~ENABLED
    return now | ENABLED | RIGHT_TRADE_DISABLED


class Accounts:
    """Own tables in the same file; whoever came by the import gets a user account of their e-mail address when looked at."""

    def __init__(self, books: Books) -> None:
        self.books, self.db = books, books.store.db
        self.db.executescript(SCHEMA)

    # -- user accounts

    def person(self, *, email: str = "", key: str = "") -> dict[str, Any] | None:
        query = "SELECT email, uuid, password, data FROM mtr_people WHERE (? AND email = ?) OR (NOT ? AND uuid = ?)"
        row = self.db.execute(query, (bool(email), email.lower(), bool(email), key)).fetchone()
        if row is not None:
            return {**json.loads(row[3]), "email": row[0], "uuid": row[1], "password": row[2]}
        for user in self.books.store.users.values():
            owner = owner_of(user)
            if (owner == email.lower()) if email else (self._uuid(owner) == key):
                return self.add_person({"email": owner, "personalDetails": {"name": user.fields.get("Name", "")}})
        return None

    @staticmethod
    def _uuid(owner: str) -> str:
        return str(uuid.uuid5(SPACE, f"person:{owner}"))

    def add_person(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add a user account. Raises Refused when there is one of this address."""
        email = str(data.get("email") or "").strip().lower()
        if "@" not in email:
            raise Refused(BAD)
        if self.db.execute("SELECT 1 FROM mtr_people WHERE email = ?", (email,)).fetchone():
            raise Refused(TAKEN)
        known = {name: value for name, value in data.items() if name not in ("email", "password")}
        row = (
            email,
            self._uuid(email),
            hash_password(0, str(data.get("password") or "")),
            json.dumps(known, default=str),
        )
        self.db.execute("INSERT INTO mtr_people VALUES (?,?,?,?)", row)
        return {**known, "email": email, "uuid": row[1], "password": row[2]}

    def set_password(self, key: str, password: str) -> None:
        """Of the person, for all their trading accounts."""
        person = self.person(key=key)
        if person is None:
            raise Refused(UNKNOWN)
        if not 6 <= len(password) <= 64:
            raise Refused(3006)
        self.db.execute("UPDATE mtr_people SET password = ? WHERE uuid = ?", (hash_password(0, password), key))

    # -- trading accounts

    def listed(self, group: str = "", words: list[str] | None = None) -> Iterator[User]:
        for user in sorted(self.books.store.users.values(), key=lambda one: one.login):
            name = wire_group(user.group)
            if name in OFFERED and group in ("", name) and (words is None or self.word(user) in words):
                yield user

    def find(self, login: str) -> User:
        """Find an account. Raises Refused for one that is not there, or in a group that this platform does not offer."""
        user = self.books.user(int(login) if login.isdigit() else None)
        if wire_group(user.group) not in OFFERED:
            raise Refused(UNKNOWN)
        return user

    def kept(self, login: int) -> tuple[int, str, dict[str, Any]]:
        """Version, last word, and what else was said when it was made."""
        row = self.db.execute("SELECT version, word, data FROM mtr_accounts WHERE login = ?", (login,)).fetchone()
        return (int(row[0]), row[1], json.loads(row[2])) if row else (1, "", {})

    def _keep(self, login: int, version: int, word: str, data: dict[str, Any]) -> None:
        values = (login, version, word, json.dumps(data, default=str))
        self.db.execute("INSERT OR REPLACE INTO mtr_accounts VALUES (?,?,?,?)", values)

    def word(self, user: User) -> str:
        """As it was set, as long as the engine's rights agree: its own desk may have changed them."""
        if not user.rights & ENABLED:
            return LOGIN_DISABLED
        if not user.rights & RIGHT_TRADE_DISABLED:
            return FULL
        _version, said, _data = self.kept(user.login)
        return said if said in (CLOSE_ONLY, LOCKED_CLOSE_ONLY) else TRADING_DISABLED

    def add(self, owner: str, data: dict[str, Any]) -> User:
        """Add a trading account for a user account. Raises Refused."""
        person = self.person(key=owner)
        if person is None:
            raise Refused(UNKNOWN)
        group, details = OFFERED.get(str(data.get("group"))), data.get("accountDetails")
        percent, word = data.get("leverageRatioPercent"), str(data.get("accessRight") or FULL)
        if group is None:
            raise Refused(8)
        if (
            data.get("accountType") not in ("DEMO", "REAL")
            or not isinstance(details, dict)
            or word not in ACCESS_RIGHTS
        ):
            raise Refused(BAD)
        if not isinstance(percent, int) or not 100 <= percent <= 50_000:
            raise Refused(BAD)
        store, now, login = self.books.store, self.books.clock.now(), int(data.get("login") or 0)
        if login in store.users:
            raise Refused(TAKEN)
        with store.transaction():
            while not login:
                candidate = store.next_ticket("login")
                login = candidate if candidate not in store.users else 0
            names = (str(details.get(part) or "") for part in ("firstName", "lastName"))
            fields = {
                "Name": " ".join(filter(None, names)),
                "Email": str(details.get("email") or person["email"]),
                "Country": str((details.get("addressDetails") or {}).get("country") or ""),
                "Phone": str(details.get("phoneNumber") or ""),
            }
            store.save_user(
                User(
                    login,
                    group.name,
                    percent // 100,
                    bits(word, RIGHTS_DEFAULT),
                    Decimal(0),
                    Decimal(0),
                    person["password"],
                    person["password"],
                    now,
                    now,
                    fields,
                )
            )
            more = {"owner": owner, "remarks": str(data.get("remarks") or ""), "isProView": bool(data.get("isProView"))}
            self._keep(login, 1, word, more)
        return store.users[login]

    def change(self, login: str, data: dict[str, Any]) -> None:
        """Change an account under the version that it has now. Raises Refused."""
        user = self.find(login)
        version, _said, more = self.kept(user.login)
        if not isinstance(data.get("version"), int):
            raise Refused(BAD)
        if data["version"] != version:
            raise Refused(STALE)
        group = OFFERED.get(str(data.get("group") or wire_group(user.group)))
        if group is None:
            raise Refused(8)
        if group.currency != OFFERED[wire_group(user.group)].currency:
            raise Refused(3010)
        percent, word = (
            data.get("leverageRatioPercent", user.leverage * 100),
            str(data.get("accessRight") or self.word(user)),
        )
        if not isinstance(percent, int) or not 100 <= percent <= 50_000 or word not in ACCESS_RIGHTS:
            raise Refused(BAD)
        more |= {name: data[name] for name in ("remarks", "isProView") if name in data}
        changed = replace(user, group=group.name, leverage=percent // 100, rights=bits(word, user.rights))
        with self.books.store.transaction():
            self.books.store.save_user(changed)
            self._keep(user.login, version + 1, word, more)

    def race(self, login: str) -> None:
        """Somebody else changes the account at this moment: only its version tells."""
        version, said, more = self.kept(int(login))
        self._keep(int(login), version + 1, said, more)


def owner_of(user: User) -> str:
    """Find the e-mail address of an account's owner; imported accounts without one have one of their own."""
    return (user.fields.get("Email") or f"{user.login}@people.example").lower()
