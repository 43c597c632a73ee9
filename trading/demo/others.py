"""The demo's other platforms: a server of each for the first brand, accounts of several clients, one client with one on each.

History is played as everywhere in the demo and written down twice: for the sandbox server in the engine's form, for our tables
as each platform's adapter would tell it (names, tickets, times). `tests/trading/demo/test_demo.py` reads each server afterwards and
finds nothing new and nothing changed.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from clients.choices import Stage
from clients.models import Client
from crm.demo import Demo
from crm.models import Brand
from trading.choices import AliasState, PlatformKind
from trading.demo.setup import PRO_COMMISSION, conditions_of, make_symbols
from trading.models import AccountType, SymbolAlias, SymbolInfo, TradingServer
from trading.platforms.base import SANDBOX_HOST
from trading.platforms.ctrader.units import BALANCE_TICKETS
from trading.platforms.matchtrader import tickets
from trading.platforms.mt4.rows import OUT_OFFSET
from trading.platforms.sirix import units

BRAND: Final = "meridian"
SEED: Final = 4_004
CLIENTS_EACH: Final = 5  # beside the one who has an account on every platform
FIRST_LOGIN: Final = 910_001
LOGINS: Final = 10_000
Raw = Mapping[str, Any]
Told = Callable[[Raw], dict[str, Any]]
"""What the adapter tells otherwise of an engine's deal: some of its fields, and `raw`, what it keeps of the platform's row."""


def _mt4(deal: Raw) -> dict[str, Any]:
    """Money under its own number; an order's two deals under the order's number and that + 2^32."""
    order = int(deal["PositionID"])
    raw = {"order": order or int(deal["Deal"]), "login": int(deal["Login"])}
    if not order:
        return {"raw": raw}
    is_closing = deal["Entry"] == "1"
    commission = 2 * Decimal(deal["Commission"]) if is_closing else Decimal("0.00")  # of both sides, when it is closed
    return {
        "Deal": str(order + OUT_OFFSET if is_closing else order),
        "Symbol": f"{deal['Symbol']}.m",
        "Order": str(order),
        "Commission": str(commission),
        "raw": raw,
    }


def _ctrader(deal: Raw) -> dict[str, Any]:
    if deal["Symbol"]:
        return {"raw": {"dealId": deal["Deal"], "login": deal["Login"]}}
    return {
        "Deal": str(BALANCE_TICKETS + int(deal["Deal"])),
        "raw": {"balanceHistoryId": deal["Deal"], "login": deal["Login"]},
    }


def _matchtrader(deal: Raw) -> dict[str, Any]:
    position = deal["PositionID"]
    if not deal["Symbol"]:
        return {"Deal": str(tickets.of_ledger(deal["Deal"])), "raw": {"id": deal["Deal"]}}
    number = tickets.number_of(position)
    if deal["Entry"] == "0":
        return {"Deal": str(tickets.of_opening(position)), "PositionID": str(number), "raw": {"id": position}}
    closing = tickets.of_closing(position, deal["Order"])
    return {"Deal": str(closing), "PositionID": str(number), "raw": {"id": position}}


def _sirix(deal: Raw) -> dict[str, Any]:
    """Numbers made of what the rows say, in the spelling of the server's JSON."""
    at, login = _iso(int(deal["TimeMsc"])), deal["Login"]
    if not deal["Symbol"]:
        amount = Decimal(deal["Profit"])
        kind = "Withdrawal" if amount < 0 else "Deposit"
        ticket = units.ticket_of("money", login, at, kind, amount, deal["Comment"], 1)
        return {"Deal": str(ticket), "raw": {"Time": at, "Type": kind, "Amount": deal["Profit"]}}
    name, order = _pair(deal["Symbol"]), int(deal["PositionID"])
    size = Decimal(deal["ContractSize"])
    amount = Decimal(f"{(Decimal(deal['VolumeExt']).scaleb(-8) * size).normalize():f}")
    if deal["Entry"] == "0":
        return {"Deal": str(order), "Symbol": name, "Order": str(order), "raw": {"order": order, "symbol": name}}
    ticket = units.ticket_of("closed", login, order, at, amount, Decimal(deal["Price"]), 1)
    return {"Deal": str(ticket), "Symbol": name, "Order": str(order), "raw": {"OrderNumber": order, "CloseTime": at}}


def _iso(msc: int) -> str:
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=msc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pair(symbol: str) -> str:
    return f"{symbol[:3]}/{symbol[3:]}" if len(symbol) == 6 and symbol.isalpha() else symbol


def _same(symbol: str) -> str:
    return symbol


@dataclass(frozen=True)
class Other:
    """A server of another platform. `types`: name, group there, the engine's group, currency."""

    kind: PlatformKind
    name: str
    manager: str
    secret: str
    options: dict[str, str]
    group_mask: str
    types: tuple[tuple[str, str, str, str], ...]
    told: Told
    zone: str = "UTC"
    symbol: Callable[[str], str] = _same
    whole_seconds: bool = False
    """The platform keeps its times in seconds."""

    @property
    def engine_groups(self) -> dict[str, str]:
        return {wire: engine for _name, wire, engine, _currency in self.types}


OTHERS: Final = (
    Other(
        PlatformKind.MT4,
        "Keelson-MT4",
        "keelson",
        "Sandbox-4000!",
        {"trade_platform": "6f1a4c1e-0000-4000-8000-00000000d4d4", "connection": "http"},
        "real*",
        (
            ("MT4 Standard", "real-std-EUR", "real\\standard-EUR", "EUR"),
            ("MT4 Pro", "real-pro-EUR", "real\\pro-EUR", "EUR"),
        ),
        _mt4,
        "EET",
        lambda name: f"{name}.m",
        whole_seconds=True,
    ),
    Other(
        PlatformKind.CTRADER,
        "Keelson-cTrader",
        "3000",
        "Sandbox-3000!",
        {"environment": "live", "broker": "keelson", "plant": "sandbox", "manager_port": "8453"},
        "LIVE_*",
        (("cTrader Standard", "LIVE_STANDARD_EUR", "real\\standard-EUR", "EUR"),),
        _ctrader,
    ),
    Other(
        PlatformKind.MATCHTRADER,
        "Keelson-Match",
        "keelson",
        "Sandbox-key-0!",
        {"groups": "real-standard-EUR,real-pro-EUR"},
        "real*",
        (("Match Standard", "real-standard-EUR", "real\\standard-EUR", "EUR"),),
        _matchtrader,
    ),
    Other(
        PlatformKind.SIRIX,
        "Keelson-Sirix",
        "api",
        "sandbox-sirix-token",
        {"money_path": "/api/UserActions/CreateMonetaryTransaction"},
        "RL-*",
        (("Sirix Standard", "RL-Standard-EUR", "real\\standard-EUR", "EUR"),),
        _sirix,
        symbol=_pair,
    ),
)


@dataclass
class Joined:
    """One other server with its account types and the clients who have accounts there, in order."""

    other: Other
    server: TradingServer
    types: list[AccountType]
    clients: list[Client] = field(default_factory=list)


def demo_of(demo: Demo) -> Demo:
    """Copy the demo with dice of its own: what happens here changes nothing elsewhere."""
    return replace(demo, rng=random.Random(SEED))


def make(demo: Demo) -> list[Joined]:
    """Servers, symbols and account types; and whose accounts are to be there."""
    brand = next((one for one in demo.brands if one.code == BRAND), None)
    if brand is None:
        return []
    found = [_join(demo, brand, other, number) for number, other in enumerate(OTHERS)]
    active = (
        Client.objects.filter(brand=brand, stage=Stage.ACTIVE, user__is_active=True)
        .select_related("brand")
        .order_by("pk")
    )
    people = [client for client in active[: 40 * len(found)] if not client.restrictions]
    everywhere = next((client for client in people if client.language == "en"), None)
    others = [client for client in people if client != everywhere]
    for number, joined in enumerate(found):
        theirs = others[number :: len(found)][:CLIENTS_EACH]
        joined.clients = [*([everywhere] if everywhere else []), *theirs]
    return found


def _join(demo: Demo, brand: Brand, other: Other, number: int) -> Joined:
    first = FIRST_LOGIN + number * LOGINS
    server = TradingServer(
        name=other.name,
        kind=other.kind,
        host=SANDBOX_HOST,
        port=443,
        manager_login=other.manager,
        time_zone=other.zone,
        options=other.options,
        group_mask=other.group_mask,
        first_login=first,
        next_login=first,
        last_login=first + LOGINS - 1,
    )
    server.set_password(other.secret)
    server.save()
    make_symbols(demo, server, other.symbol)
    _confirm_symbols(demo, server)
    types = [
        AccountType.objects.create(
            brand=brand,
            name=name,
            server=server,
            group=wire,
            currency=currency,
            leverages=[10, 20, 30],
            default_leverage=30,
            min_deposit=100,
            kyc_level=1,
            is_default=False,
            is_demo=False,
            position=20 + 2 * number + place,
            kind="pro" if "Pro" in name else "retail",
            **conditions_of(name, PRO_COMMISSION if "Pro" in name else 0),
        )
        for place, (name, wire, _engine, currency) in enumerate(other.types)
    ]
    return Joined(other, server, types)


def _confirm_symbols(demo: Demo, server: TradingServer) -> None:
    """Somebody looked at the proposed names when the server was connected."""
    aliases = list(SymbolAlias.objects.filter(info__server=server).select_related("info", "symbol"))
    infos = []
    for alias in aliases:
        info, house = alias.info, alias.symbol
        alias.since = demo.since
        if alias.state == AliasState.PROPOSED:
            alias.state, alias.decided_at = AliasState.CONFIRMED, demo.since
            info.canonical, info.symbol_group, info.house_contract_size = (
                house.name,
                house.symbol_group,
                house.contract_size,
            )
            infos.append(info)
    SymbolAlias.objects.bulk_update(aliases, ["state", "decided_at", "since"])
    SymbolInfo.objects.bulk_update(infos, ["canonical", "symbol_group", "house_contract_size"])
