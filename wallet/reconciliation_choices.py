"""Legs of the reconciliation, and what suggestions and postings can be."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices
from wallet.choices import BreakKind


class Leg(models.TextChoices):
    """Between whom."""

    PSP = "psp", _("PSP and books")
    BANK = "bank", _("Bank and PSP")
    PLATFORM = "platform", _("Platform and books")


class SuggestionRule(models.TextChoices):
    """Why two may be the same. None of these is ever taken without a person."""

    SAME_REFERENCE = "same_reference", _("Our reference and amount agree, the PSP's own differs")
    NEAR_AMOUNT = "near_amount", _("A reference agrees, the amount nearly")
    NEAR_TIME = "near_time", _("Amount and day agree, no reference does")


class SuggestionState(BadgeChoices):
    OPEN = "open", "azure", _("To decide")
    ACCEPTED = "accepted", "green", _("The same")
    REJECTED = "rejected", "red", _("Not the same")
    VOID = "void", "secondary", _("Overtaken")


class PostingWay(models.TextChoices):
    """What an accepted difference is."""

    FEE = "fee", _("A fee of the PSP")
    FX = "fx", _("A difference of exchange rates")
    ROUNDING = "rounding", _("Rounding")
    LOSS = "loss", _("A loss by chargeback")
    SUSPENSE = "suspense", _("Unknown yet: into suspense")


# Kinds that take a movement out of the open ones; the others only point at it.
BREAKS_OF_A_MOVEMENT = (
    BreakKind.AMOUNT,
    BreakKind.CURRENCY,
    BreakKind.WRONG_CLIENT,
    BreakKind.MISSING_THERE,
    BreakKind.TIMING,
)
