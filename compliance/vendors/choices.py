"""Who screens at a brand, and how far a check at a vendor is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class ScreenedBy(models.TextChoices):
    """Who screens the clients of a brand."""

    BUILT_IN = "built_in", _("Imported watchlists")
    VENDOR = "vendor", _("Vendor")
    BOTH = "both", _("Both: matches of either are reviewed")


class CheckState(BadgeChoices):
    """How far the question about one person or firm is."""

    WAITING = "waiting", "blue", _("Waiting to be sent")
    SENT = "sent", "azure", _("Sent")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")
    REFUSED = "refused", "red", _("Rejected by the vendor")
    ANSWERED = "answered", "green", _("Answered")
    ENDED = "ended", "secondary", _("No longer needed")


CHECK_TRANSITIONS: dict[str, set[str]] = {
    CheckState.WAITING: {CheckState.SENT, CheckState.ENDED},
    CheckState.SENT: {
        CheckState.ANSWERED,
        CheckState.UNKNOWN,
        CheckState.REFUSED,
        CheckState.WAITING,
        CheckState.ENDED,
    },
    CheckState.UNKNOWN: {CheckState.WAITING, CheckState.ENDED},
    CheckState.REFUSED: {CheckState.WAITING, CheckState.ENDED},
    CheckState.ANSWERED: {CheckState.WAITING, CheckState.ENDED},
    CheckState.ENDED: {CheckState.WAITING},
}
# Nothing is known about the present data yet.
PENDING = (CheckState.WAITING, CheckState.SENT, CheckState.UNKNOWN, CheckState.REFUSED)
