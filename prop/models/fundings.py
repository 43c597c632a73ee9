"""Starting balances that a platform refused as often as they are sent without a person."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import FUNDING_TRANSITIONS, FundingState
from prop.models.challenges import PhaseAccount
from trading.models import BalanceOperation


class FundingFailure(HasState):
    """An account that waits for a person: its balance is sent again, or it is closed without. operation: the last refused one."""

    TRANSITIONS = {"state": FUNDING_TRANSITIONS}

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="funding_failures")
    operation = models.OneToOneField(BalanceOperation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=FundingState.choices, default=FundingState.OPEN)
    attempts = models.PositiveSmallIntegerField(help_text="How often the platform had refused it")
    failed_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="funding_failure")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(
                name="funding_failure_stays_as_found", fields=["phase_account", "operation", "attempts", "failed_at"]
            ),
            pgtrigger.Protect(name="funding_failure_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["phase_account"], condition=Q(state="open"), name="one_open_funding_failure_per_account"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="funding_failure_is_decided_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"funding of {self.phase_account_id}"

    def get_absolute_url(self) -> str:
        return self.phase_account.get_absolute_url()
