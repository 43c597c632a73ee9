"""Amounts as people type them."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.money.amounts import to_minor

MINOR_MAX = 10**15
# Beyond these a Decimal is rounded, or overflows, before it can be checked.
PLACE_MAX = 18
DIGITS_MAX = 28


def minor_of(amount: Decimal, currency: str) -> int:
    """Convert a positive amount into whole minor units. Raises DomainError with a sentence for who typed it."""
    if not amount.is_finite() or amount <= 0:
        raise DomainError(_("Enter an amount above zero."))
    if amount.adjusted() > PLACE_MAX:
        raise DomainError(_("This amount is too large."))
    try:
        if len(amount.as_tuple().digits) > DIGITS_MAX:
            raise ValueError("more digits than are computed with")
        minor = to_minor(amount, currency)
    except ValueError:
        raise DomainError(_("Too many decimal places for %(currency)s.") % {"currency": currency})
    if minor >= MINOR_MAX:
        raise DomainError(_("This amount is too large."))
    return minor


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
