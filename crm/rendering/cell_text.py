"""A cell as people read it, in the reader's language and time zone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import Money
from crm.rendering.report import Cell


def cell_text(value: Cell) -> str:
    """Write a report's cell for its reader: amounts, numbers and dates as their language does."""
    if isinstance(value, str):
        return value
    if isinstance(value, Money):
        return formats.money(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | Decimal):
        return formats.number(value)
    if isinstance(value, dt.datetime):
        return formats.moment(value, seconds=True)
    if isinstance(value, dt.date):
        return formats.day(value)
    return "" if value is None else str(value)
