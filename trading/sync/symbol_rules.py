"""Rules that guess what a broker's symbol is: endings and signs around a name, other names, folders.

The name without its ending is tried against the ISO currencies and short lists of metals, indices, energies and crypto.
A rule proposes; only a name that is the same, with the same contract size, maps itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.choices import AliasRule, InstrumentClass, SymbolGroup

FIAT: Final = frozenset(
    """
    USD EUR GBP JPY CHF AUD NZD CAD SEK NOK DKK PLN HUF CZK TRY ZAR MXN SGD HKD CNH ILS THB RON RUB INR KRW BRL
    """.split()
)
MAJOR: Final = frozenset({"USD", "EUR", "GBP", "JPY", "CHF", "AUD", "NZD", "CAD"})
# "Major currency pairs" of ESMA's decision (EU) 2018/796: any two of these.
ESMA_MAJOR: Final = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})
METALS: Final = frozenset({"XAU", "XAG", "XPT", "XPD"})
COINS: Final = ("BTC", "ETH", "LTC", "XRP", "BCH", "ADA", "SOL", "DOT", "DOGE", "XLM", "BNB", "LINK", "AVAX", "TRX")
INDICES: Final = frozenset("US500 US30 US100 US2000 DE40 UK100 FR40 EU50 ES35 IT40 JP225 HK50 AUS200 CN50".split())
# The same decision's "major equity indices".
ESMA_INDICES: Final = frozenset({"UK100", "FR40", "DE40", "US30", "US500", "US100", "JP225", "AUS200", "EU50"})
ENERGIES: Final = frozenset({"XTIUSD", "XBRUSD", "XNGUSD"})
OTHER_NAMES: Final = {
    "GOLD": "XAUUSD", "SILVER": "XAGUSD", "PLATINUM": "XPTUSD", "PALLADIUM": "XPDUSD", "USOIL": "XTIUSD", "WTI": "XTIUSD",
    "UKOIL": "XBRUSD", "BRENT": "XBRUSD", "NATGAS": "XNGUSD", "NGAS": "XNGUSD", "SPX500": "US500", "SP500": "US500",
    "NAS100": "US100", "USTEC": "US100", "DJ30": "US30", "WS30": "US30", "GER40": "DE40", "GER30": "DE40", "DE30": "DE40",
    "DAX40": "DE40", "FTSE100": "UK100", "FRA40": "FR40", "STOXX50": "EU50", "JPN225": "JP225", "BITCOIN": "BTCUSD",
}  # fmt: skip  # a table of pairs
# Units in a lot where the trade has one custom. Indices, energies and coins differ by broker: the first server decides.
METAL_LOTS: Final = {"XAU": Decimal(100), "XAG": Decimal(5000), "XPT": Decimal(100), "XPD": Decimal(100)}
FX_LOT: Final = Decimal(100_000)
AROUND: Final = re.compile(r"^(?P<sign>[#.]?)(?P<name>[A-Z0-9]+?)(?P<ending>[._\-+#!][A-Za-z0-9._\-]*|[a-z]+)?$")
SLASH: Final = re.compile(r"(?<=[A-Za-z0-9])/(?=[A-Za-z0-9])")
SHARES: Final = re.compile(r"(shares|stocks|equities)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule makes of a name. `lot` is the customary contract size, where there is one."""

    house: str
    group: SymbolGroup
    instrument_class: InstrumentClass
    rule: AliasRule
    stripped: str = ""
    lot: Decimal | None = None


def take_apart(name: str) -> tuple[str, str, str]:
    """Split a name into sign, plain name and ending: `#EURUSD.m` is (`#`, `EURUSD`, `.m`). A slash in a pair is only spelling."""
    name = SLASH.sub("", name.strip())
    parts = AROUND.match(name)
    if not parts:
        return "", name.upper(), ""
    return parts["sign"], parts["name"], parts["ending"] or ""


def plain_name(name: str) -> str:
    """Strip a broker's sign and ending from a name: EURUSD.m, EURUSDi and #EURUSD are all EURUSD."""
    return take_apart(name)[1]


def match(name: str, path: str = "") -> Match | None:
    """Guess what a symbol is, and by which rule; None where a person has to decide."""
    sign, plain, ending = take_apart(name)
    house = OTHER_NAMES.get(plain, plain)
    sort = _sort(house)
    if sort is None:
        return _share(name, plain, path)
    group, instrument_class, lot = sort
    rule, stripped = AliasRule.EXACT, ""
    if house != plain:
        rule, stripped = AliasRule.OTHER_NAME, name
    elif sign:
        rule, stripped = AliasRule.PREFIX, f"{sign}…{ending}" if ending else sign
    elif ending:
        rule, stripped = AliasRule.ENDING, ending
    return Match(house, group, instrument_class, rule, stripped, lot)


def _share(name: str, plain: str, path: str) -> Match | None:
    folder = SHARES.match(path)
    if not folder:
        return None
    return Match(plain, SymbolGroup.SHARES, InstrumentClass.SHARE, AliasRule.FOLDER, folder[0])


def _sort(plain: str) -> tuple[SymbolGroup, InstrumentClass, Decimal | None] | None:
    base, quote = plain[:3], plain[3:]
    if plain in INDICES:
        major = plain in ESMA_INDICES
        return SymbolGroup.INDICES, InstrumentClass.INDEX_MAJOR if major else InstrumentClass.INDEX_OTHER, None
    if plain in ENERGIES:
        return SymbolGroup.ENERGIES, InstrumentClass.COMMODITY, None
    if base in METALS and quote in FIAT:
        sort = InstrumentClass.GOLD if base == "XAU" else InstrumentClass.COMMODITY
        return SymbolGroup.METALS, sort, METAL_LOTS[base]
    if base in FIAT and quote in FIAT:
        sort = InstrumentClass.FX_MAJOR if {base, quote} <= ESMA_MAJOR else InstrumentClass.FX_MINOR
        return _pair(base, quote), sort, FX_LOT
    for coin in COINS:
        if plain.startswith(coin) and plain[len(coin) :] in FIAT | {"USDT", "BTC", ""}:
            return SymbolGroup.CRYPTO, InstrumentClass.CRYPTO, None
    return None


def _pair(base: str, quote: str) -> SymbolGroup:
    """Sort a pair: majors hold the dollar and one of the seven; minors are two of the eight; exotics hold another currency."""
    if not {base, quote} <= MAJOR:
        return SymbolGroup.FX_EXOTICS
    return SymbolGroup.FX_MAJORS if "USD" in (base, quote) else SymbolGroup.FX_MINORS


def classify(name: str, path: str = "") -> tuple[str, SymbolGroup | None]:
    """Find our name of a symbol and its group; no group where a person has to decide."""
    guess = match(name, path)
    return (guess.house, guess.group) if guess else (plain_name(name), None)
