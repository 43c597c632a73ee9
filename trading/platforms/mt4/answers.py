"""What every part of the MT4 adapter builds on: its client, its habits, and how rows are read."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.platforms.aside import UNREADABLE, each_row, read_each
from trading.platforms.base import DealData
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.mt4 import codes, units
from trading.platforms.mt4.client import Mt4Client, Work
from trading.platforms.mt4.lineage import Lineage
from trading.platforms.mt4.rows import PENDING, Reader, command_of, text

logger = logging.getLogger(__name__)
DAY_MSC: Final = 86_400_000
HOUR_MSC: Final = 3_600_000
LOGINS_PER_REQUEST: Final = 200  # each is a parameter of its own in the address
CONFIG_SECONDS: Final = 600.0  # for which contract sizes are taken as known
ASK_AGAIN_SECONDS: Final = 30.0  # for a symbol that was not there


@dataclass(frozen=True, slots=True)
class Habits:
    """How this bridge and its server differ from others, see the platform's options."""

    zone: ZoneInfo
    in_utc: bool = False
    has_sync: bool = True
    code_page: str = "cp1252"
    quote_address: tuple[str, int] | None = None


class Answers:
    """An answer that can't be read is no answer: `ReadTimedOut`, as if it had never come.

    `passed_over` counts rows that are no deals and no money: orders that wait, or were cancelled.
    """

    def __init__(self, client: Mt4Client, habits: Habits) -> None:
        self.client, self.habits = client, habits
        self.lineage = Lineage(self._parts_of)
        self.reader = Reader(habits.zone, habits.in_utc, self._contract_size, self.lineage.root_of)
        self.passed_over: Counter[str] = Counter()
        self._sizes: dict[str, Decimal] = {}
        self._sizes_at = 0.0
        self._logins: dict[str, tuple[float, list[str]]] = {}

    def close(self) -> None:
        self.client.close()

    def _time(self, msc: int) -> str:
        return units.wire_time(msc, self.habits.zone, in_utc=self.habits.in_utc)

    def _rows(
        self,
        name: str,
        *arguments: object,
        query: Iterable[tuple[str, object]] = (),
        work: Work = Work.READ,
        is_once: bool = False,
    ) -> list[Any]:
        data = self.client.read(name, *arguments, query=query, work=work, is_once=is_once)
        if not isinstance(data, list):
            raise ReadTimedOut("the answer is not a list", command=name, code=codes.BRIDGE["InvalidResponse"])
        return data

    def _row(self, name: str, *arguments: object) -> Mapping[str, Any] | None:
        """Read one record; None where the bridge says that there is none."""
        try:
            data = self.client.read(name, *arguments)
        except FinalError as problem:
            if problem.code == codes.NOT_FOUND:
                return None
            raise
        if not isinstance(data, Mapping):
            raise ReadTimedOut("the answer is not a record", command=name, code=codes.BRIDGE["InvalidResponse"])
        return data

    def _rows_of(self, name: str, parameter: str, numbers: Sequence[object]) -> Iterator[Any]:
        """Ask for a list by many numbers, some hundred at a time."""
        for start in range(0, len(numbers), LOGINS_PER_REQUEST):
            part = numbers[start : start + LOGINS_PER_REQUEST]
            yield from self._rows(name, query=[(parameter, number) for number in part])

    # -- deals

    def _deals(
        self, rows: Sequence[Mapping[str, Any]], *, command: str, seen_since: int | None = None
    ) -> list[DealData]:
        """Make all deals of some order rows, each order once: the last of its rows counts.

        `seen_since`: all that was closed since then is among these rows or those before, so that parts of orders that
        were opened later need no look-up. Raises: ReadTimedOut for a row that can't be read.
        """

        def is_whole(row: Mapping[str, Any]) -> bool:
            # An hour more: a clock that went back lets a part close before its order was opened.
            return seen_since is not None and self.reader.msc(row, "openTime") - HOUR_MSC >= seen_since

        try:
            unique = dict(read_each(self._numbered, rows))
            self.lineage.learn(unique.values(), is_whole=is_whole)
            deals: list[DealData] = []
            for row in unique.values():
                if command_of(row) in PENDING:
                    self.passed_over[f"{row.get('tradeCommand')} {row.get('tradeRecordState')}"] += 1
                with each_row(row):
                    deals += self.reader.deals(row)
        except UNREADABLE as problem:
            reason = f"an order can't be read ({type(problem).__name__}: {problem})"
            raise ReadTimedOut(reason, command=command, code=codes.BRIDGE["InvalidResponse"]) from problem
        if self.passed_over:
            logger.debug("orders that are no deals: %s", dict(self.passed_over))
        return deals

    def _numbered(self, row: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Pair a row with its order number; what its chain is made of has to be readable before any row is read."""
        for name in ("openTime", "closeTime"):
            self.reader.msc(row, name)
        command_of(row)
        units.whole(row["login"])
        return units.whole(row["order"]), row

    def _parts_of(self, login: int, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Read a login's closed orders from when the first of these was opened until the last was closed.

        Parts that were cut off before are among them.
        """
        query = [("fromTime", self._time(min(self.reader.msc(row, "openTime") for row in rows) - HOUR_MSC))]
        closed = [self.reader.msc(row, "closeTime") for row in rows]
        if all(closed):
            query.append(("toTime", self._time(max(closed) + HOUR_MSC)))
        return self._rows("TradesUserHistory", login, query=query, work=Work.HISTORY)

    # -- symbols

    def _contract_size(self, symbol: str) -> Decimal:
        """Find a symbol's contract size in its configuration, since order rows have none; 0 for one that is gone."""
        age = time.monotonic() - self._sizes_at
        if not self._sizes or age > CONFIG_SECONDS or (symbol not in self._sizes and age > ASK_AGAIN_SECONDS):
            rows = self._rows("CfgRequestSymbol")
            self._sizes = {text(row.get("symbol")): units.decimal(row.get("contractSize")) for row in rows}
            self._sizes_at = time.monotonic()
        return self._sizes.get(symbol, Decimal(0))
