"""Times as platforms export them, in milliseconds since 1970; a time without a zone is the platform's own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

# 2026-12-31, 2026.12.31 and 20261231, then a time of day with or without its colons, half of the day and zone.
WRITTEN: Final = re.compile(
    r"(\d{4})[.\-/]?(\d{1,2})[.\-/]?(\d{1,2})"
    r"[ T,]{1,4}(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]?(\d{1,6}))?)? ?([AP]M)? ?(?:GMT|UTC)?(Z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
# 31.12.2026 as Dukascopy writes it; with slashes or hyphens the day or the month comes first.
YEAR_LAST: Final = re.compile(
    r"(\d{1,2})([.\-/])(\d{1,2})[.\-/](\d{4})"
    r"[ T,]{1,4}(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]?(\d{1,6}))?)? ?([AP]M)? ?(?:GMT|UTC)?(Z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a platform's clock has no zone
FIRST_MS: Final = 631_152_000_000  # 1990
LAST_MS: Final = 4_102_444_800_000  # 2100


def epoch_ms(text: str, *, is_day_first: bool | None = None) -> int | None:
    """Convert seconds or milliseconds since 1970, or a written date and time; None for anything else.

    is_day_first: of dates whose year comes last. Where it isn't known, only those are read that leave no choice.
    """
    text = text.strip()
    if re.fullmatch(r"\d{9,17}(\.\d+)?", text):
        whole, _dot, part = text.partition(".")
        value = int(whole)
        if len(whole) <= 10:
            value = value * 1000 + int((part + "000")[:3])
        elif len(whole) >= 16:
            value //= 1000
        return value if FIRST_MS <= value <= LAST_MS else None
    if found := WRITTEN.match(text):
        year, month, day, *clock = found.groups()
    elif found := YEAR_LAST.match(text):
        first, sign, second, year, *clock = found.groups()
        begins = True if sign == "." or int(first) > 12 else False if int(second) > 12 else is_day_first
        if begins is None:
            return None
        day, month = (first, second) if begins else (second, first)
    else:
        return None
    return _moment((int(year), int(month), int(day)), clock)


def _moment(date: tuple[int, int, int], clock: Sequence[str]) -> int | None:
    hour, minute, second, part, half, zone = clock
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    try:
        at = dt.datetime(*date, hours, int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    value = int((at - EPOCH).total_seconds()) * 1000 + int(((part or "") + "000")[:3])
    if zone and zone.upper() != "Z":
        sign = -1 if zone[0] == "-" else 1
        value -= sign * (int(zone[1:3]) * 60 + int(zone[-2:])) * 60_000
    return value if FIRST_MS <= value <= LAST_MS else None
