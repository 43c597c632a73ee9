"""Payouts of funded challenges: the trader's part of the profit, and how far its money is."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import PAYOUT_TRANSITIONS, PayoutState
from prop.models.challenges import Challenge, PhaseAccount
from prop.models.programmes import HUNDRED, MONEY, PERCENT
from trading.models import BalanceOperation
from wallet.models import Journal

FIGURES = ["challenge", "phase_account", "currency", "profit", "split", "amount", "refund", "requested_on"]


class ChallengePayout(HasState):
    """The trader's part of a funded account's profit: reviewed by two people, taken off the account, paid into the wallet.

    profit: taken off the trading account. amount: the trader's part by the split. refund: the fee, with the first payout.
    requested_on: the server day from which the next one is counted.
    """

    TRANSITIONS = {"state": PAYOUT_TRANSITIONS}

    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="payouts")
    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="payouts", db_index=False)
    state = models.CharField(max_length=9, choices=PayoutState.choices, default=PayoutState.REQUESTED)
    currency = models.CharField(max_length=5)
    profit = models.DecimalField(**MONEY)
    split = models.DecimalField(**PERCENT)
    amount = models.DecimalField(**MONEY)
    refund = models.DecimalField(**MONEY, default=0)
    request_key = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    requested_on = models.DateField(help_text="By the clock of the trading server")
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="challenge_payout")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    operation = models.OneToOneField(BalanceOperation, on_delete=models.PROTECT, null=True, related_name="+")
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("pay_challenge", "May review payouts of funded challenges")]
        triggers = [
            pgtrigger.ReadOnly(name="payout_figures_stay", fields=FIGURES),
            pgtrigger.Protect(name="payout_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["phase_account", "request_key"], name="one_challenge_payout_per_request"),
            models.UniqueConstraint(
                fields=["phase_account"],
                condition=Q(state__in=["requested", "sending"]),
                name="one_open_payout_per_funded_account",
            ),
            models.UniqueConstraint(
                fields=["challenge"],
                condition=Q(refund__gt=0, state__in=["requested", "sending", "paid"]),
                name="challenge_fee_is_refunded_once",
            ),
            models.CheckConstraint(
                condition=Q(profit__gt=0, amount__gt=0, amount__lte=F("profit"), refund__gte=0),
                name="challenge_payout_is_part_of_the_profit",
            ),
            models.CheckConstraint(
                condition=Q(split__gt=0, split__lte=HUNDRED), name="challenge_payout_split_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="requested") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="challenge_payout_is_decided_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "rejected"], operation__isnull=True, journal__isnull=True)
                | Q(state__in=["sending", "failed"], operation__isnull=False, journal__isnull=True)
                | Q(state="paid", operation__isnull=False, journal__isnull=False),
                name="challenge_payout_is_credited_after_it_left_the_account",
            ),
        ]

    def __str__(self) -> str:
        return f"payout {self.amount} {self.currency}"

    def get_absolute_url(self) -> str:
        return f"/prop/payouts/{self.pk}/"
