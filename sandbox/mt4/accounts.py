"""User records: made without a password, shown without one, changed field by field; and what an account is worth."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.engine.books import RIGHT_READONLY, RIGHT_TRADE_DISABLED, AccountView, Books, Refused
from sandbox.engine.contracts import GROUPS
from sandbox.engine.store import User, hash_password
from sandbox.mt4 import names
from sandbox.mt4.records import Records
from sandbox.mt4.times import Times

ENABLED, CHANGE_PASSWORD, READ_ONLY, OTP = 0x1, 0x2, 0x4, 0x8  # of `enableFlags`
ENGINE_OTP = 0x800
OURS = 0x1 | 0x2 | RIGHT_TRADE_DISABLED | RIGHT_READONLY | ENGINE_OTP
INT32_MAX = 2**31 - 1
PASSWORD_MIN, PASSWORD_MAX = 5, 15
LEVERAGE_MAX = 500
INVALID, BAD_ACCOUNT, DISABLED = 3, 65, 64


def flags_of(rights: int) -> int:
    """Translate the engine's rights into the record's flags."""
    stopped = READ_ONLY if rights & (RIGHT_TRADE_DISABLED | RIGHT_READONLY) else 0
    return (rights & (ENABLED | CHANGE_PASSWORD)) | stopped | (OTP if rights & ENGINE_OTP else 0)


def rights_of(flags: int, rights: int) -> int:
    """Translate flags into the engine's rights; rights without a flag stay."""
    others = rights & ~OURS
    return (
        others
        | (flags & (ENABLED | CHANGE_PASSWORD))
        | (RIGHT_TRADE_DISABLED if flags & READ_ONLY else 0)
        | (ENGINE_OTP if flags & OTP else 0)
    )


class Accounts:
    """Accounts of groups that this server can have."""

    def __init__(self, books: Books, records: Records, times: Times, code_page: str) -> None:
        self.books, self.records, self.times, self.code_page = books, records, times, code_page

    def user(self, login: int) -> User | None:
        return self.books.store.users[login] if self.records.is_here(login) else None

    def all(self) -> list[User]:
        return [user for login, user in sorted(self.books.store.users.items()) if self.records.is_here(login)]

    # -- changes

    def add(self, fields: dict[str, Any]) -> User:
        """Without a password: nobody can sign in until one is set. Raises Refused."""
        store, login = self.books.store, int(fields.get("login") or 0)
        group = names.ENGINE_GROUPS.get(str(fields.get("group") or ""))
        if group is None or not 0 <= login <= INT32_MAX or not str(fields.get("name") or "").strip():
            raise Refused(INVALID)
        if login in store.users or login in store.archived():
            raise Refused(BAD_ACCOUNT)
        leverage = int(fields.get("leverage") or GROUPS[group].leverage)
        if not 1 <= leverage <= LEVERAGE_MAX:
            raise Refused(INVALID)
        flags = int(fields.get("enableFlags") or ENABLED | CHANGE_PASSWORD)
        now = self.books.clock.now()
        with store.transaction():
            while not login:
                candidate = store.next_ticket("login")
                login = candidate if candidate not in store.users else 0
            user = User(
                login,
                group,
                leverage,
                rights_of(flags, 0x40),
                Decimal(0),
                Decimal(0),
                "",
                "",
                now,
                now,
                self._texts(fields),
            )
            store.save_user(user)
        return user

    def patch(self, user: User, fields: dict[str, Any]) -> User:
        """Only what is given; unknown names are passed over. Raises Refused."""
        group = names.ENGINE_GROUPS.get(str(fields["group"])) if "group" in fields else user.group
        leverage = int(fields.get("leverage", user.leverage))
        if group is None or not 1 <= leverage <= LEVERAGE_MAX:
            raise Refused(INVALID)
        if GROUPS[group].currency != GROUPS[user.group].currency and (
            user.balance or user.credit or self.books.store.positions_of(user.login)
        ):
            raise Refused(INVALID)
        rights = rights_of(int(fields["enableFlags"]), user.rights) if "enableFlags" in fields else user.rights
        changed = replace(
            user, group=group, leverage=leverage, rights=rights, fields={**user.fields, **self._texts(fields)}
        )
        with self.books.store.transaction():
            self.books.store.save_user(changed)
        return changed

    def delete(self, user: User) -> None:
        if self.books.store.positions_of(user.login):
            raise Refused(2)
        with self.books.store.transaction():
            self.books.store.delete_user(user.login)

    def set_password(self, user: User, password: Any, *, investor: bool) -> None:
        """From 5 to 15 characters, with a letter and a digit. Raises Refused."""
        fits = isinstance(password, str) and PASSWORD_MIN <= len(password) <= PASSWORD_MAX
        if not fits or not re.search(r"[A-Za-z]", password) or not re.search(r"\d", password):
            raise Refused(INVALID)
        hashed = hash_password(user.login, password)
        changed = replace(user, pass_investor=hashed) if investor else replace(user, pass_main=hashed)
        with self.books.store.transaction():
            self.books.store.save_user(changed)

    def is_password(self, user: User, password: Any) -> bool:
        return isinstance(password, str) and user.pass_main == hash_password(user.login, password)

    def _texts(self, given: dict[str, Any]) -> dict[str, str]:
        return {
            shown: names.ansi(str(given[wire] or ""), self.code_page, limit)
            for wire, (shown, limit) in names.TEXTS.items()
            if wire in given
        }

    # -- what is shown

    def balance(self, user: User) -> Decimal:
        """Without the commission of orders that are still open: it counts when they are closed."""
        return user.balance - self.records.unrealised(user.login)

    def show(self, user: User) -> dict[str, Any]:
        zero = Decimal(0)
        return {
            "login": user.login,
            "group": names.wire_group(user.group),
            **{wire: user.fields.get(shown, "") for wire, (shown, _limit) in names.TEXTS.items()},
            "registrationDate": self.times.text(user.registration * 1000),
            "lastDate": self.times.text(user.last_access * 1000),
            "leverage": user.leverage,
            "agentAccount": 0,
            "lastIP": 0,
            "balance": self.balance(user),
            "credit": user.credit,
            "prevMonthBalance": zero,
            "prevBalance": zero,
            "prevMonthEquity": zero,
            "prevEquity": zero,
            "interestRate": zero,
            "taxes": zero,
            "enableFlags": flags_of(user.rights),
            "sendReports": 1,
            "mqid": 0,
            "userColor": 0,
        }

    def margin(self, user: User) -> dict[str, Any]:
        view = self.books.account(user.login)
        volume = sum(position.volume_ext // 1_000_000 for position in self.books.store.positions_of(user.login))
        return {
            "login": user.login,
            "group": names.wire_group(user.group),
            "leverage": user.leverage,
            "updated": self.books.clock.now(),
            "balance": self.balance(user),
            "equity": view.equity,
            "volume": volume,
            "margin": view.margin,
            "free": view.free,
            "level": view.level,
            "controllingType": "Percent",
            "levelType": _level_type(view),
        }

    def off_by(self, user: User) -> Decimal:
        """Compute what the closed rows add up to, less the account's balance."""
        rows = [row for row in self.records.closed(user.login) if row.command != "Credit"]
        return sum((row.profit + row.storage + row.commission for row in rows), Decimal(0)) - self.balance(user)

    def fix_balance(self, user: User) -> None:
        off = self.off_by(user)
        if off:
            with self.books.store.transaction():
                self.books.store.save_user(replace(user, balance=user.balance + off))


def _level_type(view: AccountView) -> str:
    if not view.margin or view.level > view.group.margin_call:
        return "Ok"
    return "StopOut" if view.level <= view.group.stop_out else "MarginCall"
