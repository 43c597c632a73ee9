"""Fees that PSPs agreed with us, from a day on. Two people approve them; terms whose day has come never change."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.models import User
from crm.models.approvals import ApprovalMixin
from crm.money.amounts import from_minor
from wallet.choices.reconciliation import RowType
from wallet.models.psp import Psp

NOT_NEGATIVE = Q(basis_points__gte=0, fixed_minor__gte=0, tolerance_minor__gte=0)


class CostTermsMixin(models.Model):
    """A part of the gross amount (1/100 of a per cent) and a fixed sum, in minor units of the currency."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="%(class)ss")
    type = models.CharField(max_length=20, choices=RowType.choices)
    currency = models.CharField(max_length=5)
    basis_points = models.DecimalField(max_digits=8, decimal_places=2, default=0, help_text=_("Of the gross amount"))
    fixed_minor = models.BigIntegerField(default=0)
    tolerance_minor = models.BigIntegerField(default=1, help_text=_("Tolerance for rounding per fee"))
    valid_from = models.DateField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.psp} {self.get_type_display()} {self.currency}"

    @property
    def percent(self) -> Decimal:
        return self.basis_points / 100

    @property
    def percent_decimals(self) -> int:
        """As many as it needs, two at least."""
        return 2 if self.basis_points == self.basis_points.to_integral_value() else 4

    @property
    def fixed(self) -> Decimal:
        return from_minor(self.fixed_minor, self.currency)

    @property
    def tolerance(self) -> Decimal:
        return from_minor(self.tolerance_minor, self.currency)


class PspCost(CostTermsMixin):
    """The agreed fee of a PSP for a kind of row, from a day on. Rows with another fee become breaks.

    Never changed: a later row replaces it. It can be deleted only before its day has come (`costs.withdraw_terms`).
    """

    class Meta:
        ordering = ["psp_id", "type", "currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["psp", "type", "currency", "valid_from"], name="one_cost_term_per_kind_and_day"
            ),
            models.CheckConstraint(condition=NOT_NEGATIVE, name="cost_terms_are_not_negative"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="cost_terms_never_change",
                operation=pgtrigger.Update,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'cost terms never change: write later ones';",
            ),
            pgtrigger.Trigger(
                name="cost_terms_in_force_stay",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("OLD.valid_from <= (now() AT TIME ZONE 'UTC')::date"),
                func="RAISE EXCEPTION 'cost terms whose day has come stay';",
            ),
        ]


class PspCostProposal(CostTermsMixin, ApprovalMixin):
    """Terms that somebody wrote down; another person, with the contract in hand, agrees. Then they are a `PspCost`."""

    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True, help_text=_("When the terms were withdrawn before taking effect"))

    class Meta:
        ordering = ["-id"]
        permissions = [("approve_pspcost", "May agree to cost terms of a PSP that somebody else wrote down")]
        constraints = [
            *ApprovalMixin.constraints("cost_proposal"),
            models.CheckConstraint(condition=NOT_NEGATIVE, name="proposed_costs_are_not_negative"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False, state=ApprovalState.APPROVED),
                name="terms_taken_back_say_who_and_when",
            ),
            ApprovalMixin.one_open(
                "psp", "type", "currency", "valid_from", name="one_cost_proposal_per_kind_and_day_waits"
            ),
        ]
