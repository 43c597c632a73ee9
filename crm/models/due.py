"""What has to be done at a time: one row per kind and key, which the sweeper of `crm.due` hands to the kind's handler."""

from django.db import models
from django.utils import timezone

from crm.choices import DUE_TRANSITIONS, DueState
from crm.db.states import HasState
from crm.models.people import Brand

PENDING = models.Q(state="pending")


class DueRow(HasState):
    """One thing that is due. Written by `crm.due.due` and `cancel`; done in the same transaction as what its handler did."""

    TRANSITIONS = {"state": DUE_TRANSITIONS}

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    client_id = models.BigIntegerField(null=True)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(help_text="When it is due")
    next_at = models.DateTimeField(help_text="When it is tried next: `at`, and later after a failure")
    revision = models.PositiveIntegerField(default=1, help_text="Counts how often the row was set or moved")
    state = models.CharField(max_length=9, choices=DueState.choices, default=DueState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=models.Q(state__in=["pending", "failed"]),
                name="one_open_due_row_per_kind_and_key",
            ),
            models.CheckConstraint(
                condition=models.Q(PENDING, done_at__isnull=True) | models.Q(~PENDING, done_at__isnull=False),
                name="finished_due_row_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "next_at", "id"], name="due_by_kind", condition=PENDING),
            models.Index(fields=["at", "id"], name="due_by_time", condition=PENDING),
            models.Index(fields=["client_id", "at"], name="due_by_client", condition=PENDING),
            models.Index(fields=["kind", "id"], name="due_failed", condition=models.Q(state="failed")),
            models.Index(
                fields=["done_at", "id"], name="due_finished", condition=models.Q(state__in=["done", "cancelled"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
