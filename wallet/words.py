"""What a client's timeline says of money, in whatever language it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.ui import formats
from wallet.choices import Direction, WithdrawalState, reason_for_client
from wallet.models import Withdrawal

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


def parts(every: Sequence[Withdrawal], told: Sequence[Withdrawal]) -> Said:
    """Those of a split request that are told of, each with its amount; nothing where it is not split."""
    if len(every) == 1:
        return lambda: ""
    return lambda: " · ".join(f"{part.reference} {formats.money(part.money)}" for part in told)


def why_parts_came_back(state: str, reasons: Sequence[str], of_parts: Said) -> Said:
    """Each reason once, then the parts."""

    def said() -> str:
        known = dict.fromkeys(reason_for_client(state, reason) for reason in reasons)
        return " · ".join(words for words in (*known, of_parts()) if words)

    return said


def transfer(direction: str, account: str, amount: Decimal, currency: str) -> Said:
    def said() -> str:
        way = _("to %(account)s") if direction == Direction.TO_TRADING else _("from %(account)s")
        money = formats.money(amount, currency)
        return _("Transfer %(way)s: %(money)s") % {"way": way % {"account": account}, "money": money}

    return said
