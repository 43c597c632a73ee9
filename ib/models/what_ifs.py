"""What versions of plans would have cost over days that were."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.models.audit import append_only
from ib.models.partners import Partner
from ib.models.plans import Plan, PlanVersion


class WhatIf(models.Model):
    """What a version would have paid on the trades of some days beside what was accrued on them and what the broker earned.

    partner: whose agreement it was tried as, at so many per cent of the plan's rates, for the trades of a scope (columns of
    `PartnerPlan`); without one it was tried on all partners of a plan. Money is in the version's currency. `lines` as
    `ib.agreements.what_if.Row`: those with the largest difference.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="what_ifs")
    for_plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="what_ifs", null=True)
    percent = models.DecimalField(max_digits=5, decimal_places=2, default=100)
    scope = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64, help_text=_("Of the version as it was then"))
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    currency = models.CharField(max_length=5)
    deals = models.PositiveIntegerField()
    partners = models.PositiveIntegerField()
    before = models.DecimalField(max_digits=24, decimal_places=8)
    after = models.DecimalField(max_digits=24, decimal_places=8)
    charged = models.DecimalField(max_digits=24, decimal_places=8, help_text=_("Commissions charged by the platform"))
    lost = models.DecimalField(max_digits=24, decimal_places=8, help_text=_("Clients' net trading losses"))
    passed_on = models.DecimalField(
        max_digits=24, decimal_places=8, default=0, help_text="Part of `after` that goes to clients"
    )
    lines = models.JSONField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        triggers = append_only("what_if")
        constraints = [models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="what_if_ends_after_it_starts")]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.before} → {self.after} {self.currency}"

    def get_absolute_url(self) -> str:
        return f"/ib/what-ifs/{self.pk}/"
