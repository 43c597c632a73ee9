"""The server itself, its groups and its symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal

from trading.platforms.base import GroupData, Health, QuoteData, ServerTime, SymbolData
from trading.platforms.masks import matches
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.parts import Part, reading


class MarketPart(Part):
    """The clock is UTC; margin levels of groups are not told by the interface."""

    def health(self) -> Health:
        started = time.monotonic()
        self.client.read("accounts", query=[("page", "0"), ("size", "1")])
        latency = round((time.monotonic() - started) * 1000)
        return Health(version="Broker API v2", latency_ms=latency, time=self.server_time())

    def server_time(self) -> ServerTime:
        """Read the clock from its answers' `Date`. Before the first answer it is asked for one."""
        if self.client.clock_ahead_msc is None:
            self.client.read("accounts", query=[("page", "0"), ("size", "1")])
        return ServerTime(server_msc=self.client.now_msc(), offset_seconds=0)

    def groups(self) -> list[GroupData]:
        names = self.group_names("*")
        if not names:
            return []
        answer = self.client.read("groups", body={"names": names})
        with reading("groups"):
            return [
                GroupData(
                    name=rows.text(row["name"]),
                    currency=rows.text(row["currency"]),
                    currency_digits=int(row.get("currencyPrecision", 2)),
                    is_hedging=bool(row.get("hedgingEnabled", True)),
                    margin_call=rows.decimal(row.get("marginCall")),
                    stop_out=rows.decimal(row.get("stopoutLevel")),
                    company=rows.text(row.get("groupOwner"))[:120],
                )
                for row in answer
            ]

    def symbols(self) -> Iterator[SymbolData]:
        for name, row in self.symbol_rows().items():
            with reading("symbols"):
                digits = int(row.get("pricePrecision", 5))
                step = rows.decimal(row.get("volumeStep")) or Decimal(1).scaleb(-int(row.get("volumePrecision", 2)))
                yield SymbolData(
                    name=name,
                    path=rows.text(row.get("type")),
                    description=rows.text(row.get("description")),
                    digits=digits,
                    contract_size=rows.decimal(row.get("contractSize")),
                    currency_base=rows.text(row.get("baseCurrency")),
                    currency_profit=rows.text(row.get("quoteCurrency")),
                    currency_margin=rows.text(row.get("baseCurrency")),
                    volume_min_lots=rows.decimal(row.get("volumeMin")),
                    volume_step_lots=step,
                    volume_max_lots=rows.decimal(row.get("volumeMax")),
                    swap_long=rows.decimal(row.get("swapBuy")),
                    swap_short=rows.decimal(row.get("swapSell")),
                    tick_size=rows.decimal(row.get("sizeOfOnePoint")) or Decimal(1).scaleb(-digits),
                )

    def quotes_since(self, names: Sequence[str]) -> list[QuoteData]:
        """Take what was pushed of these symbols, with the markup of a real group; none without streams."""
        if self.quotes is None:
            return []
        groups = self.group_names("*")
        real = [name for name in groups if not matches(self.config.demo_groups, name)]
        return self.quotes.quotes_of(names, next(iter(real or groups), ""))
