"""How figures are written on cards and in tables of reports."""

from __future__ import annotations

from decimal import Decimal

from crm.i18n import formats


def whole_money(amount: Decimal, currency: str) -> str:
    """Show an amount without cents: a card is read at a glance."""
    return formats.money(amount, currency, is_whole=True)


def time_text(seconds: int | None) -> str:
    """Say a time with its units: "45 s", "12 min", "11 h 7 min"; a dash where there is none."""
    return formats.duration(seconds, to_minute=True)
