"""Where an incoming e-mail is, what is known of its sender, and what became of its attachments."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class IncomingState(BadgeChoices):
    """Where an incoming e-mail is."""

    UNASSIGNED = "unassigned", "orange", _("Unassigned")
    THREADED = "threaded", "green", _("In a thread")
    REPORT = "report", "secondary", _("Delivery report")
    DISCARDED = "discarded", "secondary", _("Discarded")


INCOMING_TRANSITIONS: dict[str, set[str]] = {
    IncomingState.UNASSIGNED: {IncomingState.THREADED, IncomingState.DISCARDED},
    IncomingState.THREADED: set(),
    IncomingState.REPORT: set(),
    IncomingState.DISCARDED: {IncomingState.UNASSIGNED},
}


class SenderProof(BadgeChoices):
    """What our own mail server says of the sender. Only that server's word counts: anybody can write such a header."""

    PROVED = "proved", "green", _("Sender proved")
    NOT_PROVED = "not_proved", "orange", _("Sender not proved")
    FAILED = "failed", "red", _("Sender forged")


class MatchedBy(models.TextChoices):
    """What joined an e-mail to its thread."""

    REFERENCE = "reference", _("Reply to our e-mail")
    TOKEN = "token", _("Reply address of the thread")
    CHAIN = "chain", _("Earlier e-mail of the thread")
    ADDRESS = "address", _("Proved address of the client")
    PERSON = "person", _("Assigned manually")
    LEAD = "lead", _("Lead captured from it")


class AttachmentVerdict(BadgeChoices):
    """What became of an attachment."""

    KEPT = "kept", "green", _("Kept")
    TOO_LARGE = "too_large", "orange", _("Too large")
    TOO_MANY = "too_many", "orange", _("Too many attachments")
    NOT_TAKEN = "not_taken", "orange", _("File type not accepted")
    INFECTED = "infected", "red", _("Malware found")


class SuppressionReason(models.TextChoices):
    """Why a brand doesn't e-mail an address."""

    BOUNCE = "bounce", _("Address doesn't exist")
    COMPLAINT = "complaint", _("Marked as spam")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    MANUAL = "manual", _("Added manually")


class DeliveryState(BadgeChoices):
    """What is known of an e-mail after we handed it over."""

    NOT_KNOWN = "", "secondary", _("Not reported")
    DELIVERED = "delivered", "green", _("Delivered")
    OPENED = "opened", "teal", _("Opened")
    CLICKED = "clicked", "teal", _("Link clicked")
    BOUNCED = "bounced", "red", _("Bounced")
    COMPLAINED = "complained", "red", _("Marked as spam")


# Reports come in any order and more than once: the one that says most stays.
DELIVERY_WEIGHT: dict[str, int] = {
    DeliveryState.NOT_KNOWN: 0,
    DeliveryState.DELIVERED: 1,
    DeliveryState.OPENED: 2,
    DeliveryState.CLICKED: 3,
    DeliveryState.BOUNCED: 4,
    DeliveryState.COMPLAINED: 5,
}
