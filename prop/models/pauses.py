"""Challenges that are paused because the deposit behind their fee was charged back."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from prop.choices import PAUSE_TRANSITIONS, PauseState
from prop.models.challenges import Challenge
from prop.models.programmes import MONEY
from wallet.models import Dispute, Journal


class ChallengePause(HasState):
    """A pause, decided by a person: resumed once the payment is settled, or the challenge ends.

    chargeback: the booking that the wallet didn't cover. uncovered: by how much, in the currency of the deposit.
    """

    TRANSITIONS = {"state": PAUSE_TRANSITIONS}

    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="pauses")
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="+", db_index=False)
    chargeback = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=7, choices=PauseState.choices, default=PauseState.OPEN)
    uncovered = models.DecimalField(**MONEY)
    currency = models.CharField(max_length=5)
    paused_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="challenge_pause")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [pgtrigger.Protect(name="pause_is_never_deleted", operation=pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["challenge", "chargeback"], name="one_pause_per_challenge_and_chargeback"),
            models.UniqueConstraint(
                fields=["challenge"], condition=Q(state="open"), name="one_open_pause_per_challenge"
            ),
            models.CheckConstraint(condition=Q(uncovered__gt=0), name="pause_has_an_uncovered_amount"),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="pause_is_decided_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"pause of {self.challenge_id}"

    def get_absolute_url(self) -> str:
        return f"/prop/pauses/{self.pk}/"
