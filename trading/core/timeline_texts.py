"""What a client's timeline says of trading accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.i18n.localized_text import LocalizedText, amount, label_of, phrase
from crm.money.amounts import Money

if TYPE_CHECKING:
    from trading.models import BalanceOperation


def opening(login: str, server: str) -> LocalizedText:
    """Title the timeline entry of an opened trading account."""
    return phrase("Trading account %(login)s opened on %(server)s") % {"login": login, "server": server}


def operation(row: BalanceOperation) -> LocalizedText:
    """Title the timeline entry of a balance operation with its kind, login and state."""
    return phrase("%(kind)s on %(login)s: %(state)s") % {
        "kind": label_of(row, "kind"),
        "login": row.account.login,
        "state": label_of(row, "state"),
    }


def amount_of(row: BalanceOperation) -> LocalizedText:
    """Write an operation's amount, with its sign where the platform has booked it."""
    return amount(Money(row.amount if row.is_booked else abs(row.amount), row.currency), is_signed=row.is_booked)
