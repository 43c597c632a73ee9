"""States and kinds of automations, with their labels and badge colours."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class AutomationState(BadgeChoices):
    DRAFT = "draft", "secondary", _("Draft")
    ACTIVE = "active", "green", _("Active")
    PAUSED = "paused", "orange", _("Paused")
    ARCHIVED = "archived", "secondary", _("Archived")


AUTOMATION_TRANSITIONS: Final[dict[str, set[str]]] = {
    AutomationState.DRAFT: {AutomationState.ACTIVE, AutomationState.ARCHIVED},
    AutomationState.ACTIVE: {AutomationState.PAUSED, AutomationState.ARCHIVED},
    AutomationState.PAUSED: {AutomationState.ACTIVE, AutomationState.ARCHIVED},
    AutomationState.ARCHIVED: set(),
}


class RunState(BadgeChoices):
    ACTIVE = "active", "blue", _("In progress")
    FINISHED = "finished", "green", _("Finished")
    GOAL = "goal", "teal", _("Goal reached")
    LEFT = "left", "secondary", _("Left early")
    # It was waited whether something happens, and it did; or the conditions weren't met after the wait.
    NOT_STARTED = "not_started", "secondary", _("Not started")
    FAILED = "failed", "red", _("Failed")


RUN_TRANSITIONS: Final[dict[str, set[str]]] = {
    RunState.ACTIVE: {RunState.FINISHED, RunState.GOAL, RunState.LEFT, RunState.NOT_STARTED, RunState.FAILED},
    **{state: set() for state in RunState if state != RunState.ACTIVE},
}


class StepState(BadgeChoices):
    DONE = "done", "green", _("Done")
    SKIPPED = "skipped", "secondary", _("Skipped")
    FAILED = "failed", "red", _("Failed")


class Reason(models.TextChoices):
    """Why a step was skipped, or a run ended early."""

    NONE = "", ""
    CONDITION = "condition", _("The step's conditions aren't met")
    NO_CONSENT = "no_consent", _("No marketing consent")
    DO_NOT_CONTACT = "do_not_contact", _("Marked as not to be contacted")
    NO_ADDRESS = "no_address", _("No e-mail address")
    NO_ASSIGNEE = "no_assignee", _("No one to assign it to")
    NOT_POSSIBLE = "not_possible", _("Not possible for this client now")
    ALREADY = "already", _("Nothing to change")
    LIMIT = "limit", _("The limit of entries is reached")
    EXIT = "exit", _("The exit conditions are met")
    CLOSED = "closed", _("The record was closed, merged or erased")
    HAPPENED = "happened", _("It happened in time")
    CONDITIONS = "conditions", _("The conditions aren't met")
    FAILURES = "failures", _("The step failed repeatedly")
    ENDED = "ended", _("The automation was archived")
    TAKEN_BACK = "taken_back", _("The bulk start was undone")


class TriggerKind(models.TextChoices):
    EVENT = "event", _("When something happens")
    ABSENT = "absent", _("When something doesn't happen in time")
    DATE = "date", _("A number of days after a date")
    SEGMENT = "segment", _("When someone enters or leaves a segment")


class Variant(models.TextChoices):
    ALL = "", _("Everyone")
    A = "a", _("Group A")
    B = "b", _("Group B")
