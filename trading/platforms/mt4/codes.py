"""What the bridge's answers mean for the caller: which of the five kinds of error (CPlugin WebAPI v2; MT4ManagerAPI.h).

The bridge tells its own code, the trade server's result, and in `X-Request-Outcome` what became of the request. A write counts
as refused or not begun only where they say so; booking twice costs more than looking once.
"""

from __future__ import annotations

from typing import Final

from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut

# The bridge's codes have no numbers: these are ours, above every result of the server.
BRIDGE: Final = {
    "NoConnect": 1503,
    "Validation": 1400,
    "MT4Error": 1500,
    "MT5Error": 1500,
    "Forbidden": 1403,
    "NotFound": 1404,
    "Timeout": 1408,
    "OutcomeUnknown": 1504,
    "Busy": 1429,
    "Internal": 1501,
    "InvalidResponse": 1502,
}
NOT_FOUND: Final = BRIDGE["NotFound"]
UNKNOWN_CODE: Final = 1599
RESULTS: Final = {
    "Ok": 0, "OkNone": 1, "Error": 2, "InvalidData": 3, "TechProblem": 4, "OldVersion": 5, "NoConnect": 6,
    "NotEnoughRights": 7, "TooFrequent": 8, "Malfunction": 9, "GenerateKey": 10, "SecuritySession": 11,
    "AccountDisabled": 64, "BadAccountInfo": 65, "PublicKeyMissing": 66, "TradeTimeout": 128, "TradeBadPrices": 129,
    "TradeBadStops": 130, "TradeBadVolume": 131, "TradeMarketClosed": 132, "TradeDisable": 133, "TradeNoMoney": 134,
    "TradePriceChanged": 135, "TradeOffquotes": 136, "TradeBrokerBusy": 137, "TradeRequote": 138, "TradeOrderLocked": 139,
    "TradeLongOnly": 140, "TradeTooManyReq": 141, "TradeAccepted": 142, "TradeProcess": 143, "TradeUserCancel": 144,
    "TradeModifyDenied": 145, "TradeContextBusy": 146, "TradeExpirationDenied": 147, "TradeTooManyOrders": 148,
}  # fmt: skip  # a table of pairs
OF_SERVER: Final = frozenset({*RESULTS.values(), BRIDGE["MT4Error"]})  # codes that are a word of the trade server
BAD_ACCOUNT: Final = 65
NO_MONEY: Final = 134
# The server did not begin and asks for patience.
BUSY: Final = frozenset({8, 137, 141, 146})
# Refused for a reason that a repeat won't change.
FINAL: Final = frozenset(
    {3, 5, 7, 64, BAD_ACCOUNT, 66, 129, 130, 131, 132, 133, NO_MONEY, 136, 139, 140, 145, 147, 148}
)
# A read may simply be repeated.
REPEATABLE: Final = frozenset({2, 4, 6, 9, 128})
WORDS: Final = {
    2: "general error on the server",
    3: "the server refused the data",
    4: "technical problem on the server",
    5: "the server is too old for this",
    6: "the bridge lost its trade server",
    7: "the manager lacks the right for this",
    8: "too many requests",
    9: "the server malfunctions",
    64: "the account is switched off",
    BAD_ACCOUNT: "the login is taken, unknown, or its password is wrong",
    128: "the trade server timed out",
    131: "the volume is not possible",
    132: "the market is closed",
    133: "trading is switched off",
    NO_MONEY: "not enough free money on the trading account",
    137: "the dealer is busy",
    141: "too many trade requests",
}
BRIDGE_WORDS: Final = {
    "NoConnect": "the bridge is not connected to the trade server",
    "Validation": "the bridge refused the request",
    "Forbidden": "this client may not do that on the bridge",
    "NotFound": "not found",
    "Timeout": "the trade server did not answer in time",
    "OutcomeUnknown": "the trade server did not answer in time",
    "Busy": "too many requests wait for this trade server",
    "Internal": "the bridge failed",
}


def result_of(result: object) -> int | None:
    """Translate the server's result, which the bridge gives by name or by number; None for an unknown one."""
    if isinstance(result, str):
        return int(result) if result.isdigit() else RESULTS.get(result)
    return result if isinstance(result, int) and not isinstance(result, bool) else None


def error_for(code: str, manager: object, message: str, outcome: str, *, command: str, is_write: bool) -> PlatformError:
    """Translate an error of the envelope into one of the five kinds."""
    unknown: type[PlatformError] = OutcomeUnknown if is_write else ReadTimedOut
    number = BRIDGE.get(code, UNKNOWN_CODE)
    sentence = BRIDGE_WORDS.get(code) or message or "unknown answer"
    if outcome in ("unknown", "in-progress"):
        return unknown(sentence, command=command, code=number)
    if code == "Busy":
        return PlatformBusy(sentence, command=command, code=number)
    if outcome == "not-started" or code == "NoConnect":
        return NotStarted(sentence, command=command, code=number)
    if code in ("MT4Error", "MT5Error"):
        return _of_result(result_of(manager), message, command=command, is_write=is_write)
    if code in ("Validation", "Forbidden", "NotFound"):
        text = f"{sentence}: {message}" if message else sentence
        return FinalError(text, command=command, code=number)
    return unknown(sentence, command=command, code=number)  # Timeout of a write breaks the contract: nobody can tell


def _of_result(result: int | None, message: str, *, command: str, is_write: bool) -> PlatformError:
    sentence = WORDS.get(-1 if result is None else result) or message or "the server refused"
    number = BRIDGE["MT4Error"] if result is None else result
    if result in BUSY:
        return PlatformBusy(sentence, command=command, code=number)
    if result in FINAL:
        return FinalError(sentence, command=command, code=number)
    if is_write:
        return OutcomeUnknown(sentence, command=command, code=number)
    return (ReadTimedOut if result in REPEATABLE else FinalError)(sentence, command=command, code=number)
