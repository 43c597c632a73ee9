"""What PSPs agreed to charge us, from a day on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from wallet.choices import RowType
from wallet.models.psp import Psp


class PspCost(models.Model):
    """What we agreed to pay a PSP for a kind of row, from a day on. Rows whose fee is another one become breaks."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="costs")
    type = models.CharField(max_length=20, choices=RowType.choices)
    currency = models.CharField(max_length=5)
    basis_points = models.DecimalField(max_digits=8, decimal_places=2, default=0, help_text=_("Of the gross amount"))
    fixed_minor = models.BigIntegerField(default=0)
    tolerance_minor = models.BigIntegerField(default=1, help_text=_("How far a fee may be off for rounding"))
    valid_from = models.DateField()

    class Meta:
        ordering = ["psp_id", "type", "currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["psp", "type", "currency", "valid_from"], name="one_cost_term_per_kind_and_day"
            ),
            models.CheckConstraint(
                condition=Q(basis_points__gte=0, fixed_minor__gte=0, tolerance_minor__gte=0),
                name="cost_terms_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.psp} {self.get_type_display()} {self.currency}"
