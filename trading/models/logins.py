"""Logins that people found on a platform for accounts whose opening was not answered."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from crm.db.states import HasState
from crm.models import User
from trading.choices import DECISION_TRANSITIONS, DecisionState
from trading.models.accounts import TradingAccount


class LoginProposal(HasState):
    """The login that an account has on its platform: found by one person, attached by another."""

    TRANSITIONS = {"state": DECISION_TRANSITIONS}

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="login_proposals")
    login = models.CharField(max_length=32)
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=DecisionState.choices, default=DecisionState.WAITING)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="waiting"), name="one_login_for_an_account_waits"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="approved"), name="an_account_is_given_a_login_once"
            ),
            models.CheckConstraint(condition=~Q(login="") & ~Q(reason=""), name="proposed_login_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="withdrawn") | Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="login_is_attached_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="waiting") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="decision_on_a_login_is_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.login}"
