"""Times as platforms export them, in milliseconds since 1970; a time without a zone is the platform's own."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

WRITTEN: Final = re.compile(
    r"(\d{4})[.\-/](\d{1,2})[.\-/](\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*(Z|[+-]\d{2}:?\d{2})?$"
)
EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a platform's clock has no zone
FIRST_MS: Final = 631_152_000_000  # 1990
LAST_MS: Final = 4_102_444_800_000  # 2100


def epoch_ms(text: str) -> int | None:
    """Convert seconds or milliseconds since 1970, or a written date and time; None for anything else."""
    text = text.strip()
    if re.fullmatch(r"\d{9,17}(\.\d+)?", text):
        whole, _dot, part = text.partition(".")
        value = int(whole)
        if len(whole) <= 10:
            value = value * 1000 + int((part + "000")[:3])
        elif len(whole) >= 16:
            value //= 1000
        return value if FIRST_MS <= value <= LAST_MS else None
    found = WRITTEN.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, part, zone = found.groups()
    try:
        at = dt.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    value = int((at - EPOCH).total_seconds()) * 1000 + int(((part or "") + "000")[:3])
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        value -= sign * (int(zone[1:3]) * 60 + int(zone[-2:])) * 60_000
    return value if FIRST_MS <= value <= LAST_MS else None
