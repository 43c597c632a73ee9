"""The engine's groups, symbols and currencies under cTrader's names and numbers."""

from __future__ import annotations

from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, Symbol, currency_digits

FOREX, METALS, INDICES, CRYPTO = 1, 2, 3, 6
CLASSES = {
    "Forex": ("Forex", FOREX),
    "Metals": ("Metals", METALS),
    "Indices": ("Indices", INDICES),
    "Crypto": ("Crypto Currencies", CRYPTO),
}


def wire_group(engine: str) -> str:
    r"""`real\standard-EUR` is LIVE_STANDARD_EUR."""
    return engine.upper().replace("\\", "_").replace("-", "_").replace("REAL_", "LIVE_", 1)


GROUP_NAMES = {wire_group(name): name for name in GROUPS}
GROUP_IDS = {name: 101 + number for number, name in enumerate(GROUPS)}
GROUPS_BY_ID = {number: name for name, number in GROUP_IDS.items()}
SYMBOL_IDS = {name: 1 + number for number, name in enumerate(SYMBOLS)}
SYMBOLS_BY_ID = {number: name for name, number in SYMBOL_IDS.items()}
ASSETS = sorted(
    {one.base for one in SYMBOLS.values()}
    | {one.profit for one in SYMBOLS.values()}
    | {group.currency for group in GROUPS.values()}
)
ASSET_IDS = {name: 1 + number for number, name in enumerate(ASSETS)}
DEPOSIT_ASSETS = {group.currency for group in GROUPS.values()}
TRADER_FACTOR, TRADER_OFFSET = 3, 7


def trader_id(login: int) -> int:
    """Derive the server's own number of a trader: another one than the login."""
    return login * TRADER_FACTOR + TRADER_OFFSET


def login_of(trader: int) -> int:
    """0 for a number that no trader has."""
    login, rest = divmod(trader - TRADER_OFFSET, TRADER_FACTOR)
    return login if not rest and login > 0 else 0


def hundredths(volume_ext: int, symbol: Symbol) -> int:
    """Convert a volume of the engine (1/100,000,000 lot) to hundredths of a unit."""
    return int(volume_ext * symbol.contract_size / 1_000_000)


def asset_class(symbol: Symbol) -> tuple[str, int]:
    """Find the asset class of a symbol by its folder: its name and number."""
    return CLASSES[symbol.path.partition("\\")[0]]


def digits_of(group: Group) -> int:
    """Find the decimal places of a group's currency."""
    return currency_digits(group.currency)
