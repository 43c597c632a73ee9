"""Merges of two funded accounts of a trader: the one is closed, and the other grows by its size."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import MERGE_TRANSITIONS, MergeProblem, MergeState
from prop.models.challenges import PhaseAccount
from prop.models.programmes import MONEY
from trading.models import BalanceOperation

FIGURES = ["kept", "closed", "size", "amount", "request_key", "requested_by", "requested_at"]
OPEN = ["requested", "closing", "sending"]


class AccountMerge(HasState):
    """A merge, reviewed by two people. size: of the kept account before it; amount: of the closed one, which it adds.

    stopped_at: since when trading on the closed account is known to be off on the platform.
    """

    TRANSITIONS = {"state": MERGE_TRANSITIONS}

    kept = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="merges")
    closed = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="merged_into")
    state = models.CharField(max_length=9, choices=MergeState.choices, default=MergeState.REQUESTED)
    size = models.DecimalField(**MONEY)
    amount = models.DecimalField(**MONEY)
    request_key = models.CharField(max_length=60)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="account_merge")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    operation = models.OneToOneField(BalanceOperation, on_delete=models.PROTECT, null=True, related_name="+")
    problem = models.CharField(max_length=8, choices=MergeProblem.choices, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(name="merge_figures_stay", fields=FIGURES),
            pgtrigger.Protect(name="merge_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kept", "request_key"], name="one_merge_per_request"),
            models.UniqueConstraint(
                fields=["kept"], condition=Q(state__in=OPEN), name="one_open_merge_per_kept_account"
            ),
            models.UniqueConstraint(
                fields=["closed"], condition=Q(state__in=[*OPEN, "merged"]), name="account_is_merged_into_one_other"
            ),
            models.CheckConstraint(condition=~Q(kept=F("closed")), name="account_is_not_merged_into_itself"),
            models.CheckConstraint(condition=Q(amount__gt=0, size__gt=0), name="merge_adds_something"),
            models.CheckConstraint(
                condition=Q(state="requested", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="requested") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="merge_is_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "closing", "rejected"], operation__isnull=True)
                | Q(state__in=["sending", "merged"], operation__isnull=False, stopped_at__isnull=False)
                | Q(state="failed"),
                name="balance_is_raised_after_trading_stopped",
            ),
            models.CheckConstraint(
                condition=Q(state="failed") & ~Q(problem="") | ~Q(state="failed") & Q(problem=""),
                name="failed_merge_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"merge {self.amount}"

    def get_absolute_url(self) -> str:
        return f"/prop/merges/{self.pk}/"
