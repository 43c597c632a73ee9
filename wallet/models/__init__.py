from wallet.models.announced import AnnouncedReport
from wallet.models.bank import BankBatch, BankEntry, BankFile, BankOrder
from wallet.models.bonus import BonusGrant, BonusPlan, BonusRule
from wallet.models.bonus_losses import BonusLoss, BonusProposal
from wallet.models.breaks import Break, BreakNote, BreakPosting
from wallet.models.costs import PspCost, PspCostProposal
from wallet.models.disputes import Dispute
from wallet.models.documents import FeeInvoice, IssuedDocument, Letterhead
from wallet.models.facts import WalletFacts
from wallet.models.files import AttachedFile
from wallet.models.ledger import Account, Balance, Checkpoint, Journal, LedgerSeal, Posting
from wallet.models.manual import ManualJournal, ManualJournalFile, ManualLine
from wallet.models.matches import Match, MatchGroup, NotTheSame, Suggestion
from wallet.models.month_end import ClientMoneyDay, MonthSignOff, SourceRun
from wallet.models.opening import OpeningBalances, OpeningLine, OpeningPart
from wallet.models.payments import Deposit, PspMovement
from wallet.models.payout_investigations import BonusRestoration, PayoutFinding
from wallet.models.periods import ClosingBalance, Period, PeriodReopening
from wallet.models.psp import PaymentMethod, Psp, PspCall, WebhookCount, WebhookMessage
from wallet.models.psp_addresses import PspAddressChange
from wallet.models.rate_entries import RateEntry
from wallet.models.reserves import ReserveItem
from wallet.models.settlements import ReportToConfirm, SettlementImport, SettlementRow
from wallet.models.statement_tables import TableMapping, WaitingTable
from wallet.models.transfers import Exchange, Quote, Transfer
from wallet.models.unverified import UnverifiedRule, UnverifiedTerm
from wallet.models.withdrawals import ApprovalBatch, Withdrawal, WithdrawalCheck

__all__ = [
    "Account",
    "AnnouncedReport",
    "ApprovalBatch",
    "AttachedFile",
    "Balance",
    "BankBatch",
    "BankEntry",
    "BankFile",
    "BankOrder",
    "BonusGrant",
    "BonusLoss",
    "BonusPlan",
    "BonusProposal",
    "BonusRestoration",
    "BonusRule",
    "Break",
    "BreakNote",
    "BreakPosting",
    "Checkpoint",
    "ClientMoneyDay",
    "ClosingBalance",
    "Deposit",
    "Dispute",
    "Exchange",
    "FeeInvoice",
    "IssuedDocument",
    "Journal",
    "LedgerSeal",
    "Letterhead",
    "ManualJournal",
    "ManualJournalFile",
    "ManualLine",
    "Match",
    "MatchGroup",
    "MonthSignOff",
    "NotTheSame",
    "OpeningBalances",
    "OpeningLine",
    "OpeningPart",
    "PaymentMethod",
    "PayoutFinding",
    "Period",
    "PeriodReopening",
    "Posting",
    "Psp",
    "PspAddressChange",
    "PspCall",
    "PspCost",
    "PspCostProposal",
    "PspMovement",
    "Quote",
    "RateEntry",
    "ReportToConfirm",
    "ReserveItem",
    "SettlementImport",
    "SettlementRow",
    "SourceRun",
    "Suggestion",
    "TableMapping",
    "Transfer",
    "UnverifiedRule",
    "UnverifiedTerm",
    "WaitingTable",
    "WalletFacts",
    "WebhookCount",
    "WebhookMessage",
    "Withdrawal",
    "WithdrawalCheck",
]
