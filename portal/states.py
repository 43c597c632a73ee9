"""How states read to the client whose money it is; a state that is not here keeps the label that staff read."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from trading.choices import AccountState
from trading.models import TradingAccount
from wallet.choices.deposits import DepositState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.models import Deposit, Transfer, Withdrawal

WORDS: Final[dict[type[Model], dict[str, Any]]] = {
    TradingAccount: {
        AccountState.REQUESTED: _("Opening"),
        AccountState.OPENING: _("Opening"),
        AccountState.UNKNOWN: _("Opening"),
        AccountState.FAILED: _("Not opened yet"),
        AccountState.ARCHIVED: _("Closed"),
    },
    Deposit: {
        DepositState.PENDING: _("On its way"),
        DepositState.HELD: _("Under review"),
        DepositState.SETTLED: _("In your wallet"),
        DepositState.RETURNED: _("Returned to sender"),
        DepositState.CHARGED_BACK: _("Reversed by your bank"),
        DepositState.CHARGEBACK_REVERSED: _("Back in your wallet"),
    },
    Withdrawal: {
        WithdrawalState.REQUESTED: _("Under review"),
        WithdrawalState.AWAITING_SECOND_APPROVAL: _("Under review"),
        WithdrawalState.SENT: _("Sent"),
        WithdrawalState.UNKNOWN: _("Sending"),
        WithdrawalState.REJECTED: _("Declined"),
        WithdrawalState.CANCELLED: _("Cancelled by you"),
        WithdrawalState.FAILED: _("Back in your wallet"),
    },
    Transfer: {
        TransferState.SENDING: _("On its way"),
        TransferState.UNKNOWN: _("Awaiting confirmation"),
        TransferState.FAILED: _("Not transferred"),
    },
}


def state_text(row: Model) -> str:
    """Return the client's word for a row's state; "" where the usual one will do."""
    state = getattr(row, "state", "")
    return str(WORDS.get(type(row), {}).get(state, ""))
