"""What a client's timeline says of money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from crm.i18n.localized_text import LocalizedText, Phrase, joined, lowered, phrase
from crm.money.amounts import Money
from wallet.choices.transfers import Direction
from wallet.choices.withdrawals import WithdrawalState, reason_for_client
from wallet.models import Withdrawal


def deposit(is_first: bool, amount: Decimal, currency: str) -> Phrase:
    title = phrase("First deposit: %(money)s") if is_first else phrase("Deposit: %(money)s")
    return title % {"money": Money(amount, currency)}


def withdrawal_asked_for(amount: Decimal, currency: str) -> Phrase:
    return phrase("Withdrawal requested: %(m)s") % {"m": Money(amount, currency)}


def withdrawal_paid(amount: Decimal, currency: str) -> Phrase:
    return phrase("Withdrawal paid: %(money)s") % {"money": Money(amount, currency)}


def withdrawal_came_back(state: str, amount: Decimal, currency: str) -> Phrase:
    values = {"state": lowered(WithdrawalState(state).label), "money": Money(amount, currency)}
    return phrase("Withdrawal %(state)s: %(money)s is in the wallet again") % values


def parts(every: Sequence[Withdrawal], told: Sequence[Withdrawal]) -> LocalizedText:
    """Those of a split request that are told of, each with its amount; nothing where it is not split."""
    return "" if len(every) == 1 else joined(joined([part.reference, part.money], " ") for part in told)


def why_parts_came_back(state: str, reasons: Sequence[str], of_parts: LocalizedText) -> LocalizedText:
    """Each reason once, then the parts."""
    return joined([*dict.fromkeys(reason_for_client(state, reason) for reason in reasons), of_parts])


def transfer(direction: str, account: str, amount: Decimal, currency: str) -> Phrase:
    way = phrase("to %(account)s") if direction == Direction.TO_TRADING else phrase("from %(account)s")
    values = {"way": way % {"account": account}, "money": Money(amount, currency)}
    return phrase("Transfer %(way)s: %(money)s") % values
