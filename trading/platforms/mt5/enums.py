"""Numbers of the MT5 server with their names. An unknown number is kept as it came, never dropped."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class DealEntry(IntEnum):
    IN = 0
    OUT = 1
    INOUT = 2
    OUT_BY = 3


class Rights(IntFlag):
    """A user's rights. Read before you write: other bits belong to the broker."""

    ENABLED = 0x1
    CHANGE_PASSWORD = 0x2
    TRADE_DISABLED = 0x4
    INVESTOR = 0x8
    CONFIRMED = 0x10
    TRAILING = 0x20
    EXPERT = 0x40
    REPORTS = 0x100
    READONLY = 0x200
    RESET_PASSWORD = 0x400
    OTP = 0x800
    HOSTING = 0x2000
    API = 0x4000


RIGHTS_DEFAULT = 0x1E3


class TradeMode(IntEnum):
    DISABLED = 0
    CLOSE_ONLY = 3


class CalcMode(IntEnum):
    """EnCalcMode: how margin is computed. FORTS futures, options and bonds have formulas of their own."""

    FOREX = 0
    FUTURES = 1
    CFD = 2
    CFD_INDEX = 3
    CFD_LEVERAGE = 4
    FOREX_NO_LEVERAGE = 5
    EXCHANGE_STOCKS = 32
    EXCHANGE_FUTURES = 33
    EXCHANGE_STOCKS_MOEX = 38
    COLLATERAL = 64


MARGIN_BY_LEVERAGE = frozenset({CalcMode.FOREX, CalcMode.CFD_LEVERAGE})
MARGIN_BY_AMOUNT = frozenset({CalcMode.FUTURES, CalcMode.EXCHANGE_FUTURES})
MARGIN_BY_VALUE = frozenset(CalcMode) - MARGIN_BY_AMOUNT - {CalcMode.COLLATERAL}
WORTH_OF_BASE = frozenset({CalcMode.FOREX, CalcMode.FOREX_NO_LEVERAGE})


class MarginMode(IntEnum):
    RETAIL_NETTING = 0
    EXCHANGE = 1
    RETAIL_HEDGING = 2
