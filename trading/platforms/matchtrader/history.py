"""Deals and open positions, of ledgers, closed and open positions.

Money is the ledger's: each entry is counted once. Those of closed positions stand in the closed position's row; commission
and swap go to the trade of the same account and instant; every other is a deal of its own. A position makes one opening
deal, of all that was opened under it, and one closing deal for each part that was closed.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.platforms.aside import each_row
from trading.platforms.base import DealData, DealPage, PositionData, ServerTime
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.closed import ClosedPart, Owned
from trading.platforms.matchtrader.money import ledger_rows
from trading.platforms.matchtrader.parts import reading

HOUR_MSC: Final = 3_600_000
DAY_MSC: Final = 24 * HOUR_MSC
FIRST_READ_MSC: Final = 2 * DAY_MSC
SWEEP_MSC: Final = 20_000  # so often lists are read beside streams: what a stream lost comes by them
TOUCHED_MAX: Final = 200  # accounts that are read by name; of more the lists of their groups are read
SWEPT_MSC_MAX: Final = 120_000
WIDE: Final = dt.timedelta(seconds=60)  # an overlap above it asks for lists
OPEN_MSC_MAX: Final = 92 * DAY_MSC  # openings of a past day are looked for among what closed in so much time after it
STRETCH_MSC: Final = 6 * HOUR_MSC  # read at once after a pause
CHARGE_WAITS_MSC: Final = 10_000
MONTH_MSC: Final = 30 * DAY_MSC
MONTHS_MAX: Final = 14  # how far back single tickets are looked for
NOT_RETURNED: Final = 2**62
LEDGERS_ASKED: Final = [kind for kind in rows.LEDGER_TYPES if kind != rows.OTHER]


class HistoryPart(ClosedPart):
    """The cursor is the server's clock in milliseconds, when we asked."""

    _swept = 0
    _returned = 0

    @abstractmethod
    def server_time(self) -> ServerTime: ...

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read from the streams where they cover the time since the cursor, else by list.

        Beside streams lists are read every twenty seconds, with the overlap, so that nothing depends on a stream alone.
        """
        self.server_time()
        now, last = self.client.now_msc(), cursor or 0
        names = self.group_names(mask)
        covered, entries, touched = None, [], set[str]()
        # What is taken from a stream is gone there: when this reading fails, the next one goes by list.
        returned, self._returned = self._returned, NOT_RETURNED
        if self.streams is not None and self.config.grpc_target:
            self.streams.follow(names)
            taken = self.streams.take()
            covered, entries, touched = taken.covered_since, taken.entries, taken.touched
        back = int(overlap.total_seconds() * 1000)
        needs_list = (
            not last
            or covered is None
            or last < covered
            or overlap > WIDE
            or last < returned  # what we gave the last time was not kept
            or now - self._swept >= SWEEP_MSC
        )
        deals = {deal.ticket: deal for deal in self._streamed_deals(entries)}
        reached = now
        # What was swept long ago was swept by another process since.
        swept = self._swept if now - self._swept < SWEPT_MSC_MAX else now
        start = min(last or now - FIRST_READ_MSC, now, swept) - back
        if needs_list:
            reached = min(now, start + back + STRETCH_MSC)
            is_behind = reached < now
            listed = self.deals(mask=mask, from_msc=start, to_msc=reached if is_behind else max(now, last) + HOUR_MSC)
            self._swept = reached
        elif len(touched) > TOUCHED_MAX:
            listed = self.deals(mask=mask, from_msc=start - 1000, to_msc=now + HOUR_MSC)
        else:
            listed = self._of(sorted(touched), start - 1000, now + HOUR_MSC) if touched else []
        deals |= {deal.ticket: deal for deal in listed}
        self._returned = reached
        return DealPage(list(deals.values()), cursor=reached, clock=ServerTime(now, 0), has_more=reached < now)

    def _streamed_deals(self, entries: Iterable[Owned]) -> list[DealData]:
        """Make deals of a stream's ledger entries, the same as by list. Charges wait for the trade that they belong to."""
        return self.entries_as_deals((login, row) for login, row in entries if row["type"] not in rows.CHARGES)

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        ledger = list(ledger_rows(self.per_groups("ledgers", mask, types=LEDGERS_ASKED, **_window(from_msc, to_msc))))
        closed = self.closed_in(mask, **self._closings(from_msc, to_msc))
        still_open = _open(self.per_groups("open_positions", mask))
        return self._joined(ledger, closed, still_open, from_msc, to_msc)

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterator[DealData]:
        yield from self._of([login], from_msc, to_msc)

    def _of(self, logins: Sequence[str], from_msc: int, to_msc: int) -> list[DealData]:
        ledger = list(ledger_rows(self.per_logins("ledgers", logins, types=LEDGERS_ASKED, **_window(from_msc, to_msc))))
        until = max(to_msc, self.client.now_msc() + HOUR_MSC)
        closed = self.closed_of(logins, **_window(from_msc, until))
        still_open = _open(self.per_logins("open_positions", logins))
        deals = self._joined(ledger, closed, still_open, from_msc, to_msc)
        return sorted(deals, key=lambda deal: (deal.server_msc, deal.ticket))

    def _closings(self, from_msc: int, to_msc: int) -> dict[str, str]:
        """Widen the window to later closings, which show what was opened in it."""
        return _window(from_msc, max(to_msc, min(self.client.now_msc() + HOUR_MSC, to_msc + OPEN_MSC_MAX)))

    def _joined(
        self, ledger: Iterable[Owned], closed: Iterable[Owned], still_open: Iterable[Owned], from_msc: int, to_msc: int
    ) -> list[DealData]:
        """Join ledger, closings and open positions into the deals between two times, both included.

        `closed` holds all closings since `from_msc`: whatever was opened since then is there with all its parts.
        Commission and swap go to the account's trade at the same instant, the first where there are several. Without
        one they are deals of their own, but not in their first seconds: the trade may arrive a moment later.
        """
        charges: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
        other: list[Owned] = []
        with reading("ledgers"):
            for login, row in ledger:
                with each_row(row):
                    if row["type"] in rows.CHARGES:
                        at = rows.msc_of(rows.instant(row["time"]))
                        rows.decimal(row["profit"])
                        charges.setdefault((login, at), []).append(row)
                    else:
                        other.append((login, row))
        deals = _within(self.entries_as_deals(other), from_msc, to_msc)
        deals += self._trades(closed, still_open, charges, from_msc, to_msc)
        young = self.client.now_msc() - CHARGE_WAITS_MSC
        left = [(login, row) for (login, at), mine in charges.items() for row in mine if at < young]
        return deals + _within(self.entries_as_deals(left), from_msc, to_msc)

    def _trades(
        self,
        closed: Iterable[Owned],
        still_open: Iterable[Owned],
        charges: dict[tuple[str, int], list[Mapping[str, Any]]],
        from_msc: int,
        to_msc: int,
    ) -> list[DealData]:
        """Make the deals of a window, openings first, so that of trades at one instant the opening carries the charges.

        Takes the charges that it uses out of `charges`.
        """
        parts: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        closings: list[Owned] = []
        deals = []

        def charged(login: str, name: str, row: Mapping[str, Any]) -> tuple[bool, list[Mapping[str, Any]]]:
            """Tell whether the trade is in the window, and what was charged for it."""
            at = rows.msc_of(rows.instant(row[name]))
            is_in = from_msc <= at <= to_msc
            return is_in, sorted(
                charges.pop((login, at), []), key=lambda entry: rows.text(entry["id"])
            ) if is_in else []

        with reading("positions"):
            for login, row in closed:
                parts.setdefault((login, rows.text(row["id"])), []).append(row)
                closings.append((login, row))
            for login, row in still_open:
                parts.setdefault((login, rows.text(row["id"])), []).append(row)
            for (login, position), same in parts.items():
                with each_row(same[0]):
                    is_in, mine = charged(login, "openTime", same[0])
                    if is_in:
                        lots = sum((rows.decimal(entry["volume"]) for entry in same), Decimal(0))
                        size = self.contract_size(rows.text(same[0]["symbol"]))
                        deal = rows.opening_deal(same[0], login, lots=lots, contract_size=size, charges=mine)
                        self.numbers.check(deal.ticket, f"{position} opened")
                        deals.append(deal)
            for login, row in closings:
                with each_row(row):
                    is_in, mine = charged(login, "closeTime", row)
                    if is_in:
                        size = self.contract_size(rows.text(row["symbol"]))
                        deal = rows.closing_deal(row, login, contract_size=size, charges=mine)
                        self.numbers.check(deal.ticket, f"{row['id']} closed by {deal.raw['closeOrderId']}")
                        deals.append(deal)
        return deals

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Find deals by reading lists of all groups back, month by month, up to fourteen: there is no look-up by id.

        Asked for only where a nightly comparison misses something.
        """
        missing, by_ticket = set(tickets), dict[int, DealData]()
        until = self.client.now_msc() + DAY_MSC
        for _month in range(MONTHS_MAX):
            if missing <= by_ticket.keys():
                break
            deals = self.deals(mask="*", from_msc=until - MONTH_MSC, to_msc=until)
            by_ticket |= {deal.ticket: deal for deal in deals if deal.ticket in missing}
            until -= MONTH_MSC
        return list(by_ticket.values())

    def positions(self, *, mask: str) -> list[PositionData]:
        held = []
        with reading("open_positions"):
            for login, row in _open(self.per_groups("open_positions", mask)):
                with each_row(row):
                    size = self.contract_size(rows.text(row["symbol"]))
                    position = rows.position_from(row, login, contract_size=size)
                    self.numbers.check(position.ticket | 3 << 60, f"{row['id']}")
                    held.append(position)
        return held


def _window(from_msc: int, to_msc: int) -> dict[str, str]:
    return {"from": rows.written(max(0, from_msc)), "to": rows.written(to_msc)}


def _within(deals: Iterable[DealData], from_msc: int, to_msc: int) -> list[DealData]:
    return [deal for deal in deals if from_msc <= deal.server_msc <= to_msc]


def _open(answers: Iterable[Any]) -> Iterator[Owned]:
    """Yield rows of `[{login, group, positions: […]}]`."""
    for answer in answers:
        with reading("open_positions"):
            for account in answer:
                for row in account["positions"]:
                    yield rows.text(account["login"]), row
