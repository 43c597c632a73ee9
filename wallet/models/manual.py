"""Manual journals: a correction, a bank fee, a write-off. One person writes it, another one posts it."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.models.files import AttachedFile
from wallet.models.ledger import Account, Journal


class ManualJournal(ApprovalMixin):
    """A journal that waits for a second person; its postings are written with their approval."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    request_key = models.CharField(
        max_length=80, help_text=_("Idempotency key from the form: submitting twice creates one journal")
    )
    business_on = models.DateField(help_text=_("Accounting date"))
    rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    rate_on = models.DateField(null=True)
    reverses = models.ForeignKey(Journal, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="manual")

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("write_journal", "May write manual journals, which somebody else posts"),
            ("post_manual_journal", "May post manual journals that somebody else wrote"),
        ]
        constraints = [
            *ApprovalMixin.constraints("manual_journal"),
            ApprovalMixin.one_open("reverses", name="one_reversal_of_a_journal_waits"),
            models.UniqueConstraint(fields=["requested_by", "request_key"], name="one_manual_journal_per_request"),
            models.CheckConstraint(
                condition=Q(state=ApprovalState.APPROVED, journal__isnull=False)
                | (~Q(state=ApprovalState.APPROVED) & Q(journal__isnull=True)),
                name="approved_manual_journal_is_posted",
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=True, rate_on__isnull=True)
                | Q(rate__isnull=False, rate__gt=0, rate_on__isnull=False),
                name="manual_rate_has_its_day",
            ),
        ]
        indexes = [models.Index(fields=["brand", "state", "-id"], name="manual_journals_by_state")]

    def __str__(self) -> str:
        return self.reference

    @property
    def url_name(self) -> str:
        return "wallet:manual_journal"


class ManualLine(models.Model):
    """One posting to be: signed minor units of the account's currency; above zero credits."""

    manual = models.ForeignKey(ManualJournal, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["manual_id", "line"]
        constraints = [
            models.UniqueConstraint(fields=["manual", "line"], name="each_manual_line_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="manual_line_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} on {self.account_id}"

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.account.currency)

    @property
    def amount_abs(self) -> Decimal:
        return abs(self.amount)


class ManualJournalFile(AttachedFile):
    """Evidence for the second person: an invoice, a page of a statement.

    Stored encrypted, never changed, never removed.
    """

    manual = models.ForeignKey(ManualJournal, on_delete=models.PROTECT, related_name="files")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~Q(file_path="") & Q(file_bytes__gt=0), name="journal_file_has_a_content"),
            models.UniqueConstraint(fields=["manual", "file_sha256"], name="a_journal_file_is_attached_once"),
        ]
        triggers = append_only("manualjournalfile")

    def __str__(self) -> str:
        return self.file_name
