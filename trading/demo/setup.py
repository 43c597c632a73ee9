"""The demo's trading server with its symbols, and the account types of both brands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm.demo import Demo
from crm.models import Brand
from trading.choices import Execution, InstrumentClass, PlatformKind, Transport
from trading.demo import rows
from trading.demo.market import CONTRACTS
from trading.models import AccountType, SymbolInfo, SyncCursor, TradingServer
from trading.platforms.base import SANDBOX_HOST
from trading.sync import symbols
from trading.sync.symbol_rules import match

PASSWORD = "Sandbox-1000!"  # noqa: S105 - the sandbox's own, see `python -m sandbox.mt5 --help`


@dataclass(frozen=True)
class Site:
    """A server row of the demo. Both stand on the one sandbox server, each reads its own groups over its own form."""

    name: str
    transport: Transport
    group_mask: str
    first_login: int
    last_login: int


SITES = {
    "meridian": Site("Keelson-Live", Transport.RAW, "real*,demo*,!real\\southern*,!demo\\southern*", 700_001, 799_999),
    "southern": Site("Southern-Live", Transport.REST, "real\\southern*,demo\\southern*", 800_001, 899_999),
}
# brand → (name, group, currency, leverages, default leverage, minimum deposit, KYC level, default, demo, commission)
TYPES: dict[str, list[tuple[str, str, str, list[int], int, int, int, bool, bool, int]]] = {
    "meridian": [
        ("Standard", "real\\standard-EUR", "EUR", [5, 10, 20, 30], 30, 100, 1, True, False, 0),
        ("Standard", "real\\standard-USD", "USD", [5, 10, 20, 30], 30, 100, 1, False, False, 0),
        ("Pro", "real\\pro-EUR", "EUR", [10, 20, 30], 30, 500, 1, False, False, 300),
        ("VIP", "real\\vip-EUR", "EUR", [10, 20, 30], 30, 10_000, 2, False, False, 200),
        ("Islamic", "real\\islamic-EUR", "EUR", [10, 20, 30], 30, 100, 1, False, False, 0),
        ("Cent", "real\\cent-USC", "USC", [10, 20, 30], 30, 1_000, 1, False, False, 0),
        ("Demo", "demo\\standard-EUR", "EUR", [10, 30], 30, 0, 0, False, True, 0),
    ],
    "southern": [
        ("Standard", "real\\southern\\standard-USD", "USD", [10, 20, 30], 30, 100, 1, True, False, 0),
        ("Pro", "real\\southern\\pro-USD", "USD", [10, 20, 30], 30, 500, 1, False, False, 300),
        ("Islamic", "real\\southern\\islamic-USD", "USD", [10, 20, 30], 30, 100, 1, False, False, 0),
        ("Demo", "demo\\southern\\standard-USD", "USD", [10, 30], 30, 0, 0, False, True, 0),
    ],
}
MARGIN_RATES = {
    sort: Decimal(rate)
    for sort, rate in {
        InstrumentClass.FX_MAJOR: "1",
        InstrumentClass.FX_MINOR: "1.5",
        InstrumentClass.GOLD: "1.5",
        InstrumentClass.INDEX_MAJOR: "0.05",
        InstrumentClass.INDEX_OTHER: "3",
        InstrumentClass.COMMODITY: "3",
        InstrumentClass.SHARE: "6",
        InstrumentClass.CRYPTO: "15",
    }.items()
}
# by name; the rest is retail
KINDS = {"Pro": "pro", "VIP": "vip", "Islamic": "islamic", "Cent": "cent", "Demo": "demo"}


PRO_COMMISSION = 300  # in hundredths, for each side of a lot
# What clients compare, by the type's name: spread from in pips, execution.
CONDITIONS = {
    "Standard": ("1.2", Execution.MARKET),
    "Pro": ("0.1", Execution.ECN),
    "VIP": ("0", Execution.ECN),
    "Islamic": ("1.6", Execution.MARKET),
    "Cent": ("1.8", Execution.INSTANT),
    "Demo": ("1.2", Execution.MARKET),
}


def conditions_of(name: str, commission_minor: int = 0) -> dict[str, Any]:
    """Return what clients compare of a type: its commission is charged when a position opens and when it closes."""
    spread, execution = next(row for key, row in CONDITIONS.items() if key in name)
    return {
        "spread_from": Decimal(spread),
        "commission_per_lot": Decimal(2 * commission_minor) / 100,
        "execution": execution,
        "is_swap_free": "Islamic" in name,
    }


def make_servers(demo: Demo) -> dict[int, TradingServer]:
    """Make a server for each brand that has one, by the brand's id."""
    found = {brand.pk: SITES[brand.code] for brand in demo.brands if brand.code in SITES}
    return {brand_id: _make_server(demo, site) for brand_id, site in found.items()}


def _make_server(demo: Demo, site: Site) -> TradingServer:
    server = TradingServer(
        name=site.name,
        host=SANDBOX_HOST,
        port=443,
        manager_login="1000",
        time_zone="EET",
        transport=site.transport,
        group_mask=site.group_mask,
        first_login=site.first_login,
        next_login=site.first_login,
        last_login=site.last_login,
    )
    server.set_password(PASSWORD)
    server.save()
    make_symbols(demo, server, str)
    SyncCursor.objects.create(server=server, kind="deals", position_msc=rows.server_msc(demo.now, server.zone))
    return server


def make_symbols(demo: Demo, server: TradingServer, named: Callable[[str], str]) -> None:
    """Make the demo's symbols under the server's own names."""
    infos = SymbolInfo.objects.bulk_create(
        [
            SymbolInfo(
                server=server,
                name=named(one.name),
                description=one.description,
                first_seen_at=demo.since,
                path=one.path,
                digits=one.digits,
                contract_size=one.size,
                currency_base=one.base,
                currency_profit=one.profit,
                currency_margin=one.base,
                volume_min_lots=Decimal("0.01"),
                volume_step_lots=Decimal("0.01"),
                volume_max_lots=100,
                margin_rate=_margin_rate(server, one.name),
                margin_by_leverage=not one.path.startswith("Indices"),
                read_at=demo.now,
            )
            for one in CONTRACTS.values()
        ]
    )
    symbols.resolve(infos)


def _margin_rate(server: TradingServer, name: str) -> Decimal | None:
    """Choose a rate at which an account of 1:30 gets what ESMA allows on each class; only MT5 has rates in the demo."""
    found = match(name)
    return MARGIN_RATES.get(found.instrument_class) if found and server.kind == PlatformKind.MT5 else None


def make_account_types(demo: Demo, servers: dict[int, TradingServer]) -> dict[int, list[AccountType]]:
    """Make the account types of each brand that has a server, by the brand's id."""
    found: dict[int, list[AccountType]] = {}
    for brand in demo.brands:
        for position, (name, group, currency, ladder, leverage, minimum, level, is_default, is_demo, fee) in enumerate(
            TYPES.get(brand.code, []) if brand.pk in servers else []
        ):
            found.setdefault(brand.pk, []).append(
                AccountType.objects.create(
                    brand=brand,
                    name=name,
                    server=servers[brand.pk],
                    group=group,
                    currency=currency,
                    leverages=ladder,
                    default_leverage=leverage,
                    min_deposit=minimum,
                    kyc_level=level,
                    is_default=is_default,
                    is_demo=is_demo,
                    position=position,
                    kind=KINDS.get(name, "retail"),
                    **conditions_of(name, fee),
                )
            )
    return found


def commission_of(brand: Brand, group: str) -> int:
    """Find a group's commission per lot."""
    return next((row[-1] for row in TYPES.get(brand.code, []) if row[1] == group), 0)
