"""States of disputes and the moves between them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class DisputeState(BadgeChoices):
    """INQUIRY: the payer's bank only asks for information. The others are states of a chargeback."""

    INQUIRY = "inquiry", "azure", _("Bank inquiry")
    NEEDS_RESPONSE = "needs_response", "orange", _("Needs response")
    SUBMITTED = "submitted", "indigo", _("Evidence sent")
    WON = "won", "green", _("Won")
    LOST = "lost", "red", _("Lost")


DISPUTE_OPEN = (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.SUBMITTED)


# A question may become a chargeback; a decided one opens again when the bank takes the money a second time.
DISPUTE_TRANSITIONS: dict[str, set[str]] = {
    DisputeState.INQUIRY: {DisputeState.NEEDS_RESPONSE, DisputeState.SUBMITTED, DisputeState.WON, DisputeState.LOST},
    DisputeState.NEEDS_RESPONSE: {
        DisputeState.NEEDS_RESPONSE,
        DisputeState.SUBMITTED,
        DisputeState.WON,
        DisputeState.LOST,
    },
    DisputeState.SUBMITTED: {DisputeState.NEEDS_RESPONSE, DisputeState.WON, DisputeState.LOST},
    # Won once more when its money comes after the word.
    DisputeState.WON: {DisputeState.WON, DisputeState.NEEDS_RESPONSE},
    DisputeState.LOST: {DisputeState.WON, DisputeState.NEEDS_RESPONSE},
}
