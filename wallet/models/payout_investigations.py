"""Results of payouts that no message of the PSP settles, as people investigated them."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import Money
from wallet.choices.withdrawals import FindingKind
from wallet.models.bonus import BonusGrant
from wallet.models.bonus_losses import BonusLoss, BonusProposal
from wallet.models.ledger import Journal
from wallet.models.withdrawals import Withdrawal


class PayoutFinding(ApprovalMixin):
    """The result of a payout, as one person learnt it from the PSP or the bank; another person books it."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=10, choices=FindingKind.choices)
    amount_minor = models.BigIntegerField(help_text=_("Amount returned; otherwise the amount to be paid"))
    psp_reference = models.CharField(max_length=100, blank=True, help_text=_("Reference assigned by the PSP or bank"))
    fee_returned_minor = models.BigIntegerField(default=0, db_default=0, help_text=_("Our fee, if it is returned too"))
    restores_bonus = models.BooleanField(
        default=False, db_default=False, help_text=_("Restores the credit that the payout removed")
    )
    terms_reason = models.CharField(
        max_length=300,
        blank=True,
        db_default="",
        help_text=_("Reason for departing from the brand's default for fee or bonus"),
    )
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="payout_finding")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("payout_finding"),
            ApprovalMixin.one_open("withdrawal", name="one_payout_finding_at_a_time"),
            models.UniqueConstraint(
                fields=["withdrawal"],
                condition=Q(state=ApprovalState.APPROVED, kind=FindingKind.CAME_BACK),
                name="a_payout_comes_back_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_finding_is_positive"),
            models.CheckConstraint(
                condition=Q(fee_returned_minor__gte=0)
                & (Q(kind=FindingKind.CAME_BACK) | Q(fee_returned_minor=0, restores_bonus=False)),
                name="only_what_came_back_returns_fee_or_bonus",
            ),
            models.CheckConstraint(
                condition=Q(kind=FindingKind.NOT_PAID) | ~Q(psp_reference=""), name="moved_money_has_a_number"
            ),
            models.CheckConstraint(
                condition=~Q(state=ApprovalState.APPROVED) | Q(journal__isnull=False), name="approved_finding_is_booked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.withdrawal}: {self.get_kind_display()}"

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.withdrawal.currency)

    @property
    def fee_returned(self) -> Money:
        return Money.of_minor(self.fee_returned_minor, self.withdrawal.currency)


# What a won dispute gives back is what it took, and the bank does not have the money (again) at that moment.
GIVEN_AGAIN_AS_IT_WAS_TAKEN = """
IF NOT EXISTS (SELECT 1 FROM wallet_bonusloss l JOIN wallet_dispute d ON d.id = l.dispute_id
  WHERE l.id = NEW.loss_id AND l.grant_id = NEW.grant_id AND l.amount_minor = NEW.amount_minor
    AND d.state = 'won' AND d.taken_minor = 0) OR (NEW.proposal_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM wallet_bonusproposal p WHERE p.id = NEW.proposal_id AND p.loss_id = NEW.loss_id
    AND p.state = 'approved' AND p.restores)) THEN
  RAISE EXCEPTION 'a won dispute restores what it took, while its money is back'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'a_won_dispute_restores_what_it_took';
END IF;
RETURN NEW;
"""


class BonusRestoration(models.Model):
    """Credit of one bonus that was taken away and restored: its payment came back, or its dispute was won.

    proposal: by which two people decided on what a dispute took; none where the brand's rule did.
    """

    finding = models.ForeignKey(PayoutFinding, on_delete=models.PROTECT, null=True, related_name="restorations")
    loss = models.OneToOneField(BonusLoss, on_delete=models.PROTECT, null=True, related_name="restoration")
    proposal = models.OneToOneField(BonusProposal, on_delete=models.PROTECT, null=True, related_name="restoration")
    grant = models.ForeignKey(BonusGrant, on_delete=models.PROTECT, related_name="restorations")
    amount_minor = models.BigIntegerField(help_text=_("In the currency of the bonus"))
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="bonus_restoration")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["finding", "grant"], name="a_finding_restores_a_bonus_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="restored_bonus_is_positive"),
            models.CheckConstraint(
                condition=Q(finding__isnull=False, loss__isnull=True, proposal__isnull=True)
                | Q(finding__isnull=True, loss__isnull=False),
                name="restored_bonus_has_one_cause",
            ),
        ]
        triggers = [
            *append_only("bonusrestoration"),
            pgtrigger.Trigger(
                name="given_again_as_it_was_taken",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__loss__isnull=False),
                func=GIVEN_AGAIN_AS_IT_WAS_TAKEN,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant} {self.money}"

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.grant.currency)
