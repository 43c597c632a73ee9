"""What routing counts: how much each agent had today, whose turn it is by each rule, and how far a pool was gone through."""

from __future__ import annotations

from django.db import models

from crm.models import Brand, User
from leads.models.rules import RoutingRule


class AgentCount(models.Model):
    """How many leads an agent was given on their newest day, in the agent's own time zone. Its row is the agent's lock.

    Written by `leads.distribution.turns` only. Another day than `day` has had none yet.
    """

    agent = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="+")
    day = models.DateField()
    given = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["agent_id"]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}: {self.given}"


class RuleTurn(models.Model):
    """Where an agent stands in a rule's order: the lowest position is next, and each lead moves it on by the agent's stride.

    `served_at`: the position at the agent's newest turn. Whoever was away goes on from there, and doesn't catch up.
    """

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="turns", db_index=False)
    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.BigIntegerField(default=0)
    served_at = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["rule_id", "agent_id"]
        constraints = [models.UniqueConstraint(fields=["rule", "agent"], name="one_turn_per_rule_and_agent")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.agent_id}: {self.position}"


class PoolPass(models.Model):
    """How far a brand's waiting leads were gone through, oldest first: the next pass goes on behind this lead."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, primary_key=True, related_name="+")
    after_lead = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["brand_id"]

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.after_lead}"
