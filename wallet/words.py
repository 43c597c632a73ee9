"""What a client's timeline says of money, in whatever language it is said."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.ui import formats
from wallet.choices import Direction, WithdrawalState, reason_for_client

Said = Callable[[], str]


def deposit(is_first: bool, amount: Decimal, currency: str) -> Said:
    return lambda: (
        (_("First deposit: %(money)s") if is_first else _("Deposit: %(money)s"))
        % {"money": formats.money(amount, currency)}
    )  # fmt: skip


def withdrawal_asked_for(amount: Decimal, currency: str) -> Said:
    return lambda: _("Withdrawal requested: %(m)s") % {"m": formats.money(amount, currency)}


def withdrawal_paid(amount: Decimal, currency: str) -> Said:
    return lambda: _("Withdrawal paid: %(money)s") % {"money": formats.money(amount, currency)}


def withdrawal_came_back(state: str, amount: Decimal, currency: str) -> Said:
    def said() -> str:
        label = str(WithdrawalState(state).label)
        # Only the first letter: German writes its nouns large.
        words = {"state": label[:1].lower() + label[1:], "money": formats.money(amount, currency)}
        return _("Withdrawal %(state)s: %(money)s is in the wallet again") % words

    return said


def why_it_came_back(state: str, reason: str) -> Said:
    return lambda: reason_for_client(state, reason)


def transfer(direction: str, account: str, amount: Decimal, currency: str) -> Said:
    def said() -> str:
        way = _("to %(account)s") if direction == Direction.TO_TRADING else _("from %(account)s")
        money = formats.money(amount, currency)
        return _("Transfer %(way)s: %(money)s") % {"way": way % {"account": account}, "money": money}

    return said
