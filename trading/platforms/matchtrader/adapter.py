"""Match-Trader as a `Platform`: its parts put together, and how a server row becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from trading.platforms.base import platform_kind
from trading.platforms.circuit_breaker import Gate
from trading.platforms.matchtrader import doctor
from trading.platforms.matchtrader.options import OPTIONS, Config, configuration
from trading.platforms.matchtrader.platform import CAPABILITIES, MatchTraderPlatform
from trading.platforms.matchtrader.quote_stream import QuoteStream
from trading.platforms.matchtrader.rest import RestClient
from trading.platforms.matchtrader.streams import Streams

if TYPE_CHECKING:
    from trading.models import TradingServer


# The server takes 500 requests a minute from one key. In any minute each purpose sends at most rate * 60 + burst:
# 140, 250 and 105. All processes count together.
RATES: Final = {"money": (2.0, 20, 10.0), "reads": (3.5, 40, 15.0), "backfill": (1.0, 45, 60.0)}


def platform_of(config: Config, gate: Gate | None = None) -> MatchTraderPlatform:
    """Put the platform together from its configuration, with streams where gRPC is switched on."""
    client = RestClient(config, gate)
    if not config.grpc_target:
        return MatchTraderPlatform(client)
    return MatchTraderPlatform(client, Streams(config, client.now_msc), QuoteStream(config, client.now_msc))


@platform_kind(
    "matchtrader",
    CAPABILITIES,
    options=OPTIONS,
    time_zone="UTC",
    rates=RATES,
    checks=doctor.checks,
    advice=doctor.ADVICE,
    manager_pattern=r"\S.{0,31}",
    manager_label=_("API key name"),
    secret_label=_("API key"),
)
def make_platform(server: TradingServer, gate: Gate) -> MatchTraderPlatform:
    """Make the platform of a Match-Trader server's row. Raises: FinalError for settings that can't be right."""
    return platform_of(configuration(server), gate)


__all__ = ["MatchTraderPlatform", "make_platform", "platform_of"]
