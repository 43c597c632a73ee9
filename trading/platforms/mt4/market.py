"""The server itself, its groups and its symbols."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.core import clock
from trading.platforms.aside import UNREADABLE
from trading.platforms.base import GroupData, Health, QuoteData, ServerTime, SymbolData
from trading.platforms.errors import ReadTimedOut
from trading.platforms.mt4 import quotes, units
from trading.platforms.mt4.answers import Answers
from trading.platforms.mt4.rows import text

QUARTER_SECONDS: Final = 900  # zones differ from UTC by whole quarters of an hour
APART_SECONDS_MAX: Final = 300
QUOTE_SECONDS: Final = 2.0  # new deals are read on the same connection: they don't wait longer for prices
MONEY_DIGITS: Final = 2  # the server keeps all money to two places
STEP_LOTS: Final = Decimal("0.01")  # volumes are counted in it


class MarketPart(Answers):
    """What is configured on the server."""

    def health(self) -> Health:
        """Name, version and build of the trade server, as the bridge knows them."""
        common = self.client.read("ManagerCommon")
        if not isinstance(common, Mapping):
            raise ReadTimedOut("the answer is not a record", command="ManagerCommon")
        started = time.monotonic()
        now = self.server_time()
        latency = round((time.monotonic() - started) * 1000)
        version = f"{text(common.get('name'))} {units.whole(common.get('version'))}/{units.whole(common.get('build'))}".strip()
        return Health(version=version, latency_ms=latency, time=now)

    def server_time(self) -> ServerTime:
        """Read the server's wall clock and its distance from UTC by ours; a clock that is wrong counts by its own settings."""
        answer = self.client.read("ServerTime")
        try:
            msc = units.server_msc(answer, self.habits.zone, in_utc=self.habits.in_utc)
        except UNREADABLE as problem:
            raise ReadTimedOut("the server's time can't be read", command="ServerTime") from problem
        apart = msc / 1000 - time.time()
        offset = round(apart / QUARTER_SECONDS) * QUARTER_SECONDS
        if abs(apart - offset) > APART_SECONDS_MAX:
            wall = clock.to_utc(msc, self.habits.zone).astimezone(self.habits.zone)
            offset = int((wall.utcoffset() or dt.timedelta()).total_seconds())
        return ServerTime(server_msc=msc, offset_seconds=offset)

    def groups(self) -> list[GroupData]:
        """List the groups; every order is a position of its own on this server: it nets nothing."""
        try:
            return [_group(row) for row in self.client.pages("GroupsRequest")]
        except UNREADABLE as problem:
            raise ReadTimedOut("a group can't be read", command="GroupsRequest") from problem

    def symbols(self) -> Iterator[SymbolData]:
        folders = [text(row.get("name")) for row in self._rows("SymbolsGroupsGet")]
        for row in self._rows("CfgRequestSymbol"):
            try:
                yield _symbol(row, folders)
            except UNREADABLE as problem:
                raise ReadTimedOut("a symbol can't be read", command="CfgRequestSymbol") from problem

    def quotes_since(self, names: Sequence[str]) -> list[QuoteData]:
        """Read the last prices from the old text port; none where the server's row names no port.

        The port tells times in whole seconds, so a quote bears the time at which it came here.
        """
        asked = [name for name in names if quotes.NAME.fullmatch(name)]
        if self.habits.quote_address is None or not asked:
            return []
        try:
            rows = quotes.read(self.habits.quote_address, asked, seconds=QUOTE_SECONDS)
        except OSError as problem:
            raise ReadTimedOut(f"the text port gave no quotes ({problem})", command="WQUOTES") from problem
        at = dt.datetime.now(dt.UTC)
        return [QuoteData(row.symbol, row.bid, row.ask, at) for row in rows if 0 < row.bid <= row.ask]


def _group(row: Mapping[str, Any]) -> GroupData:
    return GroupData(
        name=text(row["group"]),
        currency=text(row["currency"]),
        currency_digits=MONEY_DIGITS,
        is_hedging=True,
        margin_call=units.decimal(row.get("marginCall")),
        stop_out=units.decimal(row.get("marginStopout")),
        company=text(row.get("company"))[:120],
        leverage=units.whole(row.get("defaultLeverage")) or None,
    )


def _symbol(row: Mapping[str, Any], folders: list[str]) -> SymbolData:
    """Read a symbol: `currency` is what prices are in, `marginCurrency` what is traded. Steps of volume are in groups."""
    name, number, digits = text(row["symbol"]), units.whole(row.get("type"), -1), units.whole(row.get("digits"), 5)
    folder = folders[number] if 0 <= number < len(folders) else ""
    profit, traded = text(row.get("currency")), text(row.get("marginCurrency"))
    is_pair = text(row.get("profitCalculationMode")) == "Forex" and len(name) >= 6
    return SymbolData(
        name=name,
        path=f"{folder}\\{name}" if folder else name,
        description=text(row.get("description")),
        digits=digits,
        contract_size=units.decimal(row.get("contractSize")),
        currency_base=name[:3] if is_pair else traded or profit,
        currency_profit=profit,
        currency_margin=traded or profit,
        volume_min_lots=STEP_LOTS,
        volume_step_lots=STEP_LOTS,
        volume_max_lots=units.decimal(row.get("instantMaxVolume")),
        swap_long=units.decimal(row.get("swapLong")),
        swap_short=units.decimal(row.get("swapShort")),
        tick_size=units.decimal(row.get("tickSize")) or Decimal(1).scaleb(-digits),
        tick_value=units.decimal(row.get("tickValue")),
    )
