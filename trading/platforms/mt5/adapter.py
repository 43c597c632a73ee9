"""MetaTrader 5 as a `Platform`, over either form of the Web API: its parts put together, and how a server row becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from trading.platforms.base import EXPORTS, platform_kind
from trading.platforms.circuit_breaker import Gate
from trading.platforms.mt5 import doctor
from trading.platforms.mt5.export import SqlExport
from trading.platforms.mt5.platform import CAPABILITIES, Mt5Platform, configuration, connect, other_form

if TYPE_CHECKING:
    from trading.models import TradingServer


@platform_kind(
    "mt5",
    CAPABILITIES,
    manager_pattern=r"\d+",
    checks=doctor.checks,
    advice=doctor.ADVICE,
    secret_label=_("Manager API password"),
)
def make_platform(server: TradingServer, gate: Gate) -> Mt5Platform:
    """Make the platform of an MT5 server's row."""
    return connect(server, gate)


def make_export(server: TradingServer) -> SqlExport:
    """Make the reader of a server's SQL export. Raises: FinalError when none is set or its address can't be right."""
    return SqlExport(server.export_url(), server.zone, read_seconds=settings.TRADING_READ_SECONDS)


EXPORTS["mt5"] = make_export

__all__ = ["Mt5Platform", "configuration", "make_export", "make_platform", "other_form"]
