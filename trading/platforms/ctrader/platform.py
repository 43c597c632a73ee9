"""cTrader as a `Platform`: its parts put together, and what it can."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from trading.platforms.base import BalanceKind, Capabilities, Right
from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader import units
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.ctrader.market import MarketPart

if TYPE_CHECKING:
    pass


CAPABILITIES: Final = Capabilities(
    own_logins=False,
    rights=frozenset({Right.SIGN_IN, Right.TRADE}),
    balance_kinds=frozenset(BalanceKind),
    pushes_deals=True,
    lists_money=True,
    reference_chars_max=units.REFERENCE_CHARS_MAX,
    password_chars_max=16,
    # Types of the balance history speak of credit, the description of WebServices says that it holds none.
    unverified=frozenset({"book_credit"}),
)


WITHOUT_MANAGER: Final = replace(
    CAPABILITIES,
    checks_passwords=False,
    balance_kinds=frozenset(),
    finds_by_reference=False,
    pushes_deals=False,
    finds_deals=False,
)


class CtraderPlatform(MarketPart):
    """One server as one manager."""

    def __init__(self, config: CtraderConfig, gate: Gate) -> None:
        super().__init__(config, gate)
        self.capabilities = CAPABILITIES if config.manager is not None else WITHOUT_MANAGER
