"""The verdict on a webhook, and how far it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class WebhookVerdict(BadgeChoices):
    UNJUDGED = "unjudged", "secondary", _("Not judged yet")
    ACCEPTED = "accepted", "green", _("Accepted")
    NO_SIGNATURE = "no_signature", "red", _("No signature")
    WRONG_ALGORITHM = "wrong_algorithm", "red", _("Algorithm not allowed")
    WRONG_SIGNATURE = "wrong_signature", "red", _("Wrong signature")
    TOO_OLD = "too_old", "red", _("Not signed recently")
    MALFORMED = "malformed", "red", _("Unreadable")


class WebhookState(BadgeChoices):
    RECEIVED = "received", "secondary", _("Received")
    WAITING = "waiting", "blue", _("Waiting")
    DONE = "done", "green", _("Processed")
    UNMATCHED = "unmatched", "orange", _("Unmatched")
    REFUSED = "refused", "red", _("Refused")


WEBHOOK_TRANSITIONS: dict[str, set[str]] = {
    WebhookState.RECEIVED: {WebhookState.WAITING, WebhookState.REFUSED},
    WebhookState.WAITING: {WebhookState.DONE, WebhookState.UNMATCHED},
    WebhookState.UNMATCHED: {WebhookState.WAITING},
    WebhookState.DONE: set(),
    WebhookState.REFUSED: set(),
}
