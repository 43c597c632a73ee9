"""Recalculations that somebody asked for, with the differences that a second person approves."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models import Brand
from crm.models.approvals import ApprovalMixin


class Recalculation(ApprovalMixin):
    """What a recalculation would change, compared before anything is written: `lines` as `ib.engine.Line`."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="recalculations")
    from_at = models.DateTimeField(help_text=_("Start of the deals' closing time (inclusive)"))
    to_at = models.DateTimeField(help_text=_("End of the deals' closing time (exclusive)"))
    deal_ids = ArrayField(models.BigIntegerField(), help_text=_("Deals with a difference"))
    lines = models.JSONField(help_text=_("Per partner and reason: before and after"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("recalculation"),
            ApprovalMixin.one_open("brand", name="one_recalculation_of_a_brand_waits"),
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="recalculation_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.from_at:%Y-%m-%d}"
