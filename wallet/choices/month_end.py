"""Kinds and states at month-end beside the PSPs' reports: sources, their runs, client money."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class PeriodState(BadgeChoices):
    """States of a month. Closing: no entry goes in any more, and the carry-forward is being computed."""

    OPEN = "open", "green", _("Open")
    CLOSING = "closing", "yellow", _("Being closed")
    CLOSED = "closed", "secondary", _("Closed")


PERIOD_TRANSITIONS: dict[str, set[str]] = {
    PeriodState.OPEN: {PeriodState.CLOSING},
    PeriodState.CLOSING: {PeriodState.CLOSED},
    PeriodState.CLOSED: {PeriodState.OPEN},
}


class SourceKind(models.TextChoices):
    """What the books are compared with."""

    PSP = "psp", _("PSP")
    BANK = "bank", _("Bank")
    PLATFORM = "platform", _("Trading platform")


class RunState(BadgeChoices):
    """How the daily run of a source ended."""

    AGREES = "agrees", "green", _("Matched")
    BREAKS = "breaks", "orange", _("Open breaks")
    MISSING = "missing", "yellow", _("No data received")
    FAILED = "failed", "red", _("Failed")


# A day may be run again, and ends as it then ends.
RUN_TRANSITIONS: dict[str, set[str]] = {
    RunState.AGREES: {RunState.AGREES, RunState.BREAKS, RunState.MISSING, RunState.FAILED},
    RunState.BREAKS: {RunState.AGREES, RunState.BREAKS, RunState.MISSING, RunState.FAILED},
    RunState.MISSING: {RunState.AGREES, RunState.BREAKS, RunState.MISSING, RunState.FAILED},
    RunState.FAILED: {RunState.AGREES, RunState.BREAKS, RunState.MISSING, RunState.FAILED},
}


class Cover(BadgeChoices):
    """Cover of client money on a day. TRANSIT: covered only with what PSPs haven't paid to the bank yet."""

    COVERED = "covered", "green", _("Covered")
    TRANSIT = "transit", "yellow", _("Covered incl. money in transit")
    SHORT = "short", "red", _("Shortfall")
