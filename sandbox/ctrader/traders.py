"""What both interfaces do to accounts and money, with cTrader's error codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from sandbox.ctrader import names, view
from sandbox.ctrader.state import Reference, State
from sandbox.engine.books import BALANCE, BONUS, CREDIT, RIGHTS_DEFAULT, Refused
from sandbox.engine.contracts import GROUPS
from sandbox.engine.store import User

T = TypeVar("T")
CODES = {
    1: "NOT_ENOUGH_MONEY", 2: "NOT_ENOUGH_RIGHTS", 3: "AUTHENTICATION_FAILED", 6: "CHANGE_BALANCE_BAD_AMOUNT",
    11: "TRADER_NOT_FOUND", 12: "TRADER_GROUP_NOT_FOUND", 14: "ALREADY_LOGGED_IN", 19: "ALREADY_DELETED",
    20: "WRONG_LEVERAGE", 23: "REQUEST_FREQUENCY_EXCEEDED", 28: "TRADER_HAS_POSITIONS", 35: "INCORRECT_BOUNDARIES",
    37: "DEAL_NOT_FOUND", 43: "UNKNOWN_DEPOSIT_CURRENCY", 44: "DEPOSIT_CURRENCY_NOT_ALLOWED", 46: "CHANGE_BONUS_BAD_AMOUNT",
    47: "SERVER_IS_UNDER_MAINTENANCE", 52: "INVALID_DATA", 53: "NO_SUCH_LOGIN", 67: "CONNECTIONS_LIMIT_EXCEEDED",
    901: "UNKNOWN_ERROR", 903: "INVALID_REQUEST", 904: "WRONG_PASSWORD", 905: "TIMEOUT_ERROR", 906: "ENTITY_NOT_FOUND",
    907: "CANT_ROUTE_REQUEST", 910: "CONCURRENT_MODIFICATION",
}  # fmt: skip  # a table of pairs
"""The number of a fault `retcode` → the code's name. From 900 on: the protocol's common codes."""
BOOKS_CODES = {
    13: "TRADER_NOT_FOUND",
    10019: "NOT_ENOUGH_MONEY",
    8: "TRADER_GROUP_NOT_FOUND",
    3008: "TRADER_HAS_POSITIONS",
}
LEVERAGE_MAX = 500


class Denied(Exception):
    """The server says no, with one of its own codes."""

    def __init__(self, code: str, description: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.description, self.status = code, description, status


def of_books(work: Callable[[], T], otherwise: str) -> T:
    """Run it; what the books refuse is said in cTrader's words. Raises Denied."""
    try:
        return work()
    except Refused as refused:
        raise Denied(BOOKS_CODES.get(refused.code, otherwise)) from None


def user_of(state: State, login: int) -> User:
    """Find a trader's user. Raises Denied."""
    user = state.books.store.users.get(login)
    if user is None:
        raise Denied("TRADER_NOT_FOUND", status=404)
    return user


def check_hash(hashed: object) -> str:
    """Require a lower-case hex MD5. Raises Denied."""
    if not isinstance(hashed, str) or not re.fullmatch(r"[0-9a-f]{32}", hashed):
        raise Denied("INVALID_REQUEST", "hashedPassword is the lower-case hex MD5 of the password")
    return hashed


def check_leverage(cents: object) -> int:
    """Convert leverage in hundredths to a whole number. Raises Denied."""
    if not isinstance(cents, int) or cents % 100 or not 1 <= cents // 100 <= LEVERAGE_MAX:
        raise Denied("WRONG_LEVERAGE")
    return cents // 100


def create(state: State, values: dict[str, Any]) -> User:
    """Create a trader; the server chooses the login. Raises Denied."""
    missing = {
        "accessRights",
        "accountType",
        "brokerName",
        "depositCurrency",
        "groupName",
        "hashedPassword",
        "leverageInCents",
        "totalMarginCalculationType",
    } - values.keys()
    if missing:
        raise Denied("INVALID_REQUEST", f"missing: {', '.join(sorted(missing))}")
    if values["groupName"] not in names.GROUP_NAMES:
        raise Denied("TRADER_GROUP_NOT_FOUND")
    group = GROUPS[names.GROUP_NAMES[values["groupName"]]]
    if values["depositCurrency"] not in names.DEPOSIT_ASSETS:
        raise Denied("UNKNOWN_DEPOSIT_CURRENCY")
    if values["depositCurrency"] != group.currency:
        raise Denied("DEPOSIT_CURRENCY_NOT_ALLOWED")
    if values["accountType"] not in ("HEDGED", "NETTED", "SPREAD_BETTING") or values.get("balance"):
        raise Denied("INVALID_REQUEST", "accountType, or a balance to begin with")
    leverage, hashed, store = (
        check_leverage(values["leverageInCents"]),
        check_hash(values["hashedPassword"]),
        state.books.store,
    )
    contact = values.get("contactDetails") or {}
    name = " ".join(filter(None, (str(values.get(key) or "") for key in ("name", "lastName"))))
    fields = {
        "Name": name,
        "Email": str(contact.get("email") or ""),
        "Phone": str(contact.get("phone") or ""),
        "Comment": str(values.get("description") or ""),
    }
    now = state.books.clock.now()
    with store.transaction():
        login = 0
        while not login:
            candidate = store.next_ticket("login")
            login = candidate if candidate not in store.users else 0
        rights = view.rights_with(RIGHTS_DEFAULT, access_number(values["accessRights"]))
        user = User(login, group.name, leverage, rights, Decimal(0), Decimal(0), "", "", now, now, fields)
        state.set_password(user, hashed)
        store.save_user(user)
    return user


def access_number(word: object) -> int:
    """Find the number of an access word. Raises Denied."""
    names = ("FULL_ACCESS", "CLOSE_ONLY", "NO_TRADING", "NO_LOGIN")
    if word not in names:
        raise Denied("INVALID_REQUEST", "accessRights")
    return names.index(str(word))


def change(
    state: State,
    user: User,
    *,
    group: str = "",
    leverage_cents: int | None = None,
    access: int | None = None,
    hashed: str = "",
) -> None:
    """Change settings of a trader; each change but that of the password counts the version up. Raises Denied."""
    changed = replace(user)
    if group:
        if group not in GROUPS:
            raise Denied("TRADER_GROUP_NOT_FOUND")
        if GROUPS[group].currency != GROUPS[user.group].currency:
            raise Denied("DEPOSIT_CURRENCY_NOT_ALLOWED")
        changed.group = group
    if leverage_cents is not None:
        changed.leverage = check_leverage(leverage_cents)
    if access is not None:
        changed.rights = view.rights_with(user.rights, access)
    if hashed:
        state.set_password(changed, check_hash(hashed))
    with state.books.store.transaction():
        state.books.store.save_user(changed)
        if group or leverage_cents is not None or access is not None:
            state.raise_version(user.login)


def change_balance(state: State, user: User, kind: int, amount: Decimal, comment: str, reference: Reference) -> int:
    """Types 0 deposit, 1 withdraw, 19 and 20 for credit; the balanceHistoryId.

    The same externalId twice is booked twice: it is a field for reconciliation, nobody says that it is unique.
    """
    if kind not in (0, 1, 19, 20) or amount <= 0:
        raise Denied("CHANGE_BALANCE_BAD_AMOUNT")
    action = BALANCE if kind in (0, 1) else CREDIT
    signed = -amount if kind in (1, 20) else amount
    return _book(state, user, action, signed, comment, reference, "CHANGE_BALANCE_BAD_AMOUNT")


def change_bonus(state: State, user: User, amount: Decimal, comment: str, note: str) -> int:
    """Deposit, or withdraw with a negative amount; the bonusHistoryId."""
    return _book(state, user, BONUS, amount, comment, Reference(note=note), "CHANGE_BONUS_BAD_AMOUNT")


def _book(
    state: State, user: User, action: int, amount: Decimal, comment: str, reference: Reference, otherwise: str
) -> int:
    digits = GROUPS[user.group].digits
    if amount.scaleb(digits) != amount.scaleb(digits).to_integral_value():
        raise Denied(otherwise, f"more than {digits} digits")
    ticket = of_books(
        lambda: state.books.balance_operation(user.login, action, amount, comment, True, comment_units=100), otherwise
    )
    state.keep_reference(ticket, reference)
    return ticket
