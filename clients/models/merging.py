"""Two records of one person that became one, and what it takes to undo that."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from clients.choices import Stage
from clients.models.client import Client
from crm.models import Brand, User


class ClientMerge(models.Model):
    """One record merged into another.

    `moved` names the rows that followed, by table and column. `fields`, sealed under the kept client's key, holds the values
    of both records before and after.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    kept = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="merges", db_index=False)
    merged = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    stage_before = models.CharField(max_length=12, choices=Stage.choices)
    fields = models.BinaryField()
    moved = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    merged_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    merged_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=models.Q(undone_at=None), name="a_client_is_merged_into_one_other"
            ),
            models.CheckConstraint(
                condition=~models.Q(kept=models.F("merged")), name="no_client_is_merged_into_itself"
            ),
            models.CheckConstraint(
                condition=models.Q(undone_at=None, undone_by=None) | models.Q(undone_at__isnull=False),
                name="undone_merge_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["kept", "-id"], name="merges_of_a_client"),
            models.Index(fields=["merged", "-id"], name="merges_of_a_merged_client"),
        ]

    def __str__(self) -> str:
        return f"#{self.merged_id} → #{self.kept_id}"
