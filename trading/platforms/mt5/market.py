"""The server itself, its groups and its symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.core import clock
from trading.platforms.base import GroupData, Health, QuoteData, ServerTime, SymbolData
from trading.platforms.errors import FinalError
from trading.platforms.mt5 import margins, units
from trading.platforms.mt5.answers import Answers, row_of
from trading.platforms.mt5.enums import MarginMode

PRICES_PER_REQUEST: Final = 50
MASK_SIGNS: Final = frozenset(",*!")


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
                margin_rules=margins.rules_of(row),
                margin_profile=units.text(row.get("MarginFloatingLeverage")),
                uses_discounts=units.whole(row.get("MarginMode")) == MarginMode.EXCHANGE,
            )
            for row in rows
        ]

    def symbols(self) -> Iterator[SymbolData]:
        total = self.client.read("SYMBOL_TOTAL").number("TOTAL")
        for start in range(0, total, PRICES_PER_REQUEST):
            part = range(start, min(start + PRICES_PER_REQUEST, total))
            yield from self._symbols([row_of(self.client.read("SYMBOL_NEXT", {"INDEX": index})) for index in part])

    def _symbols(self, rows: list[dict[str, Any]]) -> Iterator[SymbolData]:
        prices = self._prices([units.text(row["Symbol"]) for row in rows if margins.needs_price(row)])
        for row in rows:
            name = units.text(row["Symbol"])
            yield SymbolData(
                name=name,
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
                **margins.of_symbol(row, prices.get(name)),
            )

    def quotes(self, names: list[str]) -> list[QuoteData]:
        """Read the last bid and ask of some symbols; those without a price are left out."""
        return [
            QuoteData(
                symbol=units.text(row.get("Symbol")),
                bid=units.decimal(row.get("Bid")),
                ask=units.decimal(row.get("Ask")),
                at=clock.to_utc(units.whole(row.get("DatetimeMsc")), self.zone),
            )
            for row in self._rows_or_none("TICK_LAST", {"SYMBOL": ",".join(names)})
        ]

    def quotes_since(self, names: Sequence[str]) -> list[QuoteData]:
        """Read the last prices: the Web API has no ticks of the past, so one a reading is known."""
        plain = [name for name in names if not MASK_SIGNS & set(name)]
        quotes = self.quotes(plain) if plain else []
        return sorted((quote for quote in quotes if 0 < quote.bid <= quote.ask), key=lambda quote: quote.at)

    def _prices(self, names: list[str]) -> dict[str, Decimal]:
        """Read the highest of the last prices of each; none for symbols without one, or that the manager may not see."""
        plain = [name for name in names if not MASK_SIGNS & set(name)]
        try:
            rows = self._rows_or_none("TICK_LAST", {"SYMBOL": ",".join(plain)}) if plain else []
        except FinalError:  # a manager without the right to prices reads symbols all the same
            return {}
        prices = {
            units.text(row.get("Symbol")): max(units.decimal(row.get(side)) for side in ("Bid", "Ask", "Last"))
            for row in rows
        }
        return {name: price for name, price in prices.items() if price > 0}
