"""Deals and open positions."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final

from trading.platforms.aside import read_each
from trading.platforms.base import DealData, DealPage, PositionData, ServerTime
from trading.platforms.errors import ReadTimedOut
from trading.platforms.mt5 import wire
from trading.platforms.mt5.answers import DAY_MSC, HOUR_MSC, LOGINS_PER_REQUEST, Answers
from trading.platforms.mt5.rows import position_from

PAGE: Final = 100  # DEAL_GET_PAGE gives no more
FIRST_READ_MSC: Final = 2 * DAY_MSC
MINUTE_MSC: Final = 60_000
CATCH_UP_MSC: Final = 600_000  # read at once after a pause; longer where little happened
FEW: Final = 5_000  # deals of one reading
MANY: Final = 20_000


class HistoryPart(Answers):
    """What happened on the server, in its own numbers."""

    _stretch_msc = CATCH_UP_MSC

    @abstractmethod
    def server_time(self) -> ServerTime: ...

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read new deals with one request per server; after a pause, one for each stretch of it, so that memory stays flat.

        The cursor is the server's clock in milliseconds up to which was asked.

        The window is open for an hour ahead: on the day the clock goes back, "now" is behind deals made just before. An
        edit of an older deal or a fill that came late lies behind the overlap: wider reads and the nightly check find it.
        """
        now = self.server_time()
        last = cursor or now.server_msc - FIRST_READ_MSC
        is_behind = now.server_msc - last > self._stretch_msc
        reached = last + self._stretch_msc if is_behind else now.server_msc
        deals = self.deals(
            mask=mask,
            from_msc=min(last, now.server_msc) - int(overlap.total_seconds() * 1000),
            to_msc=reached if is_behind else max(last, now.server_msc) + HOUR_MSC,
        )
        if not is_behind:
            self._stretch_msc = CATCH_UP_MSC
        elif len(deals) > MANY:
            self._stretch_msc = max(MINUTE_MSC, self._stretch_msc // 2)
        elif len(deals) < FEW:
            self._stretch_msc = min(DAY_MSC, self._stretch_msc * 2)
        return DealPage(deals, cursor=reached, clock=now, has_more=is_behind)

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        parameters = {"GROUP": mask, "FROM": from_msc // 1000, "TO": -(-to_msc // 1000)}
        return list(read_each(self._deal, self._rows_or_none("DEAL_GET_BATCH", parameters)))

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        """Read an account's deals page by page: also servers without batch requests can do it."""
        window = {"LOGIN": login, "FROM": from_msc // 1000, "TO": -(-to_msc // 1000)}
        try:
            total = self.client.read("DEAL_GET_TOTAL", window).number("TOTAL")
        except wire.WireError as problem:
            raise ReadTimedOut(str(problem), command="DEAL_GET_TOTAL") from problem
        for offset in range(0, total, PAGE):
            page = {**window, "OFFSET": offset, "TOTAL": min(PAGE, total - offset)}
            yield from read_each(self._deal, self._rows_or_none("DEAL_GET_PAGE", page))

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Read deals by their tickets, of any account and time."""
        deals: list[DealData] = []
        for start in range(0, len(tickets), LOGINS_PER_REQUEST):
            part = ",".join(map(str, tickets[start : start + LOGINS_PER_REQUEST]))
            deals += read_each(self._deal, self._rows_or_none("DEAL_GET_BATCH", {"TICKET": part}))
        return deals

    def positions(self, *, mask: str) -> list[PositionData]:
        rows = self._rows_or_none("POSITION_GET_BATCH", {"GROUP": mask})
        return list(read_each(lambda row: position_from(row, self.zone), rows))
