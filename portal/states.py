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
        AccountState.REQUESTED: _("Being opened"),
        AccountState.OPENING: _("Being opened"),
        AccountState.UNKNOWN: _("Being opened"),
        AccountState.FAILED: _("Not opened yet"),
        AccountState.ARCHIVED: _("Closed"),
    },
    Deposit: {
        DepositState.PENDING: _("On its way"),
        DepositState.HELD: _("We are looking at it"),
        DepositState.SETTLED: _("In your wallet"),
        DepositState.RETURNED: _("Sent back"),
        DepositState.CHARGED_BACK: _("Taken back by your bank"),
        DepositState.CHARGEBACK_REVERSED: _("In your wallet again"),
    },
    Withdrawal: {
        WithdrawalState.REQUESTED: _("Being checked"),
        WithdrawalState.AWAITING_SECOND_APPROVAL: _("Being checked"),
        WithdrawalState.SENT: _("Sent"),
        WithdrawalState.UNKNOWN: _("Being sent"),
        WithdrawalState.REJECTED: _("Not possible this time"),
        WithdrawalState.CANCELLED: _("Cancelled by you"),
        WithdrawalState.FAILED: _("In your wallet again"),
    },
    Transfer: {
        TransferState.SENDING: _("On its way"),
        TransferState.UNKNOWN: _("We wait for the platform"),
        TransferState.FAILED: _("Not moved"),
    },
}


def state_text(row: Model) -> str:
    """Return the client's word for a row's state; "" where the usual one will do."""
    state = getattr(row, "state", "")
    return str(WORDS.get(type(row), {}).get(state, ""))
