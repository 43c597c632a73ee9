"""Amounts as people type them."""

from __future__ import annotations

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
