"""Deals and open positions out of order rows."""

from __future__ import annotations

import datetime as dt
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trading.core.batching import batched
from trading.platforms.aside import UNREADABLE, read_each
from trading.platforms.base import DealData, DealPage, GroupData, PositionData, ServerTime
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.mt4 import codes, units
from trading.platforms.mt4.answers import DAY_MSC, HOUR_MSC, LOGINS_PER_REQUEST, Answers
from trading.platforms.mt4.client import Work
from trading.platforms.mt4.rows import BUY, OUT_OFFSET, SELL, command_of

FIRST_READ_MSC: Final = 2 * DAY_MSC
MINUTE_MSC: Final = 60_000
SYNC_ROWS: Final = 5000  # in one piece
FEW_ROWS: Final = 100  # of a piece so small no bridge keeps anything back
FEW_GROUPS: Final = 3
NO_SUCH_CALL: Final = 404
LOGINS_SECONDS: Final = 60.0


@dataclass(slots=True)
class Session:
    """A sync session that is being read. `cursor`: with which the caller goes on, when the last piece was kept."""

    started: ServerTime
    cursor: int
    since_msc: int
    last_rows: int = SYNC_ROWS
    was_reopened: bool = False


class HistoryPart(Answers):
    """What happened on the server. A row has the time of its opening and of its closing: a window looks at both."""

    _session: Session | None = None
    _stretch = HOUR_MSC
    """So much time is read at once where there is no session."""

    @abstractmethod
    def server_time(self) -> ServerTime: ...

    @abstractmethod
    def logins(self, mask: str) -> list[str]: ...

    @abstractmethod
    def groups(self) -> list[GroupData]: ...

    @abstractmethod
    def _users(self, mask: str) -> list[Mapping[str, Any]]: ...

    # -- what is new

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read rows that changed since the cursor, which is the server's clock in milliseconds when we asked.

        By the sync session, which tells of every change of a row, piece by piece; or by time where a bridge has none.
        """
        if self.habits.has_sync:
            return self._next_piece(cursor, mask, overlap)
        now = self.server_time()
        last = cursor or now.server_msc - FIRST_READ_MSC
        first, until = min(last, now.server_msc) - _msc(overlap), last + self._stretch
        is_behind = until < now.server_msc
        if is_behind:  # after a pause: so much time at once, and what is open in the end
            rows = self._closed(self._known_logins(mask), first, until)
            self._adapt(len(rows))
        else:
            rows = self._by_time(first, now, mask)
        deals = self._deals(rows, command="ReportsRequest")
        return DealPage(deals, cursor=until if is_behind else now.server_msc, clock=now, has_more=is_behind)

    def _adapt(self, rows: int) -> None:
        if rows > 2 * SYNC_ROWS:
            self._stretch = max(MINUTE_MSC, self._stretch * SYNC_ROWS // rows)
        elif rows < SYNC_ROWS // 2:
            self._stretch = min(FIRST_READ_MSC, self._stretch * 2)

    def _next_piece(self, cursor: int | None, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read a piece of the session that this cursor continues, or the first piece of a new one.

        The order of a session's rows isn't documented: the cursor moves once all of it was read. Until then each piece
        brings one that is a millisecond older, so that a caller who did not keep a piece is known by the cursor from
        before.
        """
        session = self._session
        if session is None or session.cursor != cursor:
            now = self.server_time()
            last = cursor or now.server_msc - FIRST_READ_MSC
            self._session, session = None, Session(now, last, min(last, now.server_msc) - _msc(overlap))
            self._open_session(session)
        self._session = None  # what goes wrong from here on ends it
        rows, is_over = self._piece(session)
        deals = self._deals(self._of_mask(rows, mask) if mask != "*" and rows else rows, command="TradesSyncRead")
        if is_over:
            return DealPage(deals, cursor=session.started.server_msc, clock=session.started)
        session.cursor -= 1
        self._session = session
        return DealPage(deals, cursor=session.cursor, clock=session.started, has_more=True)

    def _open_session(self, session: Session) -> None:
        since = max(0, min(session.since_msc // 1000, units.INT32_MAX))
        self.client.write("TradesSyncStart", query=[("timestamp", since)], work=Work.MAINTENANCE, changes=False)
        session.last_rows = SYNC_ROWS

    def _piece(self, session: Session) -> tuple[list[Any], bool]:
        """Read the next rows, and whether they are the last. A session that was lost on the way is opened once more.

        A bridge may give less at once than it was asked for: only few rows, or none, are the end. One that refuses to
        read on behind a piece that was not full has given everything.
        """
        for _try in range(2):
            query = [("limit", SYNC_ROWS)]
            try:
                rows = self._rows("TradesSyncRead", query=query, work=Work.HISTORY, is_once=True)
            except (FinalError, ReadTimedOut) as problem:
                if problem.code == NO_SUCH_CALL:
                    advice = "this bridge has no sync session: have its deals read by time (settings of the server)"
                    raise FinalError(advice, command=problem.command, code=problem.code) from problem
                if session.last_rows < SYNC_ROWS and problem.code in codes.OF_SERVER:
                    return [], True
                if session.was_reopened or problem.code is None:
                    raise
                session.was_reopened = True
                self._open_session(session)
                continue
            session.last_rows = len(rows)
            return rows, len(rows) < FEW_ROWS
        raise AssertionError  # both rounds return or raise

    def _of_mask(self, rows: Sequence[Mapping[str, Any]], mask: str) -> list[Any]:
        """Choose the whole server's rows that are in the mask's groups, as the users are now."""
        users = self._rows_of("UserRecordsRequest", "logins", sorted({str(row["login"]) for row in rows}))
        ours = {str(user["login"]) for user in users if matches(mask, str(user["group"]))}
        return [row for row in rows if str(row["login"]) in ours]

    def _by_time(self, first_msc: int, now: ServerTime, mask: str) -> list[Any]:
        """Read what is open, and what was closed since then: enough where nobody edits. Wider readings find edits."""
        still_open = list(self._open(mask))
        return [*still_open, *self._closed(self.logins(mask), first_msc, now.server_msc + DAY_MSC)]

    # -- windows

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        """Read reports of closed orders for many logins at once, and the open orders.

        An order that was opened in the window may have been closed at any time since: reports are asked for up to now.
        """
        end = max(to_msc, self.server_time().server_msc) + DAY_MSC
        still_open = list(self._open(mask))  # first: an order that closes meanwhile is in both lists, not in none
        rows = [*still_open, *self._closed(self._known_logins(mask), from_msc, end)]
        return [deal for deal in self._deals(rows, command="ReportsRequest") if from_msc <= deal.server_msc <= to_msc]

    def _known_logins(self, mask: str) -> list[str]:
        """Cache the long list of accounts for a minute, since windows are asked for one after another."""
        known = self._logins.get(mask)
        if known is None or time.monotonic() - known[0] > LOGINS_SECONDS:
            known = self._logins[mask] = (time.monotonic(), self.logins(mask))
        return known[1]

    def _closed(self, logins: Sequence[str], first_msc: int, end_msc: int) -> list[Any]:
        return [row for rows in self._reports(logins, first_msc, end_msc) for row in rows]

    def _reports(self, logins: Sequence[str], first_msc: int, end_msc: int) -> Iterator[list[Any]]:
        """Read what was closed from the first time up to, not including, the second; one answer for some hundred logins.

        Both ends of a request are included and count seconds: it ends a second before the next one begins.
        """
        last = units.wire_time(end_msc, self.habits.zone, in_utc=self.habits.in_utc, less_seconds=1)
        window = [("from", self._time(first_msc)), ("to", last)]
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part: list[tuple[str, object]] = [("logins", login) for login in logins[start : start + LOGINS_PER_REQUEST]]
            yield self._rows("ReportsRequest", query=[*window, *part], work=Work.HISTORY)

    def _open(self, mask: str) -> Iterator[Any]:
        """Open and waiting orders of a mask's groups: group by group where they are few, else out of the list of all."""
        try:
            if mask == "*":
                yield from self.client.pages("TradesRequest")
                return
            names = [group.name for group in self.groups() if matches(mask, group.name)]
            if len(names) <= FEW_GROUPS:
                for name in names:
                    yield from self.client.pages("TradesRequest", query=[("group", name)])
                return
            for some in batched(self.client.pages("TradesRequest"), SYNC_ROWS):
                yield from self._of_mask(some, mask)
        except UNREADABLE as problem:
            raise ReadTimedOut("an open order can't be read", command="TradesRequest") from problem

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        """Read the account's open orders, then those closed since: one that closes meanwhile is in both lists, not in none."""
        user = self._row("UserRecordRequest", login)
        rows = [] if user is None else self._rows("TradesGetByLogin", login, user.get("group"))
        rows += self._rows("TradesUserHistory", login, query=[("fromTime", self._time(from_msc))], work=Work.HISTORY)
        for deal in self._deals(rows, command="TradesUserHistory", seen_since=from_msc):
            if from_msc <= deal.server_msc <= to_msc:
                yield deal

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Order numbers are the tickets, or what is left of them without 2^32."""
        missing = set(tickets)
        orders = sorted(
            {
                ticket % OUT_OFFSET
                for ticket in missing
                if 0 < ticket < 2 * OUT_OFFSET and ticket % OUT_OFFSET <= units.INT32_MAX
            }
        )
        rows = list(self._rows_of("TradeRecordsRequest", "orders", orders))
        return [deal for deal in self._deals(rows, command="TradeRecordsRequest") if deal.ticket in missing]

    def positions(self, *, mask: str) -> list[PositionData]:
        """Open market orders; those that wait for their price are none."""
        try:
            positions = read_each(
                lambda row: self.reader.position(row) if command_of(row) in (BUY, SELL) else None, self._open(mask)
            )
            return [position for position in positions if position is not None]
        except UNREADABLE as problem:
            raise ReadTimedOut("an open order can't be read", command="TradesRequest") from problem


def _msc(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)
