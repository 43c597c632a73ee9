"""MetaTrader 4 as a `Platform`: its parts put together, and what it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trading.platforms.base import BalanceKind, Capabilities, Right
from trading.platforms.mt4 import text
from trading.platforms.mt4.market import MarketPart
from trading.platforms.mt4.money import MoneyPart
from trading.platforms.mt4.past import PastPart

if TYPE_CHECKING:
    pass


CAPABILITIES: Final = Capabilities(
    rights=frozenset({Right.SIGN_IN, Right.TRADE, Right.CHANGE_PASSWORD}),
    balance_kinds=frozenset({BalanceKind.BALANCE, BalanceKind.CREDIT}),
    reference_chars_max=text.COMMENT_MAX,
    password_chars_max=text.PASSWORD_MAX,
)


class Mt4Platform(MarketPart, MoneyPart, PastPart):
    """One trade server behind one bridge."""

    capabilities = CAPABILITIES
