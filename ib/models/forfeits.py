"""Clients whose trades earn nobody anything: what was accrued is taken back from the whole upline, until that is lifted."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from clients.models import Client
from crm.models.approvals import ApprovalMixin
from ib.choices import ForfeitCause, VerdictKind

LIFTED_ONCE = """
IF TG_OP = 'DELETE' OR (OLD.client_id, OLD.cause, OLD.declared_at) IS DISTINCT FROM (NEW.client_id, NEW.cause, NEW.declared_at)
   OR (OLD.lifted_at IS NOT NULL AND OLD.lifted_at IS DISTINCT FROM NEW.lifted_at) OR NEW.reached_id < OLD.reached_id THEN
  RAISE EXCEPTION 'a forfeit is declared once and lifted once'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'forfeit_is_lifted_once';
END IF;
RETURN NEW;
"""


class ClientForfeit(models.Model):
    """Nobody earns from a client from the declaration on, nor from trades within the plan's clawback days before it.

    `reached_id`: the newest accrual that was looked at. Later ones are taken back before the next settlement.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=12, choices=ForfeitCause.choices)
    declared_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    reached_id = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        triggers = [
            pgtrigger.Trigger(
                name="forfeit_is_lifted_once",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=LIFTED_ONCE,
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "cause"], condition=Q(lifted_at__isnull=True), name="one_forfeit_per_client_and_cause"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("declared_at")),
                name="forfeit_is_lifted_after_it_was_declared",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.cause}"


class ReferralVerdict(ApprovalMixin):
    """A person's verdict that a client's referral is fraudulent, or that it isn't after all; in force from its approval on."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=VerdictKind.choices)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("referral_verdict"),
            ApprovalMixin.one_open("client", name="one_referral_verdict_of_a_client_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.kind}"
