"""Units of the MT4 server: volumes in 1/100 lot, money to two places, 32-bit numbers and times. Exact: never through a float."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.core import clock
from trading.platforms.parsing import is_short, is_writable

INT32_MAX: Final = 2**31 - 1
AMOUNT_MAX: Final = Decimal(1_000_000_000)
CENT: Final = Decimal("0.01")
NOISE: Final = Decimal("0.00000001")
EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock, on purpose


def decimal(value: Any) -> Decimal:
    """Read a price or an amount. What a binary fraction adds beyond eight places is noise of the server's doubles.

    Raises: ValueError for anything that is not a finite number.
    """
    if value is None:
        return Decimal(0)
    try:
        number = Decimal(text := str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not (is_short(text) and is_writable(number)):
        raise ValueError(f"{text[:60]!r} is not a finite number")
    if isinstance(exponent := number.as_tuple().exponent, int) and exponent < -8:
        return number.quantize(NOISE, ROUND_HALF_EVEN).normalize()
    return number


def written(number: Decimal) -> str:
    """Write a number with all its digits; one that can't be written out so, in short."""
    return f"{number:f}" if is_writable(number) else str(number)


def whole(value: Any, default: int = 0) -> int:
    """Read a whole number. Raises: ValueError."""
    if value in (None, ""):
        return default
    if isinstance(value, int):
        return value
    number = Decimal(text := str(value))
    if not (is_short(text) and is_writable(number)) or int(number) != number:
        raise ValueError(f"{text[:60]!r} is not a whole number")
    return int(number)


def lots(volume: Any) -> Decimal:
    """Convert a volume to lots: 15 is 0.15."""
    return Decimal(whole(volume)).scaleb(-2)


def is_sum(amount: Decimal) -> bool:
    """Tell whether the server can book it: it keeps money to two places."""
    return amount.is_finite() and bool(amount) and abs(amount) <= AMOUNT_MAX and amount == amount.quantize(CENT)


def server_msc(text: Any, zone: ZoneInfo, *, in_utc: bool) -> int:
    """Convert a time of the wire to milliseconds of the server's wall clock, as if they were UTC; 0 for "never".

    `in_utc`: this bridge converts to UTC; else it shows the server's clock, whatever zone it writes behind it. Raises: ValueError.
    """
    if not text:
        return 0
    moment = dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    wall = moment.replace(tzinfo=None)
    if wall <= EPOCH:
        return 0
    if in_utc:
        instant = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        wall = instant.astimezone(zone).replace(tzinfo=None)
    return int((wall - EPOCH).total_seconds() * 1000)


def instant(text: Any, zone: ZoneInfo, *, in_utc: bool) -> dt.datetime:
    """Convert a time of the wire to an instant. In the hour that a zone repeats only a bridge that writes UTC is exact."""
    if in_utc and text:
        moment = dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    return clock.to_utc(server_msc(text, zone, in_utc=False), zone)


def wire_time(msc: int, zone: ZoneInfo, *, in_utc: bool, less_seconds: int = 0) -> str:
    """Write milliseconds of the server's clock as a bound of a request, or so many seconds before it.

    Those are taken off the wire's own clock: on the day that repeats an hour a window then ends where the next begins.
    """
    seconds = min(max(msc // 1000, 0), INT32_MAX)
    if in_utc:
        at = clock.to_utc(seconds * 1000, zone) - dt.timedelta(seconds=less_seconds)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (EPOCH + dt.timedelta(seconds=max(seconds - less_seconds, 0))).strftime("%Y-%m-%dT%H:%M:%S")
