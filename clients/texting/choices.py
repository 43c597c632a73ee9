"""The channels of text messages, where a message is, and why a number gets none."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class TextChannel(models.TextChoices):
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")


class TextState(BadgeChoices):
    """Where a message is. “Outcome unknown”: the service gave no usable answer, so it is looked up there."""

    RECEIVED = "received", "azure", _("Received")
    QUEUED = "queued", "azure", _("Waiting")
    SENDING = "sending", "blue", _("Sending")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")
    SENT = "sent", "blue", _("Sent")
    DELIVERED = "delivered", "green", _("Delivered")
    READ = "read", "teal", _("Read")
    UNDELIVERED = "undelivered", "red", _("Not delivered")
    FAILED = "failed", "red", _("Failed")
    UNDONE = "undone", "secondary", _("Not sent")


_REPORTED: set[str] = {TextState.SENT, TextState.DELIVERED, TextState.READ, TextState.UNDELIVERED, TextState.FAILED}
# Reports come in any order and some never: a step may be skipped, and none leads back.
TEXT_TRANSITIONS: dict[str, set[str]] = {
    TextState.RECEIVED: set(),
    TextState.QUEUED: {TextState.SENDING, TextState.FAILED, TextState.UNDONE},
    TextState.SENDING: {TextState.QUEUED, TextState.UNKNOWN, *_REPORTED},
    TextState.UNKNOWN: _REPORTED,
    TextState.SENT: _REPORTED - {TextState.SENT},
    TextState.DELIVERED: {TextState.READ},
    TextState.READ: set(),
    TextState.UNDELIVERED: set(),
    # Given up because the service didn't list it, and reported later all the same.
    TextState.FAILED: {TextState.SENT, TextState.DELIVERED, TextState.READ, TextState.UNDELIVERED},
    TextState.UNDONE: set(),
}
# What the service still has to say something about.
OPEN_STATES = frozenset({TextState.QUEUED, TextState.SENDING, TextState.UNKNOWN, TextState.SENT})


class TextFileState(BadgeChoices):
    """How far a file is that came with a message."""

    WAITING = "waiting", "blue", _("Being fetched")
    KEPT = "kept", "green", _("Available")
    FAILED = "failed", "red", _("Not available")


TEXT_FILE_TRANSITIONS: dict[str, set[str]] = {
    TextFileState.WAITING: {TextFileState.KEPT, TextFileState.FAILED},
    TextFileState.KEPT: set(),
    TextFileState.FAILED: set(),
}


class OptOutReason(models.TextChoices):
    """Why a number gets no messages on a channel."""

    STOP = "stop", _("Replied STOP")
    REFUSED = "refused", _("Opted out at the service")
    MANUAL = "manual", _("Added manually")
