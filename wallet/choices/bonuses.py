"""Kinds and states of bonuses."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class BonusTrigger(models.TextChoices):
    """What makes a plan give a bonus."""

    BY_HAND = "by_hand", _("Granted by staff")
    FIRST_DEPOSIT = "first_deposit", _("First deposit")
    EVERY_DEPOSIT = "every_deposit", _("Every deposit")


class ReleaseBy(models.TextChoices):
    """How credit becomes money that may be withdrawn."""

    LOTS = "lots", _("Lots traded")
    DAYS = "days", _("Days")
    NEVER = "never", _("Never (credit only)")


class OnWithdrawal(models.TextChoices):
    """What a withdrawal does to the credit that is still held."""

    NOTHING = "nothing", _("Keep bonus")
    PROPORTIONAL = "proportional", _("Reduce proportionally")
    ALL = "all", _("Remove entire bonus")


class BonusState(BadgeChoices):
    PENDING = "pending", "yellow", _("Awaiting second approval")
    ACTIVE = "active", "azure", _("Active")
    RELEASED = "released", "green", _("Released")
    BURNED = "burned", "red", _("Lost")
    EXPIRED = "expired", "secondary", _("Expired")
    REJECTED = "rejected", "red", _("Rejected")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn")


BONUS_TRANSITIONS: dict[str, set[str]] = {
    BonusState.PENDING: {BonusState.ACTIVE, BonusState.REJECTED, BonusState.WITHDRAWN},
    BonusState.ACTIVE: {BonusState.RELEASED, BonusState.BURNED, BonusState.EXPIRED},
    # Credit that a payment or a chargeback took away is held again when that payment came back, or the dispute was won.
    BonusState.RELEASED: {BonusState.ACTIVE},
    BonusState.BURNED: {BonusState.ACTIVE},
    BonusState.EXPIRED: set(),
    BonusState.REJECTED: set(),
    BonusState.WITHDRAWN: set(),
}


BONUS_NOT_GIVEN = (BonusState.PENDING, BonusState.REJECTED, BonusState.WITHDRAWN)
