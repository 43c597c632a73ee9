"""A span of the past in one pass: each order is asked for about once, by the time of its closing.

A window of `deals` asks for everything that was closed since it began, because an order that was opened in it may be closed
at any time after. Many windows ask for the same rows again and again. A pass goes through closings instead, from the span's
begin to now, and then through what is open: every order that was opened or closed in the span is among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trading.core.batching import batched
from trading.platforms.base import DealData, PastPiece
from trading.platforms.mt4.answers import DAY_MSC, HOUR_MSC
from trading.platforms.mt4.history import HistoryPart

ROWS_PER_ANSWER: Final = 10_000  # about; what is held in memory at once
ROWS_PER_STEP: Final = 100_000  # what a pass that was cut reads again at most, about
SHORTEST_MSC: Final = 60_000
LONGEST_MSC: Final = 64 * DAY_MSC
OPEN_AT_ONCE: Final = 5_000


@dataclass(slots=True)
class Step:
    """How much time is asked for at once: wider where little was closed, narrower where much was."""

    length: int = DAY_MSC
    rows: int = 0
    largest: int = 0

    def took(self, rows: int) -> None:
        self.rows += rows
        self.largest = max(self.largest, rows)

    def adapt(self) -> None:
        fullness = max(self.largest / ROWS_PER_ANSWER, self.rows / ROWS_PER_STEP)
        if fullness > 1:
            self.length = max(SHORTEST_MSC, int(self.length / (fullness * 1.5)) // 1000 * 1000)
        elif fullness < 0.25:
            self.length = min(LONGEST_MSC, self.length * 2)
        self.rows = self.largest = 0


@dataclass(slots=True)
class _Span:
    """`seen_since`: from when on every closing was read in this pass."""

    first: int
    last: int
    seen_since: int
    forgotten: int


class PastPart(HistoryPart):
    """`trading.platforms.base.ReadsPast`."""

    def past(self, *, mask: str, from_msc: int, to_msc: int, position_msc: int) -> Iterator[PastPiece]:
        """Yield deals between two server times, both included. A piece's position is the time up to which closings are read.

        The list of open orders is read before the last closings, so that what closes meanwhile is among those. An hour more
        at the begin covers a clock that went back.
        """
        logins = self._known_logins(mask)
        at = max(from_msc, position_msc) - HOUR_MSC
        span, step = _Span(from_msc, to_msc, at, self.lineage.forgotten), Step()
        now = self.server_time().server_msc
        while at < now:
            end = min(at + step.length, now)
            for rows in self._reports(logins, at, end):
                step.took(len(rows))
                if deals := self._of_span(rows, span, at):
                    yield PastPiece(deals, max(at, from_msc, position_msc))
            at = end
            step.adapt()
            yield PastPiece([], max(at, from_msc, position_msc))
        for some in batched(self._open(mask), OPEN_AT_ONCE):
            yield PastPiece(self._of_span(list(some), span, None), max(at, from_msc))
        end = max(now, self.server_time().server_msc) + DAY_MSC
        for rows in self._reports(logins, now, end):
            yield PastPiece(self._of_span(rows, span, at), max(at, from_msc))
        yield PastPiece([], max(now, to_msc + 1))

    def _of_span(self, rows: list[Any], span: _Span, at: int | None) -> list[DealData]:
        """Make the deals of a span from order rows.

        `at`: closings from then on are in hand. None for open orders: a part may have been closed since closings were read.
        """
        if at is not None and self.lineage.forgotten != span.forgotten:
            # Parts of long ago may be among what is remembered no more.
            span.seen_since, span.forgotten = at, self.lineage.forgotten
        deals = self._deals(rows, command="ReportsRequest", seen_since=None if at is None else span.seen_since)
        return [deal for deal in deals if span.first <= deal.server_msc <= span.last]
