"""States of withdrawals, results of their checks and reasons of failure."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices
from crm.i18n.localized_text import LocalizedText


class Purpose(models.TextChoices):
    """Why money goes to a client: they requested it, or staff refund a deposit."""

    WITHDRAWAL = "withdrawal", _("Withdrawal")
    REFUND = "refund", _("Deposit refund")


class WithdrawalRoute(models.TextChoices):
    """How it is paid: to a destination that the client named, or back to the payment that it came from."""

    PAYOUT = "payout", _("Payout")
    REFUND = "refund", _("Return to source")


class ClaimState(BadgeChoices):
    """States of a refund that the payer claims at an address of the PSP."""

    WAITING = "waiting", "yellow", _("Awaiting claim")
    CLAIMED = "claimed", "azure", _("Claimed, in transit")
    OVER = "over", "red", _("Not claimed in time")


# As the PSP reports it; what was over does not wait again.
CLAIM_TRANSITIONS: dict[str, set[str]] = {
    "": {ClaimState.WAITING, ClaimState.CLAIMED, ClaimState.OVER},
    ClaimState.WAITING: {ClaimState.WAITING, ClaimState.CLAIMED, ClaimState.OVER},
    ClaimState.CLAIMED: {ClaimState.WAITING, ClaimState.CLAIMED, ClaimState.OVER},
    ClaimState.OVER: {ClaimState.CLAIMED, ClaimState.OVER},
}


class WithdrawalState(BadgeChoices):
    REQUESTED = "requested", "azure", _("Pending approval")
    AWAITING_SECOND_APPROVAL = "awaiting_second_approval", "yellow", _("Awaiting second approval")
    APPROVED = "approved", "blue", _("Approved")
    SENDING = "sending", "blue", _("Sending")
    SENT = "sent", "indigo", _("Sent to the PSP")
    UNKNOWN = "unknown", "orange", _("Status unknown at the PSP")
    SETTLED = "settled", "green", pgettext_lazy("withdrawal", "Paid")
    REJECTED = "rejected", "red", _("Rejected")
    CANCELLED = "cancelled", "secondary", _("Cancelled by the client")
    FAILED = "failed", "red", _("Failed, money returned")
    CAME_BACK = "came_back", "purple", _("Paid, then returned")


WITHDRAWAL_TRANSITIONS: dict[str, set[str]] = {
    WithdrawalState.REQUESTED: {
        WithdrawalState.AWAITING_SECOND_APPROVAL,
        WithdrawalState.APPROVED,
        WithdrawalState.REJECTED,
        WithdrawalState.CANCELLED,
    },
    # Back to requested when who gave the first approval takes it back.
    WithdrawalState.AWAITING_SECOND_APPROVAL: {
        WithdrawalState.REQUESTED,
        WithdrawalState.APPROVED,
        WithdrawalState.REJECTED,
        WithdrawalState.CANCELLED,
    },
    WithdrawalState.APPROVED: {WithdrawalState.SENDING},
    # Back to approved only when the PSP was not reached: nothing was sent.
    WithdrawalState.SENDING: {
        WithdrawalState.SENT,
        WithdrawalState.UNKNOWN,
        WithdrawalState.SETTLED,
        WithdrawalState.FAILED,
        WithdrawalState.APPROVED,
    },
    WithdrawalState.UNKNOWN: {WithdrawalState.SENT, WithdrawalState.SETTLED, WithdrawalState.FAILED},
    WithdrawalState.SENT: {WithdrawalState.SETTLED, WithdrawalState.FAILED},
    # Further than these only two people go, who asked the PSP (`wallet.withdrawals.investigations`).
    WithdrawalState.SETTLED: {WithdrawalState.CAME_BACK},
    WithdrawalState.REJECTED: set(),
    WithdrawalState.CANCELLED: set(),
    WithdrawalState.FAILED: {WithdrawalState.SETTLED},
    WithdrawalState.CAME_BACK: set(),
}


WITHDRAWAL_UNDECIDED = (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL)


WITHDRAWAL_OPEN = (
    WithdrawalState.REQUESTED,
    WithdrawalState.AWAITING_SECOND_APPROVAL,
    WithdrawalState.APPROVED,
    WithdrawalState.SENDING,
    WithdrawalState.SENT,
    WithdrawalState.UNKNOWN,
)


class FindingKind(BadgeChoices):
    """The result of a payout that people investigated."""

    PAID = "paid", "green", _("Paid out")
    NOT_PAID = "not_paid", "red", _("Never paid out")
    CAME_BACK = "came_back", "purple", _("Paid out, then returned")


class CheckResult(BadgeChoices):
    """The result of a check of a withdrawal."""

    PASS = "pass", "green", _("Passed")
    REVIEW = "review", "yellow", _("Needs review")
    STOP = "stop", "red", _("Not possible")


# PSPs' reasons of failure, as sentences for staff and for the client.
FAILURES: dict[str, Promise] = {
    "declined_by_issuer": _("Declined by the card issuer"),
    "insufficient_funds": _("Insufficient funds on the card or account"),
    "cancelled_by_client": _("Cancelled on the payment page"),
    "expired": _("Not paid in time"),
    "account_closed": _("The receiving account is closed"),
    "account_blocked": _("The receiving account is blocked"),
    "account_not_found": _("The receiving account doesn't exist"),
    "refused_by_bank": _("The receiving bank rejected the payment"),
    "bank_unavailable": _("The receiving bank couldn't be reached"),
    "no_route": _("The PSP can't pay to this bank in this currency"),
    "psp_limit": _("The PSP's limits or rules don't allow the payment"),
    "psp_balance_low": _("The PSP can't process the payout right now"),
}


def failure_words(code: str) -> str:
    """Write a PSP's failure code as a sentence; an unknown one stays readable."""
    return str(FAILURES[code]) if code in FAILURES else code.replace("_", " ")


def reason_for_client(state: str, reason: str) -> LocalizedText:
    """Say to its client why a withdrawal ended.

    A PSP's answer may contain keys and references: only known causes pass.
    """
    if state != WithdrawalState.FAILED:
        return reason
    return FAILURES.get(reason.strip().lower().replace(" ", "_"), "")
