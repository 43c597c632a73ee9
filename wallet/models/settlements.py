"""Settlement reports of PSPs as they were received, row by row. Their matches: `matches`.

Their differences: `breaks`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import User
from crm.money.amounts import from_minor
from wallet.choices.reconciliation import CONFIRMATION_TRANSITIONS, MovementKind, RowType, WaitingState
from wallet.models.psp import Psp
from wallet.models.reconciliation_guards import never_goes

# No page could show, and no query compute with, what a file may call a time: the year 1 in another zone.
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
FIRST_TIME, LAST_TIME = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (FIRST_DAY, LAST_DAY))


class SettlementImport(models.Model):
    """One report of one PSP: proved when it is imported, stored as received (encrypted), matched once."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="settlements")
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    # The original, encrypted on disk (`settlement_import.original_of`).
    stored_name = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=40, blank=True, help_text=_("Report type it was read as"))
    # The kinds of movements that it reports completely; empty: all kinds. Other kinds can't be missing in it.
    covers = ArrayField(
        models.CharField(max_length=20),
        default=list,
        blank=True,
        db_default=Value([], ArrayField(models.CharField(max_length=20))),
    )
    first_day = models.DateField()
    last_day = models.DateField()
    row_count = models.PositiveIntegerField()
    # Per currency, in minor units: {"EUR": {"opening": 0, "gross": …, "fee": …, "net": …, "closing": …}}
    totals = models.JSONField(default=dict)
    matched = models.PositiveIntegerField(default=0)
    seen_before = models.PositiveIntegerField(default=0, help_text=_("Rows already in an earlier report"))
    to_bank = models.PositiveIntegerField(default=0, help_text=_("Payouts to our own bank account"))
    breaks_found = models.PositiveIntegerField(default=0)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField()
    seconds = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    # What of it is in the ledger, in minor units: {"fees": {"EUR": 215}, "fx": {"USD:EUR": [paid, got]}, "journals": 2}
    booked = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))

    class Meta:
        ordering = ["-id"]
        permissions = [("run_reconciliation", "May import settlement reports and resolve breaks")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "sha256"], name="the_same_report_is_imported_once"),
            models.CheckConstraint(condition=Q(first_day__lte=models.F("last_day")), name="report_period_is_in_order"),
            models.CheckConstraint(
                condition=Q(first_day__gte=FIRST_DAY, last_day__lt=LAST_DAY), name="report_days_are_of_this_century"
            ),
            models.CheckConstraint(
                condition=Q(covers__contained_by=MovementKind.values), name="report_covers_kinds_of_movements"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ReportToConfirm(HasState):
    """An uploaded report that doesn't prove its own end: what was read of it, until a person confirms that it's complete.

    `is_statement`: it's a bank account's CSV, which becomes a `BankFile`; any other becomes a `SettlementImport`.
    """

    TRANSITIONS = {"state": CONFIRMATION_TRANSITIONS}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="reports_to_confirm")
    file_name = models.CharField(max_length=160)
    sha256 = models.CharField(max_length=64)
    # Where the original is, encrypted; the import takes it over.
    stored_name = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=40, blank=True)
    row_count = models.PositiveIntegerField()
    first_day = models.DateField()
    last_day = models.DateField()
    # As of an import. Of a statement per currency: {"rows", "in", "out", "opening", "closing", "before"} in minor units.
    totals = models.JSONField(default=dict)
    is_statement = models.BooleanField(default=False, db_default=False)
    last_row = models.CharField(max_length=300, blank=True, db_default="")
    state = models.CharField(max_length=10, choices=WaitingState.choices, default=WaitingState.WAITING)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    report = models.OneToOneField(SettlementImport, on_delete=models.PROTECT, null=True, related_name="confirmation")
    bank_file = models.OneToOneField(
        "wallet.BankFile", on_delete=models.PROTECT, null=True, related_name="confirmation"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["psp", "sha256"],
                condition=Q(state=WaitingState.WAITING),
                name="a_report_waits_for_its_end_once",
            ),
            models.CheckConstraint(
                condition=Q(state=WaitingState.WAITING, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=WaitingState.WAITING) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="decided_report_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=WaitingState.CONFIRMED, is_statement=False, report__isnull=False, bank_file__isnull=True
                )
                | Q(state=WaitingState.CONFIRMED, is_statement=True, report__isnull=True, bank_file__isnull=False)
                | (~Q(state=WaitingState.CONFIRMED) & Q(report__isnull=True, bank_file__isnull=True)),
                name="confirmed_report_is_imported",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class SettlementRow(models.Model):
    """One row of a report, in minor units. It is never deleted, and of it only `is_repeat` changes.

    `currency` is the one that the PSP holds for us: opening + net = closing in it. Where the payer paid in another one,
    `paid_currency` and `paid_minor` have that amount (empty and None where the report doesn't), and `rate` what one
    unit of it was worth in `currency`.
    """

    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(help_text=_("Line in the file, counted from 1"))
    type = models.CharField(max_length=20, choices=RowType.choices)
    psp_reference = models.CharField(max_length=100)
    merchant_reference = models.CharField(max_length=100, blank=True)
    original_reference = models.CharField(max_length=100, blank=True)
    client_reference = models.CharField(
        max_length=100, blank=True, db_default="", help_text=_("Client reference, as we sent it to the PSP")
    )
    batch = models.CharField(max_length=60, blank=True)
    booked_at = models.DateTimeField()
    value_at = models.DateTimeField(null=True)
    entry_reference = models.CharField(
        max_length=100, blank=True, db_default="", help_text=_("The PSP's ID of the booking itself")
    )
    currency = models.CharField(max_length=5)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    paid_currency = models.CharField(max_length=5, blank=True, db_default="")
    paid_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    is_repeat = models.BooleanField(
        default=False, db_default=False, help_text=_("Already in an earlier report from this PSP")
    )

    class Meta:
        ordering = ["report_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["report", "line"], name="each_report_line_once"),
            models.CheckConstraint(
                condition=Q(net_minor=models.F("gross_minor") - models.F("fee_minor")), name="row_net_is_gross_less_fee"
            ),
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gt=0), name="row_rate_is_above_zero"),
            models.CheckConstraint(
                condition=Q(booked_at__gte=FIRST_TIME, booked_at__lt=LAST_TIME)
                & (Q(value_at__isnull=True) | Q(value_at__gte=FIRST_TIME, value_at__lt=LAST_TIME)),
                name="row_times_are_of_this_century",
            ),
        ]
        indexes = [
            models.Index(fields=["psp_reference"], name="settlement_rows_by_reference"),
            models.Index(
                fields=["merchant_reference"], name="settlement_rows_by_our_ref", condition=~Q(merchant_reference="")
            ),
            models.Index(
                fields=["report", "line"], name="payout_rows_by_report", condition=Q(type=RowType.MERCHANT_PAYOUT)
            ),
            models.Index(fields=["report", "line"], name="reserve_rows_by_report", condition=Q(type=RowType.RESERVE)),
        ]
        triggers = [
            never_goes("settlementrow"),
            pgtrigger.Trigger(
                name="settlementrow_keeps_what_it_says",
                operation=pgtrigger.UpdateOf(
                    "report_id",
                    "line",
                    "type",
                    "psp_reference",
                    "merchant_reference",
                    "original_reference",
                    "client_reference",
                    "entry_reference",
                    "batch",
                    "booked_at",
                    "value_at",
                    "currency",
                    "gross_minor",
                    "fee_minor",
                    "net_minor",
                    "paid_currency",
                    "paid_minor",
                    "rate",
                ),
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'what a report says never changes';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} line {self.line}"

    @property
    def gross(self) -> Decimal:
        return from_minor(self.gross_minor, self.currency)

    @property
    def fee(self) -> Decimal:
        return from_minor(self.fee_minor, self.currency)
