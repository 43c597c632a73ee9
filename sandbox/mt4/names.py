"""How this server spells what the engine knows: groups of at most 15 characters, symbols with the broker's suffix, ANSI text.

MetaTrader 4 nets nothing: netting groups, and the accounts in them, are not on this server.
"""

from __future__ import annotations

from sandbox.engine.contracts import GROUPS, NETTING, SYMBOLS

SUFFIX = ".m"
GROUP_MAX, COMMENT_MAX, SYMBOL_MAX = 15, 31, 11  # bytes; one more is the end of the text
SHORT = {"standard": "std", "islamic": "isl", "southern": "so"}

# What a user record's fields hold, by the bridge's name: (engine's name, longest text in bytes).
TEXTS = {
    "name": ("Name", 127),
    "externalId": ("ID", 31),
    "status": ("Status", 15),
    "country": ("Country", 31),
    "city": ("City", 31),
    "state": ("State", 31),
    "zipCode": ("ZipCode", 15),
    "address": ("Address", 95),
    "leadSource": ("LeadSource", 31),
    "phone": ("Phone", 31),
    "email": ("Email", 47),
    "comment": ("Comment", 63),
}


def _short(name: str) -> str:
    """`real\\southern\\standard-USD` → `real-so-std-USD`."""
    head, _, currency = name.rpartition("-")
    return "-".join([*(SHORT.get(word, word) for word in head.split("\\")), currency])


WIRE_GROUPS = {name: _short(name) for name, group in GROUPS.items() if group.margin_mode != NETTING}
ENGINE_GROUPS = {wire: name for name, wire in WIRE_GROUPS.items()}
WIRE_SYMBOLS = {name: name + SUFFIX for name in SYMBOLS}
ENGINE_SYMBOLS = {wire: name for name, wire in WIRE_SYMBOLS.items()}
assert all(len(name) <= GROUP_MAX for name in ENGINE_GROUPS) and len(ENGINE_GROUPS) == len(WIRE_GROUPS)
assert all(len(name) <= SYMBOL_MAX for name in ENGINE_SYMBOLS)


def wire_group(name: str) -> str | None:
    """None for a group that this server can't have."""
    return WIRE_GROUPS.get(name)


def ansi(text: str, code_page: str, limit: int) -> str:
    """As the server keeps it: signs that its code page lacks become question marks, the rest is cut, without a word."""
    data = text.encode(code_page, "replace")[:limit]
    return data.decode(code_page, "ignore").replace("\0", "")
