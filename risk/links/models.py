"""Links that a person has looked at and set aside."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clients.models import Client
from crm.models import User
from risk.links.choices import KnownAs


class KnownLink(models.Model):
    """Two clients of a brand who are known to be two people: what they share counts for nothing until this is ended."""

    first = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=10, choices=KnownAs.choices)
    reason = models.CharField(max_length=300)
    noted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    noted_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["first", "second"], name="known_links_of_a_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], condition=Q(ended_at__isnull=True), name="a_link_is_known_once"
            ),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="known_link_is_in_order"),
            models.CheckConstraint(condition=~Q(reason=""), name="known_link_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_by__isnull=True, ended_at__isnull=True)
                | Q(ended_by__isnull=False, ended_at__isnull=False),
                name="known_link_ends_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}: {self.get_why_display()}"
