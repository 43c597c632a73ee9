"""Amounts in units to lots, times, and tickets for what this platform does not number. Exact, never through a float."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.platforms.parsing import is_short, is_writable

SIZES_PATTERN: Final = r"\s*[^=,\s]+\s*=\s*\d+(\.\d+)?\s*(,\s*[^=,\s]+\s*=\s*\d+(\.\d+)?\s*)*"
PAIR: Final = re.compile(r"([A-Z]{3})/?([A-Z]{3})")
METALS: Final = {"XAU": Decimal(100), "XAG": Decimal(5000), "XPT": Decimal(100), "XPD": Decimal(100)}
CURRENCIES: Final = frozenset(
    """
    AED AUD BGN BRL CAD CHF CLP CNH CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PHP
    PLN RON RUB SAR SEK SGD THB TRY TWD USD ZAR
    """.split()
)
PAIR_UNITS: Final = Decimal(100_000)
ONE: Final = Decimal(1)
MADE_TICKET: Final = 2**62
"""Tickets from here on are made from a row's own content; below are the platform's order numbers."""


def sizes(text: str) -> dict[str, Decimal]:
    """Parse `US500=10, BRENT=1000` into units of a lot by symbol."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip().upper(): Decimal(value.strip()) for name, _equals, value in pairs}


def contract_size(symbol: str, known: Mapping[str, Decimal]) -> Decimal:
    """Find the units of one lot: those of the server's settings, else the trade's custom for the symbol's kind."""
    name = symbol.strip().upper()
    if name in known:
        return known[name]
    pair = PAIR.fullmatch(name)
    if pair and pair[1] in METALS:
        return METALS[pair[1]]
    return PAIR_UNITS if pair and pair[1] in CURRENCIES and pair[2] in CURRENCIES else ONE


def decimal(value: object) -> Decimal:
    """Read an amount of the JSON, whose numbers are parsed exactly. Raises: ValueError."""
    try:
        number = Decimal(text := str(value if value not in (None, "") else 0).strip())
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not (is_short(text) and is_writable(number)):
        raise ValueError(f"{text[:60]!r} is not a finite number")
    return number


def instant(text: object, zone: ZoneInfo) -> dt.datetime:
    """Read a time in ISO 8601; without an offset it is the server's wall clock. Raises: ValueError."""
    at = dt.datetime.fromisoformat(str(text))
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)


def server_msc(at: dt.datetime, zone: ZoneInfo) -> int:
    """Convert an instant to the server's wall clock in milliseconds, counted as if it were UTC."""
    wall = at.astimezone(zone).replace(tzinfo=dt.UTC)
    return round(wall.timestamp() * 1000)


def ticket_of(*parts: Any) -> int:
    """Derive the ticket of a row that has none: 62 bits of SHA-256 over its content, above every order number."""
    text = "\x1f".join(str(part) for part in parts)
    return MADE_TICKET + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % MADE_TICKET
