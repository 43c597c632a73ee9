"""How far a call is, and how a leg of it ended."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from clients.choices import CallOutcome
from crm.choices import BadgeChoices


class PhoneState(BadgeChoices):
    """The state of a call. “Outcome unknown”: the exchange gave no usable answer, so it is looked up there."""

    REQUESTED = "requested", "secondary", _("Connecting")
    SENT = "sent", "azure", _("Sent to the exchange")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")
    AGENT_RINGING = "agent_ringing", "azure", _("Your phone is ringing")
    RINGING = "ringing", "blue", _("Ringing")
    ANSWERED = "answered", "green", _("On the line")
    HELD = "held", "yellow", _("On hold")
    ENDED = "ended", "secondary", _("Call ended")
    MISSED = "missed", "yellow", _("Not answered")
    VOICEMAIL = "voicemail", "purple", _("Voicemail")
    FAILED = "failed", "red", _("Call failed")


ENDS = frozenset({PhoneState.ENDED, PhoneState.MISSED, PhoneState.VOICEMAIL, PhoneState.FAILED})
LIVE = frozenset(set(PhoneState) - ENDS)
_FROM_THE_EXCHANGE: set[str] = {
    PhoneState.AGENT_RINGING,
    PhoneState.RINGING,
    PhoneState.ANSWERED,
    PhoneState.HELD,
    *ENDS,
}
# Reports come in any order and some never: a step may be skipped, and none leads back but from hold.
PHONE_TRANSITIONS: dict[str, set[str]] = {
    PhoneState.REQUESTED: {PhoneState.SENT, PhoneState.FAILED},
    PhoneState.SENT: {PhoneState.UNKNOWN, *_FROM_THE_EXCHANGE},
    PhoneState.UNKNOWN: _FROM_THE_EXCHANGE,
    PhoneState.AGENT_RINGING: _FROM_THE_EXCHANGE - {PhoneState.AGENT_RINGING},
    PhoneState.RINGING: {PhoneState.ANSWERED, PhoneState.HELD, *ENDS},
    PhoneState.ANSWERED: {PhoneState.HELD, PhoneState.ENDED},
    PhoneState.HELD: {PhoneState.ANSWERED, PhoneState.ENDED},
    PhoneState.ENDED: set(),
    # The caller's message is reported after the call.
    PhoneState.MISSED: {PhoneState.VOICEMAIL},
    PhoneState.VOICEMAIL: set(),
    PhoneState.FAILED: set(),
}


class RecordingState(BadgeChoices):
    """How far a recording is."""

    WAITING = "waiting", "blue", _("Being fetched")
    KEPT = "kept", "green", _("Available")
    FAILED = "failed", "red", _("Not available")
    DELETED = "deleted", "secondary", _("Deleted")


RECORDING_TRANSITIONS: dict[str, set[str]] = {
    RecordingState.WAITING: {RecordingState.KEPT, RecordingState.FAILED},
    RecordingState.KEPT: {RecordingState.DELETED},
    RecordingState.FAILED: set(),
    RecordingState.DELETED: set(),
}


class DoNotCallReason(models.TextChoices):
    """Why a client must not be called."""

    ASKED = "asked", _("Client asked not to be called")
    REGISTER = "register", _("Listed in a do-not-call register")
    COMPLAINT = "complaint", _("Complaint about calls")
    LEGAL = "legal", _("Legal reasons")
    OTHER = "other", _("Another reason")


class LegEnd(models.TextChoices):
    """How a leg ended."""

    COMPLETED = "completed", _("Ended")
    BUSY = "busy", _("Busy")
    NO_ANSWER = "no_answer", _("No answer")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


# What may be entered of a call that nobody answered: the exchange has measured that.
UNANSWERED_OUTCOMES = (CallOutcome.NO_ANSWER, CallOutcome.BUSY, CallOutcome.VOICEMAIL, CallOutcome.WRONG_NUMBER)


def outcome_by_exchange(state: str, end: str) -> CallOutcome:
    """Say what a call is logged as where the agent enters nothing."""
    if state == PhoneState.ENDED:
        return CallOutcome.REACHED
    if state == PhoneState.VOICEMAIL:
        return CallOutcome.VOICEMAIL
    return CallOutcome.BUSY if end == LegEnd.BUSY else CallOutcome.NO_ANSWER
