"""Numbers, amounts and times in the cells of another system's files, as its country and its programs write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np

from risk.abuse.book import units
from risk.abuse.moments import epoch_ms

AMOUNT_MAX: Final = Decimal(10) ** 12
UNIT: Final = re.compile(r"^[$€£¥]|lots?$", re.IGNORECASE)
Cells = Mapping[str, str]


class CellError(Exception):
    """A cell that can't be read: its column and its text."""


def figure(text: str) -> str:
    """Write a number with a decimal point alone: `1 234,50`, `1.234,50` and `1,234.50` are one."""
    text = UNIT.sub("", "".join(text.split())).replace("\u2212", "-")
    commas, points = text.count(","), text.count(".")
    if not commas or (commas > 1 and not points):
        return text.replace(",", "")
    if not points or text.rindex(",") > text.rindex("."):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


@dataclass(frozen=True, slots=True)
class Values:
    """Reads the cells of one file. is_day_first: of dates whose year comes last; None where the file doesn't show it."""

    is_day_first: bool | None = None

    def number(self, cells: Cells, column: str) -> float:
        text = figure(cells.get(column, ""))
        try:
            value = float(text)
        except ValueError:
            raise CellError(column, cells.get(column, "")) from None
        if not np.isfinite(value) or abs(value) > 1e12:
            raise CellError(column, text)
        return value

    def money(self, cells: Cells, column: str) -> int:
        """Read an amount in units of the book; 0 where there is none."""
        text = figure(cells.get(column, ""))
        if not text:
            return 0
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise CellError(column, cells.get(column, "")) from None
        # `abs` would round, and stumble over 1e9999999.
        if not value.is_finite() or value.copy_abs() > AMOUNT_MAX:
            raise CellError(column, text)
        return units(value)

    def time(self, cells: Cells, column: str) -> int:
        value = epoch_ms(cells.get(column, ""), is_day_first=self.is_day_first)
        if value is None:
            raise CellError(column, cells.get(column, ""))
        return value
