"""How one cTrader server is reached: what stands on its row, and the platform's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from trading.platforms.base import SANDBOX_HOST
from trading.platforms.ctrader import units
from trading.platforms.options import Option
from trading.platforms.pool import option_value
from trading.platforms.web import Address

if TYPE_CHECKING:
    from trading.models import TradingServer

YES_NO: Final = (("yes", _("Yes")), ("no", _("No")))
HUNDREDTHS, WHOLE = "hundredths", "units"
OPTIONS: Final = (
    Option(
        "environment",
        _("Environment"),
        _("What the broker calls this server: demo or live"),
        default="live",
        is_required=True,
        choices=(("demo", "demo"), ("live", "live")),
    ),
    Option(
        "broker", _("Broker name"), _("brokerName, as written in cTrader"), is_required=True, pattern=r"[^\s].{0,59}"
    ),
    Option(
        "manager_api",
        _("Manager API"),
        _("Live deals, positions and deposit lookup; without it, Keelson can't move money"),
        default="yes",
        choices=YES_NO,
    ),
    Option("plant", _("Plant"), _("plantId of the Manager API"), pattern=r"\S{1,60}"),
    Option("manager_host", _("Manager API host"), _("Empty: same host as above"), pattern=r"\S{1,200}"),
    Option("manager_port", _("Manager API port"), _("Ask the broker"), pattern=r"\d{1,5}"),
    Option(
        "money",
        _("Book deposits and withdrawals through"),
        _("Both carry our reference"),
        default="rest",
        choices=(("rest", "WebServices"), ("manager", "Manager API")),
    ),
    Option(
        "links_ctid",
        _("Link new accounts to a cTID"),
        _("By the client's e-mail address"),
        default="yes",
        choices=YES_NO,
    ),
    Option(
        "account_type",
        _("Position accounting for new accounts"),
        _("On cTrader this is set per account, not per group"),
        default="HEDGED",
        choices=(("HEDGED", _("Hedging")), ("NETTED", _("Netting"))),
    ),
    Option(
        "lot_size",
        _("Lot size unit in the Manager API"),
        _("One lot of EURUSD must come out as 100,000"),
        default=HUNDREDTHS,
        choices=((HUNDREDTHS, _("Hundredths of a unit")), (WHOLE, _("Units"))),
    ),
    Option(
        "contract_sizes",
        _("Units per lot"),
        _("Without the Manager API: by symbol or asset class, e.g. XAUUSD=100, Forex=100000, *=1"),
        default="Forex=100000, Metals=100, *=1",
        pattern=r"[^=,]+=\s*\d+(\.\d+)?\s*(,[^=,]+=\s*\d+(\.\d+)?\s*)*",
    ),
)


@dataclass(frozen=True, slots=True)
class CtraderConfig:
    """One server as one manager. The password is kept as its hash only, which is as good as the password: a secret."""

    rest: Address
    login: int
    password_hash: str = field(repr=False)
    broker: str
    environment: str = "live"
    manager: Address | None = None
    plant: str = ""
    money_by_manager: bool = False
    links_ctid: bool = True
    account_type: str = "HEDGED"
    lot_size_digits: int = units.VOLUME_DIGITS
    contract_sizes: tuple[tuple[str, Decimal], ...] = ()
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    write_seconds: float = 15.0


def configuration(server: TradingServer) -> CtraderConfig:
    """Read a server's row and options into the adapter's configuration."""
    rest, manager = _addresses(server)
    pairs = (part.partition("=") for part in option_value(server, "contract_sizes").split(","))
    return CtraderConfig(
        rest=rest,
        login=int(server.manager_login),
        password_hash=units.password_hash(server.password()),
        broker=option_value(server, "broker"),
        environment=option_value(server, "environment"),
        manager=manager if option_value(server, "manager_api") == "yes" else None,
        plant=option_value(server, "plant"),
        money_by_manager=option_value(server, "money") == "manager",
        links_ctid=option_value(server, "links_ctid") == "yes",
        account_type=option_value(server, "account_type"),
        lot_size_digits=units.VOLUME_DIGITS if option_value(server, "lot_size") == HUNDREDTHS else 0,
        contract_sizes=tuple((name.strip(), Decimal(size.strip())) for name, _equals, size in pairs),
        read_seconds=settings.TRADING_READ_SECONDS,
        write_seconds=settings.TRADING_WRITE_SECONDS,
    )


def _addresses(server: TradingServer) -> tuple[Address, Address]:
    if server.host == SANDBOX_HOST:
        places = (settings.SANDBOX_PLATFORMS[name].rpartition(":") for name in ("ctrader", "ctrader_manager"))
        file = settings.SANDBOX_CTRADER_CERTIFICATE
        rest, manager = (Address(host, int(port), certificate_file=file) for host, _colon, port in places)
        return rest, manager
    host = option_value(server, "manager_host") or server.host
    port = int(option_value(server, "manager_port") or 0)
    return (
        Address(server.host, server.port, certificate=server.certificate),
        Address(host, port, certificate=server.certificate),
    )
