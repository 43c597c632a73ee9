"""Tables of levels: each brand's, by day; and the proposals that change them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Coalesce

from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only


def _levels() -> models.JSONField[Any, Any]:
    return models.JSONField(help_text="From 0 on: name, what it requires, what it allows; see kyc/levels/ladder.py")


def _has_levels() -> Q:
    """Require a list of two to six levels: 0, and at least one that can be reached."""
    length = Func("levels", function="jsonb_array_length", output_field=models.IntegerField())
    kind = Func("levels", function="jsonb_typeof", output_field=models.TextField())
    return Q(models.lookups.Exact(kind, Value("array"))) & Q(models.lookups.Range(Coalesce(length, 0), (2, 6)))


class LevelTable(models.Model):
    """All levels of a brand from a day on. It holds once the brand's row names it, which happens on that day."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="level_tables", db_index=False)
    levels = _levels()
    effective_on = models.DateField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="level_tables_of_a_brand")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="level_table_has_a_reason"),
            models.CheckConstraint(condition=_has_levels(), name="level_table_has_levels"),
        ]
        triggers = append_only("level_table")

    def __str__(self) -> str:
        return f"Levels of brand {self.brand_id} from {self.effective_on}"


class LevelProposal(ApprovalMixin):
    """A change of a brand's levels that another person decides. based_on: the last table when it was made, 0 without one."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="level_proposals", db_index=False)
    levels = _levels()
    effective_on = models.DateField()
    based_on = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="level_proposals_of_a_brand")]
        constraints = [
            *ApprovalMixin.constraints("level_proposal"),
            ApprovalMixin.one_open("brand", name="one_open_level_proposal_per_brand"),
            models.CheckConstraint(condition=_has_levels(), name="level_proposal_has_levels"),
        ]

    def __str__(self) -> str:
        return f"Levels of brand {self.brand_id} from {self.effective_on}"
