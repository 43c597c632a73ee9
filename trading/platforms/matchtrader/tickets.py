"""One number for each deal, of ids that are texts.

Match-Trader's ids are texts; only some are numbers. A ticket is 63 bits:

    bit 62       0: the id is a number below 2^60, and stands in bits 0-59;  1: bits 0-59 are of its SHA-256
    bits 61, 60  00 ledger entry, 01 opening of a position, 10 closing (of a part) of a position

A closing is named by position and closing order together: one order may close many positions, one position may be closed
in parts. A position's own number is its ticket's bits 0-59 with bit 62, without the kind. The full id stands in a deal's
`raw`; two ids with one number are refused (`Numbers.check`), never mixed up.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from trading.platforms.errors import FinalError

BODY_BITS: Final = 60
BODY: Final = (1 << BODY_BITS) - 1
HASHED: Final = 1 << 62
LEDGER, OPENING, CLOSING = 0, 1 << 60, 2 << 60
REMEMBERED: Final = 100_000


def number_of(text: str) -> int:
    """Derive an id's number: itself where it is a number, else 60 bits of its SHA-256 under a mark of its own."""
    if text.isascii() and text.isdigit() and not text.startswith("0") and int(text) <= BODY:
        return int(text)
    return HASHED | int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) & BODY


def of_ledger(entry: str) -> int:
    """Derive the ticket of a ledger entry's deal."""
    return LEDGER | number_of(entry)


def of_opening(position: str) -> int:
    """Derive the ticket of a position's opening deal."""
    return OPENING | number_of(position)


def of_closing(position: str, order: str) -> int:
    """Derive the ticket of a closing deal, always by hash: neither id alone names the closing."""
    return CLOSING | HASHED | number_of(f"{position}\0{order}\0") & BODY


class Numbers:
    """Which id a ticket stood for lately, so that a collision is met before it is stored."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, str] = OrderedDict()

    def check(self, ticket: int, name: str) -> int:
        """Remember the ticket and hand it back. Raises: FinalError when another id has the same."""
        known = self._known.setdefault(ticket, name)
        if known != name:
            raise FinalError(f"the entries {known!r} and {name!r} have the same number {ticket}", command="TICKET")
        self._known.move_to_end(ticket)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return ticket
