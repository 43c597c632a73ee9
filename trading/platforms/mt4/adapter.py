"""MetaTrader 4 as a `Platform`: its parts put together, what it can, its options, and how a server row becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from trading.platforms.base import SANDBOX_HOST, platform_kind
from trading.platforms.circuit_breaker import Gate
from trading.platforms.mt4 import doctor, text
from trading.platforms.mt4.answers import Habits
from trading.platforms.mt4.client import DEADLINES, MARGIN_SECONDS, Mt4Client, Mt4Config, Work
from trading.platforms.mt4.platform import CAPABILITIES, Mt4Platform
from trading.platforms.options import Option
from trading.platforms.pool import option_value
from trading.platforms.web import Address

if TYPE_CHECKING:
    from trading.models import TradingServer


READ_SECONDS, WRITE_SECONDS = (
    20.0,
    15.0,
)  # the settings' own defaults: with them the bridge's deadlines are as documented
DEADLINE_MIN, DEADLINE_MAX = 1.0, 300.0
OPTIONS: Final = (
    Option(
        "trade_platform",
        _("Trading platform"),
        _("Its UUID in the bridge's admin interface."),
        is_required=True,
        pattern=r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    ),
    Option(
        "connection",
        _("Connection"),
        _("Use plain HTTP only inside a tunnel."),
        default="https",
        choices=(("https", "HTTPS"), ("http", "HTTP")),
    ),
    Option(
        "authority",
        _("Sign-in server"),
        _("Address of the OpenID provider, if it isn't the bridge itself."),
        pattern=r"https?://[^\s/?#]+(/[^\s?#]*)?",
    ),
    Option("scope", _("Scope"), _("Requested with the token, if the bridge requires one."), pattern=r"[\x21-\x7e ]+"),
    Option(
        "code_page",
        _("Code page"),
        _("Encoding of names and comments on the server. Characters it lacks are written in Latin letters."),
        default="cp1252",
        choices=tuple((name, name.upper()) for name in text.CODE_PAGES),
    ),
    Option(
        "times",
        _("Time format"),
        _("Format this bridge uses. Test the connection: the check compares the clocks."),
        default="server",
        choices=(("server", _("Server time")), ("utc", _("UTC"))),
    ),
    Option(
        "reads_by",
        _("Read new deals"),
        _("Use the sync session if the bridge has one."),
        default="sync",
        choices=(("sync", _("From the sync session")), ("time", _("By time"))),
    ),
    Option(
        "quote_port",
        _("Port of the legacy text protocol"),
        _("Quotes that fills are judged by are read there; empty: not used."),
        pattern=r"\d{1,5}",
    ),
)


def deadlines(read_seconds: float, write_seconds: float) -> tuple[dict[Work, float], dict[Work, float]]:
    """Compute the deadline that the bridge gets for each kind of request, and how long we wait for its answer, in seconds.

    The bridge gets the documented deadline, and we wait twenty seconds longer, since it may take those to reach its
    server. Both shrink and grow with `TRADING_READ_SECONDS` and `TRADING_WRITE_SECONDS` against their defaults.
    """
    shares = dict.fromkeys(Work, read_seconds / READ_SECONDS)
    shares |= dict.fromkeys((Work.TRADE, Work.CHANGE), write_seconds / WRITE_SECONDS)
    limits = {work: min(DEADLINE_MAX, max(DEADLINE_MIN, seconds * shares[work])) for work, seconds in DEADLINES.items()}
    return limits, {work: (seconds + MARGIN_SECONDS) * shares[work] for work, seconds in DEADLINES.items()}


def address_of(server: TradingServer) -> Address:
    host, port = server.host, server.port
    if host == SANDBOX_HOST:
        host, _colon, number = settings.SANDBOX_PLATFORMS["mt4"].rpartition(":")
        port = int(number)
    return Address(host, port, option_value(server, "connection") == "https", server.certificate)


def configuration(server: TradingServer) -> Mt4Config:
    """Read a server's row and options into the client's configuration."""
    limits, waits = deadlines(settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS)
    return Mt4Config(
        address=address_of(server),
        client_id=server.manager_login,
        client_secret=server.password(),
        trade_platform=option_value(server, "trade_platform").lower(),
        authority=option_value(server, "authority"),
        scope=option_value(server, "scope"),
        path_prefix=server.path_prefix,
        deadlines=limits,
        waits=waits,
    )


def habits_of(server: TradingServer) -> Habits:
    """Read how this bridge writes times and texts, and how its deals are read, from a server's options."""
    port = option_value(server, "quote_port")
    return Habits(
        zone=server.zone,
        in_utc=option_value(server, "times") == "utc",
        has_sync=option_value(server, "reads_by") == "sync",
        code_page=option_value(server, "code_page"),
        quote_address=(address_of(server).host, int(port)) if port else None,
    )


@platform_kind(
    "mt4",
    CAPABILITIES,
    options=OPTIONS,
    manager_label=_("Client ID"),
    secret_label=_("Client secret"),
    checks=doctor.checks,
    advice=doctor.ADVICE,
)
def make_platform(server: TradingServer, gate: Gate) -> Mt4Platform:
    """Make the platform of an MT4 server's row."""
    return Mt4Platform(Mt4Client(configuration(server), gate), habits_of(server))


__all__ = ["CAPABILITIES", "OPTIONS", "Mt4Platform", "configuration", "deadlines", "habits_of", "make_platform"]
