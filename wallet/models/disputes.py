"""Disputes: a payer's bank asks about a deposit, or takes (part of) it back; and what we answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User
from wallet.choices.disputes import DISPUTE_OPEN, DISPUTE_TRANSITIONS, DisputeState
from wallet.models.ledger import Journal
from wallet.models.payments import AmountMixin, Deposit
from wallet.models.psp import Psp


class Dispute(HasState, AmountMixin):
    """One dispute of one deposit, as its PSP numbers it. The amount may be a part of the deposit."""

    TRANSITIONS = {"state": DISPUTE_TRANSITIONS}
    FIRST_STATES = {"state": {DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE}}

    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="disputes")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    psp_dispute_id = models.CharField(max_length=100)
    state = models.CharField(max_length=14, choices=DisputeState.choices, default=DisputeState.INQUIRY)
    reason = models.CharField(max_length=120, blank=True, help_text=_("As given by the bank"))
    taken_minor = models.BigIntegerField(default=0, help_text=_("Amount debited by the bank and not returned"))
    rounds = models.PositiveSmallIntegerField(default=0, help_text=_("Number of debits by the bank"))
    chargeback = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="dispute")
    opened_at = models.DateTimeField()
    evidence_due_at = models.DateTimeField(null=True)
    evidence_key = models.CharField(max_length=40, blank=True, help_text=_("Encrypted evidence file"))
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    evidence_bytes = models.PositiveIntegerField(default=0)
    evidence_text = models.TextField(blank=True, help_text=_("Our statement"))
    evidence_made_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reminded_on = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("answer_dispute", "May answer disputes and accept their loss")]
        constraints = [
            models.UniqueConstraint(fields=["psp", "psp_dispute_id"], name="each_dispute_of_a_psp_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_is_about_something"),
            models.CheckConstraint(
                condition=Q(taken_minor=0) | Q(taken_minor__gt=0, chargeback__isnull=False),
                name="taken_money_has_a_journal",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DISPUTE_OPEN, closed_at__isnull=True)
                | ~Q(state__in=DISPUTE_OPEN) & Q(closed_at__isnull=False),
                name="decided_dispute_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=DisputeState.SUBMITTED) | Q(submitted_at__isnull=False) & ~Q(evidence_key=""),
                name="submitted_dispute_has_its_evidence",
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "-id"], name="disputes_by_brand"),
            models.Index(fields=["client", "-id"], name="disputes_by_client"),
            models.Index(fields=["evidence_due_at"], name="disputes_to_answer", condition=Q(state__in=DISPUTE_OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self.deposit.reference} · {self.psp_dispute_id}"

    @property
    def is_open(self) -> bool:
        return self.state in DISPUTE_OPEN
