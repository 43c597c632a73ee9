"""Deals and open positions out of order rows."""

from __future__ import annotations

import datetime as dt
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trading.platforms.base import DealData, DealPage, GroupData, PositionData, ServerTime
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.mt4 import units
from trading.platforms.mt4.answers import DAY_MSC, LOGINS_PER_REQUEST, UNREADABLE, Answers
from trading.platforms.mt4.client import Work
from trading.platforms.mt4.rows import BUY, OUT_OFFSET, SELL, command_of

FIRST_READ_MSC: Final = 2 * DAY_MSC
SYNC_ROWS: Final = 5000  # in one piece
PIECES_MAX: Final = 400
FEW_GROUPS: Final = 3
NO_SUCH_CALL: Final = 404
LOGINS_SECONDS: Final = 60.0


class HistoryPart(Answers):
    """What happened on the server. A row has the time of its opening and of its closing: a window looks at both."""

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
        """Rows that changed since the cursor, which is the server's clock in milliseconds when we asked.

        By the sync session, which tells of every change of a row, or by time where a bridge has none.
        """
        now = self.server_time()
        last = cursor or now.server_msc - FIRST_READ_MSC
        first = min(last, now.server_msc) - int(overlap.total_seconds() * 1000)
        rows = self._changed(first) if self.habits.has_sync else self._by_time(first, now, mask)
        if mask != "*" and self.habits.has_sync and rows:
            rows = self._of_mask(rows, mask)
        return DealPage(self._deals(rows, command="TradesSyncRead"), cursor=now.server_msc, clock=now)

    def _changed(self, first_msc: int) -> list[Any]:
        """One sync session, read to its end. A session that was lost on the way is opened once more."""
        for is_again in (False, True):
            since = max(0, min(first_msc // 1000, units.INT32_MAX))
            self.client.write("TradesSyncStart", query=[("timestamp", since)], work=Work.MAINTENANCE, changes=False)
            try:
                return list(self._pieces())
            except FinalError as problem:
                if problem.code == NO_SUCH_CALL:
                    told = "this bridge has no sync session: have its deals read by time (settings of the server)"
                    raise FinalError(told, command=problem.command, code=problem.code) from problem
                if is_again:
                    raise
            except ReadTimedOut as problem:
                if is_again or problem.code is None:
                    raise
        raise AssertionError  # both rounds return or raise

    def _of_mask(self, rows: Sequence[Mapping[str, Any]], mask: str) -> list[Any]:
        """Of the whole server's rows those of the mask's groups, as the users say now."""
        users = self._rows_of("UserRecordsRequest", "logins", sorted({str(row["login"]) for row in rows}))
        ours = {str(user["login"]) for user in users if matches(mask, str(user["group"]))}
        return [row for row in rows if str(row["login"]) in ours]

    def _pieces(self) -> Iterator[Any]:
        for _piece in range(PIECES_MAX):
            rows = self._rows("TradesSyncRead", query=[("limit", SYNC_ROWS)], work=Work.HISTORY)
            yield from rows
            if len(rows) < SYNC_ROWS:
                return
        raise ReadTimedOut("the sync session does not end", command="TradesSyncRead")

    def _by_time(self, first_msc: int, now: ServerTime, mask: str) -> list[Any]:
        """Closed since then, and what is open: enough where nobody edits. Edits are found by the wider readings."""
        logins = self.logins(mask)
        return [*self._closed(logins, first_msc, now.server_msc + DAY_MSC), *self._open(mask)]

    # -- windows

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        """Reports of closed orders for many logins at once, and the open orders.

        An order that was opened in the window may have been closed at any time since: reports are asked for up to now.
        """
        end = max(to_msc, self.server_time().server_msc) + DAY_MSC
        rows = [*self._closed(self._known_logins(mask), from_msc, end), *self._open(mask)]
        return [deal for deal in self._deals(rows, command="ReportsRequest") if from_msc <= deal.server_msc <= to_msc]

    def _known_logins(self, mask: str) -> list[str]:
        """The list of accounts is long, and windows are asked for one after another: it is good for a minute."""
        known = self._logins.get(mask)
        if known is None or time.monotonic() - known[0] > LOGINS_SECONDS:
            known = self._logins[mask] = (time.monotonic(), self.logins(mask))
        return known[1]

    def _closed(self, logins: Sequence[str], first_msc: int, last_msc: int) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part: list[tuple[str, object]] = [("logins", login) for login in logins[start : start + LOGINS_PER_REQUEST]]
            window = [("from", self._time(first_msc)), ("to", self._time(last_msc))]
            found += self._rows("ReportsRequest", query=[*window, *part], work=Work.HISTORY)
        return found

    def _open(self, mask: str) -> list[Any]:
        """Open and waiting orders of a mask's groups: group by group where they are few, else out of the list of all."""
        try:
            if mask == "*":
                return list(self.client.pages("TradesRequest"))
            names = [group.name for group in self.groups() if matches(mask, group.name)]
            if len(names) <= FEW_GROUPS:
                return [row for name in names for row in self.client.pages("TradesRequest", query=[("group", name)])]
            rows = list(self.client.pages("TradesRequest"))
            return self._of_mask(rows, mask) if rows else []
        except UNREADABLE as problem:
            raise ReadTimedOut("an open order can't be read", command="TradesRequest") from problem

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        """The account's closed orders since then, and its open ones."""
        query = [("fromTime", self._time(from_msc))]
        rows = self._rows("TradesUserHistory", login, query=query, work=Work.HISTORY)
        user = self._row("UserRecordRequest", login)
        if user is not None:
            rows += self._rows("TradesGetByLogin", login, user.get("group"))
        for deal in self._deals(rows, command="TradesUserHistory"):
            if from_msc <= deal.server_msc <= to_msc:
                yield deal

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Order numbers are the tickets, or what is left of them without 2^32."""
        wanted = set(tickets)
        orders = sorted(
            {
                ticket % OUT_OFFSET
                for ticket in wanted
                if 0 < ticket < 2 * OUT_OFFSET and ticket % OUT_OFFSET <= units.INT32_MAX
            }
        )
        rows = list(self._rows_of("TradeRecordsRequest", "orders", orders))
        return [deal for deal in self._deals(rows, command="TradeRecordsRequest") if deal.ticket in wanted]

    def positions(self, *, mask: str) -> list[PositionData]:
        """Open market orders; those that wait for their price are none."""
        rows = self._open(mask)
        try:
            return [self.reader.position(row) for row in rows if command_of(row) in (BUY, SELL)]
        except UNREADABLE as problem:
            raise ReadTimedOut("an open order can't be read", command="TradesRequest") from problem
