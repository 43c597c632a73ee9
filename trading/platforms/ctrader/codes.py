"""cTrader's error codes as our five kinds of errors. Both interfaces name them by text; the numbers are the protocol's.

What changes something and met a code of `UNKNOWN` may have happened; every other code is the server's word that it did not.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut

# The first twelve are of the protocol's envelope, whose numbers overlap with the server's: they stand 900 higher here.
COMMON: Final = {
    "UNKNOWN_ERROR": 1,
    "UNSUPPORTED_MESSAGE": 2,
    "INVALID_REQUEST": 3,
    "WRONG_PASSWORD": 4,
    "TIMEOUT_ERROR": 5,
    "ENTITY_NOT_FOUND": 6,
    "CANT_ROUTE_REQUEST": 7,
    "FRAME_TOO_LONG": 8,
    "MARKET_CLOSED": 9,
    "CONCURRENT_MODIFICATION": 10,
    "BLOCKED_PAYLOAD_TYPE": 11,
    "DATASTORE_IS_NOT_AVAILABLE": 12,
}
COMMON_FROM: Final = 900
CODES: Final[dict[str, int]] = {
    **{name: COMMON_FROM + number for name, number in COMMON.items()},
    "NOT_ENOUGH_MONEY": 1,
    "NOT_ENOUGH_RIGHTS": 2,
    "AUTHENTICATION_FAILED": 3,
    "CHANGE_BALANCE_BAD_AMOUNT": 6,
    "TRADER_NOT_FOUND": 11,
    "TRADER_GROUP_NOT_FOUND": 12,
    "RECONCILIATION_IN_PROGRESS": 13,
    "ALREADY_LOGGED_IN": 14,
    "ALREADY_DELETED": 19,
    "WRONG_LEVERAGE": 20,
    "REQUEST_FREQUENCY_EXCEEDED": 23,
    "TRADER_HAS_POSITIONS": 28,
    "INCORRECT_BOUNDARIES": 35,
    "DEAL_NOT_FOUND": 37,
    "UNKNOWN_DEPOSIT_CURRENCY": 43,
    "DEPOSIT_CURRENCY_NOT_ALLOWED": 44,
    "CHANGE_BONUS_BAD_AMOUNT": 46,
    "SERVER_IS_UNDER_MAINTENANCE": 47,
    "INVALID_DATA": 52,
    "NO_SUCH_LOGIN": 53,
    "OPERATION_NOT_ALLOWED": 62,
    "CONNECTIONS_LIMIT_EXCEEDED": 67,
}
OTHER: Final = 999
"""A code that is in no list of ours: the name stands in the message."""

WORDS: Final = {
    "NOT_ENOUGH_MONEY": "there is not enough money on the account",
    "NOT_ENOUGH_RIGHTS": "our manager has no right to this",
    "AUTHENTICATION_FAILED": "the manager's login or password is wrong",
    "CHANGE_BALANCE_BAD_AMOUNT": "the amount can't be booked",
    "CHANGE_BONUS_BAD_AMOUNT": "the bonus can't be booked",
    "TRADER_NOT_FOUND": "the account is not on the server",
    "NO_SUCH_LOGIN": "the account is not on the server",
    "ENTITY_NOT_FOUND": "it is not on the server",
    "TRADER_GROUP_NOT_FOUND": "the group is not on the server",
    "ALREADY_LOGGED_IN": "this manager is signed in already on another connection",
    "WRONG_LEVERAGE": "the leverage is not allowed",
    "REQUEST_FREQUENCY_EXCEEDED": "the server asks for fewer requests",
    "TRADER_HAS_POSITIONS": "the account has open positions",
    "SERVER_IS_UNDER_MAINTENANCE": "the server is under maintenance",
    "CONNECTIONS_LIMIT_EXCEEDED": "the server takes no further connection of this manager",
    "CONCURRENT_MODIFICATION": "somebody else changed the account at the same moment",
    "DEPOSIT_CURRENCY_NOT_ALLOWED": "the group takes no accounts in this currency",
}
BUSY: Final = frozenset({"REQUEST_FREQUENCY_EXCEEDED", "CONCURRENT_MODIFICATION"})
NOT_BEGUN: Final = frozenset(
    """
    SERVER_IS_UNDER_MAINTENANCE CONNECTIONS_LIMIT_EXCEEDED ALREADY_LOGGED_IN RECONCILIATION_IN_PROGRESS
    CANT_ROUTE_REQUEST AUTHENTICATION_FAILED DATASTORE_IS_NOT_AVAILABLE
    """.split()
)
UNKNOWN: Final = frozenset({"UNKNOWN_ERROR", "TIMEOUT_ERROR"})
GONE: Final = frozenset(
    {CODES["TRADER_NOT_FOUND"], CODES["NO_SUCH_LOGIN"], CODES["ENTITY_NOT_FOUND"], CODES["ALREADY_DELETED"]}
)


def error_for(
    name: str, *, command: str, is_write: bool, description: str = "", maintenance_end_msc: int = 0
) -> PlatformError:
    """Translate the server's error code into the kind of error that tells the caller what may be done next."""
    sentence = WORDS.get(name) or description or "the server refuses it"
    if maintenance_end_msc:
        end = dt.datetime.fromtimestamp(maintenance_end_msc / 1000, dt.UTC)
        sentence = f"{sentence} until {end:%Y-%m-%d %H:%M} UTC"
    message, code = f"{sentence} ({name})", CODES.get(name, OTHER)
    kind: type[PlatformError] = FinalError
    if name in BUSY:
        kind = PlatformBusy
    elif name in NOT_BEGUN:
        kind = NotStarted
    elif name in UNKNOWN:
        kind = OutcomeUnknown if is_write else ReadTimedOut
    return kind(message, command=command, code=code)


__all__ = ["BUSY", "CODES", "COMMON", "GONE", "NOT_BEGUN", "OTHER", "UNKNOWN", "WORDS", "error_for"]
