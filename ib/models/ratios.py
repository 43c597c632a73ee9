"""Agreements with a personal ratio, or with a say on clients' names, that wait for a second person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.models.approvals import ApprovalMixin
from ib.models.agreed_names import AgreedNames
from ib.models.partners import Partner, ReferralLink
from ib.models.plans import RATIO_MOST, AgreementScope, Plan


class RatioProposal(AgreementScope, AgreedNames, ApprovalMixin):
    """An agreement that pays another part of its plan's rates, or shows names differently; approved it is a `PartnerPlan`."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="+")
    percent = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("ratio_proposal"),
            ApprovalMixin.one_open("partner", name="one_ratio_proposal_of_a_partner_waits"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=RATIO_MOST), name="proposed_ratio_is_within_bounds"
            ),
            AgreementScope.constraint("proposed_scope_has_its_place"),
            AgreedNames.names_constraint("proposal_shows_names_in_a_known_way"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.percent} %"
