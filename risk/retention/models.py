"""Flags of clients who may leave, and the cases that agents work on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.db.states import HasState, Transitions
from crm.learning.trained import TrainedModel, limits
from crm.models import Brand, User, WorkItem
from risk.retention.choices import CASE_TRANSITIONS, DECISIONS, CaseState, FlagKind


class RetentionFlag(models.Model):
    """One thing that stands out at a client: raised, seen again while it is true, ended. Written by `flags.judging`.

    `figures`: what was usual and what is now, by kind; `since`: when it began, which may be before it was noticed.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="retention_flags", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=FlagKind.choices)
    since = models.DateTimeField()
    figures = models.JSONField()
    raised_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last found to be true")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="retention_flags_of_a_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind"],
                condition=Q(ended_at__isnull=True),
                name="one_open_retention_flag_per_client_and_kind",
            ),
            models.CheckConstraint(condition=Q(kind__in=FlagKind.values), name="retention_flag_has_a_known_kind"),
            models.CheckConstraint(
                condition=Q(since__lte=models.F("raised_at"), seen_at__gte=models.F("raised_at"))
                & (Q(ended_at__isnull=True) | Q(ended_at__gte=models.F("seen_at"))),
                name="retention_flag_begins_before_it_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.kind}"


class RetentionCase(HasState):
    """A client whom somebody should call, with all their flags: the subject of a work item.

    Clients of the control group have a case without work, so that what becomes of them can be compared.
    """

    TRANSITIONS: ClassVar[Mapping[str, Transitions]] = {"state": CASE_TRANSITIONS}
    FIRST_STATES: ClassVar[Mapping[str, set[str]]] = {"state": {CaseState.OPEN, CaseState.HELD_BACK}}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="retention_cases", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=CaseState.choices, default=CaseState.OPEN)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="retention_case")
    weight = models.PositiveSmallIntegerField(help_text="Of the flags that are open, together")
    value_at_risk = models.DecimalField(
        max_digits=16, decimal_places=2, default=0, help_text="As of the client's outlook, in the brand's base currency"
    )
    opened_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Calls without an answer")
    snoozed_until = models.DateTimeField(null=True)
    was_useful = models.BooleanField(null=True, help_text="What the agent says of the flags")
    reason = models.CharField(max_length=1000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("work_retentioncase", gettext_noop("May call clients who may leave, and decide their cases")),
            ("export_retention", gettext_noop("May export cohorts and the win-back report")),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="retention_cases_of_a_client"),
            models.Index(fields=["-weight", "-id"], name="retention_cases_open", condition=Q(state="open")),
            models.Index(fields=["-value_at_risk", "-id"], name="retention_cases_by_value", condition=Q(state="open")),
            models.Index(fields=["brand", "opened_at"], name="retention_cases_by_opening"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(state="open"), name="one_open_retention_case_per_client"
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.HELD_BACK, work__isnull=True)
                | ~Q(state=CaseState.HELD_BACK) & Q(work__isnull=False),
                name="retention_case_is_work_unless_held_back",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DECISIONS, decided_by__isnull=False, ended_at__isnull=False)
                | Q(state=CaseState.ENDED, decided_by__isnull=True, ended_at__isnull=False)
                | Q(state__in=[CaseState.OPEN, CaseState.HELD_BACK], decided_by__isnull=True, ended_at__isnull=True),
                name="ended_retention_case_says_when_and_who",
            ),
            models.CheckConstraint(
                condition=~Q(state=CaseState.NO_ACTION) | ~Q(reason=""), name="no_action_on_retention_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.state}"

    def get_absolute_url(self) -> str:
        return f"/risk/retention/{self.pk}/"


class ChurnModel(TrainedModel):
    """One version of the churn score; its yardstick is the days since the last trade alone."""

    clients = models.PositiveIntegerField(help_text="Clients by month that it learned from")
    held_back = models.PositiveIntegerField(help_text="Clients by month that it was judged on")
    departed = models.PositiveIntegerField(help_text="Of those held back")

    class Meta:
        ordering = ["-id"]
        constraints = limits("one_churn_model_is_in_use", "churn_model_has_an_auc")

    def __str__(self) -> str:
        return f"{self.pk}"


class ClientOutlook(models.Model):
    """What a client may bring, and how probable it is that they stop trading. Written by `churn.scoring`; money in base currency.

    `reasons`: the features that raise the probability most, as codes.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="outlook")
    model = models.ForeignKey(ChurnModel, on_delete=models.PROTECT, related_name="+", db_index=False)
    probability = models.FloatField()
    reasons = ArrayField(models.CharField(max_length=12), null=True)
    monthly_revenue = models.DecimalField(max_digits=16, decimal_places=2)
    value_at_risk = models.DecimalField(max_digits=16, decimal_places=2)
    lifetime_value = models.DecimalField(max_digits=16, decimal_places=2)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1), name="outlook_has_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.probability:.2f}"
