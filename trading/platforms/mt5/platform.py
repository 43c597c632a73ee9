"""MetaTrader 5 as a `Platform` over either form of the Web API: its parts put together."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from django.conf import settings

from trading.choices import Transport
from trading.platforms.base import SANDBOX_HOST, Capabilities
from trading.platforms.circuit_breaker import Gate
from trading.platforms.mt5 import units
from trading.platforms.mt5.accounts import AccountsPart
from trading.platforms.mt5.client import Mt5Client
from trading.platforms.mt5.commands import Mt5Config
from trading.platforms.mt5.history import HistoryPart
from trading.platforms.mt5.market import MarketPart
from trading.platforms.mt5.money import MoneyPart
from trading.platforms.mt5.rest import Mt5RestClient

if TYPE_CHECKING:
    from trading.models import TradingServer


CAPABILITIES: Final = Capabilities(reference_chars_max=units.COMMENT_CHARS_MAX)


class Mt5Platform(MarketPart, AccountsPart, HistoryPart, MoneyPart):
    """One access server. `balance_command` may name a broker's own plugin command with the same parameters."""

    capabilities = CAPABILITIES


def configuration(server: TradingServer) -> Mt5Config:
    """Read a server's row into the client's configuration."""
    host, port, certificate_file = server.host, server.port, ""
    if host == SANDBOX_HOST:
        is_rest = server.transport == Transport.REST
        host, _colon, number = (settings.SANDBOX_MT5_REST if is_rest else settings.SANDBOX_MT5).rpartition(":")
        port, certificate_file = int(number), settings.SANDBOX_MT5_CERTIFICATE
    return Mt5Config(
        host=host,
        port=port,
        login=int(server.manager_login),
        password=server.password(),
        crypt_method=server.crypt_method,
        read_seconds=settings.TRADING_READ_SECONDS,
        write_seconds=settings.TRADING_WRITE_SECONDS,
        certificate=server.certificate,
        certificate_file=certificate_file,
        path_prefix=server.path_prefix,
    )


def other_form(server: TradingServer) -> TradingServer:
    """Copy the server with the form of the Web API that is not in use: an object that is never saved."""
    other = copy.copy(server)
    other.transport = Transport.RAW if server.transport == Transport.REST else Transport.REST
    return other


def connect(server: TradingServer, gate: Gate) -> Mt5Platform:
    """Make the platform of a server over the form of the Web API that it is set to."""
    form = Mt5RestClient if server.transport == Transport.REST else Mt5Client
    return Mt5Platform(form(configuration(server), gate), server.zone, balance_command=server.balance_command)
