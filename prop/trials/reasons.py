"""Why a challenge can't be tried by another version."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """What stands in the way, as the page of a what-if says it."""

    NO_SAMPLES = "no_samples", _("No equity samples are kept from its beginning")
    CURRENCY = "currency", _("Another currency")
    SIZE = "size", _("The version doesn’t sell its account size")
    PHASES = "phases", _("The version begins with another kind of phase")
    CORRECTED = "corrected", _("Its verdict was corrected after its deals changed")
    ENDED = "ended", _("It ended after a chargeback")
    NOT_STARTED = "not_started", _("No account has started yet")
    MOST = "most", _("Left out: there are more challenges or samples than a what-if judges")


class NotTried(Exception):
    """A challenge that can't be tried; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)
