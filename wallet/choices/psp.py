"""Kinds of PSPs, results of our calls and of their webhooks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


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
    UNREACHABLE = "unreachable", "red", _("Unreachable")
    UNKNOWN = "unknown", "red", _("Invalid response")


class Verdict(BadgeChoices):
    """Result of the check of a webhook's raw bytes. Only an accepted one is processed."""

    ACCEPTED = "accepted", "green", _("Accepted")
    DUPLICATE = "duplicate", "secondary", _("Duplicate")
    WRONG_SIGNATURE = "wrong_signature", "red", _("Invalid signature")
    NO_SIGNATURE = "no_signature", "red", _("Missing signature")
    STALE = "stale", "orange", _("Signature expired")
    FUTURE = "future", "orange", _("Timestamp in the future")
    OTHER_MERCHANT = "other_merchant", "red", _("Wrong merchant")
    MALFORMED = "malformed", "orange", _("Unreadable")
    UNCHECKED = "unchecked", "yellow", _("Not verified, retry requested")


class InboxState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waiting")
    DONE = "done", "green", _("Applied")
    IGNORED = "ignored", "secondary", _("No action needed")
    UNMATCHED = "unmatched", "orange", _("Unknown payment")
    FAILED = "failed", "red", _("Failed")
    REFUSED = "refused", "red", _("Refused")


INBOX_TRANSITIONS: dict[str, set[str]] = {
    InboxState.WAITING: {
        InboxState.DONE,
        InboxState.IGNORED,
        InboxState.UNMATCHED,
        InboxState.FAILED,
        InboxState.REFUSED,
    },
    InboxState.DONE: set(),
    InboxState.IGNORED: set(),
    # Tried again by staff.
    InboxState.UNMATCHED: {InboxState.WAITING},
    InboxState.FAILED: {InboxState.WAITING},
    InboxState.REFUSED: set(),
}
