"""Units of a cTrader server: money, volumes, times, passwords, and one number for each row of three ledgers.

Source: cTrader WebServices and Manager API as public connectors use them. Exact: whole numbers and texts to Decimal.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal, InvalidOperation
from typing import Final

from trading.platforms.parsing import is_short, is_writable

VOLUME_DIGITS: Final = 2  # volumes of the Manager API are in hundredths of a unit
SPOT_DIGITS: Final = 5
MONEY_DIGITS: Final = 2  # where a message does not say
BALANCE_TICKETS: Final = 2**60
BONUS_TICKETS: Final = 2**61
REFERENCE_CHARS_MAX: Final = 31
TEXT_CHARS_MAX: Final = 100
LOTS: Final = Decimal("0.00000001")
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def money(amount: int, digits: int) -> Decimal:
    """Convert an amount: 1234512 with two money digits is 12345.12."""
    return Decimal(amount).scaleb(-digits)


def smallest_units(amount: Decimal, digits: int) -> int:
    """Convert 12345.12 with two digits to 1234512. Raises: ValueError for more digits than the currency has."""
    shifted = amount.scaleb(digits)
    if shifted != shifted.to_integral_value():
        raise ValueError(f"{amount} has more than {digits} digits")
    return int(shifted)


def decimal(text: object) -> Decimal:
    """Read a number of JSON or CSV exactly. Raises: ValueError for anything that is not a finite number."""
    try:
        number = Decimal(digits := str(text).strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not (is_short(digits) and is_writable(number)):
        raise ValueError(f"{digits[:60]!r} is not a finite number")
    return number


def price(value: float) -> Decimal:
    """Read a price of the Manager API, which are doubles: the shortest number that is this double."""
    return Decimal(repr(value))


def lots(units: Decimal, lot_units: Decimal) -> Decimal:
    """Convert units of the base asset to lots, to eight places. Raises: ValueError for what would be none."""
    size = (units / lot_units).quantize(LOTS) if lot_units else Decimal(0)
    if lot_units and units and not size:
        raise ValueError(f"{units} units are no volume")
    return size


def volume(hundredths: int) -> Decimal:
    """Convert a volume of the Manager API to units of the base asset."""
    return Decimal(hundredths).scaleb(-VOLUME_DIGITS)


def instant(milliseconds: int) -> dt.datetime:
    """Convert milliseconds since 1970 to an instant in UTC."""
    return EPOCH + dt.timedelta(milliseconds=milliseconds)


def milliseconds(at: dt.datetime) -> int:
    """Convert an instant to whole milliseconds since 1970."""
    return (at - EPOCH) // dt.timedelta(milliseconds=1)


def date_text(at: dt.datetime) -> str:
    """Write `yyyy-MM-ddTHH:mm:ss.SSS`, in UTC without an offset: the REST interface's form."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def from_date_text(text: str) -> dt.datetime:
    """Read a time of WebServices, which are in UTC. Raises: ValueError."""
    return dt.datetime.fromisoformat(text.strip().removesuffix("Z")).replace(tzinfo=dt.UTC)


def password_hash(password: str) -> str:
    """Hash to lower-case hex MD5 of the UTF-8 text, the platform's own form. It signs in, so it is a secret itself."""
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


def text(value: str, limit: int = TEXT_CHARS_MAX) -> str:
    """Cut a text and take out NUL, which PostgreSQL refuses."""
    return value.replace("\x00", "")[:limit]


def reference_fits(reference: str) -> bool:
    """Tell whether the platform keeps this reference unchanged."""
    return re.fullmatch(rf"[A-Za-z0-9:._-]{{1,{REFERENCE_CHARS_MAX}}}", reference) is not None
