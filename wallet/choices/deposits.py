"""States of deposits and why one is held."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class DepositState(BadgeChoices):
    CREATED = "created", "secondary", _("Started")
    PENDING = "pending", "azure", _("Pending at the PSP")
    AUTHORISED = "authorised", "blue", _("Authorised")
    FAILED = "failed", "red", _("Failed")
    EXPIRED = "expired", "secondary", _("Expired")
    HELD = "held", "orange", _("Held for review")
    SETTLED = "settled", "green", _("Settled")
    REFUNDED = "refunded", "purple", _("Refunded")
    RETURNED = "returned", "purple", _("Returned, not credited")
    CHARGED_BACK = "charged_back", "red", _("Charged back")
    CHARGEBACK_REVERSED = "cb_reversed", "teal", _("Chargeback reversed")


DEPOSIT_TRANSITIONS: dict[str, set[str]] = {
    DepositState.CREATED: {
        DepositState.PENDING,
        DepositState.AUTHORISED,
        DepositState.FAILED,
        DepositState.EXPIRED,
        DepositState.HELD,
        DepositState.SETTLED,
    },
    DepositState.PENDING: {DepositState.AUTHORISED, DepositState.FAILED, DepositState.HELD, DepositState.SETTLED},
    DepositState.AUTHORISED: {DepositState.FAILED, DepositState.HELD, DepositState.SETTLED},
    # Money may still arrive.
    DepositState.FAILED: {DepositState.HELD, DepositState.SETTLED},
    DepositState.EXPIRED: {DepositState.FAILED, DepositState.HELD, DepositState.SETTLED},
    # Held again for other reasons when more of it arrived.
    DepositState.HELD: {DepositState.HELD, DepositState.SETTLED, DepositState.RETURNED},
    DepositState.SETTLED: {DepositState.REFUNDED, DepositState.CHARGED_BACK},
    DepositState.REFUNDED: {DepositState.SETTLED, DepositState.CHARGED_BACK},
    DepositState.RETURNED: {DepositState.RETURNED, DepositState.HELD},
    # Settled again when only a part of it came back.
    DepositState.CHARGED_BACK: {DepositState.CHARGED_BACK, DepositState.CHARGEBACK_REVERSED, DepositState.SETTLED},
    DepositState.CHARGEBACK_REVERSED: {DepositState.REFUNDED, DepositState.CHARGED_BACK},
}


class HoldReason(models.TextChoices):
    """Why money that arrived waits for a person."""

    AMOUNT = "amount", _("Received a different amount")
    CURRENCY = "currency", _("Received a different currency")
    PAYER = "payer", _("Possible third-party payment")
    LATE = "late", _("Received after the payment deadline")
    FURTHER = "further", _("Additional payment to the same address or reference")
    LIMIT = "limit", _("Above the limit for unverified clients")
    COUNTRY = "country", _("Country not accepted for deposits")
    RATE = "rate", _("No exchange rate for the day")


# A deposit moves only to a higher rank: late and repeated messages of the PSP change nothing.
DEPOSIT_RANK: dict[str, int] = {
    DepositState.CREATED: 0,
    DepositState.PENDING: 20,
    DepositState.AUTHORISED: 30,
    DepositState.EXPIRED: 34,
    DepositState.FAILED: 35,
    DepositState.HELD: 45,
    DepositState.SETTLED: 50,
    DepositState.REFUNDED: 60,
    DepositState.RETURNED: 60,
    DepositState.CHARGED_BACK: 60,
    DepositState.CHARGEBACK_REVERSED: 70,
}


DEPOSIT_ARRIVED = (
    DepositState.SETTLED,
    DepositState.REFUNDED,
    DepositState.CHARGED_BACK,
    DepositState.CHARGEBACK_REVERSED,
)


class TermState(BadgeChoices):
    """States of the term in which a client who has deposited must be verified."""

    RUNNING = "running", "azure", _("Running")
    VERIFIED = "verified", "green", _("Verified in time")
    ENDED = "ended", "red", _("Expired: refund due")


TERM_TRANSITIONS: dict[str, set[str]] = {
    TermState.RUNNING: {TermState.VERIFIED, TermState.ENDED},
    TermState.VERIFIED: set(),
    TermState.ENDED: set(),
}
