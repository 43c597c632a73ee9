"""The server itself, its groups and its symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal

from trading.platforms.base import GroupData, Health, ServerTime, SymbolData
from trading.platforms.mt5 import units
from trading.platforms.mt5.answers import Answers, row_of
from trading.platforms.mt5.enums import MarginMode


class MarketPart(Answers):
    """What is configured on the server. Groups and symbols are those that the manager may see."""

    def health(self) -> Health:
        access, trade = self.client.connect()
        started = time.monotonic()
        self.client.read("TEST_ACCESS")
        latency = round((time.monotonic() - started) * 1000)
        return Health(version=f"{access}/{trade}", latency_ms=latency, time=self.server_time())

    def server_time(self) -> ServerTime:
        seconds, _, fraction = self._parameter(self.client.read("TIME_SERVER"), "TIME").partition(" ")
        settings = row_of(self.client.read("TIME_GET"))
        offset = units.whole(settings.get("TimeZone")) * 60
        if units.whole(settings.get("DaylightState")):
            offset += 3600
        msc = units.whole(seconds) * 1000 + units.whole(fraction[:3] or 0)
        return ServerTime(server_msc=msc, offset_seconds=offset)

    def groups(self) -> list[GroupData]:
        total = self.client.read("GROUP_TOTAL").number("TOTAL")
        rows = [row_of(self.client.read("GROUP_NEXT", {"INDEX": index})) for index in range(total)]
        return [
            GroupData(
                name=units.text(row["Group"]),
                currency=units.text(row["Currency"]),
                currency_digits=units.whole(row.get("CurrencyDigits"), 2),
                is_hedging=units.whole(row.get("MarginMode")) == MarginMode.RETAIL_HEDGING,
                margin_call=units.decimal(row.get("MarginCall")),
                stop_out=units.decimal(row.get("MarginStopOut")),
                company=units.text(row.get("Company"))[:120],
                leverage=units.whole(row.get("DemoLeverage")) or None,
            )
            for row in rows
        ]

    def symbols(self) -> Iterator[SymbolData]:
        for index in range(self.client.read("SYMBOL_TOTAL").number("TOTAL")):
            row = row_of(self.client.read("SYMBOL_NEXT", {"INDEX": index}))
            yield SymbolData(
                name=units.text(row["Symbol"]),
                path=units.text(row.get("Path")),
                description=units.text(row.get("Description")),
                digits=units.whole(row.get("Digits"), 5),
                contract_size=units.decimal(row.get("ContractSize")),
                currency_base=units.text(row.get("CurrencyBase")),
                currency_profit=units.text(row.get("CurrencyProfit")),
                currency_margin=units.text(row.get("CurrencyMargin")),
                volume_min_lots=units.lots(units.volume_ext(row, "VolumeMin")),
                volume_step_lots=units.lots(units.volume_ext(row, "VolumeStep")),
                volume_max_lots=units.lots(units.volume_ext(row, "VolumeMax")),
                swap_long=units.decimal(row.get("SwapLong")),
                swap_short=units.decimal(row.get("SwapShort")),
                # Zero stands for the last digit of the price.
                tick_size=units.decimal(row.get("TickSize")) or Decimal(1).scaleb(-units.whole(row.get("Digits"), 5)),
                tick_value=units.decimal(row.get("TickValue")),
            )
