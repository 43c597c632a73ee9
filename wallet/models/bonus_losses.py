"""Credit that a chargeback took away, by the dispute that took it; and proposals about it once the dispute is won."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from crm.money.amounts import Money
from wallet.models.bonus import BonusGrant
from wallet.models.disputes import Dispute
from wallet.models.ledger import Journal


class BonusLoss(models.Model):
    """The credit of one bonus that one taking of a deposit's money cost (a dispute, and which time it took)."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="bonus_losses")
    dispute_round = models.PositiveSmallIntegerField(help_text=_("Number of the bank's debit in this dispute, from 1"))
    grant = models.ForeignKey(BonusGrant, on_delete=models.PROTECT, related_name="losses")
    amount_minor = models.BigIntegerField(help_text=_("In the currency of the bonus"))
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="bonus_loss")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispute", "dispute_round", "grant"], name="a_chargeback_takes_from_a_bonus_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="lost_bonus_is_positive"),
            models.CheckConstraint(condition=Q(dispute_round__gt=0), name="lost_bonus_says_which_time"),
        ]
        triggers = append_only("bonusloss")

    def __str__(self) -> str:
        return f"{self.grant} {self.money}"

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.grant.currency)


class BonusProposal(ApprovalMixin):
    """One person says what becomes of credit that a won dispute had cost; another one agrees, and only then it is held again."""

    loss = models.ForeignKey(BonusLoss, on_delete=models.PROTECT, related_name="proposals")
    restores = models.BooleanField(help_text=_("No: the credit isn't restored"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("bonus_proposal"),
            ApprovalMixin.one_open("loss", name="one_bonus_proposal_at_a_time"),
            models.UniqueConstraint(
                fields=["loss"], condition=Q(state=ApprovalState.APPROVED), name="a_lost_bonus_is_decided_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.loss)
