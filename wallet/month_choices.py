"""Kinds and states of what happens at month-end beside the PSPs' reports: sources, their runs, and their breaks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class SourceKind(models.TextChoices):
    """From where the other side of our books comes."""

    PSP = "psp", _("PSP")
    BANK = "bank", _("Bank")
    PLATFORM = "platform", _("Trading platform")


class RunState(BadgeChoices):
    """How the daily run of a source ended."""

    AGREES = "agrees", "green", _("Agrees")
    BREAKS = "breaks", "orange", _("Breaks open")
    MISSING = "missing", "yellow", _("Nothing came for this day")
    FAILED = "failed", "red", _("Failed")


class SourceBreakKind(BadgeChoices):
    """What does not agree between a platform or a bank and the ledger."""

    MISSING_HERE = "missing_here", "orange", _("On the platform, not in the ledger")
    MISSING_THERE = "missing_there", "orange", _("In the ledger, not on the platform")
    AMOUNT = "amount", "red", _("Amount differs")
    CURRENCY = "currency", "red", _("Currency differs")
    WRONG_ACCOUNT = "wrong_account", "red", _("On another trading account")
    DUPLICATE = "duplicate", "purple", _("Twice on the platform")
    STATUS = "status", "yellow", _("Done there, not settled here")
    NOT_ORDERED = "not_ordered", "red", _("Booked by hand on the platform")
    TIMING = "timing", "secondary", _("In different months")
    BALANCE = "balance", "red", _("Balance at the bank differs")


class SourceBreakState(BadgeChoices):
    OPEN = "open", "orange", _("Open")
    EXPLAINED = "explained", "teal", _("Explained by a later run")
    RESOLVED = "resolved", "green", _("Resolved")


class Cover(BadgeChoices):
    """Client money of a day. TRANSIT: covered only with what PSPs have not paid to the bank yet."""

    COVERED = "covered", "green", _("Covered")
    TRANSIT = "transit", "yellow", _("Covered with money in transit")
    SHORT = "short", "red", _("Short")
