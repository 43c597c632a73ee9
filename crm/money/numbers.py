"""Numbers that people and programs put into addresses and forms."""

from __future__ import annotations

# bigint has 19 digits; any number of 18 fits.
DIGITS_MAX = 18


def is_whole(text: str) -> bool:
    """Check whether this is a whole number that the database can hold, in plain digits.

    `str.isdigit` is true of “²” as well, which `int` refuses, and of thousands of digits.
    """
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
