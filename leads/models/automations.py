"""Automations of a brand: their versions, which never change, and the run of each client through one, step by step."""

from __future__ import annotations

import hashlib
import json

from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, EventSubscription, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from leads.automations.choices import (
    AUTOMATION_TRANSITIONS,
    RUN_TRANSITIONS,
    AutomationState,
    Reason,
    RunState,
    StepState,
    Variant,
)

NAME_CHARS_MAX = 80


class Automation(HasState):
    """What is done for clients when something happens. Clients run through `version`; the next one is edited in `draft`."""

    TRANSITIONS = {"state": AUTOMATION_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="automations", db_index=False)
    name = models.CharField(max_length=NAME_CHARS_MAX)
    state = models.CharField(max_length=8, choices=AutomationState.choices, default=AutomationState.DRAFT)
    draft = models.JSONField(help_text="As leads.automations.definition reads it")
    version = models.ForeignKey(
        "AutomationVersion", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    subscription = models.ForeignKey(
        EventSubscription, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    template = models.CharField(max_length=40, blank=True, help_text="The shipped template that it was made from")
    failures = models.PositiveIntegerField(default=0, help_text="Failed tries since the last step that was done")
    pause_reason = models.CharField(max_length=300, blank=True)
    dates_until = models.DateTimeField(null=True, help_text="Up to when its dates were looked at")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        permissions = [("manage_automation", "May make automations, activate and pause them")]
        indexes = [models.Index(fields=["brand", "-id"], name="automations_by_brand")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                condition=~Q(state=AutomationState.ARCHIVED),
                name="automation_name_is_unique_in_its_brand",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[AutomationState.ACTIVE, AutomationState.PAUSED]) | Q(version__isnull=False),
                name="active_automation_has_a_version",
            ),
        ]

    @property
    def draft_mark(self) -> str:
        """Mark of name and draft, which differs once someone has changed them."""
        return hashlib.sha256(json.dumps([self.name, self.draft], sort_keys=True).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/automations/{self.pk}/"


class AutomationVersion(models.Model):
    """What an automation says from its activation on. The database refuses to change one: a run keeps its version."""

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    definition = models.JSONField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["automation_id", "-number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["automation", "number"], name="automation_version_has_its_own_number")
        ]
        triggers = append_only("automation_version")

    def __str__(self) -> str:
        return f"version {self.number} of automation {self.automation_id}"


class AutomationStep(models.Model):
    """One step of a version: how long it waits, for whom it is, and what is done."""

    version = models.ForeignKey(AutomationVersion, on_delete=models.PROTECT, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    variant = models.CharField(max_length=1, choices=Variant.choices, blank=True)
    wait_minutes = models.PositiveIntegerField()
    action = models.CharField(max_length=30)
    options = models.JSONField()
    condition = models.JSONField(null=True)

    class Meta:
        ordering = ["version_id", "position"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="automation_step_has_its_place")]
        triggers = append_only("automation_step")

    def __str__(self) -> str:
        return f"step {self.position + 1}: {self.action}"


class AutomationActivation(ApprovalMixin):
    """A version that waits for a second person, where the brand's policy asks for one."""

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="activations", db_index=False)
    version = models.OneToOneField(AutomationVersion, on_delete=models.PROTECT, related_name="activation")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            *ApprovalMixin.constraints("automation_activation"),
            ApprovalMixin.one_open("automation", name="one_open_activation_per_automation"),
        ]

    def __str__(self) -> str:
        return str(self.version)


class AutomationRun(HasState):
    """One client's way through one version of an automation.

    `trigger_key`: what let them in, once only. `position`: the next step. `is_watching`: it waits whether something happens,
    before the first step.
    """

    TRANSITIONS = {"state": RUN_TRANSITIONS}

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="runs", db_index=False)
    version = models.ForeignKey(AutomationVersion, on_delete=models.PROTECT, related_name="runs", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="automation_runs", db_index=False)
    state = models.CharField(max_length=11, choices=RunState.choices, default=RunState.ACTIVE)
    variant = models.CharField(max_length=1, choices=Variant.choices, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_watching = models.BooleanField(default=False)
    trigger_key = models.CharField(max_length=80)
    event_id = models.BigIntegerField(null=True)
    entered_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed tries of the next step")
    error = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=14, choices=Reason.choices, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["client", "-id"], name="automation_runs_by_client"),
            models.Index(fields=["automation", "-id"], name="automation_runs_newest"),
            models.Index(fields=["automation", "client", "entered_at"], name="automation_entries"),
            models.Index(fields=["version", "state", "position"], name="automation_runs_by_step"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "automation", "trigger_key"], name="a_trigger_lets_a_client_in_once"
            ),
            models.UniqueConstraint(
                fields=["client", "automation"],
                condition=Q(state=RunState.ACTIVE),
                name="a_client_is_in_an_automation_once",
            ),
            models.CheckConstraint(
                condition=Q(state=RunState.ACTIVE, finished_at__isnull=True)
                | (~Q(state=RunState.ACTIVE) & Q(finished_at__isnull=False)),
                name="automation_run_ends_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of automation {self.automation_id}"


class AutomationRunStep(models.Model):
    """That a step of a run was done, skipped or failed: written once, in the transaction of what it did."""

    run = models.ForeignKey(AutomationRun, on_delete=models.PROTECT, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=7, choices=StepState.choices)
    reason = models.CharField(max_length=14, choices=Reason.choices, blank=True)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["run_id", "position"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="a_step_of_a_run_is_done_once")]
        triggers = append_only("automation_run_step")

    def __str__(self) -> str:
        return f"step {self.position + 1} of run {self.run_id}"
