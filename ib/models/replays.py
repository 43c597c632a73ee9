"""Replays: what the commissions of a past stretch would be today, line by line, and the proposals to apply them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, Job, User
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from ib.choices import REPLAY_TRANSITIONS, Component, DifferenceCause, ReplayState
from ib.models.commissions import CommissionRun, bulk_key
from ib.models.partners import Partner


class Replay(HasState):
    """A stretch of closing times calculated again into a shadow. Days before `reached_at` are compared; a killed job goes on there.

    `deal_ids`: the deals that were found to differ. `digest`: of all lines, so that what is applied is what was seen.
    """

    TRANSITIONS = {"state": REPLAY_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="replays")
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Only deals of this partner's network"),
    )
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("Only deals of this client")
    )
    from_at = models.DateTimeField(help_text=_("Start of the deals' closing time (inclusive)"))
    to_at = models.DateTimeField(help_text=_("End of the deals' closing time (exclusive)"))
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=ReplayState.choices, default=ReplayState.RUNNING)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    starts = models.PositiveSmallIntegerField(default=1, help_text=_("Number of jobs started for it"))
    reached_at = models.DateTimeField()
    moved_at = models.DateTimeField(help_text=_("When a piece of it was last finished"))
    deal_ids = ArrayField(models.BigIntegerField(), default=list)
    lines_count = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    run = models.OneToOneField(CommissionRun, on_delete=models.PROTECT, null=True, related_name="replay")
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["brand", "-id"], name="replays_by_brand"),
            models.Index(fields=["moved_at"], condition=Q(state="running"), name="replays_that_run"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="replay_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(reached_at__gte=F("from_at"), reached_at__lte=F("to_at")),
                name="replay_reaches_its_own_days",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="replay_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="applied", run__isnull=False) | (~Q(state="applied") & Q(run__isnull=True)),
                name="applied_replay_has_its_run",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return f"/ib/replays/{self.pk}/"


class ReplayLine(models.Model):
    """One line that differs: what a partner was left with on a deal by a component, and what they would be left with today."""

    replay = models.ForeignKey(Replay, on_delete=models.PROTECT, related_name="lines", db_index=False)
    deal_id = models.BigIntegerField()
    ticket = models.BigIntegerField(help_text=_("Deal number on the platform"))
    closed_at = models.DateTimeField()
    client = bulk_key(Client)
    partner = bulk_key(Partner)
    level = models.PositiveSmallIntegerField()
    component = models.CharField(max_length=10, choices=Component.choices)
    symbol = models.CharField(max_length=32)
    currency = models.CharField(max_length=5)
    before = models.DecimalField(max_digits=20, decimal_places=8)
    after = models.DecimalField(max_digits=20, decimal_places=8)
    difference = models.DecimalField(max_digits=20, decimal_places=8)
    cause = models.CharField(max_length=12, choices=DifferenceCause.choices)
    reason_before = models.CharField(max_length=20, blank=True, help_text=_("Why nothing was paid; none: no line yet"))
    reason_after = models.CharField(max_length=20, blank=True)
    is_settled = models.BooleanField(
        help_text=_("The deal's own period is settled: the difference goes into the open one")
    )

    class Meta:
        ordering = ["id"]
        triggers = append_only("replay_line")
        constraints = [
            models.UniqueConstraint(
                fields=["replay", "deal_id", "partner", "level", "component", "currency"],
                name="one_replay_line_per_deal_partner_level_and_component",
            ),
            models.CheckConstraint(condition=Q(difference=F("after") - F("before")), name="replay_line_adds_up"),
        ]
        indexes = [models.Index(fields=["replay", "-id"], name="lines_of_a_replay")]

    def __str__(self) -> str:
        return f"deal {self.ticket} level {self.level}: {self.before} → {self.after} {self.currency}"


class ReplayProposal(ApprovalMixin):
    """The proposal to add a replay's differences to the commissions, which a second person decides."""

    replay = models.ForeignKey(Replay, on_delete=models.PROTECT, related_name="proposals")

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("replay_proposal"),
            ApprovalMixin.one_open("replay", name="one_proposal_of_a_replay_waits"),
        ]

    def __str__(self) -> str:
        return f"replay {self.replay_id}"
