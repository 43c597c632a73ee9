"""What the server's answer codes mean for the caller: which of the five kinds of error, and a sentence for people."""

from __future__ import annotations

from typing import Final

from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut

OK: Final = 0
OK_NONE: Final = 1  # done, or nothing to change: also a success
NOT_FOUND: Final = 13
TOO_FREQUENT: Final = 12
LOGIN_EXISTS: Final = 3004
NO_MONEY: Final = 10019

SUCCESS: Final = frozenset({OK, OK_NONE})

# The server did not begin: it asks for patience.
BUSY: Final = frozenset({TOO_FREQUENT, 1018, 10024, 12004})
# Refused for a reason that a repeat won't change.
FINAL: Final = frozenset({3, 4, 8, NOT_FOUND, 17, 4001, 4005, 2003, 2007, NO_MONEY, 12000, 12001, 12002}) | frozenset(
    {10006, 10007, 10013, 10014, 10015, 10016, 10017, 10018, 10022, 10025, 10026, 10027}
)
# The server has no way to its own service: a write that got these did not begin either.
NOT_BEGUN: Final = frozenset({11})
# A read may simply be repeated after these.
REPEATABLE: Final = frozenset({7, 9, 10, 11, 15})

MESSAGES: Final[dict[int, str]] = {
    2: "general error on the server",
    3: "the server refused the parameters",
    4: "the server refused the data",
    5: "disk error on the server",
    6: "the server is out of memory",
    7: "network error inside the platform",
    8: "the manager account lacks the right, or the group does not exist",
    9: "the platform timed out",
    10: "no connection to the trade server",
    11: "the trade server is not available",
    TOO_FREQUENT: "too many requests",
    NOT_FOUND: "not found",
    14: "done in part",
    15: "the server is shutting down",
    16: "the operation was cancelled",
    17: "duplicate",
    1000: "the client type is not accepted",
    1001: "the manager login or password is wrong",
    1002: "the manager account is disabled",
    1003: "the server asks for an advanced log-in",
    1010: "the server refuses this client version",
    1011: "the account has no manager rights",
    1012: "this address is not allowed for the manager account",
    1018: "the server is busy",
    1020: "the manager account is unknown",
    3002: "the server has no free login left",
    3003: "the login belongs to another server",
    LOGIN_EXISTS: "the login exists already",
    3006: "the password does not meet the server's rules, or is wrong",
    3007: "the limit of accounts is reached",
    3008: "the account has open trades",
    3009: "the group is on another server",
    3010: "the group has another currency",
    4001: "the limit of deals is reached",
    4005: "the amount is above the server's limit",
    10012: "the trade request timed out",
    10018: "the market is closed",
    NO_MONEY: "not enough free money on the trading account",
    10024: "too many trade requests",
    10031: "no connection to the trade server",
}


def error_for(code: int, *, text: str, command: str, is_write: bool) -> PlatformError:
    """Translate an answer that is not a success into one of the five kinds.

    A write counts as refused only where the code says so; every other code leaves its outcome unknown, because booking
    twice costs more than looking it up once.
    """
    message = MESSAGES.get(code) or text or "unknown answer"
    kind: type[PlatformError]
    if code in BUSY:
        kind = PlatformBusy
    elif code in FINAL or 3000 <= code < 4000:
        kind = FinalError
    elif 1000 <= code < 1100:
        kind = NotStarted
    elif is_write:
        kind = NotStarted if code in NOT_BEGUN else OutcomeUnknown
    else:
        kind = ReadTimedOut if code in REPEATABLE else FinalError
    return kind(message, command=command, code=code)
