"""Amounts as people type them."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.money import to_minor

MINOR_MAX = 10**15


def minor_of(amount: Decimal, currency: str) -> int:
    """Whole minor units of a sensible amount, or words."""
    if not amount.is_finite() or amount <= 0:
        raise DomainError(_("Enter an amount above zero."))
    try:
        minor = to_minor(amount, currency)
    except ValueError:
        raise DomainError(_("%(currency)s has no such small amounts. Use fewer decimals.") % {"currency": currency})
    if minor >= MINOR_MAX:
        raise DomainError(_("This amount is too large."))
    return minor
