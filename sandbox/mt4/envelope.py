"""Answers of the bridge: HTTP 200 with `{data, error, meta}` (CPlugin WebAPI v2), and the headers that say what a failure means."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.engine.http import Response, as_json

# The server's own codes by the names under which the bridge shows them.
RESULTS = {
    1: "OkNone", 2: "Error", 3: "InvalidData", 4: "TechProblem", 5: "OldVersion", 6: "NoConnect", 7: "NotEnoughRights",
    8: "TooFrequent", 9: "Malfunction", 64: "AccountDisabled", 65: "BadAccountInfo", 128: "TradeTimeout",
    129: "TradeBadPrices", 130: "TradeBadStops", 131: "TradeBadVolume", 132: "TradeMarketClosed", 133: "TradeDisable",
    134: "TradeNoMoney", 135: "TradePriceChanged", 136: "TradeOffquotes", 137: "TradeBrokerBusy", 138: "TradeRequote",
    139: "TradeOrderLocked", 141: "TradeTooManyReq",
}  # fmt: skip  # a table of pairs
# Codes of the engine's books in the words of this server.
OF_BOOKS = {
    3: 3,
    8: 7,
    13: 65,
    3004: 65,
    3006: 3,
    3008: 2,
    3010: 3,
    4005: 3,
    10014: 131,
    10015: 129,
    10017: 133,
    10018: 132,
    10019: 134,
}
DEADLINES = {"trade": 5.0, "read": 10.0, "change": 15.0, "history": 30.0, "maintenance": 60.0}


class Problem(Exception):
    """The bridge says no: its own code, and the header that tells what became of the request."""

    def __init__(self, code: str, message: str, *, outcome: str = "", manager: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.outcome, self.manager = code, message, outcome, manager

    def response(self) -> Response:
        headers = {"X_Request_Outcome": self.outcome} if self.outcome else {}
        shown = None if self.manager is None else RESULTS.get(self.manager, self.manager)
        error = {"code": self.code, "managerCode": shown, "message": self.message}
        return as_json({"data": None, "error": error, "meta": meta()}, 200, **headers)


def meta(paging: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make an answer's meta data."""
    return {"activityId": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00", "paging": paging}


def answer(data: Any, paging: dict[str, Any] | None = None) -> Response:
    """Answer with data in the envelope."""
    return as_json({"data": data, "error": None, "meta": meta(paging)})


def refused(code: int) -> Problem:
    """Translate a code of the engine's books, or of the server itself, into an error."""
    manager = OF_BOOKS.get(code, code) if code > 1000 or code == 13 else code
    return Problem("MT4Error", f"MT4 server: {RESULTS.get(manager, manager)}", manager=manager)


def timed_out(*, is_read: bool) -> Problem:
    """Make the error of a missed deadline: a read changed nothing, a write's outcome is unknown."""
    if is_read:
        return Problem("Timeout", "The trade server did not answer in time. Nothing was changed.", outcome="timeout")
    return Problem("OutcomeUnknown", "The trade server did not answer in time. It may still do it.", outcome="unknown")


def busy() -> Problem:
    """Make the error of a full queue."""
    return Problem("Busy", "Too many requests wait for this trade platform.", outcome="not-started")


def page(
    rows: Sequence[Any], key: Callable[[Any], Any], query: dict[str, str]
) -> tuple[list[Any], dict[str, Any] | None]:
    """Take the rows after `cursor`, at most `limit` of them; without a limit all. Raises Problem."""
    try:
        limit = int(query.get("limit") or 0)
        after = _key_of(query["cursor"]) if query.get("cursor") else None
    except ValueError:
        raise Problem("Validation", "limit or cursor is not valid") from None
    if limit < 0:
        raise Problem("Validation", "limit must be positive")
    left = [row for row in rows if after is None or _is_after(key(row), after)]
    shown = left[: limit or len(left)]
    has_more = len(shown) < len(left)
    cursor = base64.b64encode(str(key(shown[-1])).encode()).decode() if has_more else None
    return shown, {"nextCursor": cursor, "hasMore": has_more}


def _key_of(cursor: str) -> str:
    return base64.b64decode(cursor.encode(), validate=True).decode()


def _is_after(key: Any, after: str) -> bool:
    return key > int(after) if isinstance(key, int) else key > after
