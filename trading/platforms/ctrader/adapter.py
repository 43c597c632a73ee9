"""cTrader as a `Platform`: its parts put together, and how a server row becomes one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from trading.platforms.base import BalanceKind, Capabilities, Right, platform_kind
from trading.platforms.ctrader import doctor, units
from trading.platforms.ctrader.config import OPTIONS, CtraderConfig, configuration
from trading.platforms.ctrader.market import MarketPart
from trading.platforms.gate import Gate

if TYPE_CHECKING:
    from trading.models import TradingServer

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
    CAPABILITIES, checks_passwords=False, balance_kinds=frozenset(), finds_by_reference=False, pushes_deals=False,
    finds_deals=False,
)  # fmt: skip
"""What WebServices alone can do: money could be sent, but nobody could look it up."""


MONEY_ABILITIES: Final = frozenset({"move_money", "book_credit", "book_bonus", "book_correction"})


def lacking(server: TradingServer) -> frozenset[str]:
    """Without the Manager API no money is moved: pages offer none."""
    return MONEY_ABILITIES if server.option("manager_api") != "yes" else frozenset()


class CtraderPlatform(MarketPart):
    """One server as one manager."""

    def __init__(self, config: CtraderConfig, gate: Gate) -> None:
        super().__init__(config, gate)
        self.capabilities = CAPABILITIES if config.manager is not None else WITHOUT_MANAGER


@platform_kind(
    "ctrader", CAPABILITIES, options=OPTIONS, time_zone="UTC", manager_pattern=r"\d+",
    secret_label=_("Manager password"), checks=doctor.checks, advice=doctor.ADVICE, lacking=lacking,
)  # fmt: skip
def make_platform(server: TradingServer, gate: Gate) -> CtraderPlatform:
    return CtraderPlatform(configuration(server), gate)


__all__ = ["CAPABILITIES", "WITHOUT_MANAGER", "CtraderPlatform", "make_platform"]
