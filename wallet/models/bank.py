"""A bank account that clients pay to by reference: its statements, their entries, and the payments we order."""

from __future__ import annotations

import json
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import User
from crm.money.amounts import from_minor
from crm.security import crypto
from wallet.choices.bank import ENTRY_TRANSITIONS, ORDER_TRANSITIONS, EntryState, OrderState
from wallet.models.payments import AmountMixin, Deposit
from wallet.models.psp import Psp
from wallet.models.reconciliation_guards import never_goes
from wallet.models.settlements import FIRST_DAY, LAST_DAY

PARTY_PURPOSE = "bank-party"
ORIGINAL_PURPOSE = "bank-file"


class BankFile(models.Model):
    """One file of statements as received, imported once.

    The original is on disk, encrypted (`wallet.bank.statements`).
    """

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="bank_files")
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=160)
    format = models.CharField(max_length=8)
    stored_name = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    # Per statement: {"account", "currency", "first", "last", "entries", "opening", "closing"} in minor units.
    statements = models.JSONField(default=list)
    entries_new = models.PositiveIntegerField(default=0)
    entries_known = models.PositiveIntegerField(default=0, help_text=_("Already in an earlier file"))
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        permissions = [("handle_bank_entries", "May import bank statements and assign their entries")]
        constraints = [models.UniqueConstraint(fields=["psp", "sha256"], name="a_bank_file_is_taken_in_once")]

    def __str__(self) -> str:
        return self.file_name


class BankEntry(HasState, AmountMixin):
    """One booking on the account; `amount_minor` above zero came in.

    Identified by its fingerprint, in whatever file it is.
    """

    TRANSITIONS = {"state": ENTRY_TRANSITIONS}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="bank_entries", db_index=False)
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="entries")
    fingerprint = models.CharField(max_length=64)
    place = models.CharField(max_length=120, help_text=_("Position in the file"))
    booked_on = models.DateField()
    value_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=100, blank=True)
    end_to_end = models.CharField(max_length=60, blank=True)
    batch = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=500, blank=True)
    party_name = models.CharField(max_length=140, blank=True)
    sealed_party = models.BinaryField(null=True, help_text=_("Counterparty's account, encrypted"))
    party_label = models.CharField(max_length=40, blank=True, help_text=_("Masked for display"))
    return_reason = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=EntryState.choices, default=EntryState.WAITING)
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, null=True, related_name="bank_entries")
    order = models.ForeignKey("wallet.BankOrder", on_delete=models.PROTECT, null=True, related_name="entries")
    outcome = models.CharField(max_length=300, blank=True)
    assigned_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["psp", "fingerprint"], name="a_bank_entry_is_booked_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="bank_entry_moves_something"),
            models.CheckConstraint(
                condition=Q(booked_on__gte=FIRST_DAY, booked_on__lt=LAST_DAY)
                & (Q(value_on__isnull=True) | Q(value_on__gte=FIRST_DAY, value_on__lt=LAST_DAY)),
                name="bank_entry_days_are_of_this_century",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[EntryState.MATCHED, EntryState.ASSIGNED]) | Q(deposit__isnull=False),
                name="matched_bank_entry_has_its_deposit",
            ),
            models.CheckConstraint(
                condition=~Q(state=EntryState.ASSIGNED) | (Q(assigned_by__isnull=False) & ~Q(reason="")),
                name="assigned_bank_entry_says_who_and_why",
            ),
        ]
        indexes = [
            models.Index(fields=["psp", "-id"], name="bank_entries_by_psp"),
            models.Index(fields=["state", "-id"], name="bank_entries_by_state"),
        ]
        triggers = [never_goes("bankentry")]

    def __str__(self) -> str:
        return f"{self.booked_on} {self.amount} {self.currency}"

    @property
    def party(self) -> dict[str, str]:
        """The other side's account in the clear: {"iban", "bic"}. For orders, never for a page."""
        if not self.sealed_party:
            return {}
        party: dict[str, str] = json.loads(crypto.decrypt(bytes(self.sealed_party), purpose=PARTY_PURPOSE))
        return party


class BankBatch(models.Model):
    """A payment file (pain.001) of orders in one currency; made once, then sent by a person in the bank's own portal."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="bank_batches")
    message_id = models.CharField(max_length=35, unique=True)
    currency = models.CharField(max_length=5)
    orders_count = models.PositiveIntegerField()
    total_minor = models.BigIntegerField()
    sealed_file = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(total_minor__gt=0, orders_count__gt=0), name="bank_batch_pays_something"
            ),
            models.CheckConstraint(
                condition=Q(sent_by__isnull=True, sent_at__isnull=True)
                | Q(sent_by__isnull=False, sent_at__isnull=False),
                name="sent_bank_batch_says_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def total(self) -> Decimal:
        return from_minor(self.total_minor, self.currency)

    @property
    def file(self) -> bytes:
        return crypto.decrypt(bytes(self.sealed_file), purpose=ORIGINAL_PURPOSE)


class BankOrder(HasState, AmountMixin):
    """A payment that leaves by bank wire, under our reference, which is its EndToEndId."""

    TRANSITIONS = {"state": ORDER_TRANSITIONS}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="bank_orders", db_index=False)
    reference = models.CharField(max_length=35)
    is_refund = models.BooleanField(default=False)
    sealed_party = models.BinaryField(help_text=_("Holder and account, encrypted"))
    party_label = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=OrderState.choices, default=OrderState.WAITING)
    batch = models.ForeignKey(BankBatch, on_delete=models.PROTECT, null=True, related_name="orders")
    failure = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("send_bank_orders", "May make payment files for the bank and mark them as sent")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "reference"], name="one_bank_order_per_reference"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="bank_order_is_positive"),
            models.CheckConstraint(
                condition=Q(state=OrderState.WAITING, batch__isnull=True)
                | Q(state__in=[OrderState.SETTLED, OrderState.RETURNED])
                | Q(batch__isnull=False),
                name="bank_order_waits_or_is_in_a_file",
            ),
        ]
        indexes = [
            models.Index(fields=["psp", "currency", "id"], name="bank_orders_to_send", condition=Q(state="waiting")),
            models.Index(F("psp").asc(), F("id").desc(), name="bank_orders_by_psp"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def party(self) -> dict[str, str]:
        party: dict[str, str] = json.loads(crypto.decrypt(bytes(self.sealed_party), purpose=PARTY_PURPOSE))
        return party
