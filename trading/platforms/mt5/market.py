"""The server itself, its groups and its symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from trading.platforms.base import GroupData, Health, MarginRule, ServerTime, SymbolData
from trading.platforms.mt5 import units
from trading.platforms.mt5.answers import Answers, row_of
from trading.platforms.mt5.enums import MARGIN_BY_LEVERAGE, MARGIN_BY_RATE, MarginMode, TradeMode

DEFAULT: Final = "default"  # in a group's settings of a symbol: as the symbol itself has it
RATE_MAX: Final = Decimal(1_000_000)
TRADE_MODE_MAX: Final = 4


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
                margin_rules=_margin_rules(row),
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
                margin_rate=_margin_rate(row),
                margin_by_leverage=units.whole(row.get("CalcMode")) in MARGIN_BY_LEVERAGE,
                is_traded=_is_traded(row) is not False,
            )


def _margin_rate(row: Mapping[str, Any]) -> Decimal | None:
    """The smaller initial rate of buying and selling, where the formula has one and no fixed margin takes its place."""
    if units.whole(row.get("CalcMode")) not in MARGIN_BY_RATE or units.decimal(row.get("MarginInitial")):
        return None
    return _smaller(row)


def _smaller(row: Mapping[str, Any]) -> Decimal | None:
    """Of market orders. "default" (or the largest number, as older builds write it) leaves it to the symbol."""
    told = [units.text(row.get(name)) for name in ("MarginInitialBuy", "MarginInitialSell")]
    rates = [units.decimal(one) for one in told if one and one != DEFAULT]
    return min((rate for rate in rates if rate < RATE_MAX), default=None)


def _is_traded(row: Mapping[str, Any]) -> bool | None:
    told = units.text(row.get("TradeMode"))
    mode = -1 if told in ("", DEFAULT) else units.whole(told)
    return mode not in (TradeMode.DISABLED, TradeMode.CLOSE_ONLY) if 0 <= mode <= TRADE_MODE_MAX else None


def _margin_rules(row: Mapping[str, Any]) -> tuple[MarginRule, ...]:
    """What the group sets for paths of symbols, those that say something of margin or trading."""
    rules = (
        MarginRule(units.text(one.get("Path")), _smaller(one), _is_traded(one)) for one in row.get("Symbols") or ()
    )
    return tuple(rule for rule in rules if (rule.rate, rule.is_traded) != (None, None))
