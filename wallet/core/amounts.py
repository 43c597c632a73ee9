"""Amounts as people type them."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.money.amounts import to_minor

MINOR_MAX = 10**15
# Beyond these a Decimal is rounded, or overflows, before anybody has looked at it.
PLACE_MAX = 18
DIGITS_MAX = 28


def minor_of(amount: Decimal, currency: str) -> int:
    """Whole minor units of a sensible amount, or words."""
    if not amount.is_finite() or amount <= 0:
        raise DomainError(_("Enter an amount above zero."))
    if amount.adjusted() > PLACE_MAX:
        raise DomainError(_("This amount is too large."))
    try:
        if len(amount.as_tuple().digits) > DIGITS_MAX:
            raise ValueError("more digits than are computed with")
        minor = to_minor(amount, currency)
    except ValueError:
        raise DomainError(_("%(currency)s has no such small amounts. Use fewer decimals.") % {"currency": currency})
    if minor >= MINOR_MAX:
        raise DomainError(_("This amount is too large."))
    return minor


def read_amount(text: str, decimal_sign: str) -> str:
    """An amount as people write it, with a point for the decimals: “1.234,50”, “1,234.50”, “1 234.5”, “250,5”.

    One sign alone before exactly three figures is what the reader's language makes of it: “1.500” is fifteen hundred in
    German and one and a half in English.
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
