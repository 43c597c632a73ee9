"""Deals and open positions: pushed and listed by the Manager API; by CSV where there is none.

Our own choice: the Manager API where it is set up. It pushes each deal, tells every ledger and every opening. WebServices alone
tells closed positions only, two days at a time.
"""

from __future__ import annotations

import datetime as dt
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from trading.platforms.aside import each_row
from trading.platforms.base import DealData, DealPage, PositionData, ServerTime
from trading.platforms.ctrader import codes, csvs, units
from trading.platforms.ctrader.directory import Trader, is_in
from trading.platforms.ctrader.money import MoneyPart
from trading.platforms.ctrader.parts import DAY_MSC
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.quotes import Quotes
from trading.platforms.ctrader.rows import balance_from, bonus_from, deal_from, position_from
from trading.platforms.errors import FinalError, ReadTimedOut

FIRST_READ_MSC: Final = 2 * DAY_MSC
AHEAD_MSC: Final = 3_600_000
LATE_MSC: Final = 60_000  # lists go by the time a deal was made; it may be filled so much later
MONTH_MSC: Final = 30 * DAY_MSC
FIRST_MSC: Final = units.milliseconds(dt.datetime(2011, 1, 1, tzinfo=dt.UTC))
CSV_WINDOW_MSC: Final = 2 * DAY_MSC
CATCH_UP_MSC: Final = DAY_MSC
LIST_AGAIN_SECONDS: Final = 10.0  # an event that never came is found by the lists so soon
LISTED_MSC_MAX: Final = 120_000  # lists that were asked longer ago were asked by another process since
EVENTS_KEPT_MSC: Final = 900_000
SIZES_SECONDS: Final = 600.0


class HistoryPart(MoneyPart):
    """Times are UTC. A ticket is the deal's number; money and bonus have theirs above 2^60 and 2^61."""

    _listed_at = float("-inf")
    _listed_to = 0
    _sizes_kept: csvs.LotSizes | None = None
    _sizes_at = 0.0

    @abstractmethod
    def server_time(self) -> ServerTime: ...

    # -- new deals ----------------------------------------------------------------------------------------------------

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read what was pushed since the cursor where the stream covers all of it; else read the lists.

        The cursor is the server's clock in milliseconds. After a pause a day is read at a time.
        """
        self.stream.collects = True
        now = self.server_time()
        session = self.stream.session
        self.stream.heed(now.server_msc)
        last, back = cursor or now.server_msc - FIRST_READ_MSC, int(overlap.total_seconds() * 1000)
        first = min(last, now.server_msc) - back
        if not self.manager.is_there:
            return self._csv_page(now, first, last, mask)
        is_behind = now.server_msc - last > CATCH_UP_MSC
        was_listed_lately = time.monotonic() - self._listed_at < LIST_AGAIN_SECONDS
        self._follow_changes()
        if was_listed_lately and self.stream.covers(first):
            deals = self._pushed(first, mask)
        else:
            until = last + CATCH_UP_MSC if is_behind else now.server_msc + AHEAD_MSC
            # From where they were asked the last time: an event that never came since then is in them.
            was_listed = 0 <= now.server_msc - self._listed_to < LISTED_MSC_MAX
            start = min(first, self._listed_to - back) if was_listed else first
            deals = self.deals(mask=mask, from_msc=start, to_msc=until)
            self._listed_at = time.monotonic() if not is_behind else float("-inf")
            self._listed_to = now.server_msc if not is_behind else 0
        self.stream.live_from(now.server_msc, session)
        self.stream.forget_before(now.server_msc - EVENTS_KEPT_MSC)
        return DealPage(deals, last + CATCH_UP_MSC if is_behind else now.server_msc, now, has_more=is_behind)

    def _follow_changes(self) -> None:
        while self.stream.changed:
            self.directory.note(self.stream.changed.popleft())

    def _pushed(self, from_msc: int, mask: str) -> list[DealData]:
        """Collect the pushed deals of a mask; one that was pushed twice is one deal."""
        rows = self.stream.rows_since(from_msc)
        owners = self.directory.named(row.traderId for row in rows)
        groups = self.directory.groups_of(mask)
        deals: dict[int, DealData] = {}
        for row in rows:
            owner = owners.get(row.traderId)
            with each_row(row):
                deal = self._as_deal(row, owner)
                if deal is not None and is_in(owner, groups):
                    deals[deal.ticket] = deal
        return list(deals.values())

    def _as_deal(
        self, row: pb.ProtoDeal | pb.ProtoDepositWithdraw | pb.ProtoBonusDepositWithdraw, owner: Trader | None
    ) -> DealData | None:
        if isinstance(row, pb.ProtoDeal):
            return deal_from(row, owner, self.directory.symbol(row.symbolId))
        if isinstance(row, pb.ProtoDepositWithdraw):
            return balance_from(row, owner)
        return bonus_from(row, owner)

    # -- lists --------------------------------------------------------------------------------------------------------

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        if not self.manager.is_there:
            return list(self._csv_deals(from_msc, to_msc, mask=mask))
        groups = self.directory.groups_of(mask)
        if groups is not None and not groups:
            return []
        deals = self._trades({"groupId": sorted(groups)} if groups else {}, from_msc, to_msc)
        return [*deals, *self._ledgers(None, from_msc, to_msc, groups=groups)]

    def _trades(self, whose: dict[str, Any], from_msc: int, to_msc: int) -> Iterator[DealData]:
        rows = list(
            self.manager.pages(
                lambda first, last: pb.ProtoManagerDealListReq(
                    fromTimestamp=max(0, first), toTimestamp=last, withFilledVolumeOnly=True, **whose
                ),
                pb.ProtoManagerDealListRes,
                "deal",
                lambda row: row.createTimestamp,
                lambda row: row.dealId,
                from_msc - LATE_MSC,
                to_msc,
            )
        )
        owners = self.directory.named(row.traderId for row in rows)
        for row in rows:
            if from_msc <= row.executionTimestamp <= to_msc:
                deal = None
                with each_row(row):
                    deal = deal_from(row, owners.get(row.traderId), self.directory.symbol(row.symbolId))
                if deal is not None:
                    yield deal

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        if not self.manager.is_there:
            account = self.read_account(login)
            since = account.registered_at if account else None
            first = max(from_msc, units.milliseconds(since) - LATE_MSC if since else 0)
            yield from self._csv_deals(first, to_msc, login=login)
            return
        trader = self._find_trader(login)
        if trader is None:
            return
        deals = [
            *self._trades({"traderId": [trader.trader_id]}, from_msc, to_msc),
            *self._ledgers(trader.trader_id, from_msc, to_msc),
        ]
        yield from sorted(deals, key=lambda deal: (deal.server_msc, deal.ticket))

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Read deals by their numbers; ledger rows, which have no look-up, by searching their histories from the newest."""
        self._needs_manager("ManagerGetDeal")
        deals: list[DealData] = []
        for ticket in tickets:
            if ticket >= units.BALANCE_TICKETS:
                continue
            try:
                row = self.manager.read(pb.ProtoManagerGetDealReq(dealId=ticket), pb.ProtoManagerGetDealRes).deal
            except FinalError as problem:
                if problem.code in (codes.CODES["DEAL_NOT_FOUND"], *codes.GONE):
                    continue
                raise
            owner = self.directory.named([row.traderId]).get(row.traderId)
            deal = deal_from(row, owner, self.directory.symbol(row.symbolId))
            deals += [deal] if deal is not None else []
        return deals + self._ledger_rows({ticket for ticket in tickets if ticket >= units.BALANCE_TICKETS})

    def _ledger_rows(self, tickets: set[int]) -> list[DealData]:
        """Search the ledgers for these tickets, a month at a time, from the newest back to the platform's first year."""
        deals: list[DealData] = []
        end = int(time.time() * 1000) + DAY_MSC
        while tickets and end > FIRST_MSC:
            for deal in self._ledgers(None, end - MONTH_MSC, end):
                if deal.ticket in tickets:
                    tickets.discard(deal.ticket)
                    deals.append(deal)
            end -= MONTH_MSC
        return deals

    # -- positions ----------------------------------------------------------------------------------------------------

    def positions(self, *, mask: str) -> list[PositionData]:
        """List positions with the prices that the server quotes; the profit in the account's currency follows from them."""
        if not self.manager.is_there:
            return self._csv_positions(mask)
        groups = self.directory.groups_of(mask)
        rows = list(
            self.manager.pages(
                lambda first, last: pb.ProtoPositionListReq(fromTimestamp=first, toTimestamp=last),
                pb.ProtoPositionListRes,
                "position",
                lambda row: row.tradeData.openTimestamp,
                lambda row: row.positionId,
                0,
                int(time.time() * 1000) + DAY_MSC,
            )
        )
        owners = self.directory.named(row.tradeData.traderId for row in rows)
        held = []
        for row in rows:
            owner = owners.get(row.tradeData.traderId)
            if owner is not None and is_in(owner, groups) and row.positionStatus == pb.POSITION_STATUS_OPEN:
                with each_row(row):
                    held.append((position_from(row, owner, self.directory.symbol(row.tradeData.symbolId)), row, owner))
        return Quotes(self.manager, self.stream, self.directory).valued(held)

    # -- WebServices alone --------------------------------------------------------------------------------------------

    def _sizes(self) -> csvs.LotSizes:
        """Read again after ten minutes."""
        if self._sizes_kept is None or time.monotonic() - self._sizes_at > SIZES_SECONDS:
            self._sizes_kept, self._sizes_at = self._read_sizes(), time.monotonic()
        return self._sizes_kept

    def _read_sizes(self) -> csvs.LotSizes:
        answer = self.rest.read("SYMBOLS", "/v2/webserv/symbols")
        listed = (answer or {}).get("symbol") or []
        classes = {str(row.get("name")): str(row.get("assetClass") or "") for row in listed}
        return csvs.LotSizes(self.config.contract_sizes, classes)

    def _csv_page(self, now: ServerTime, first: int, last: int, mask: str) -> DealPage:
        until = min(now.server_msc + LATE_MSC, first + CSV_WINDOW_MSC)
        is_behind = until < now.server_msc
        deals = list(self._csv_deals(first, until, mask=mask))
        return DealPage(deals, cursor=until if is_behind else now.server_msc, clock=now, has_more=is_behind)

    def _csv_deals(self, from_msc: int, to_msc: int, *, mask: str = "*", login: str = "") -> Iterator[DealData]:
        """Yield deals two days at a time, newest last."""
        sizes = self._sizes()
        to_msc = min(to_msc, int(time.time() * 1000) + DAY_MSC)
        known = None if mask == "*" else set(self.logins(mask))
        start = max(from_msc, 0)
        while start <= to_msc:
            end = min(start + CSV_WINDOW_MSC, to_msc)
            query: dict[str, object] = {
                "from": units.date_text(units.instant(start)),
                "to": units.date_text(units.instant(end)),
            }
            if login:
                query["login"] = login
            parsed = self._csv("CLOSED_POSITIONS", "/v2/webserv/closedPositions", query, csvs.CLOSED_COLUMNS)
            for deal in self._parsed("CLOSED_POSITIONS", csvs.deals_from(parsed, sizes)):
                if start <= deal.server_msc <= end and (known is None or deal.login in known):
                    yield deal
            start = end + 1

    def _csv_positions(self, mask: str) -> list[PositionData]:
        known = None if mask == "*" else set(self.logins(mask))
        rows = self._csv("OPEN_POSITIONS", "/v2/webserv/openPositions", {}, csvs.OPEN_COLUMNS)
        positions = self._parsed("OPEN_POSITIONS", csvs.positions_from(rows, self._sizes()))
        return [position for position in positions if known is None or position.login in known]

    def _csv(self, command: str, path: str, query: dict[str, object], columns: Iterable[str]) -> list[dict[str, str]]:
        text = self.rest.read_text(command, path, query)
        try:
            return csvs.rows_of(text, columns)
        except ValueError as problem:
            raise ReadTimedOut(f"the list can't be read ({problem})", command=command) from None

    @staticmethod
    def _parsed(command: str, values: Iterator[Any]) -> list[Any]:
        try:
            return list(values)
        except (ValueError, KeyError) as problem:
            raise ReadTimedOut(f"a row can't be read ({problem})", command=command) from None
