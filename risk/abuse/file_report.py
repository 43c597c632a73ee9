"""What was read of another system's files, and what could not be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

ERRORS_MAX: Final = 20
UNCLEAR: Final = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}\b")


@dataclass
class Report:
    """What was read, and what could not be.

    left_out: trades that closed before they opened. ahead: those that lie in the future. without_opening: closings whose opening
    isn't in the file. pending: orders that never became a trade. texts: rows of a report that are no trades, such as its totals.
    quotes_without_price: ticks of a last price or a volume alone.
    """

    rows: int = 0
    quotes: int = 0
    repeated: int = 0
    unreadable: int = 0
    left_out: int = 0
    ahead: int = 0
    without_opening: int = 0
    pending: int = 0
    texts: int = 0
    quotes_without_price: int = 0
    errors: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    symbols_without_quotes: list[str] = field(default_factory=list)
    clock_shift_ms: int = 0

    def fault(self, row: int, column: str, value: str) -> None:
        """Note a cell that can't be read."""
        self.unreadable += 1
        if len(self.errors) < ERRORS_MAX:
            shown = "".join(sign if sign.isprintable() else "?" for sign in value[:40])
            why = "; nothing in the file shows whether the day or the month comes first" if UNCLEAR.match(value) else ""
            self.errors.append(f"row {row}, column {column[:80]}: “{shown}” can't be read{why}")
