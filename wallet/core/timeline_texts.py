"""Titles of a client's timeline about money."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from crm.i18n.localized_text import LocalizedText, Phrase, joined, lowered, phrase
from crm.money.amounts import Money
from wallet.choices.transfers import Direction
from wallet.choices.withdrawals import WithdrawalState, reason_for_client
from wallet.models import Withdrawal


def deposit(is_first: bool, amount: Decimal, currency: str) -> Phrase:
    """Write the title of a deposit's entry; the first one is named as such."""
    title = phrase("First deposit: %(money)s") if is_first else phrase("Deposit: %(money)s")
    return title % {"money": Money(amount, currency)}


def withdrawal_asked_for(amount: Decimal, currency: str) -> Phrase:
    """Write the title of a withdrawal's request."""
    return phrase("Withdrawal requested: %(m)s") % {"m": Money(amount, currency)}


def withdrawal_paid(amount: Decimal, currency: str) -> Phrase:
    """Write the title of a withdrawal that was paid."""
    return phrase("Withdrawal paid: %(money)s") % {"money": Money(amount, currency)}


def withdrawal_came_back(state: str, amount: Decimal, currency: str) -> Phrase:
    """Write the title of a withdrawal whose money is in the wallet again, with its state."""
    values = {"state": lowered(WithdrawalState(state).label), "money": Money(amount, currency)}
    return phrase("Withdrawal %(state)s: %(money)s returned to the wallet") % values


def parts(every: Sequence[Withdrawal], told: Sequence[Withdrawal]) -> LocalizedText:
    """List the parts of a split request that an entry is about, each with its amount; nothing where it isn't split."""
    return "" if len(every) == 1 else joined(joined([part.reference, part.money], " ") for part in told)


def why_parts_came_back(state: str, reasons: Sequence[str], of_parts: LocalizedText) -> LocalizedText:
    """Write each reason once, then the parts."""
    return joined([*dict.fromkeys(reason_for_client(state, reason) for reason in reasons), of_parts])


def transfer(direction: str, account: str, amount: Decimal, currency: str) -> Phrase:
    """Write the title of a transfer to or from a trading account."""
    is_in = direction == Direction.TO_TRADING
    title = phrase("Transfer to %(account)s: %(money)s") if is_in else phrase("Transfer from %(account)s: %(money)s")
    return title % {"account": account, "money": Money(amount, currency)}
