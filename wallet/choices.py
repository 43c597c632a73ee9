"""Kinds and states of money, each with its label and badge colour, and the transition tables."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices
from crm.words import Words


class AccountKind(models.TextChoices):
    """The chart of accounts. A balance is credit-positive: what the house owes is above zero, what it holds below."""

    CLIENT_WALLET = "client_wallet", _("Client wallet")
    PLATFORM_CLEARING = "platform_clearing", _("Platform clearing")
    PSP_CLEARING = "psp_clearing", _("PSP clearing")
    PSP_RESERVE = "psp_reserve", _("Held back by PSPs")
    CLIENT_MONEY_BANK = "client_money_bank", _("Client money bank")
    HOUSE_BANK = "house_bank", _("House bank")
    FEES = "fees", _("PSP and bank fees")
    IB_COMMISSIONS = "ib_commissions", _("IB commissions (cost)")
    IB_PAYABLE = "ib_commissions_payable", _("IB commissions payable")
    BONUS = "bonus", _("Client credit (bonus)")
    BONUS_COST = "bonus_cost", _("Bonuses (cost)")
    CHARGEBACK_LOSSES = "chargeback_losses", _("Chargeback losses")
    FX_POSITION = "fx_position", _("FX position")
    FX_RESULT = "fx_result", _("FX gains and losses")
    ROUNDING = "rounding", _("Rounding")
    SUSPENSE = "suspense", _("Suspense")


BOUNDED_KINDS = frozenset({AccountKind.CLIENT_WALLET, AccountKind.BONUS})


class JournalKind(models.TextChoices):
    DEPOSIT = "deposit", _("Deposit")
    DEPOSIT_HELD = "deposit_held", _("Deposit held")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    TRANSFER = "transfer", _("Transfer")
    COMMISSION = "commission", _("Commission")
    COMMISSION_PAYOUT = "commission_payout", _("Commission payout")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSAL = "chargeback_reversal", _("Chargeback reversed")
    PSP_FEE = "psp_fee", _("PSP fee")
    PSP_SETTLEMENT = "psp_settlement", _("PSP settlement")
    PSP_RESERVE = "psp_reserve", _("Held back or released by a PSP")
    BONUS = "bonus", _("Bonus")
    FX = "fx", _("Currency exchange")
    ADJUSTMENT = "adjustment", _("Adjustment")
    REVERSAL = "reversal", _("Reversal")


class Phase(BadgeChoices):
    """Two-phase money: a pending journal reserves; it is resolved once, by posting (in full or in part) or voiding."""

    POSTED = "posted", "green", _("Posted")
    PENDING = "pending", "yellow", _("Reserved")
    POST = "post", "green", _("Reservation posted")
    VOID = "void", "secondary", _("Reservation released")


class Layer(models.IntegerChoices):
    """What a posting moves: money, a reservation, or the release of one."""

    MONEY = 0, _("Money")
    RESERVED = 1, _("Reserved")
    RELEASED = 2, _("Released")


class PeriodState(BadgeChoices):
    """Closing: no entry goes in any more, and the carry-forward is being computed."""

    OPEN = "open", "green", _("Open")
    CLOSING = "closing", "yellow", _("Being closed")
    CLOSED = "closed", "secondary", _("Closed")


class RequestState(BadgeChoices):
    """Of what one person asks for and another decides."""

    WAITING = "waiting", "azure", _("Waits for a second person")
    APPROVED = "approved", "green", _("Approved")
    REFUSED = "refused", "red", _("Refused")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn")


class PspKind(models.TextChoices):
    CARD = "card", _("Cards")
    WALLET = "wallet", _("E-wallet")
    BANK = "bank", _("Bank transfer")
    CRYPTO = "crypto", _("Crypto")
    CASHIER = "cashier", _("Local methods")


class CallOutcome(BadgeChoices):
    """How a request to a PSP ended. The last two are failures of the PSP or of the way to it."""

    ANSWERED = "answered", "green", _("Answered")
    REFUSED = "refused", "orange", _("Refused")
    UNREACHABLE = "unreachable", "red", _("Not reached")
    UNKNOWN = "unknown", "red", _("No usable answer")


class Verdict(BadgeChoices):
    """What the check of a webhook's raw bytes found. Only an accepted one is acted on."""

    ACCEPTED = "accepted", "green", _("Accepted")
    DUPLICATE = "duplicate", "secondary", _("Sent again")
    WRONG_SIGNATURE = "wrong_signature", "red", _("Wrong signature")
    NO_SIGNATURE = "no_signature", "red", _("No signature")
    STALE = "stale", "orange", _("Signed too long ago")
    FUTURE = "future", "orange", _("Signed in the future")
    OTHER_MERCHANT = "other_merchant", "red", _("For another merchant")
    MALFORMED = "malformed", "orange", _("Unreadable")
    UNCHECKED = "unchecked", "yellow", _("Could not be checked, asked for again")


class InboxState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waiting")
    DONE = "done", "green", _("Applied")
    IGNORED = "ignored", "secondary", _("Nothing to do")
    UNMATCHED = "unmatched", "orange", _("Unknown payment")
    FAILED = "failed", "red", _("Failed")
    REFUSED = "refused", "red", _("Refused")


class DepositState(BadgeChoices):
    CREATED = "created", "secondary", _("Started")
    PENDING = "pending", "azure", _("Pending at the PSP")
    AUTHORISED = "authorised", "blue", _("Authorised")
    FAILED = "failed", "red", _("Failed")
    EXPIRED = "expired", "secondary", _("Expired")
    HELD = "held", "orange", _("Held for review")
    SETTLED = "settled", "green", _("Settled")
    REFUNDED = "refunded", "purple", _("Refunded")
    RETURNED = "returned", "purple", _("Sent back, never credited")
    CHARGED_BACK = "charged_back", "red", _("Charged back")
    CHARGEBACK_REVERSED = "cb_reversed", "teal", _("Chargeback reversed")


class HoldReason(models.TextChoices):
    """Why money that arrived waits for a person."""

    AMOUNT = "amount", _("Another amount arrived than was meant")
    CURRENCY = "currency", _("Another currency arrived than was meant")
    PAYER = "payer", _("Someone else seems to have paid")
    LATE = "late", _("It arrived long after the time to pay was over")
    FURTHER = "further", _("A further payment to the same address or reference")
    LIMIT = "limit", _("More than an unverified client may pay in")
    RATE = "rate", _("There is no exchange rate for the day")


# A deposit moves on only to a higher rank: what the PSP says late or twice changes nothing.
DEPOSIT_RANK: dict[str, int] = {
    DepositState.CREATED: 0,
    DepositState.PENDING: 20,
    DepositState.AUTHORISED: 30,
    DepositState.EXPIRED: 34,
    DepositState.FAILED: 35,
    DepositState.HELD: 45,
    DepositState.SETTLED: 50,
    DepositState.REFUNDED: 60,
    DepositState.RETURNED: 60,
    DepositState.CHARGED_BACK: 60,
    DepositState.CHARGEBACK_REVERSED: 70,
}
DEPOSIT_ARRIVED = (
    DepositState.SETTLED,
    DepositState.REFUNDED,
    DepositState.CHARGED_BACK,
    DepositState.CHARGEBACK_REVERSED,
)


class Purpose(models.TextChoices):
    """Why money goes to a client: they asked for it, or staff give a deposit back."""

    WITHDRAWAL = "withdrawal", _("Withdrawal")
    REFUND = "refund", _("Refund of a deposit")


class Way(models.TextChoices):
    """How it goes: to a destination that the client named, or back to the payment that it came from."""

    PAYOUT = "payout", _("Payout")
    REFUND = "refund", _("Back to its source")


class ClaimState(BadgeChoices):
    """Of a refund that the payer fetches at an address of the PSP."""

    WAITING = "waiting", "yellow", _("Waits for the client to claim it")
    CLAIMED = "claimed", "azure", _("Claimed, on its way")
    OVER = "over", "red", _("Not claimed in time")


class DisputeState(BadgeChoices):
    """INQUIRY: the payer's bank only asks. The others are of a chargeback."""

    INQUIRY = "inquiry", "azure", _("Question of the bank")
    NEEDS_RESPONSE = "needs_response", "orange", _("Needs an answer")
    SUBMITTED = "submitted", "indigo", _("Evidence sent")
    WON = "won", "green", _("Won")
    LOST = "lost", "red", _("Lost")


DISPUTE_OPEN = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.SUBMITTED)
# A question may become a chargeback; a decided one opens again when the bank takes the money a second time.
DISPUTE_TRANSITIONS: dict[str, set[str]] = {
    DisputeState.INQUIRY: {DisputeState.NEEDS_RESPONSE, DisputeState.SUBMITTED, DisputeState.WON, DisputeState.LOST},
    DisputeState.NEEDS_RESPONSE: {DisputeState.SUBMITTED, DisputeState.WON, DisputeState.LOST},
    DisputeState.SUBMITTED: {DisputeState.NEEDS_RESPONSE, DisputeState.WON, DisputeState.LOST},
    DisputeState.WON: {DisputeState.NEEDS_RESPONSE},
    DisputeState.LOST: {DisputeState.WON},
}


class TermState(BadgeChoices):
    """The days in which a client who has paid in must be verified."""

    RUNNING = "running", "azure", _("Running")
    VERIFIED = "verified", "green", _("Verified in time")
    ENDED = "ended", "red", _("Over: give the money back")


class WithdrawalState(BadgeChoices):
    REQUESTED = "requested", "azure", _("Waits for approval")
    SECOND_LOOK = "second_look", "yellow", _("Waits for a second person")
    APPROVED = "approved", "blue", _("Approved")
    SENDING = "sending", "blue", _("Being sent")
    SENT = "sent", "indigo", _("Sent to the PSP")
    UNKNOWN = "unknown", "orange", _("Unknown at the PSP")
    SETTLED = "settled", "green", _("Paid")
    REJECTED = "rejected", "red", _("Rejected")
    CANCELLED = "cancelled", "secondary", _("Cancelled by the client")
    FAILED = "failed", "red", _("Failed, money returned")
    CAME_BACK = "came_back", "purple", _("Paid, and came back")


WITHDRAWAL_TRANSITIONS: dict[str, set[str]] = {
    WithdrawalState.REQUESTED: {
        WithdrawalState.SECOND_LOOK,
        WithdrawalState.APPROVED,
        WithdrawalState.REJECTED,
        WithdrawalState.CANCELLED,
    },
    WithdrawalState.SECOND_LOOK: {
        WithdrawalState.APPROVED,
        WithdrawalState.REJECTED,
        WithdrawalState.CANCELLED,
    },
    WithdrawalState.APPROVED: {WithdrawalState.SENDING},
    WithdrawalState.SENDING: {
        WithdrawalState.SENT,
        WithdrawalState.UNKNOWN,
        WithdrawalState.SETTLED,
        WithdrawalState.FAILED,
    },
    WithdrawalState.UNKNOWN: {WithdrawalState.SENT, WithdrawalState.SETTLED, WithdrawalState.FAILED},
    WithdrawalState.SENT: {WithdrawalState.SETTLED, WithdrawalState.FAILED},
    # Further than these only two people go, who asked the PSP (`wallet.payout_findings`).
    WithdrawalState.SETTLED: {WithdrawalState.CAME_BACK},
    WithdrawalState.REJECTED: set(),
    WithdrawalState.CANCELLED: set(),
    WithdrawalState.FAILED: {WithdrawalState.SETTLED},
    WithdrawalState.CAME_BACK: set(),
}
WITHDRAWAL_UNDECIDED = (WithdrawalState.REQUESTED, WithdrawalState.SECOND_LOOK)
WITHDRAWAL_OPEN = (
    WithdrawalState.REQUESTED,
    WithdrawalState.SECOND_LOOK,
    WithdrawalState.APPROVED,
    WithdrawalState.SENDING,
    WithdrawalState.SENT,
    WithdrawalState.UNKNOWN,
)


class FindingKind(BadgeChoices):
    """What people found out about a payout."""

    PAID = "paid", "green", _("It was paid")
    NOT_PAID = "not_paid", "red", _("It was never paid")
    CAME_BACK = "came_back", "purple", _("It was paid and came back")


class Outcome(BadgeChoices):
    """What a check of a withdrawal says."""

    PASS = "pass", "green", _("Passed")
    REVIEW = "review", "yellow", _("Needs a look")
    STOP = "stop", "red", _("Not possible")


class Direction(models.TextChoices):
    TO_TRADING = "to_trading", _("Wallet to trading account")
    TO_WALLET = "to_wallet", _("Trading account to wallet")


class QuoteFor(models.TextChoices):
    """What a promised rate may be used for."""

    EXCHANGE = "exchange", _("Between wallets")
    TO_TRADING = "to_trading", _("Wallet to trading account")
    TO_WALLET = "to_wallet", _("Trading account to wallet")


class ExchangeState(BadgeChoices):
    SETTLED = "settled", "green", _("Done")


class TransferState(BadgeChoices):
    SENDING = "sending", "blue", _("Being sent")
    UNKNOWN = "unknown", "orange", _("Unknown at the platform")
    SETTLED = "settled", "green", _("Done")
    FAILED = "failed", "red", _("Failed, money returned")


TRANSFER_TRANSITIONS: dict[str, set[str]] = {
    TransferState.SENDING: {TransferState.UNKNOWN, TransferState.SETTLED, TransferState.FAILED},
    TransferState.UNKNOWN: {TransferState.SETTLED, TransferState.FAILED},
    TransferState.SETTLED: set(),
    TransferState.FAILED: set(),
}


class MovementKind(models.TextChoices):
    """What we believe a PSP did with our money; the other side of a settlement report's row."""

    PAYMENT = "payment", _("Deposit")
    PAYOUT = "payout", _("Withdrawal")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSED = "chargeback_reversed", _("Chargeback reversed")


class WaitingState(models.TextChoices):
    """Of a report whose end nothing proves."""

    WAITING = "waiting", _("Awaiting confirmation")
    CONFIRMED = "confirmed", _("Confirmed complete")
    DISCARDED = "discarded", _("Discarded")


class RowType(models.TextChoices):
    PAYMENT = "payment", _("Deposit")
    PAYOUT = "payout", _("Withdrawal")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSED = "chargeback_reversed", _("Chargeback reversed")
    MERCHANT_PAYOUT = "merchant_payout", _("Paid to our bank")
    FEE = "fee", _("Fee")
    RESERVE = "reserve", _("Held back or released")
    CONVERSION = "conversion", _("Currency conversion")
    ADJUSTMENT = "adjustment", _("Correction of the PSP")


class MatchRule(models.TextChoices):
    """By what a row and a movement were recognised; kind, currency and amount agree always."""

    PSP_REFERENCE = "psp_reference", _("PSP reference")
    OUR_REFERENCE = "our_reference", _("Our reference")
    BATCH = "batch", _("Batch paid to our bank")
    SPLIT = "split", _("Paid in parts")
    MERGED = "merged", _("Paid together")
    FX = "fx", _("Converted at the PSP's rate")
    ACCEPTED = "accepted", _("Accepted by a person")


class BreakKind(BadgeChoices):
    AMOUNT = "amount", "red", _("Amount differs")
    CURRENCY = "currency", "red", _("Currency differs")
    MISSING_HERE = "missing_here", "orange", _("In the report, not in our books")
    MISSING_THERE = "missing_there", "orange", _("In our books, not in the report")
    DUPLICATE = "duplicate", "purple", _("Twice in the report")
    FEE = "fee", "yellow", _("Fee differs from the terms")
    WRONG_CLIENT = "wrong_client", "red", _("Of another client")
    TIMING = "timing", "azure", _("Near the cut-off")
    STATUS = "status", "red", _("Refund or chargeback, not here")
    WRONG_ACCOUNT = "wrong_account", "red", _("On another trading account")
    NOT_ORDERED = "not_ordered", "red", _("Booked by hand on the platform")
    NOT_SETTLED = "not_settled", "yellow", _("Done on the platform, not settled here")
    BALANCE = "balance", "red", _("Balance at the bank differs")
    RESERVE_OVERDUE = "reserve_overdue", "orange", _("Held back, not released in time")
    RESERVE_UNEQUAL = "reserve_unequal", "red", _("Released, not what was held back")


class ReserveState(BadgeChoices):
    """Of a row by which a PSP held money back or released it."""

    HELD = "held", "azure", _("Held by the PSP")
    RELEASED = "released", "green", _("Released")
    UNEQUAL = "unequal", "red", _("Not what was held back")


class BreakState(BadgeChoices):
    OPEN = "open", "orange", _("Open")
    RESOLVED = "resolved", "green", _("Resolved")


# What PSPs answer when a payment does not go through, in words for staff and for the client.
FAILURES: dict[str, Promise] = {
    "declined_by_issuer": _("Declined by the card's bank"),
    "insufficient_funds": _("Not enough money on the card or account"),
    "cancelled_by_client": _("Cancelled on the payment page"),
    "expired": _("Not paid in time"),
    "account_closed": _("The receiving account is closed"),
    "account_blocked": _("The receiving account is blocked"),
    "account_not_found": _("The receiving account does not exist"),
    "refused_by_bank": _("The receiving bank refused it"),
    "bank_unavailable": _("The receiving bank could not be reached"),
    "no_route": _("The PSP can't pay to this bank in this currency"),
    "psp_limit": _("The PSP's limit or rules don't allow it"),
    "psp_balance_low": _("The PSP could not pay it out now"),
}


def failure_words(code: str) -> str:
    """A PSP's failure code as a sentence; one that is not known stays readable."""
    return str(FAILURES[code]) if code in FAILURES else code.replace("_", " ")


def reason_for_client(state: str, reason: str) -> Words:
    """Why a withdrawal ended, for its client. What a PSP answered may name keys and references: only causes we know pass."""
    if state != WithdrawalState.FAILED:
        return reason
    return FAILURES.get(reason.strip().lower().replace(" ", "_"), "")
