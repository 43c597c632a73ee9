"""Payouts that start without a request: where a partner has them sent, and each one that was tried."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.i18n import formats
from crm.models import User
from crm.models.audit import append_only
from ib.choices import AUTOMATIC_PAYOUT_TRANSITIONS, AutomaticPayoutState, PayoutTo
from ib.models.partners import Partner
from ib.models.settlements import Payout, PayoutRequest


class PayoutInstruction(models.Model):
    """Where a partner has automatic payouts sent, as they chose with their password. The newest row counts.

    currency: that of the account or payout method; money in another one, and of partners who chose nothing, goes to the wallet.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payout_instructions", db_index=False)
    destination = models.CharField(max_length=60, help_text=_("wallet, account:<id> or bank:<PSP and method>"))
    currency = models.CharField(max_length=5, blank=True)
    sealed_details = models.BinaryField(null=True, help_text=_("Bank details, encrypted with the client's key"))
    label = models.CharField(max_length=80, blank=True, help_text=_("As people read it, masked"))
    chosen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    chosen_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("payout_instruction")
        indexes = [models.Index(fields=["partner", "-id"], name="payout_instructions_by_partner")]
        constraints = [
            models.CheckConstraint(
                condition=Q(destination=PayoutTo.WALLET, currency="", sealed_details__isnull=True)
                | (~Q(destination=PayoutTo.WALLET) & ~Q(currency="")),
                name="payout_instruction_names_its_currency",
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.destination}"


class AutomaticPayout(HasState):
    """One payout by the schedule of a partner's terms: paid, awaiting a second person, or refused with the reason.

    `due_at`: the settlement or the day that made it due; with partner and currency it is the key, so each is tried once.
    """

    TRANSITIONS = {"state": AUTOMATIC_PAYOUT_TRANSITIONS}
    FIRST_STATES = {"state": set(AutomaticPayoutState.values)}

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="automatic_payouts", db_index=False)
    currency = models.CharField(max_length=5)
    due_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    destination = models.CharField(max_length=60)
    state = models.CharField(max_length=8, choices=AutomaticPayoutState.choices)
    payout = models.OneToOneField(Payout, on_delete=models.PROTECT, null=True, related_name="automatic")
    request = models.OneToOneField(PayoutRequest, on_delete=models.PROTECT, null=True, related_name="automatic")
    refusal = models.CharField(max_length=300, blank=True, help_text=_("Why it wasn't paid"))
    tries = models.PositiveSmallIntegerField(default=1)
    tried_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["partner", "-id"], name="automatic_payouts_of_partner")]
        constraints = [
            models.UniqueConstraint(fields=["partner", "currency", "due_at"], name="each_automatic_payout_once"),
            models.UniqueConstraint(
                fields=["partner", "currency"], condition=Q(state="refused"), name="one_refused_payout_per_currency"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="automatic_payout_is_positive"),
            models.CheckConstraint(
                condition=Q(state="paid", payout__isnull=False, request__isnull=True)
                | Q(state="waiting", request__isnull=False, payout__isnull=True)
                | (Q(state__in=["refused", "closed"], payout__isnull=True, request__isnull=True) & ~Q(refusal="")),
                name="automatic_payout_says_how_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.amount} {self.currency}"

    @property
    def money(self) -> str:
        return formats.money(self.amount, self.currency)

    @property
    def place(self) -> PayoutTo:
        return PayoutTo(self.destination.partition(":")[0])
