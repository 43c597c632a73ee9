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
    Detail.NOT_ORDERED: lambda: _("%(action)s #%(ticket)s on %(login)s was not ordered here: %(money)s"),
    Detail.OTHER_ACCOUNT: lambda: _("#%(ticket)s of %(reference)s stands on %(login)s, ordered for another account"),
    Detail.SECOND_DEAL: lambda: _("#%(ticket)s on %(login)s carries a reference that another deal settled"),
    Detail.NOT_SETTLED: lambda: _("#%(ticket)s on %(login)s is done there; the transfer %(reference)s is not settled"),
    Detail.NO_MOVEMENT: lambda: _("#%(ticket)s on %(login)s has no movement in the ledger: %(money)s"),
    Detail.OTHER_CURRENCY: lambda: _("#%(ticket)s is in %(there)s, %(reference)s was booked in %(here)s"),
    Detail.OTHER_AMOUNT: lambda: _("#%(ticket)s moved %(money)s, %(reference)s was booked as %(here)s"),
    Detail.JOURNAL_ALONE: lambda: _(
        "Journal %(journal)s (%(kind)s, %(reference)s) moved %(money)s without a deal on the platform"
    ),
    Detail.NO_DEAL: lambda: _("%(reference)s is booked, but no deal of the platform is known for it: %(money)s"),
    Detail.DEAL_NOT_LISTED: lambda: _(
        "%(reference)s names deal #%(ticket)s, which the platform does not list: %(money)s"
    ),
    Detail.CUT_OFF: lambda: _(
        "%(reference)s: #%(ticket)s and its journal stand in different months, %(seconds)s seconds apart"
    ),
    Detail.BALANCE: lambda: _("%(currency)s on %(day)s: the bank has %(there)s, our books have %(here)s"),
}
RESOLUTIONS: dict[str, Callable[[], str]] = {
    Resolved.BY_REPORT: lambda: _("Explained by the report “%(name)s”"),
    Resolved.BY_BOOKS: lambda: _("Explained by our books"),
    Resolved.AT_BANK: lambda: _("It reached the bank"),
    Resolved.BY_HAND: lambda: _("Matched by hand"),
    Resolved.POSTED: lambda: _("Posted: %(way)s"),
    Resolved.NOT_FOUND: lambda: _("No longer found by the run over %(day)s"),
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
