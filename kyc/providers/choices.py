"""States of a check at a provider, and what its result means."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class VerifiedBy(models.TextChoices):
    """Who checks identity and address at a brand."""

    BUILT_IN = "built_in", _("Built-in checks")
    PROVIDER = "provider", _("Provider")
    BOTH = "both", _("Both: built-in checks and the provider must agree")


class ProviderCheckState(BadgeChoices):
    STARTING = "starting", "azure", _("Starting")
    UNKNOWN = "unknown", "orange", _("Outcome unknown")
    OPEN = "open", "azure", _("Waiting for the client")
    IN_REVIEW = "in_review", "blue", _("Being checked by the provider")
    ON_HOLD = "on_hold", "yellow", _("On hold at the provider")
    RETRY = "retry", "orange", _("To be repeated by the client")
    PASSED = "passed", "green", _("Passed")
    REFUSED = "refused", "red", _("Refused")
    FAILED = "failed", "red", _("Not started")
    CANCELLED = "cancelled", "secondary", _("Cancelled")


# What the provider says, in whatever order it says it: an approval may be taken back, a refusal revised.
_AT_PROVIDER: set[str] = {
    ProviderCheckState.OPEN,
    ProviderCheckState.IN_REVIEW,
    ProviderCheckState.ON_HOLD,
    ProviderCheckState.RETRY,
    ProviderCheckState.PASSED,
    ProviderCheckState.REFUSED,
}
CHECK_TRANSITIONS: dict[str, set[str]] = {
    ProviderCheckState.STARTING: {
        *_AT_PROVIDER,
        ProviderCheckState.UNKNOWN,
        ProviderCheckState.FAILED,
        ProviderCheckState.CANCELLED,
    },
    ProviderCheckState.UNKNOWN: {*_AT_PROVIDER, ProviderCheckState.FAILED, ProviderCheckState.CANCELLED},
    **{state: {*_AT_PROVIDER, ProviderCheckState.CANCELLED} - {state} for state in sorted(_AT_PROVIDER)},
    ProviderCheckState.FAILED: set(),
    ProviderCheckState.CANCELLED: set(),
}
# The check isn't over: a client has one of these at a time.
OPEN_CHECKS = (
    ProviderCheckState.STARTING,
    ProviderCheckState.UNKNOWN,
    ProviderCheckState.OPEN,
    ProviderCheckState.IN_REVIEW,
    ProviderCheckState.ON_HOLD,
    ProviderCheckState.RETRY,
)
# The client goes on at the provider.
CLIENTS_TURN = (ProviderCheckState.OPEN, ProviderCheckState.RETRY)
WITH_RESULT = (ProviderCheckState.RETRY, ProviderCheckState.PASSED, ProviderCheckState.REFUSED)
