"""Times and figures as other systems write them."""

from __future__ import annotations

import datetime as dt

FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M",
    "%d/%m/%Y",
    "%d.%m.%Y",
)
MONTH_FIRST = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y")
EPOCH_DAY = 719_163
# Beyond any epoch in nanoseconds; what is beyond any figure of a file is none, and neither is what is no number.
LARGEST = 1e21
LARGEST_FIGURE = 1e15
_days: dict[str, int] = {}


def moment(value: object, *, is_month_first: bool = False) -> tuple[int, int] | None:
    """Read a time as (day, second of the day) on the clock it was written with; epochs in UTC. None: no time."""
    if isinstance(value, str):
        text = value.strip()
        day = _days.get(text[:10])
        try:
            if day is None:
                if text.replace(".", "", 1).isdigit():
                    return _day_written_together(text) if len(text) == 8 else moment(float(text))
                day = _days.setdefault(text[:10], dt.date.fromisoformat(text[:10]).toordinal())
                if len(_days) > 20_000:
                    _days.clear()
            if len(text) < 16:
                return day, 0
            second = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + (int(text[17:19]) if len(text) >= 19 else 0)
            return (day, second) if 0 <= second < 86_400 else None
        except ValueError:
            return _odd_moment(text, is_month_first=is_month_first)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
        seconds = float(value)
        for above, divisor in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
            if abs(seconds) >= above:
                seconds /= divisor
                break
        if not 0 < seconds < 1e11:
            return None
        return EPOCH_DAY + int(seconds // 86_400), int(seconds % 86_400)
    return None


def _day_written_together(text: str) -> tuple[int, int] | None:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal(), 0
    except ValueError:
        return None


def _odd_moment(text: str, *, is_month_first: bool) -> tuple[int, int] | None:
    text = text.split("+")[0].removesuffix("Z").strip()
    for form in MONTH_FIRST + FORMATS if is_month_first else FORMATS + MONTH_FIRST:
        for length in {len(text), 19, 17, 16}:
            try:
                read = dt.datetime.strptime(text[:length], form).replace(tzinfo=dt.UTC)
            except ValueError:
                continue
            return read.toordinal(), read.hour * 3600 + read.minute * 60 + read.second
    return None


def is_month_first(values: list[object]) -> bool:
    """Whether dates with slashes begin with the month: some of them could not be read otherwise."""
    parts = [str(value).split("/") for value in values if isinstance(value, str) and value.count("/") == 2]
    return any(part[1].isdigit() and int(part[1]) > 12 for part in parts)


def clock(value: object) -> int | None:
    """Read a time of day, "09:15:30" or "9:15", as seconds."""
    parts = value.strip().split(".")[0].rstrip("Zz").split(":") if isinstance(value, str) and ":" in value else []
    if len(parts) not in (2, 3) or not all(part.isdigit() and len(part) <= 2 for part in parts):
        return None
    second = sum(int(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    return second if second < 86_400 else None


def number(value: object) -> float | None:
    """Read a figure: 12, "12.5", "1,200 EUR"; None where there is none."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if abs(value) < LARGEST_FIGURE else None
    if isinstance(value, str):
        digits = "".join(c for c in value if c.isdigit() or c in ".-")
        try:
            return number(float(digits)) if digits else None
        except ValueError:
            return None
    return None


def seconds(value: object, key: str) -> float | None:
    """Read a length: a number of seconds (milliseconds or minutes where the key says so), or "0:03:20"."""
    if isinstance(value, str) and ":" in value:
        whole = clock(value)
        # "3:20" of a call are minutes.
        return None if whole is None else whole / 60 if value.count(":") == 1 else float(whole)
    figure = number(value)
    if figure is None:
        return None
    if key.endswith(("_ms", "_millis", "_msec", "_milliseconds")):
        return figure / 1000
    return figure * 60 if key.endswith(("_min", "_mins", "_minutes")) else figure
