"""Logins that people found on a platform for accounts whose opening was not answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.choices import ApprovalState
from crm.models.approvals import ApprovalMixin
from trading.models.accounts import TradingAccount


class LoginProposal(ApprovalMixin):
    """The login that an account has on its platform: found by one person, attached by another."""

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="login_proposals")
    login = models.CharField(max_length=32)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("login_proposal"),
            ApprovalMixin.one_open("account", name="one_login_for_an_account_waits"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state=ApprovalState.APPROVED), name="an_account_is_given_a_login_once"
            ),
            models.CheckConstraint(condition=~Q(login=""), name="login_proposal_names_a_login"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.login}"
