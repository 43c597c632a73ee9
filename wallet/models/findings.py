"""What people found out about a payout that no message of its PSP settles."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.money import Money
from wallet.choices import FindingKind, RequestState
from wallet.models.ledger import Journal
from wallet.models.periods import FourEyesMixin
from wallet.models.withdrawals import Withdrawal


class PayoutFinding(FourEyesMixin):
    """How a payment to a client really ended, as one person learnt it from the PSP or the bank; another person books it."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=10, choices=FindingKind.choices)
    amount_minor = models.BigIntegerField(help_text=_("What came back; else what was to be paid"))
    psp_reference = models.CharField(max_length=100, blank=True, help_text=_("The PSP's or bank's number of it"))
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="payout_finding")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *FourEyesMixin.constraints("payout_finding"),
            models.UniqueConstraint(
                fields=["withdrawal"], condition=Q(state=RequestState.WAITING), name="one_payout_finding_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["withdrawal"], condition=Q(state=RequestState.APPROVED, kind=FindingKind.CAME_BACK),
                name="a_payout_comes_back_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_finding_is_positive"),
            models.CheckConstraint(
                condition=Q(kind=FindingKind.NOT_PAID) | ~Q(psp_reference=""), name="moved_money_has_a_number"
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.APPROVED) | Q(journal__isnull=False), name="approved_finding_is_booked"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.withdrawal}: {self.get_kind_display()}"

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.withdrawal.currency)
