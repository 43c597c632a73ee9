"""What the review of an alert writes down beside its decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from crm.db.states import HasState, Transitions
from crm.models import User, WorkItem
from crm.models.approvals import ApprovalMixin
from monitoring.choices import ESCALATION_TRANSITIONS, EscalationState


class Explanation(models.Model):
    """A question to the agent about a day, and the agent's own answer. One open at a time for an alert."""

    alert = models.ForeignKey("monitoring.Alert", on_delete=models.PROTECT, related_name="explanations", db_index=False)
    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    question = models.CharField(max_length=1000)
    due_on = models.DateField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    answer = models.CharField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["agent", "-id"], name="explanations_of_an_agent"),
            models.Index(fields=["alert", "-id"], name="explanations_of_an_alert"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=Q(answered_at__isnull=True), name="one_open_question_per_alert"
            ),
            models.CheckConstraint(condition=~Q(question=""), name="explanation_has_a_question"),
            models.CheckConstraint(condition=~Q(asked_by=F("agent")), name="nobody_questions_themselves"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True) | ~Q(answer="") & Q(answered_at__isnull=False),
                name="explanation_is_answered_with_text",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.question[:40]}"


class ConfirmationProposal(ApprovalMixin):
    """A reviewer's finding of misuse, which a second person confirms before it counts. `text`: the whole of the reason."""

    alert = models.ForeignKey(
        "monitoring.Alert", on_delete=models.PROTECT, related_name="confirmations", db_index=False
    )
    text = models.CharField(max_length=2000)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["alert", "-id"], name="confirmations_of_an_alert")]
        constraints = [
            *ApprovalMixin.constraints("misuse_confirmation"),
            ApprovalMixin.one_open("alert", name="one_open_confirmation_per_alert"),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.state}"


class Escalation(HasState):
    """An alert that its reviewer passed on to the reporting officer, as a work item, and what the officer decided."""

    TRANSITIONS: ClassVar[Mapping[str, Transitions]] = {"state": ESCALATION_TRANSITIONS}

    alert = models.OneToOneField("monitoring.Alert", on_delete=models.PROTECT, related_name="escalation")
    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=EscalationState.choices, default=EscalationState.OPEN)
    raised_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    raised_at = models.DateTimeField()
    reason = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("decide_escalation", gettext_noop("May decide alerts that were escalated to the reporting officer"))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True, reason="")
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="decided_escalation_says_who_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("agent")),
                name="nobody_decides_an_escalation_about_themselves",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.state}"

    def get_absolute_url(self) -> str:
        return f"/monitoring/escalations/{self.pk}/"
