"""What a broker's symbol is called in the house, and in which group partner plans and exposure count it.

Brokers put endings on names (`EURUSD.m`, `XAUUSDi`, `#US500_cash`). The name without its ending is tried against the
ISO currencies and short lists of metals, indices, energies and crypto; `SymbolAlias` rows decide before that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from django.utils import timezone

from trading.choices import IssueKind, SymbolGroup
from trading.issues import open_issue
from trading.models import SymbolAlias, SymbolInfo, TradingServer
from trading.platforms.base import Purpose, SymbolData
from trading.platforms.pool import platform_for
from trading.sync.cursor import reading

FIAT: Final = frozenset({
    "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD", "SEK", "NOK", "DKK", "PLN", "HUF", "CZK", "TRY", "ZAR", "MXN",
    "SGD", "HKD", "CNH", "ILS", "THB", "RON", "RUB", "INR", "KRW", "BRL",
})  # fmt: skip
MAJOR: Final = frozenset({"USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD"})
METALS: Final = frozenset({"XAU", "XAG", "XPT", "XPD"})
COINS: Final = ("BTC", "ETH", "LTC", "XRP", "BCH", "ADA", "SOL", "DOT", "DOGE", "XLM", "BNB", "LINK", "AVAX", "TRX")
INDICES: Final = frozenset({
    "US500", "US30", "US100", "US2000", "DE40", "DE30", "UK100", "FR40", "EU50", "ES35", "IT40", "JP225", "HK50", "AUS200",
    "CN50", "NAS100", "SPX500", "GER40", "DAX40",
})  # fmt: skip
ENERGIES: Final = frozenset({"XTIUSD", "XBRUSD", "USOIL", "UKOIL", "WTI", "BRENT", "XNGUSD", "NATGAS", "NGAS"})
ENDING: Final = re.compile(r"^[#.]?(?P<name>[A-Z0-9]+?)(?:[._\-+#!][A-Za-z0-9._\-]*|[a-z]+)?$")


def plain_name(name: str) -> str:
    """The name without a broker's prefix and ending: EURUSD.m, EURUSDi and #EURUSD are all EURUSD."""
    found = ENDING.match(name.strip())
    return found["name"] if found else name.strip().upper()


def classify(name: str, path: str = "") -> tuple[str, SymbolGroup | None]:
    """(name in the house, group); no group where a person has to say."""
    plain = plain_name(name)
    base, quote = plain[:3], plain[3:6]
    if plain in INDICES:
        return plain, SymbolGroup.INDICES
    if plain in ENERGIES:
        return plain, SymbolGroup.ENERGIES
    if base in METALS and quote in FIAT:
        return plain[:6], SymbolGroup.METALS
    if len(plain) == 6 and base in FIAT and quote in FIAT:
        is_major = "USD" in (base, quote) and {base, quote} <= MAJOR
        return plain, SymbolGroup.FX_MAJORS if is_major else SymbolGroup.FX_MINORS
    for coin in COINS:
        if plain.startswith(coin) and plain[len(coin) :] in FIAT | {"USDT", "BTC", ""}:
            return plain, SymbolGroup.CRYPTO
    if re.match(r"(shares|stocks|equities)\b", path, re.IGNORECASE):
        return plain, SymbolGroup.SHARES
    return plain, None


def resolve(names: Mapping[str, str]) -> dict[str, tuple[str, SymbolGroup | None]]:
    """House name and group for many symbols at once ({name: path}); aliases decide first."""
    wanted = {*names, *map(plain_name, names)}
    aliases = {alias.name: alias for alias in SymbolAlias.objects.filter(name__in=wanted)}
    found: dict[str, tuple[str, SymbolGroup | None]] = {}
    for name, path in names.items():
        alias = aliases.get(name) or aliases.get(plain_name(name))
        found[name] = (alias.canonical, SymbolGroup(alias.symbol_group)) if alias else classify(name, path)
    return found


def ensure_known(server: TradingServer, sizes: Mapping[str, Decimal]) -> None:
    """Symbols met in deals have a row; one without a group opens a question and never holds a deal back."""
    known = dict(SymbolInfo.objects.filter(server=server, name__in=sizes).values_list("name", "symbol_group"))
    missing = {name: "" for name in sizes if name not in known}
    if missing:
        now = timezone.now()
        resolved = resolve(missing)
        SymbolInfo.objects.bulk_create(
            [
                SymbolInfo(server=server, name=name, canonical=house, symbol_group=group or "", read_at=now,
                           contract_size=sizes[name] or Decimal(1))
                for name, (house, group) in resolved.items()
            ],
            ignore_conflicts=True,
        )  # fmt: skip
        known.update({name: group or "" for name, (_house, group) in resolved.items()})
    for name, group in known.items():
        if not group:
            open_issue(server_id=server.pk, kind=IssueKind.UNMAPPED_SYMBOL, subject=name)


def sync_symbols(server: TradingServer) -> int:
    """Read every symbol's contract data. Returns how many there are."""
    count = 0
    with reading(server, "symbols") as run:
        if run is not None:
            count = run.rows = store(server, platform_for(server, Purpose.READS).symbols())
    return count


def store(server: TradingServer, rows: Iterable[SymbolData]) -> int:
    data = list(rows)
    resolved = resolve({row.name: row.path for row in data})
    now = timezone.now()
    fields = [
        "canonical", "symbol_group", "description", "path", "digits", "contract_size", "currency_base", "currency_profit",
        "currency_margin", "volume_min_lots", "volume_step_lots", "volume_max_lots", "swap_long", "swap_short", "read_at",
    ]  # fmt: skip
    SymbolInfo.objects.bulk_create(
        [
            SymbolInfo(
                server=server, name=row.name[:32], canonical=resolved[row.name][0][:32],
                symbol_group=resolved[row.name][1] or "", description=row.description[:120], path=row.path[:160],
                digits=row.digits, contract_size=row.contract_size or Decimal(1), currency_base=row.currency_base[:8],
                currency_profit=row.currency_profit[:8], currency_margin=row.currency_margin[:8],
                volume_min_lots=row.volume_min_lots, volume_step_lots=row.volume_step_lots,
                volume_max_lots=row.volume_max_lots, swap_long=row.swap_long, swap_short=row.swap_short, read_at=now,
            )
            for row in data
        ],
        update_conflicts=True, unique_fields=["server", "name"], update_fields=fields, batch_size=500,
    )  # fmt: skip
    return len(data)
