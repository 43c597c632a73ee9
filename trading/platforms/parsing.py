"""JSON and numbers of somebody else's server, however they are meant."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

DIGITS_MAX: Final = 30


def read_json(content: bytes | str) -> Any:
    """JSON whose numbers keep every digit. Raises: ValueError, for lists in lists without end too."""
    try:
        return json.loads(content, parse_float=Decimal)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_writable(number: Decimal) -> bool:
    """Whether it is finite and can be written out: 1E+99999999 is a number too."""
    return number.is_finite() and number.adjusted() <= DIGITS_MAX
