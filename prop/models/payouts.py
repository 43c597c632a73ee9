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

# Over a challenge and all that were merged with it, one after another. Payouts of a client are written one at a time (the client's
# lock), so adding up is enough.
REFUNDED_ONCE = """
IF (
  WITH RECURSIVE whose(id) AS (
    SELECT NEW.challenge_id
    UNION SELECT other.challenge_id FROM whose w
    JOIN prop_phaseaccount own ON own.challenge_id = w.id
    JOIN prop_accountmerge m ON m.state = 'merged' AND own.id IN (m.kept_id, m.closed_id)
    JOIN prop_phaseaccount other ON other.id = CASE WHEN own.id = m.kept_id THEN m.closed_id ELSE m.kept_id END
  )
  SELECT (SELECT sum(p.refund) FROM prop_challengepayout p JOIN whose w ON w.id = p.challenge_id
          WHERE p.state IN ('requested', 'sending', 'paid'))
       > (SELECT sum(c.price) FROM prop_challenge c JOIN whose w ON w.id = c.id)
) THEN
  RAISE EXCEPTION 'a fee is refunded once' USING ERRCODE = 'check_violation', CONSTRAINT = 'challenge_fee_is_refunded_once';
END IF;
RETURN NULL;
"""
FIGURES = ["challenge", "phase_account", "currency", "profit", "split", "amount", "refund", "requested_on"]


class ChallengePayout(HasState):
    """The trader's part of a funded account's profit: reviewed by two people, taken off the account, paid into the wallet.

    profit: taken off the trading account. amount: the trader's part by the split. refund: the fee, with the first payout, and
    those of challenges merged into it.
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
            pgtrigger.Trigger(
                name="challenge_fee_is_refunded_once",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__refund__gt=0),
                func=REFUNDED_ONCE,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["phase_account", "request_key"], name="one_challenge_payout_per_request"),
            models.UniqueConstraint(
                fields=["phase_account"],
                condition=Q(state__in=["requested", "sending"]),
                name="one_open_payout_per_funded_account",
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
