"""What the review of an alert writes down beside its decision."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from crm.models import User
from crm.models.approvals import ApprovalMixin


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
