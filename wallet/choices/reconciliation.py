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
    MERCHANT_PAYOUT = "merchant_payout", _("Paid to our bank")
    FEE = "fee", _("Fee")
    RESERVE = "reserve", _("Held back or released")
    CONVERSION = "conversion", _("Currency conversion")
    ADJUSTMENT = "adjustment", _("Correction of the PSP")


class MatchRule(models.TextChoices):
    """How a row and a movement were matched; kind, currency and amount agree always."""

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
    """States of a row by which a PSP held money back or released it."""

    HELD = "held", "azure", _("Held by the PSP")
    RELEASED = "released", "green", _("Released")
    UNEQUAL = "unequal", "red", _("Not what was held back")


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

    PSP = "psp", _("PSP and books")
    BANK = "bank", _("Bank and PSP")
    PLATFORM = "platform", _("Platform and books")


class ReportState(BadgeChoices):
    """States of a report that a PSP announced, or that is overdue."""

    WAITING = "waiting", "azure", _("To be fetched")
    IMPORTED = "imported", "green", _("Imported")
    EMPTY = "empty", "secondary", _("Nothing of ours in it")
    FAILED = "failed", "red", _("Not fetched")
    REFUSED = "refused", "red", _("Refused")
    MISSING = "missing", "orange", _("Did not come")
    CAME = "came", "secondary", _("Came later")

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

    SAME_REFERENCE = "same_reference", _("Our reference and amount agree, the PSP's own differs")
    NEAR_AMOUNT = "near_amount", _("A reference agrees, the amount nearly")
    NEAR_TIME = "near_time", _("Amount and day agree, no reference does")


class SuggestionState(BadgeChoices):
    OPEN = "open", "azure", _("To decide")
    ACCEPTED = "accepted", "green", _("The same")
    REJECTED = "rejected", "red", _("Not the same")
    VOID = "void", "secondary", _("Overtaken")


SUGGESTION_TRANSITIONS: dict[str, set[str]] = {
    SuggestionState.OPEN: {SuggestionState.ACCEPTED, SuggestionState.REJECTED, SuggestionState.VOID},
    SuggestionState.ACCEPTED: set(),
    SuggestionState.REJECTED: set(),
    SuggestionState.VOID: set(),
}


class PostingWay(models.TextChoices):
    """What an accepted difference is booked as."""

    FEE = "fee", _("A fee of the PSP")
    FX = "fx", _("A difference of exchange rates")
    ROUNDING = "rounding", _("Rounding")
    LOSS = "loss", _("A loss by chargeback")
    SUSPENSE = "suspense", _("Unknown yet: into suspense")
    OWN_BANK = "own_bank", _("Paid to our own bank")


class Detail(models.TextChoices):
    """What is wrong at a platform or a bank; its sentence is in `break_details`."""

    NOT_ORDERED = "not_ordered", _("Not ordered here")
    OTHER_ACCOUNT = "other_account", _("On another account")
    SECOND_DEAL = "second_deal", _("A second deal")
    NOT_SETTLED = "not_settled", _("Not settled here")
    NO_MOVEMENT = "no_movement", _("No movement here")
    OTHER_CURRENCY = "other_currency", _("Another currency")
    OTHER_AMOUNT = "other_amount", _("Another amount")
    JOURNAL_ALONE = "journal_alone", _("A journal without a deal")
    NO_DEAL = "no_deal", _("No deal known")
    DEAL_NOT_LISTED = "deal_not_listed", _("A deal that is not listed")
    CUT_OFF = "cut_off", _("In different months")
    BALANCE = "balance", _("Balances differ")


class Resolved(models.TextChoices):
    """How a break was resolved where no person wrote it."""

    BY_REPORT = "by_report", _("By a report")
    BY_BOOKS = "by_books", _("By our books")
    AT_BANK = "at_bank", _("At the bank")
    BY_HAND = "by_hand", _("Matched by hand")
    POSTED = "posted", _("Posted")
    NOT_FOUND = "not_found", _("Not found any more")
    ITSELF = "itself", _("It explains itself")


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
