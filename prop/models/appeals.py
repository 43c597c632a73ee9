"""Appeals of traders: against a breach, an ending for a forbidden style or a refused payout, once, decided by somebody else."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from crm.db.states import HasState
from crm.models import User, WorkItem
from crm.security import crypto
from prop.choices import APPEAL_TRANSITIONS, AppealState, StageState
from prop.models.challenges import PhaseAccount
from prop.models.payouts import ChallengePayout

FILED = ["phase_account", "payout", "refused_by", "reason_sealed", "filed_at"]


class Appeal(HasState):
    """A trader's appeal against the breach of an account or its ending for a forbidden style or, where `payout` is set, against a
    payout that was refused.

    The trader's reason and the answer are kept under the client's own key. refused_by: who refused the payout or ended the account.
    """

    TRANSITIONS = {"state": APPEAL_TRANSITIONS}

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="appeals")
    payout = models.OneToOneField(ChallengePayout, on_delete=models.PROTECT, null=True, related_name="appeal")
    refused_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=AppealState.choices, default=AppealState.OPEN)
    reason_sealed = models.BinaryField()
    filed_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="challenge_appeal")
    answer_sealed = models.BinaryField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("decide_appeal", "May decide appeals against breaches and refused payouts of challenges")]
        triggers = [
            pgtrigger.ReadOnly(name="appeal_stays_as_filed", fields=FILED),
            pgtrigger.Protect(name="appeal_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["phase_account"], condition=Q(payout__isnull=True), name="one_appeal_per_lost_account"
            ),
            models.CheckConstraint(
                condition=Q(state="open", answer_sealed__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="open") & Q(answer_sealed__isnull=False, decided_by__isnull=False, decided_at__isnull=False),
                name="decided_appeal_has_an_answer",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(refused_by__isnull=True) | ~Q(decided_by=F("refused_by")),
                name="appeal_is_decided_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"Appeal {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/prop/appeals/{self.pk}/"

    @property
    def about(self) -> str:
        """What it is against: the rule that was breached, or a payout."""
        if self.payout_id is not None:
            return gettext("Refused payout")
        if self.phase_account.state == StageState.ENDED:
            return gettext("Ended for a forbidden style")
        return str(self.phase_account.breaches.all()[0].get_rule_display())

    @property
    def reason(self) -> str:
        """The trader's own words; empty after an erasure."""
        return self._opened(self.reason_sealed)

    @property
    def answer(self) -> str:
        """What the trader was answered; empty before the decision and after an erasure."""
        return self._opened(self.answer_sealed)

    def _opened(self, sealed: bytes | memoryview | None) -> str:
        if not sealed:
            return ""
        try:
            return crypto.decrypt_for_client(self.phase_account.challenge.client_id, sealed).decode()
        except crypto.KeyDestroyed:
            return ""
