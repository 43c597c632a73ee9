"""cTrader as a `Platform`: its parts put together, and how a server row becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from trading.platforms.base import platform_kind
from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader import doctor
from trading.platforms.ctrader.config import OPTIONS, configuration
from trading.platforms.ctrader.platform import CAPABILITIES, WITHOUT_MANAGER, CtraderPlatform
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer


"""What WebServices alone can do: money could be sent, but nobody could look it up."""


MONEY_ABILITIES: Final = frozenset({"move_money", "book_credit", "book_bonus", "book_correction"})


def lacking(server: TradingServer) -> frozenset[str]:
    """Name what isn't possible without the Manager API: no money is moved, and pages offer none."""
    return MONEY_ABILITIES if option_value(server, "manager_api") != "yes" else frozenset()


@platform_kind(
    "ctrader",
    CAPABILITIES,
    options=OPTIONS,
    time_zone="UTC",
    manager_pattern=r"\d+",
    secret_label=_("Manager password"),
    checks=doctor.checks,
    advice=doctor.ADVICE,
    lacking=lacking,
)
def make_platform(server: TradingServer, gate: Gate) -> CtraderPlatform:
    """Make the platform of a cTrader server's row."""
    return CtraderPlatform(configuration(server), gate)


__all__ = ["CAPABILITIES", "WITHOUT_MANAGER", "CtraderPlatform", "make_platform"]
