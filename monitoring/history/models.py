"""A file of another system's history that somebody uploaded to have it scored."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from crm.models import Job, User


class HistoryFile(models.Model):
    """One uploaded history, sealed on disk for a week: how it is mapped, and what its last scoring found.

    Only its owner sees it: names and clients in it are another system's, and no desk or brand of ours.
    """

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=160)
    size_bytes = models.PositiveBigIntegerField()
    uploaded_at = models.DateTimeField()
    fields = models.JSONField(default=dict, help_text="Our field: the file's, empty for none; others are recognised")
    kinds = models.JSONField(default=dict, help_text="The file's kind of event: ours")
    per_100 = models.FloatField(default=0.5, help_text="Cases per 100 agent-days")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    report = models.JSONField(default=dict, help_text="What the last scoring read and found")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("score_history", gettext_noop("May score another system's history with agent monitoring"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(per_100__gt=0, per_100__lte=100), name="history_budget_is_a_share_of_agent_days"
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return f"/monitoring/history/{self.pk}/"
