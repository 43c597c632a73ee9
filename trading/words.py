"""What a client's timeline says of trading accounts, in whatever language it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.ui import formats

if TYPE_CHECKING:
    from trading.models import BalanceOperation

Said = Callable[[], str]


def opening(login: str, server: str) -> Said:
    return lambda: _("Trading account %(login)s opened on %(server)s") % {"login": login, "server": server}


def operation(one: BalanceOperation) -> Said:
    return lambda: _("%(kind)s on %(login)s: %(state)s") % {
        "kind": one.get_kind_display(), "login": one.account.login, "state": one.get_state_display(),
    }  # fmt: skip


def amount(one: BalanceOperation) -> Said:
    """With its sign where the platform has booked it."""
    return lambda: (
        formats.money(one.amount, one.currency, sign=True)
        if one.is_booked
        else formats.money(abs(one.amount), one.currency)
    )
