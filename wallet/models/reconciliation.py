"""Settlement reports of PSPs, held against our books row by row."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.money import from_minor
from wallet.choices import BreakKind, BreakState, MatchRule, RowType
from wallet.models.payments import PspMovement
from wallet.models.psp import Psp


class SettlementImport(models.Model):
    """One report of one PSP: proved on arrival, kept as it came (encrypted), matched once."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="settlements")
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    sealed_original = models.BinaryField()
    first_day = models.DateField()
    last_day = models.DateField()
    row_count = models.PositiveIntegerField()
    # Per currency, in minor units: {"EUR": {"opening": 0, "gross": …, "fee": …, "net": …, "closing": …}}
    totals = models.JSONField(default=dict)
    matched = models.PositiveIntegerField(default=0)
    seen_before = models.PositiveIntegerField(default=0, help_text=_("Rows that an earlier report had already"))
    to_bank = models.PositiveIntegerField(default=0, help_text=_("Payouts to our own bank account"))
    breaks_found = models.PositiveIntegerField(default=0)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField()
    seconds = models.DecimalField(max_digits=8, decimal_places=3, default=0)

    class Meta:
        ordering = ["-id"]
        permissions = [("run_reconciliation", "May import settlement reports and resolve breaks")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "sha256"], name="the_same_report_is_imported_once"),
            models.CheckConstraint(condition=Q(first_day__lte=models.F("last_day")), name="report_period_is_in_order"),
        ]

    def __str__(self) -> str:
        return self.file_name


class SettlementRow(models.Model):
    """One row of a report, in minor units."""

    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text=_("In the file, counted from 1"))
    type = models.CharField(max_length=20, choices=RowType.choices)
    psp_reference = models.CharField(max_length=100)
    merchant_reference = models.CharField(max_length=100, blank=True)
    original_reference = models.CharField(max_length=100, blank=True)
    batch = models.CharField(max_length=60, blank=True)
    booked_at = models.DateTimeField()
    currency = models.CharField(max_length=5)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()

    class Meta:
        ordering = ["report_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["report", "line"], name="each_report_line_once"),
            models.CheckConstraint(
                condition=Q(net_minor=models.F("gross_minor") - models.F("fee_minor")), name="row_net_is_gross_less_fee"
            ),
        ]
        indexes = [models.Index(fields=["psp_reference"], name="settlement_rows_by_reference")]

    def __str__(self) -> str:
        return f"{self.report} line {self.line}"


class Match(models.Model):
    """A report's row and our movement are the same thing. Each side is consumed once."""

    row = models.OneToOneField(SettlementRow, on_delete=models.PROTECT, primary_key=True, related_name="match")
    movement = models.OneToOneField(PspMovement, on_delete=models.PROTECT, related_name="match")
    rule = models.CharField(max_length=20, choices=MatchRule.choices)

    class Meta:
        ordering = ["row_id"]

    def __str__(self) -> str:
        return f"{self.row_id} = {self.movement_id}"


class Break(models.Model):
    """A difference with its name: what the report says, what we say, and what became of it."""

    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, related_name="breaks")
    kind = models.CharField(max_length=16, choices=BreakKind.choices)
    row = models.ForeignKey(SettlementRow, on_delete=models.PROTECT, null=True, related_name="breaks")
    movement = models.ForeignKey(PspMovement, on_delete=models.PROTECT, null=True, related_name="breaks")
    currency = models.CharField(max_length=5)
    difference_minor = models.BigIntegerField(help_text=_("Report less books"))
    explanation = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=BreakState.choices, default=BreakState.OPEN)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(row__isnull=False) | Q(movement__isnull=False), name="break_points_at_something"
            ),
            models.CheckConstraint(
                condition=Q(state=BreakState.OPEN) | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
                name="resolved_break_says_how_and_when",
            ),
        ]
        indexes = [models.Index(fields=["state", "id"], name="breaks_by_state")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    @property
    def difference(self) -> Decimal:
        return from_minor(self.difference_minor, self.currency)
