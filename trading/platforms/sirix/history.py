"""Deals and positions, gathered account by account."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Final

from trading.platforms.base import DealData, DealPage, PositionData
from trading.platforms.errors import FinalError, PlatformError, ReadTimedOut
from trading.platforms.sirix.status import STATUS, Status, StatusPart

logger = logging.getLogger(__name__)
UNREADABLE: Final = (KeyError, ValueError, TypeError, AttributeError, ArithmeticError)
ROUND_SECONDS: Final = 1.0
POSITIONS_SECONDS: Final = 10.0
FIRST_READ: Final = dt.timedelta(days=2)
SLACK: Final = dt.timedelta(seconds=5)  # a clock that is told in whole seconds, and answers under way
MEMO_SECONDS: Final = 120.0
MEMO_DEALS_MAX: Final = 50_000


class HistoryPart(StatusPart):
    """A reading is a round: bounded in time, the account that waited longest first."""

    _handed: tuple[int, dict[str, int]] = (0, {})
    """The cursor that the last round gave, and up to when each of its accounts was read."""

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read one round of accounts, each from its own mark up to which its deals were handed out.

        The caller's cursor counts where it is older; without both, the last two days. Marks move when the caller comes
        back with the round's cursor: only then is it known that its deals were kept. An account whose answer has
        nothing usable costs the others nothing; its mark stays where it is.
        """
        now = self.clock()
        handed_out, handed = self._handed
        if cursor is not None and cursor == handed_out:
            self.looks.keep_read(handed)
        first = now.server_msc - _msc(FIRST_READ)
        asked_from = first if cursor is None else min(cursor, now.server_msc)
        logins = self.by_turn(self.in_mask(mask))
        marks, deals, done = self.looks.read_until(logins), list[DealData](), dict[str, int]()
        trouble: PlatformError | None = None
        for login in self.each(logins, seconds=ROUND_SECONDS):
            since = min(marks.get(login, first), asked_from) - _msc(overlap + SLACK)
            try:
                deals += self._new_deals(login, since)
            except PlatformError as problem:
                self.put_off(login)  # others come first the next time, whatever it was
                if not isinstance(problem, FinalError) and not isinstance(problem.__cause__, UNREADABLE):
                    raise
                logger.warning("account %s can't be read: %s", login, problem)
                trouble = problem
                continue
            done[login] = now.server_msc
        if trouble is not None and not done:
            raise trouble
        self._handed = (now.server_msc, done)
        return DealPage(deals, cursor=now.server_msc, clock=self.clock())

    def _new_deals(self, login: str, since_msc: int) -> list[DealData]:
        status = self.status(login, history=True, since=self._instant(since_msc))
        self.look(login, status)
        return [] if status is None else [deal for deal in self.history(login, status) if deal.server_msc >= since_msc]

    def _instant(self, server_msc: int) -> dt.datetime:
        wall = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=server_msc)  # noqa: DTZ001 - a wall clock, on purpose
        return wall.replace(tzinfo=self.zone).astimezone(dt.UTC)

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        """Yield an account's deals of a window. Raises: FinalError for an account that is not there."""
        for deal in self._all_deals(login):
            if from_msc <= deal.server_msc <= to_msc:
                yield deal

    def _all_deals(self, login: str) -> list[DealData]:
        status = self.status(login, history=True)
        self.look(login, status)
        if status is None:
            raise FinalError("the account is not on the server", command=STATUS, code=404)
        return self.history(login, status)

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        """Read deals of a window; one pass over the accounts serves all windows of the next two minutes."""
        deals: list[DealData] = []
        for login in self.in_mask(mask):
            deals += [deal for deal in self._remembered(login) if from_msc <= deal.server_msc <= to_msc]
        return sorted(deals, key=lambda deal: (deal.server_msc, deal.ticket))

    def _remembered(self, login: str) -> list[DealData]:
        now = time.monotonic()
        memo = self._memo.get(login)
        if memo is not None and now - memo[0] < MEMO_SECONDS:
            return memo[1]
        status: Status | None = self.status(login, history=True)
        self.look(login, status)
        deals = [] if status is None else self.history(login, status)
        if sum(len(entry) for _at, entry in self._memo.values()) > MEMO_DEALS_MAX:
            self._memo.clear()
        self._memo[login] = (now, deals)
        return deals

    @property
    def _memo(self) -> dict[str, tuple[float, list[DealData]]]:
        memo: dict[str, tuple[float, list[DealData]]] = self.__dict__.setdefault("_memo_of_deals", {})
        return memo

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        raise FinalError("Sirix has no look-up of a deal by its number", command="deals_by_ticket", code=0)

    def positions(self, *, mask: str) -> list[PositionData]:
        """List every account's positions as last read; outdated ones are read again, as many as there is time for.

        Raises: ReadTimedOut while there are accounts that were never read: their positions are not "closed".
        """
        logins = self.by_turn(self.in_mask(mask))
        seen, round_seconds = self.looks.of(logins), self.round_seconds(len(logins))
        stale = [login for login in logins if login not in seen or not seen[login].is_fresh(round_seconds)]
        for login in self.each(stale, seconds=POSITIONS_SECONDS):
            seen[login] = self.look(login, self.status(login))
        if unseen := [login for login in logins if login not in seen]:
            raise ReadTimedOut(f"{len(unseen)} accounts wait for their first look", command=STATUS)
        return [position for login in logins for position in seen[login].positions]


def _msc(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)
