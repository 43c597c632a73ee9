"""The server's old text port, for quotes only: `WQUOTES-EURUSD,\\nQUIT\\n`, one query per connection, lines up to `end`.

It is plain text without a log-in, so nothing that matters may come over it. `NEWACCOUNT` of MetaQuotes' WebRegistration plugin
is not used: it needs the plugin's master password in the clear, answers only OK or ERROR (a lost answer can't be looked up),
knows no deposit, and is not there without the plugin.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from crm.outside import destinations

ANSWER_BYTES_MAX: Final = 256 * 1024
SECONDS: Final = 5.0
LINE: Final = re.compile(r"(up|down) (\S+) ([0-9.]+) ([0-9.]+) (.+)")
NAME: Final = re.compile(r"[A-Za-z0-9#._&-]{1,12}")


@dataclass(frozen=True, slots=True)
class Quote:
    """A price as the server's text says it, with its time in the server's words."""

    symbol: str
    bid: Decimal
    ask: Decimal
    told_at: str
    is_up: bool


def read(address: tuple[str, int], symbols: Sequence[str], *, seconds: float = SECONDS) -> list[Quote]:
    """Read quotes of some symbols; those that the server does not have are left out.

    Raises: ValueError for a name that can't be asked for, OSError (also for an answer that does not end).
    """
    if bad := [name for name in symbols if not NAME.fullmatch(name)]:
        raise ValueError(f"no symbol of this server: {bad[0]!r}")
    deadline = time.monotonic() + seconds
    answer = bytearray()
    with destinations.connect(address, seconds) as sock:
        sock.sendall(f"WQUOTES-{''.join(f'{name},' for name in symbols)}\nQUIT\n".encode("ascii"))
        while not answer.endswith(b"end\r\n"):
            left = deadline - time.monotonic()
            if left <= 0 or len(answer) > ANSWER_BYTES_MAX:
                raise TimeoutError("the answer does not end")
            sock.settimeout(left)
            piece = sock.recv(65_536)
            if not piece:
                raise ConnectionError("the connection was closed before the answer ended")
            answer += piece
    return [quote for line in answer.decode("latin-1").splitlines() if (quote := parse(line))]


def parse(line: str) -> Quote | None:
    """Parse `up EURUSD 1.08010 1.08022 2026.01.05 10:00:00`; None for any other line."""
    match = LINE.fullmatch(line.strip())
    if match is None:
        return None
    way, symbol, bid, ask, told_at = match.groups()
    try:
        return Quote(symbol, Decimal(bid), Decimal(ask), told_at, way == "up")
    except ArithmeticError:
        return None
