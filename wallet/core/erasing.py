"""What of a client's money stands against their erasure."""

from __future__ import annotations

from django.db.models import F

from clients.models import Client
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WITHDRAWAL_OPEN
from wallet.models import Balance, Deposit, Withdrawal

UNFINISHED = (DepositState.PENDING, DepositState.AUTHORISED, DepositState.HELD)


def has_money(client: Client) -> bool:
    """Check for a wallet or a credit with a balance, or something on hold."""
    rows = Balance.objects.filter(account__client=client)
    return rows.exclude(credits_posted=F("debits_posted"), credits_pending=0, debits_pending=0).exists()


def has_payments(client: Client) -> bool:
    """Check for deposits and withdrawals that are under way."""
    return (
        Deposit.objects.filter(client=client, state__in=UNFINISHED).exists()
        or Withdrawal.objects.filter(client=client, state__in=WITHDRAWAL_OPEN).exists()
    )
