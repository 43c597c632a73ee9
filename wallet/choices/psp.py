"""Kinds of PSPs, results of our calls and of their webhooks."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices
from crm.i18n.localized_text import LocalizedText, phrase


class PspKind(models.TextChoices):
    CARD = "card", _("Cards")
    WALLET = "wallet", _("E-wallet")
    BANK = "bank", _("Bank transfer")
    CRYPTO = "crypto", _("Crypto")
    CASHIER = "cashier", _("Local methods")


# What clients read of a payment where its method has no name of its own: how one pays, never who processes it.
CLIENT_NAMES: Final = {
    PspKind.CARD: _("Card"),
    PspKind.WALLET: _("E-wallet"),
    PspKind.BANK: _("Bank transfer"),
    PspKind.CRYPTO: _("Cryptocurrency"),
    PspKind.CASHIER: _("Local payment method"),
}
SEPA_TRANSFER: Final = _("SEPA transfer")


def method_name(kind: str, *, label: str = "", psp_name: str = "", currency: str = "") -> LocalizedText:
    """Name a payment method for clients: its label, translated when read; where that is the provider's name, by its kind."""
    if label and label.casefold() != psp_name.casefold():
        return phrase(label)
    return SEPA_TRANSFER if kind == PspKind.BANK and currency == "EUR" else CLIENT_NAMES[PspKind(kind)]


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
