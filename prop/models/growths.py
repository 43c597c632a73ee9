"""Steps of scaling: a funded account that met its version's terms gets a bigger balance, approved by two people."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import GROWTH_TRANSITIONS, GrowthState
from prop.models.challenges import PhaseAccount
from prop.models.merges import AccountMerge
from prop.models.programmes import HUNDRED, MONEY, PERCENT
from trading.models import BalanceOperation

FIGURES = ["phase_account", "number", "size", "amount", "split", "profit_total", "proposed_at"]


class AccountGrowth(HasState):
    """A step by which a funded account grows: put in by a balance operation, in force once the platform confirmed it.

    size: before the step. profit_total: the account's whole profit when it was proposed, from which the next step counts.
    split: the trader's share from this step on; None leaves it. merge: set where the account grew by another one's size.
    """

    TRANSITIONS = {"state": GROWTH_TRANSITIONS}

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="growths")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=GrowthState.choices, default=GrowthState.PROPOSED)
    size = models.DecimalField(**MONEY)
    amount = models.DecimalField(**MONEY)
    split = models.DecimalField(**PERCENT, null=True)
    profit_total = models.DecimalField(**MONEY)
    proposed_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="account_growth")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    merge = models.OneToOneField(
        AccountMerge, on_delete=models.PROTECT, null=True, related_name="growth", help_text="The merge that it is of"
    )
    operation = models.OneToOneField(BalanceOperation, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(name="growth_figures_stay", fields=FIGURES),
            pgtrigger.Protect(name="growth_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["phase_account", "number"], name="growths_of_an_account_are_numbered"),
            models.UniqueConstraint(
                fields=["phase_account"],
                condition=Q(state__in=["proposed", "sending"]),
                name="one_open_growth_per_funded_account",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, size__gt=0), name="growth_adds_something"),
            models.CheckConstraint(
                condition=Q(split__isnull=True) | Q(split__gt=0, split__lte=HUNDRED), name="growth_split_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="growth_is_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "rejected"], operation__isnull=True)
                | Q(state__in=["sending", "booked", "failed"], operation__isnull=False),
                name="approved_growth_has_its_operation",
            ),
        ]

    def __str__(self) -> str:
        return f"growth {self.amount}"

    def get_absolute_url(self) -> str:
        return f"/prop/scaling/{self.pk}/" if self.merge_id is None else f"/prop/merges/{self.merge_id}/"
