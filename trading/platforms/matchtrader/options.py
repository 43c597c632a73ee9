"""What a server row says about its Match-Trader: paths, groups, streams. Everything that the public pages leave open is here.

Paths whose strings the vendor's public pages, its Broker-API skill or a public client of version 2 show are marked in
`DOCUMENTED`; the others follow the same pattern, and a broker's own can be put in their place. A path may hold only the
placeholders of its command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from trading.platforms.base import SANDBOX_HOST
from trading.platforms.errors import FinalError
from trading.platforms.options import Option
from trading.platforms.pool import option_value

if TYPE_CHECKING:
    from trading.models import TradingServer

HEARTBEAT_SECONDS: Final = 30.0
PATHS: Final[dict[str, str]] = {
    "user_by_email": "/v1/user-accounts/email/{email}",
    "user": "/v1/user-accounts/{user}",
    "users": "/v1/user-accounts",
    "password": "/v1/user-accounts/{user}/change-password",
    "new_account": "/v1/user-accounts/{user}/trading-accounts",
    "accounts": "/v1/trading-accounts",
    "account": "/v1/trading-accounts/{login}",
    "deposit": "/v1/trading-accounts/{login}/deposit",
    "withdraw": "/v1/trading-accounts/{login}/withdraw",
    "credit_in": "/v1/trading-accounts/{login}/credit-in",
    "credit_out": "/v1/trading-accounts/{login}/credit-out",
    "ledgers": "/v1/trading-accounts/trading-data/ledgers",
    "open_positions": "/v1/trading-accounts/trading-data/open-positions",
    "closed_positions": "/v1/trading-accounts/trading-data/closed-positions",
    "groups": "/v1/groups",
    "group_names": "/v1/group-names",
    "symbols": "/v1/symbols",
}
DOCUMENTED: Final = frozenset(PATHS) - {"withdraw", "credit_in", "credit_out", "ledgers", "groups"}
STREAMS: Final[dict[str, str]] = {
    "equity": "EquityServiceExternal/getEquityStream",
    "ledgers": "LedgerServiceExternal/getLedgersStream",
    "positions": "PositionsServiceExternal/getOpenPositionsStream",
    "events": "TradingEventsServiceExternal/getTradingEventsStream",
    "quotes": "QuotationsServiceExternal/getQuotationsWithMarkupStream",
}
SEGMENT: Final = r"[A-Za-z0-9._~-]+"
SEPARATOR: Final = r"\s*[\n;]\s*"


def _path_pattern(path: str) -> str:
    """Build the pattern of a path of plain segments with this command's placeholders, and all of them."""
    names = re.findall(r"\{[a-z]+\}", path)
    plain = rf"(?:/{SEGMENT})"
    return plain + "*" + "".join(rf"(?:/{re.escape(name)}){plain}*" for name in names)


def _lines_pattern(choices: Mapping[str, str]) -> str:
    """Build the pattern of `name=value` on lines of their own, or separated by semicolons; nothing at all fits, too."""
    line = "(?:" + "|".join(rf"{name}\s*=\s*{pattern}" for name, pattern in choices.items()) + ")"
    return rf"\s*(?:{line}(?:{SEPARATOR}{line})*)?[\s;]*"


PATHS_PATTERN: Final = _lines_pattern({name: _path_pattern(path) for name, path in PATHS.items()})
STREAMS_PATTERN: Final = _lines_pattern(dict.fromkeys(STREAMS, r"\w+/\w+"))

OPTIONS: Final = (
    Option(
        "broker_id",
        _("brokerID"),
        _("As encoded in the API key; for your own records. 0 is the vendor's shared sandbox."),
        pattern=r"\d{1,12}",
    ),
    Option(
        "security",
        _("Connection"),
        _("Use plain only inside a tunnel or for an internal host. Applies to REST and streams."),
        "tls",
        choices=(("tls", "TLS"), ("plain", _("Unencrypted"))),
    ),
    Option(
        "groups",
        _("Group names"),
        _("Separated by commas; empty: all that the platform lists."),
        pattern=r"[^\x00-\x1f]{1,4000}",
    ),
    Option(
        "demo_groups",
        _("Demo groups"),
        _("A mask; accounts created in these groups are DEMO, all others REAL."),
        "demo*",
        pattern=r"[^\x00-\x1f]{1,300}",
    ),
    Option(
        "grpc",
        _("Streams"),
        _("Ledger, positions and equity in real time; without streams, Keelson polls for everything."),
        "on",
        choices=(("on", _("On")), ("off", _("Off"))),
    ),
    Option("grpc_host", _("Stream host"), _("Empty: the same host."), pattern=r"[A-Za-z0-9.:_-]+"),
    Option("grpc_port", _("Stream port"), _("Ask the broker."), default="8083", pattern=r"\d{1,5}"),
    Option(
        "grpc_package",
        _("Stream package"),
        _("Only if this broker's differs."),
        default="com.matchtrade.mtr.broker_api.grpc",
        pattern=r"[A-Za-z_][\w.]*",
    ),
    Option(
        "grpc_streams",
        _("Stream names"),
        _("Only those that differ, separated by semicolons: ledgers=Service/method"),
        pattern=STREAMS_PATTERN,
    ),
    Option(
        "grpc_heartbeat",
        _("Heartbeat in seconds"),
        _("A stream that is silent for two heartbeats is reconnected."),
        "30",
        pattern=r"\d{1,3}(\.\d{1,2})?",
    ),
    Option(
        "paths",
        _("Paths"),
        _("Only those that differ, separated by semicolons: deposit=/v1/…/{login}/…"),
        pattern=PATHS_PATTERN,
    ),
    Option(
        "leverage_unit",
        _("leverageRatioPercent for 1:1"),
        _("With 100, a leverage of 1:30 is 3000."),
        "100",
        pattern=r"[1-9]\d{0,3}",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach one broker's interface with one API key. Nothing secret in its `repr`."""

    host: str
    port: int
    key: str = field(repr=False)
    is_tls: bool = True
    certificate: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    demo_groups: str = "demo*"
    grpc_target: str = ""
    """host:port of the streams; empty: there are none."""
    grpc_package: str = "com.matchtrade.mtr.broker_api.grpc"
    streams: Mapping[str, str] = field(default_factory=lambda: dict(STREAMS))
    heartbeat_seconds: float = HEARTBEAT_SECONDS
    paths: Mapping[str, str] = field(default_factory=lambda: dict(PATHS))
    leverage_unit: int = 100
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    write_seconds: float = 15.0


def lines(text: str, pattern: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """Read `name=value` lines over the defaults. Raises: FinalError for a name, path or placeholder that can't be right."""
    if not re.fullmatch(pattern, text):
        raise FinalError(f"the settings of this server can't be read: {text[:120]!r}", command="SETTINGS")
    pairs = [line.partition("=") for line in re.split(SEPARATOR, text.strip()) if line.strip(" ;")]
    return {**defaults, **{name.strip(): value.strip(" ;") for name, _equals, value in pairs}}


def configuration(server: TradingServer) -> Config:
    """Read a server's row and options into the adapter's configuration. Raises: FinalError for settings that can't be right."""
    host, port, is_tls = server.host, server.port, option_value(server, "security") == "tls"
    target = f"{option_value(server, 'grpc_host') or host}:{option_value(server, 'grpc_port')}"
    if host == SANDBOX_HOST:
        host, _colon, number = settings.SANDBOX_PLATFORMS["matchtrader"].rpartition(":")
        port, is_tls, target = int(number), False, settings.SANDBOX_PLATFORMS["matchtrader_grpc"]
    return Config(
        host=host,
        port=port,
        key=server.password(),
        is_tls=is_tls,
        certificate=server.certificate,
        groups=tuple(filter(None, (name.strip() for name in option_value(server, "groups").split(",")))),
        demo_groups=option_value(server, "demo_groups"),
        grpc_target=target if option_value(server, "grpc") == "on" else "",
        grpc_package=option_value(server, "grpc_package"),
        streams=lines(option_value(server, "grpc_streams"), STREAMS_PATTERN, STREAMS),
        heartbeat_seconds=float(option_value(server, "grpc_heartbeat")),
        paths=lines(option_value(server, "paths"), PATHS_PATTERN, PATHS),
        leverage_unit=int(option_value(server, "leverage_unit")),
        read_seconds=settings.TRADING_READ_SECONDS,
        write_seconds=settings.TRADING_WRITE_SECONDS,
    )
