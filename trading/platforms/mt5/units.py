"""Units of the MT5 server: lots, money and texts. Exact: strings to Decimal, never through a float."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from trading.platforms.parsing import is_short, is_writable

LOTS_PER_VOLUME_EXT: Final = Decimal("0.00000001")
VOLUME_EXT_PER_VOLUME: Final = 10_000
COMMENT_CHARS_MAX: Final = 31  # 32 with the terminator; the server cuts the rest without a word
NAME_CHARS_MAX: Final = 128
USER_COMMENT_CHARS_MAX: Final = 64
AMOUNT_MAX: Final = Decimal(1_000_000_000)


def decimal(value: object, default: str = "0") -> Decimal:
    """Read an amount or price of the JSON. Raises: ValueError for anything that is not a finite number."""
    text = str(value if value not in (None, "") else default).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not (is_short(text) and is_writable(number)):
        raise ValueError(f"{text[:60]!r} is not a finite number")
    return number


def whole(value: object, default: int = 0) -> int:
    """Read a whole number such as a ticket: 64 bits, sent as a string. Raises: ValueError."""
    if value in (None, ""):
        return default
    return int(str(value).strip())


def volume_ext(row: dict[str, Any], name: str = "Volume") -> int:
    """Read a volume in 1/100,000,000 lot: the extended field where the server sends it, else the short one × 10,000."""
    extended = row.get(f"{name}Ext")
    if extended not in (None, ""):
        return whole(extended)
    return whole(row.get(name)) * VOLUME_EXT_PER_VOLUME


def lots(extended: int) -> Decimal:
    """Convert a `VolumeExt` to lots: 100000000 is 1 lot. Exact to eight places."""
    return Decimal(extended) * LOTS_PER_VOLUME_EXT


def text(value: object) -> str:
    """Clean a text for PostgreSQL: no NUL, and no half of a character that the server cut in two."""
    raw = "" if value is None else str(value)
    if raw.isascii() and "\x00" not in raw:
        return raw
    return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\x00", "")


def utf16_length(value: str) -> int:
    """Count a text's length as the server does: an emoji is two."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def reference_fits(reference: str) -> bool:
    """Tell whether a balance operation's reference survives the comment field uncut and unchanged."""
    return re.fullmatch(rf"[A-Za-z0-9:._-]{{1,{COMMENT_CHARS_MAX}}}", reference) is not None


def shorten(value: str, limit: int) -> str:
    """Cut to `limit` UTF-16 units without cutting a character in two."""
    while utf16_length(value) > limit:
        value = value[:-1]
    return value
