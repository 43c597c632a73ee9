"""Sentences of breaks and resolutions: stored as a code with values, written when they are read.

A run is started by the scheduler or by one person; its breaks are read by others, each in their own language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import Money
from trading.choices import DealAction
from wallet.choices.ledger import JournalKind
from wallet.choices.reconciliation import Detail, PostingWay, Resolved

DETAILS: dict[str, Callable[[], str]] = {
    Detail.NOT_ORDERED: lambda: _("%(action)s #%(ticket)s on %(login)s wasn't ordered in the CRM: %(money)s"),
    Detail.OTHER_ACCOUNT: lambda: _(
        "#%(ticket)s for %(reference)s was booked on %(login)s instead of the ordered account"
    ),
    Detail.SECOND_DEAL: lambda: _("#%(ticket)s on %(login)s has a reference already settled by another deal"),
    Detail.NOT_SETTLED: lambda: _(
        "#%(ticket)s on %(login)s is executed on the platform, but transfer %(reference)s isn't settled"
    ),
    Detail.NO_MOVEMENT: lambda: _("#%(ticket)s on %(login)s isn't in the ledger: %(money)s"),
    Detail.OTHER_CURRENCY: lambda: _("#%(ticket)s is in %(there)s, but %(reference)s was booked in %(here)s"),
    Detail.OTHER_AMOUNT: lambda: _("#%(ticket)s moved %(money)s, but %(reference)s was booked as %(here)s"),
    Detail.JOURNAL_ALONE: lambda: _(
        "Journal %(journal)s (%(kind)s, %(reference)s) moved %(money)s without a deal on the platform"
    ),
    Detail.NO_DEAL: lambda: _("%(reference)s is booked, but no platform deal matches it: %(money)s"),
    Detail.DEAL_NOT_LISTED: lambda: _(
        "%(reference)s refers to deal #%(ticket)s, which isn't on the platform: %(money)s"
    ),
    Detail.CUT_OFF: lambda: _(
        "%(reference)s: #%(ticket)s and its journal are in different months, %(seconds)s seconds apart"
    ),
    Detail.BALANCE: lambda: _("%(currency)s on %(day)s: bank balance %(there)s, ledger balance %(here)s"),
}
RESOLUTIONS: dict[str, Callable[[], str]] = {
    Resolved.BY_REPORT: lambda: _("Explained by report “%(name)s”"),
    Resolved.BY_BOOKS: lambda: _("Explained by the ledger"),
    Resolved.AT_BANK: lambda: _("Received at the bank"),
    Resolved.BY_HAND: lambda: _("Matched manually"),
    Resolved.POSTED: lambda: _("Posted: %(way)s"),
    Resolved.NOT_FOUND: lambda: _("No longer found in the run for %(day)s"),
}


def money(minor: int, currency: str) -> dict[str, Any]:
    """Return an amount as a value of a detail."""
    return {"minor": minor, "currency": currency}


def say_detail(code: str, values: Mapping[str, Any]) -> str:
    """Write the sentence of a break's detail in the reader's language."""
    return DETAILS[code]() % {name: _shown(name, value) for name, value in values.items()}


def say_resolution(code: str, values: Mapping[str, Any]) -> str:
    """Write the sentence of a break's resolution in the reader's language."""
    return RESOLUTIONS[code]() % {name: _shown(name, value) for name, value in values.items()}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return formats.money(Money.of_minor(value["minor"], value["currency"]))
    if name == "day":
        return formats.day(dt.date.fromisoformat(value))
    if name == "kind" and value in JournalKind.values:
        return JournalKind(value).label
    if name == "action" and value in DealAction.values:
        return DealAction(value).label
    if name == "way" and value in PostingWay.values:
        return PostingWay(value).label
    return value
