"""JSON and numbers of somebody else's server, however they are meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

DIGITS_MAX: Final = 30
NUMBER_CHARS_MAX: Final = 60  # a double written out to its last digit that counts has 24
PLACES_MAX: Final = 400  # a double that is nearly nothing has 324


def read_json(content: bytes | str) -> Any:
    """Parse JSON whose numbers keep every digit. Raises: ValueError, for lists in lists without end too."""
    try:
        return _loaded(content, int)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a whole number of thousands of digits: its row can't be right, the others may
        return _loaded(content, _whole)


def _loaded(content: bytes | str, whole: Callable[[str], Any]) -> Any:
    try:
        return json.loads(content, parse_float=Decimal, parse_int=whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= DIGITS_MAX else Decimal("NaN")


def is_short(text: str) -> bool:
    """Tell whether a number has no more digits than anybody means: longer ones would be rounded somewhere."""
    return len(text) <= NUMBER_CHARS_MAX


def is_writable(number: Decimal) -> bool:
    """Tell whether it is finite and can be written out: 1E+99999999 and 1E-99999999 are numbers, too."""
    return number.is_finite() and -PLACES_MAX <= number.adjusted() <= DIGITS_MAX
