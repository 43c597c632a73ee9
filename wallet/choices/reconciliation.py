"""Legs, rules and states of the reconciliation."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class MovementKind(models.TextChoices):
    """What our books say a PSP did with our money; the other side of a settlement report's row."""

    PAYMENT = "payment", _("Deposit")
    PAYOUT = "payout", _("Withdrawal")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSED = "chargeback_reversed", _("Chargeback reversed")


class WaitingState(models.TextChoices):
    """States of a report whose end nothing proves."""

    WAITING = "waiting", _("Awaiting confirmation")
    CONFIRMED = "confirmed", _("Confirmed complete")
    DISCARDED = "discarded", _("Discarded")


CONFIRMATION_TRANSITIONS: dict[str, set[str]] = {
    WaitingState.WAITING: {WaitingState.CONFIRMED, WaitingState.DISCARDED},
    WaitingState.CONFIRMED: set(),
    WaitingState.DISCARDED: set(),
}


class RowType(models.TextChoices):
    PAYMENT = "payment", _("Deposit")
    PAYOUT = "payout", _("Withdrawal")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSED = "chargeback_reversed", _("Chargeback reversed")
    MERCHANT_PAYOUT = "merchant_payout", _("Payout to our bank")
    FEE = "fee", _("Fee")
    RESERVE = "reserve", _("Reserve movement")
    CONVERSION = "conversion", _("Currency conversion")
    ADJUSTMENT = "adjustment", _("PSP correction")


class MatchRule(models.TextChoices):
    """How a row and a movement were matched; kind, currency and amount agree always."""

    PSP_REFERENCE = "psp_reference", _("PSP reference")
    OUR_REFERENCE = "our_reference", _("Our reference")
    BATCH = "batch", _("Batch payout to our bank")
    SPLIT = "split", _("Paid in parts")
    MERGED = "merged", _("Paid together")
    FX = "fx", _("Converted at the PSP's rate")
    ACCEPTED = "accepted", _("Accepted manually")


class BreakKind(BadgeChoices):
    AMOUNT = "amount", "red", _("Amount mismatch")
    CURRENCY = "currency", "red", _("Currency mismatch")
    MISSING_HERE = "missing_here", "orange", _("Missing in ledger")
    MISSING_THERE = "missing_there", "orange", _("Missing in report")
    DUPLICATE = "duplicate", "purple", _("Duplicate in report")
    FEE = "fee", "yellow", _("Fee mismatch")
    WRONG_CLIENT = "wrong_client", "red", _("Wrong client")
    TIMING = "timing", "azure", _("Near cut-off")
    STATUS = "status", "red", _("Unrecorded refund or chargeback")
    WRONG_ACCOUNT = "wrong_account", "red", _("Wrong trading account")
    NOT_ORDERED = "not_ordered", "red", _("Manual entry on platform")
    NOT_SETTLED = "not_settled", "yellow", _("Not settled in CRM")
    BALANCE = "balance", "red", _("Bank balance mismatch")
    RESERVE_OVERDUE = "reserve_overdue", "orange", _("Reserve overdue")
    RESERVE_UNEQUAL = "reserve_unequal", "red", _("Reserve mismatch")


class ReserveState(BadgeChoices):
    """States of a row by which a PSP held money back or released it."""

    HELD = "held", "azure", _("Held by the PSP")
    RELEASED = "released", "green", _("Released")
    UNEQUAL = "unequal", "red", _("Reserve mismatch")


class BreakState(BadgeChoices):
    OPEN = "open", "orange", _("Open")
    RESOLVED = "resolved", "green", _("Resolved")


BREAK_TRANSITIONS: dict[str, set[str]] = {
    BreakState.OPEN: {BreakState.RESOLVED},
    # The same difference again is another break.
    BreakState.RESOLVED: set(),
}


class Leg(models.TextChoices):
    """The two sides that are compared."""

    PSP = "psp", _("PSP and ledger")
    BANK = "bank", _("Bank and PSP")
    PLATFORM = "platform", _("Platform and ledger")


class ReportState(BadgeChoices):
    """States of a report that a PSP announced, or that is overdue."""

    WAITING = "waiting", "azure", _("Fetch pending")
    IMPORTED = "imported", "green", _("Imported")
    EMPTY = "empty", "secondary", _("No relevant rows")
    FAILED = "failed", "red", _("Fetch failed")
    REFUSED = "refused", "red", _("Refused")
    MISSING = "missing", "orange", _("Not received")
    CAME = "came", "secondary", _("Received late")

    @classmethod
    def needs_somebody(cls) -> tuple[ReportState, ...]:
        return (cls.FAILED, cls.REFUSED, cls.MISSING)


REPORT_TRANSITIONS: dict[str, set[str]] = {
    ReportState.WAITING: {
        ReportState.WAITING,
        ReportState.IMPORTED,
        ReportState.EMPTY,
        ReportState.FAILED,
        ReportState.REFUSED,
    },
    ReportState.IMPORTED: set(),
    ReportState.EMPTY: set(),
    ReportState.FAILED: {ReportState.WAITING},
    ReportState.REFUSED: {ReportState.WAITING},
    ReportState.MISSING: {ReportState.CAME},
    ReportState.CAME: {ReportState.MISSING},
}


class SuggestionRule(models.TextChoices):
    """Why two may be the same. A suggestion is never accepted without a person."""

    SAME_REFERENCE = "same_reference", _("Our reference and amount match, PSP reference differs")
    NEAR_AMOUNT = "near_amount", _("Reference matches, amount is close")
    NEAR_TIME = "near_time", _("Amount and day match, references don't")


class SuggestionState(BadgeChoices):
    OPEN = "open", "azure", _("Pending review")
    ACCEPTED = "accepted", "green", _("Match")
    REJECTED = "rejected", "red", _("No match")
    VOID = "void", "secondary", _("Superseded")


SUGGESTION_TRANSITIONS: dict[str, set[str]] = {
    SuggestionState.OPEN: {SuggestionState.ACCEPTED, SuggestionState.REJECTED, SuggestionState.VOID},
    SuggestionState.ACCEPTED: set(),
    SuggestionState.REJECTED: set(),
    SuggestionState.VOID: set(),
}


class PostingWay(models.TextChoices):
    """What an accepted difference is booked as."""

    FEE = "fee", _("PSP fee")
    FX = "fx", _("FX difference")
    ROUNDING = "rounding", _("Rounding")
    LOSS = "loss", _("Chargeback loss")
    SUSPENSE = "suspense", _("Unidentified (suspense)")
    OWN_BANK = "own_bank", _("Transfer to our own bank")


class Detail(models.TextChoices):
    """What is wrong at a platform or a bank; its sentence is in `break_details`."""

    NOT_ORDERED = "not_ordered", _("Not ordered in CRM")
    OTHER_ACCOUNT = "other_account", _("Wrong account")
    SECOND_DEAL = "second_deal", _("Duplicate deal")
    NOT_SETTLED = "not_settled", _("Not settled in CRM")
    NO_MOVEMENT = "no_movement", _("Missing in ledger")
    OTHER_CURRENCY = "other_currency", _("Currency mismatch")
    OTHER_AMOUNT = "other_amount", _("Amount mismatch")
    JOURNAL_ALONE = "journal_alone", _("Journal without deal")
    NO_DEAL = "no_deal", _("Deal unknown")
    DEAL_NOT_LISTED = "deal_not_listed", _("Deal not on platform")
    CUT_OFF = "cut_off", _("Different months")
    BALANCE = "balance", _("Balance mismatch")


class Resolved(models.TextChoices):
    """How a break was resolved where no person wrote it."""

    BY_REPORT = "by_report", _("Explained by report")
    BY_BOOKS = "by_books", _("Explained by ledger")
    AT_BANK = "at_bank", _("Received at bank")
    BY_HAND = "by_hand", _("Matched manually")
    POSTED = "posted", _("Posted")
    NOT_FOUND = "not_found", _("No longer found")
    ITSELF = "itself", _("Explained by its details")


# Codes where no person gave a reason: a group that a later file undid, a posting whose break resolved automatically.
JUDGED_ANEW = "judged_anew"
CLOSED_ITSELF = "closed_itself"

# Kinds that take a movement out of the open ones; the others only point at it.
BREAKS_OF_A_MOVEMENT = (
    BreakKind.AMOUNT,
    BreakKind.CURRENCY,
    BreakKind.WRONG_CLIENT,
    BreakKind.MISSING_THERE,
    BreakKind.TIMING,
)
