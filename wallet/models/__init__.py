from wallet.models.bonus import BonusGrant, BonusPlan, BonusRule
from wallet.models.ledger import Account, Balance, Checkpoint, Journal, LedgerSeal, Posting
from wallet.models.payments import Deposit, PspMovement
from wallet.models.psp import PaymentMethod, Psp, PspCall, WebhookMessage
from wallet.models.reconciliation import Break, Match, SettlementImport, SettlementRow
from wallet.models.transfers import Transfer
from wallet.models.withdrawals import Withdrawal, WithdrawalCheck

__all__ = [
    "Account",
    "Balance",
    "BonusGrant",
    "BonusPlan",
    "BonusRule",
    "Break",
    "Checkpoint",
    "Deposit",
    "Journal",
    "LedgerSeal",
    "Match",
    "PaymentMethod",
    "Posting",
    "Psp",
    "PspCall",
    "PspMovement",
    "SettlementImport",
    "SettlementRow",
    "Transfer",
    "WebhookMessage",
    "Withdrawal",
    "WithdrawalCheck",
]
