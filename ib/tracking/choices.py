"""States and kinds of postbacks, with labels and badge colours."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices
from crm.db.states import Transitions


class PostbackEvent(models.TextChoices):
    """Steps of a client that a partner's or lead source's own system can hear of."""

    LEAD = "lead", _("Lead accepted")
    REGISTRATION = "registration", _("Registration")
    VERIFIED = "kyc_approved", _("Verified")
    FUNDED = "ftd", _("First deposit")
    ACTIVE = "active", _("Active")


# A partner is credited with a client at the registration.
PARTNER_STEPS = tuple(step for step in PostbackEvent if step != PostbackEvent.LEAD)


class DeliveryState(BadgeChoices):
    WAITING = "waiting", "yellow", _("Waiting")
    DELIVERED = "delivered", "green", _("Delivered")
    FAILED = "failed", "red", _("Failed")


DELIVERY_TRANSITIONS: Transitions = {
    DeliveryState.WAITING: {DeliveryState.DELIVERED, DeliveryState.FAILED},
    DeliveryState.FAILED: {DeliveryState.WAITING},  # sent again by hand
    DeliveryState.DELIVERED: set(),
}


class PostbackFailure(models.TextChoices):
    """Why a postback wasn't taken."""

    REFUSED = "refused", _("Answered with an error")
    REDIRECTED = "redirected", _("Answered with a redirect, which isn't followed")
    TIMEOUT = "timeout", _("No answer in time")
    UNREACHABLE = "unreachable", _("Not reachable, or a private address")
    OVERSIZED = "oversized", _("The answer was too large")
    STOPPED = "stopped", _("Switched off before it was sent")


class ReportKind(models.TextChoices):
    """What an affiliate network reports."""

    CLICK = "click", _("Click")
    CONVERSION = "conversion", _("Conversion")


class ReportState(BadgeChoices):
    RECEIVED = "received", "secondary", _("Received")
    REFUSED = "refused", "red", _("Refused")
    COUNTED = "counted", "green", _("Counted")
    MATCHED = "matched", "green", _("Your client")
    UNMATCHED = "unmatched", "yellow", _("No client found")
    CLAIMED = "claimed", "azure", _("Under review")


REPORT_TRANSITIONS: Transitions = {
    ReportState.RECEIVED: {
        ReportState.REFUSED,
        ReportState.COUNTED,
        ReportState.MATCHED,
        ReportState.UNMATCHED,
        ReportState.CLAIMED,
    },
    ReportState.REFUSED: set(),
    ReportState.COUNTED: set(),
    ReportState.MATCHED: set(),
    ReportState.UNMATCHED: set(),
    ReportState.CLAIMED: set(),
}


class ClaimSource(models.TextChoices):
    """How a partner says that a client is theirs."""

    PARTNER = "partner", _("Partner's form")
    NETWORK = "network", _("Affiliate network")


class ClaimState(BadgeChoices):
    OPEN = "open", "azure", _("Under review")
    ACCEPTED = "accepted", "green", _("Accepted")
    REJECTED = "rejected", "red", _("Rejected")


CLAIM_TRANSITIONS: Transitions = {
    ClaimState.OPEN: {ClaimState.ACCEPTED, ClaimState.REJECTED},
    ClaimState.ACCEPTED: set(),
    ClaimState.REJECTED: set(),
}
