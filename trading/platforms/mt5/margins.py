"""How the server computes the margin of a symbol, and what its groups set instead.

By MetaQuotes' own description (support.metaquotes.net/en/docs/mt5/client/trading_advanced/margin_forex): the formula of the
symbol's calculation type, or its "Initial margin" where that is not zero; then times the margin rate of the side. Only Forex and
CFD Leverage are divided by the account's leverage, with a fixed margin too. A group may have a floating-margin profile, whose
tiers no command of the Web API tells, or an exchange's risk model.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from trading.choices import MarginFormula
from trading.platforms.base import MarginRule
from trading.platforms.mt5 import units
from trading.platforms.mt5.enums import (
    MARGIN_BY_AMOUNT,
    MARGIN_BY_LEVERAGE,
    MARGIN_BY_VALUE,
    WORTH_OF_BASE,
    CalcMode,
    TradeMode,
)

DEFAULT: Final = "default"  # in a group's settings of a symbol: as the symbol itself has it
RATE_MAX: Final = Decimal(1_000_000)
AMOUNT_MAX: Final = Decimal(10) ** 12  # older builds write the largest number where a group leaves it to the symbol
TRADE_MODE_MAX: Final = 4


def needs_price(row: Mapping[str, Any]) -> bool:
    """Tell whether a price decides what a lot is worth: a lot of Forex is so much of its base currency."""
    return units.whole(row.get("CalcMode")) not in WORTH_OF_BASE


def of_symbol(row: Mapping[str, Any], price: Decimal | None) -> dict[str, Any]:
    """Compute the fields of `SymbolData` that are about margin."""
    mode = units.whole(row.get("CalcMode"))
    value, currency = _lot_value(row, mode, price)
    return {
        "margin_rate": smaller_rate(row) if mode in MARGIN_BY_VALUE or mode in MARGIN_BY_AMOUNT else None,
        "margin_by_leverage": mode in MARGIN_BY_LEVERAGE,
        "margin_formula": formula_of(mode),
        "margin_fixed": _told_amount(row) or Decimal(0),
        "lot_value": value,
        "lot_currency": currency,
        "is_traded": mode != CalcMode.COLLATERAL and is_traded(row) is not False,
    }


def formula_of(mode: int) -> MarginFormula:
    """Sort a calculation mode by what its margin follows: the trade's value, a fixed amount, or something else."""
    if mode in MARGIN_BY_VALUE:
        return MarginFormula.VALUE
    return MarginFormula.AMOUNT if mode in MARGIN_BY_AMOUNT else MarginFormula.OTHER


def _lot_value(row: Mapping[str, Any], mode: int, price: Decimal | None) -> tuple[Decimal | None, str]:
    size = units.decimal(row.get("ContractSize"))
    if mode in WORTH_OF_BASE:
        return size or None, units.text(row.get("CurrencyBase"))
    currency = units.text(row.get("CurrencyProfit"))
    if price is None:
        return None, currency
    if mode in MARGIN_BY_AMOUNT:  # a future's profit is counted in ticks
        tick, worth = units.decimal(row.get("TickSize")), units.decimal(row.get("TickValue"))
        if tick and worth:
            return price / tick * worth, currency
    return price * size or None, currency


def smaller_rate(row: Mapping[str, Any]) -> Decimal | None:
    """Find the smaller initial rate of buying and selling, of market orders; None leaves it to the symbol."""
    texts = [units.text(row.get(name)) for name in ("MarginInitialBuy", "MarginInitialSell")]
    rates = [units.decimal(text) for text in texts if text and text != DEFAULT]
    return min((rate for rate in rates if rate < RATE_MAX), default=None)


def _told_amount(row: Mapping[str, Any]) -> Decimal | None:
    text = units.text(row.get("MarginInitial"))
    amount = units.decimal(text) if text and text != DEFAULT else AMOUNT_MAX
    return amount if 0 <= amount < AMOUNT_MAX else None


def is_traded(row: Mapping[str, Any]) -> bool | None:
    """Tell whether positions can be opened; None where the row leaves that to the symbol."""
    text = units.text(row.get("TradeMode"))
    mode = -1 if text in ("", DEFAULT) else units.whole(text)
    return mode not in (TradeMode.DISABLED, TradeMode.CLOSE_ONLY) if 0 <= mode <= TRADE_MODE_MAX else None


def rules_of(row: Mapping[str, Any]) -> tuple[MarginRule, ...]:
    """List what the group sets for paths of symbols, as far as it is about margin or trading."""
    rules = (
        MarginRule(units.text(entry.get("Path")), smaller_rate(entry), is_traded(entry), _told_amount(entry))
        for entry in row.get("Symbols") or ()
    )
    return tuple(rule for rule in rules if (rule.rate, rule.is_traded, rule.fixed) != (None, None, None))
