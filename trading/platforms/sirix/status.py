"""The one call that describes an account, page by page; every part of the adapter builds on it."""

from __future__ import annotations

import datetime as dt
import fnmatch
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.platforms.base import DealData, PositionData, ServerTime
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.sirix import units
from trading.platforms.sirix.client import NOT_FOUND, SirixClient
from trading.platforms.sirix.looks import Look, Looks
from trading.platforms.sirix.rows import Reader, money_from

STATUS: Final = "GetUserTransactions"
PAGE: Final = 500
PAGES_MAX: Final = 2000
TRIES: Final = 3
PUT_OFF_SECONDS: Final = 30.0
Known = Callable[[], Iterable[tuple[str, str]]]
"""Login and group of every account that the house knows on the server."""


@contextmanager
def readable() -> Iterator[None]:
    """Treat an answer that can't be read as no answer. Raises: ReadTimedOut for it."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError) as problem:
        raise ReadTimedOut(f"the answer can't be read ({problem!r})", command=STATUS) from problem


@dataclass(slots=True)
class Status:
    """An account with what was asked for."""

    user: Mapping[str, Any]
    opened: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    money: list[dict[str, Any]] = field(default_factory=list)


class StatusPart:
    """Reads of accounts, one after another, and what is kept of them."""

    def __init__(self, client: SirixClient, zone: ZoneInfo, known: Known, name: str) -> None:
        self.client, self.zone, self.known = client, zone, known
        self.reader = Reader(zone, client.config.sizes)
        self.looks = Looks(name)
        self._put_off: dict[str, float] = {}

    def close(self) -> None:
        self.client.close()

    def _ask(self, login: str, page: int, *, history: bool) -> dict[str, Any]:
        body = {
            "UserID": login,
            "GetOpenPositions": True,
            "GetPendingPositions": False,
            "GetClosePositions": history,
            "GetMonetaryTransactions": history,
            "Page": page,
            "PageSize": PAGE,
        }
        return self.client.read(STATUS, self.client.config.status_path, body)

    def status(self, login: str, *, history: bool = False, since: dt.datetime | None = None) -> Status | None:
        """Read an account with its open positions, and its history, all of it or back to `since`. None: there is no such account.

        Pages are read again when the first one changed meanwhile: rows had moved from one to the next.
        """
        for _try in range(TRIES):
            try:
                status = self._pages(login, history, since)
            except FinalError as problem:
                if problem.code == NOT_FOUND:
                    return None
                raise
            if status is not None:
                return status if status.user else None
        raise ReadTimedOut("the account changes faster than its pages can be read", command=STATUS)

    def _pages(self, login: str, history: bool, since: dt.datetime | None) -> Status | None:
        """Read all pages; None when the first page changed while the others were read."""
        first = answer = self._ask(login, 1, history=history)
        status = Status(first.get("UserData") or {}, _rows(first, "OpenPositions"))
        for page in range(2, PAGES_MAX):
            closed, money = _rows(answer, "ClosedPositions"), _rows(answer, "MonetaryTransactions")
            status.closed += closed
            status.money += money
            if not history or (self._ends(closed, "CloseTime", since) and self._ends(money, "Time", since)):
                if page == 2 or _history(self._ask(login, 1, history=True)) == _history(first):
                    return status
                return None
            answer = self._ask(login, page, history=True)
        raise ReadTimedOut("the account's history has no end", command=STATUS)

    def _ends(self, rows: list[dict[str, Any]], time_name: str, since: dt.datetime | None) -> bool:
        """Tell whether the next page can't bring anything that is needed. Only a page that goes backwards in time shows that."""
        if len(rows) < PAGE:
            return True
        with readable():
            times = [units.instant(row[time_name], self.zone) for row in rows]
        return since is not None and times == sorted(times, reverse=True) and times[-1] < since

    def look(self, login: str, status: Status | None) -> Look:
        """Keep what was seen. What differs from the last look is a change of now: balance, or what is open."""
        now, before = time.time(), self.looks.of([login]).get(login)
        if status is None:
            look = Look(login, now, 0.0, None)
        else:
            with readable():
                positions = tuple(self.reader.positions(login, status.opened))
                money = money_from(login, status.user, positions)
            changed, activity = now, 0.0
            if before is not None and before.money is not None:
                activity, same = before.activity_at(now), before.money.balance == money.balance
                if same and _volumes(before.positions) == _volumes(positions):
                    changed = before.changed_at
                else:
                    activity += 1
            look = Look(login, now, changed, money, positions, activity)
        self.looks.keep(look)
        return look

    def history(self, login: str, status: Status) -> list[DealData]:
        with readable():
            return self.reader.deals(login, status.opened, status.closed, status.money)

    def round_seconds(self, count: int) -> float:
        """Estimate how long it takes to ask for so many accounts."""
        return count * self.client.config.pause_seconds

    def by_turn(self, logins: Sequence[str]) -> list[str]:
        """Order the logins; those that could not be read just now come last."""
        order, now = self.looks.by_turn(logins, pause=self.client.config.pause_seconds), time.monotonic()
        return sorted(order, key=lambda login: self._put_off.get(login, 0.0) > now) if self._put_off else order

    def put_off(self, login: str) -> None:
        now = time.monotonic()
        self._put_off = {waiting: until for waiting, until in self._put_off.items() if until > now}
        self._put_off[login] = now + PUT_OFF_SECONDS

    def in_mask(self, mask: str) -> list[str]:
        """List our accounts in the groups of `mask`: the platform lists neither."""
        return [login for login, group in self.known() if in_mask(group, mask)]

    def clock(self) -> ServerTime:
        """Read the server's clock from its last answer's `Date`; ours where there is none."""
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.client.ahead_seconds or 0)
        offset = now.astimezone(self.zone).utcoffset() or dt.timedelta()
        return ServerTime(units.server_msc(now, self.zone), int(offset.total_seconds()))

    def each(self, logins: Iterable[str], *, seconds: float) -> Iterator[str]:
        """Yield the logins one by one until the time is over, but always the first."""
        deadline = time.monotonic() + seconds
        for number, login in enumerate(logins):
            if number and time.monotonic() > deadline:
                return
            yield login


def in_mask(group: str, mask: str) -> bool:
    """Match a group with `RL-*,!RL-Test`: a list with `*` as a wildcard; `!` takes away."""
    items = [item.strip() for item in mask.split(",") if item.strip()]
    if any(fnmatch.fnmatchcase(group, item[1:]) for item in items if item.startswith("!")):
        return False
    return any(fnmatch.fnmatchcase(group, item) for item in items if not item.startswith("!"))


def _rows(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = answer.get(name) or []
    if not isinstance(rows, list):
        raise ReadTimedOut(f"{name} is no list", command=STATUS)
    return rows


def _history(answer: Mapping[str, Any]) -> tuple[Any, Any]:
    return answer.get("ClosedPositions"), answer.get("MonetaryTransactions")


def _volumes(positions: Iterable[PositionData]) -> set[tuple[int, Decimal]]:
    return {(position.ticket, position.lots) for position in positions}
