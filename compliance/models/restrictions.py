"""What a client may not do for now. Placing one is quick, lifting it takes two people."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clients.models import Client
from compliance.choices import RestrictionCause, RestrictionKind
from compliance.models.screening import Hit
from crm.models import User


class Restriction(models.Model):
    """One restriction of a client. Never deleted: it is lifted."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="compliance_restrictions")
    kind = models.CharField(max_length=14, choices=RestrictionKind.choices)
    cause = models.CharField(max_length=16, choices=RestrictionCause.choices, default=RestrictionCause.MANUAL)
    reason = models.TextField()
    hit = models.ForeignKey(Hit, on_delete=models.PROTECT, null=True, related_name="restrictions")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    placed_at = models.DateTimeField()
    lift_requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lift_requested_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("place_restriction", "May restrict a client"),
            ("lift_restriction", "May ask for, or release, the lifting of a restriction"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="restrictions_by_client"),
            models.Index(fields=["client"], name="restrictions_in_force", condition=Q(lifted_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="restriction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True)
                | Q(cause__in=["screening_hold", "document", "review", "vendor_pending"])
                | Q(lift_requested_by__isnull=False, lifted_by__isnull=False) & ~Q(lifted_by=F("lift_requested_by")),
                name="restriction_is_lifted_by_two_people",
            ),
            models.CheckConstraint(
                condition=Q(lift_requested_by__isnull=True, lift_requested_at__isnull=True)
                | Q(lift_requested_by__isnull=False, lift_requested_at__isnull=False) & ~Q(lift_reason=""),
                name="lifting_is_asked_for_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "cause"],
                condition=Q(lifted_at__isnull=True, cause__in=["document", "review"]),
                name="one_overdue_restriction_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["hit"], condition=Q(lifted_at__isnull=True, cause="screening_hold"), name="one_hold_per_hit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def is_in_force(self) -> bool:
        return self.lifted_at is None
