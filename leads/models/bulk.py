"""Bulk changes: what a person did to many leads in one step, kept so that it can be undone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import User
from leads.choices import BulkKind


class BulkChange(models.Model):
    """A bulk change, read and undone by who made it. `changes`: [client, what undoing needs]; `left_out`: [client, why]."""

    kind = models.CharField(max_length=8, choices=BulkKind.choices)
    options = models.JSONField()
    changes = models.JSONField(default=list)
    left_out = models.JSONField(default=list)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone = models.PositiveIntegerField(null=True, help_text="How many of the changes were undone")

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone__isnull=True)
                | Q(undone_at__isnull=False, undone__isnull=False),
                name="undone_bulk_change_says_how_many",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/leads/bulk/{self.pk}/"
