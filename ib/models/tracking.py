"""Whose client a client is, where people say so: assignments that wait for a second person, and partners' claims."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.db.states import HasState
from crm.models import User, WorkItem
from crm.models.approvals import ApprovalMixin
from ib.models.partners import Partner
from ib.tracking.choices import CLAIM_TRANSITIONS, ClaimSource, ClaimState


class AttributionProposal(ApprovalMixin):
    """A client assigned to a partner by hand; theirs from the approval on."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("attribution_proposal"),
            ApprovalMixin.one_open("client", name="one_attribution_proposal_of_a_client_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} → {self.partner_id}"


class ClientClaim(HasState):
    """A partner says that a client is theirs: by the form on their pages, or by a conversion that their network reported."""

    TRANSITIONS = {"state": CLAIM_TRANSITIONS}

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="claims", db_index=False)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty where none has this address"
    )
    source = models.CharField(max_length=8, choices=ClaimSource.choices)
    named = models.CharField(max_length=120, help_text="Who is meant: the masked address, or the click id")
    came_on = models.DateField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=ClaimState.choices, default=ClaimState.OPEN)
    opened_at = models.DateTimeField()
    answer = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "client"], condition=Q(state="open"), name="one_open_claim_per_partner_and_client"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False) & ~Q(answer="")),
                name="a_decided_claim_has_an_answer",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(client__isnull=False), name="an_accepted_claim_names_a_client"
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="claims_of_a_partner")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.named}"
