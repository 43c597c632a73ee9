"""Numbers that people and programs put into addresses and forms."""

from __future__ import annotations

import re

# bigint has 19 digits; any number of 18 fits.
DIGITS_MAX = 18


def is_whole(text: str) -> bool:
    """Check whether this is a whole number that the database can hold, in plain digits.

    `str.isdigit` is true of “²” as well, which `int` refuses, and of thousands of digits.
    """
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX


def read_amount(text: str, decimal_sign: str) -> str:
    """Read an amount as people write it into one with a decimal point: “1.234,50”, “1,234.50”, “1 234.5”, “250,5”.

    A single sign before exactly three digits is read by the reader's language: “1.500” is fifteen hundred in German
    and one and a half in English.
    """
    text = re.sub(r"[\s'’]", "", text)
    signs = [character for character in text if character in ".,"]
    if not signs:
        return text
    last = signs[-1]
    if len(set(signs)) == 2:
        mark = last if signs.count(last) == 1 else ""
    elif len(signs) > 1:
        mark = ""
    else:
        mark = "" if len(text.rpartition(last)[2]) == 3 and last != decimal_sign else last
    whole, _sign, decimals = text.rpartition(mark) if mark else (text, "", "")
    whole = whole.replace(".", "").replace(",", "")
    return f"{whole}.{decimals}" if mark else whole
