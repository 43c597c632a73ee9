"""Match-Trader as a `Platform`: its parts put together, and what it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trading.platforms.base import BalanceKind, Capabilities, Right
from trading.platforms.matchtrader.history import HistoryPart
from trading.platforms.matchtrader.market import MarketPart
from trading.platforms.matchtrader.money import REFERENCE_CHARS_MAX

if TYPE_CHECKING:
    pass


CAPABILITIES: Final = Capabilities(
    own_logins=False,
    rights=frozenset({Right.SIGN_IN, Right.TRADE}),
    checks_passwords=False,
    balance_kinds=frozenset({BalanceKind.BALANCE, BalanceKind.CREDIT, BalanceKind.CORRECTION}),
    pushes_deals=True,
    reference_chars_max=REFERENCE_CHARS_MAX,
    unverified=frozenset({"book_credit"}),
)


class MatchTraderPlatform(MarketPart, HistoryPart):
    """One broker's interface with one API key."""

    capabilities = CAPABILITIES
