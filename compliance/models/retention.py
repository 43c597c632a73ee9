"""Relations that ended, legal holds, and proposals to erase a client."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin


class ClosedRelation(models.Model):
    """A client whose relation with the brand ended: how long their records are kept counts from that day."""

    client = models.OneToOneField(Client, on_delete=models.PROTECT, related_name="+")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_on = models.DateField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("erase_client", "May place legal holds, and propose and approve that clients are erased")]
        indexes = [models.Index(fields=["brand", "ended_on"], name="closed_relations_by_brand")]

    def __str__(self) -> str:
        return f"#{self.client_id}, ended {self.ended_on}"

    def get_absolute_url(self) -> str:
        return f"/compliance/retention/{self.client_id}/"


class LegalHold(models.Model):
    """A client whose records are kept beyond their time: for a court, an authority or a dispute."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(lifted_at__isnull=True), name="one_legal_hold_per_client"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="legal_hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason=""),
                name="legal_hold_is_lifted_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.client_id}: {self.reason}"


class ErasureProposal(ApprovalMixin):
    """That a client is erased, as a second person approves it."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["client", "-id"], name="erasure_proposals_of_a_client")]
        constraints = [
            *ApprovalMixin.constraints("erasure"),
            ApprovalMixin.one_open("client", name="one_open_erasure_proposal_per_client"),
        ]

    def __str__(self) -> str:
        return f"#{self.client_id}: {self.state}"
