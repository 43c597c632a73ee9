"""Which order a part of a partial close began as.

The closed part keeps its number and says `to #rest`; the rest says `from #part`, until it is cut itself and says `to #…`. So a
row in the middle names only the next one, and who came before is known from the row before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from trading.platforms.mt4 import units
from trading.platforms.mt4.rows import BUY, SELL, command_of, neighbours

KNOWN_MAX: Final = 50_000
Row = Mapping[str, Any]


class Lineage:
    """Remembers for a while who came before whom. `history`: closed rows of a login while some of its orders were open, to
    look it up. `forgotten` counts what is remembered no more."""

    def __init__(self, history: Callable[[int, Sequence[Row]], Iterable[Row]]) -> None:
        self.history, self.forgotten = history, 0
        self._before: OrderedDict[int, int] = OrderedDict()  # 0: nobody came before

    def learn(self, rows: Iterable[Row], *, is_whole: Callable[[Row], bool] = lambda _row: False) -> None:
        """Take in rows, and look up what they leave open: once per login. `is_whole`: every part that was cut off before this
        row was taken in already."""
        rows = [row for row in rows if command_of(row) in (BUY, SELL)]
        self._note(rows)
        asked: dict[int, list[Row]] = {}
        for row in rows:
            if self._is_open_question(row) and not is_whole(row):
                asked.setdefault(units.whole(row["login"]), []).append(row)
        for login, theirs in asked.items():
            self._note(self.history(login, theirs))
        for row in rows:
            if self._is_open_question(row):
                self._keep(self._first(units.whole(row["order"])), 0)

    def root_of(self, order: int) -> int:
        """Find the first number of the chain; the order's own where it was never cut."""
        return self._first(order)

    def _first(self, order: int) -> int:
        seen = {order}
        while (before := self._before.get(order)) and before not in seen:
            seen.add(before)
            order = before
        return order

    def _is_open_question(self, row: Row) -> bool:
        """Tell whether a row is part of a chain whose first known order may not be the first."""
        before, after = neighbours(row)
        if before is None and after is None:
            return False
        return self._before.get(self._first(units.whole(row["order"]))) != 0

    def _note(self, rows: Iterable[Row]) -> None:
        for row in rows:
            order = units.whole(row["order"])
            before, after = neighbours(row)
            if before is not None:
                self._keep(order, before)
            if after is not None:
                self._keep(after, order)

    def _keep(self, order: int, before: int) -> None:
        self._before[order] = before
        self._before.move_to_end(order)
        while len(self._before) > KNOWN_MAX:
            self._before.popitem(last=False)
            self.forgotten += 1
