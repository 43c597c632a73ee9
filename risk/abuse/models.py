"""Episodes of abuse, what they rest on, and what is kept to judge deals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.db.partitions import partitioned_by_month
from crm.db.states import HasState, Transitions
from crm.models import Brand, User, WorkItem
from crm.models.approvals import ApprovalMixin
from risk.abuse.choices import EPISODE_TRANSITIONS, Abuse, EpisodeState, Handling, Lost, Measure
from trading.models import AccountType, TradingAccount, TradingServer

partitioned_by_month("risk_tick")


class Tick(models.Model):
    """A price around a deal, as the platform reported it: kept only to judge deals, and only for a while.

    Prices are floats: statistics are made of millions of them, and no money.
    """

    pk = models.CompositePrimaryKey("server_id", "symbol", "at_ms", "at")
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+", db_index=False)
    symbol = models.CharField(max_length=32)
    at_ms = models.BigIntegerField()
    at = models.DateTimeField()
    bid = models.FloatField()
    ask = models.FloatField()

    class Meta:
        managed = False  # the partitioned table is in risk/sql/ticks.sql
        db_table = "risk_tick"

    def __str__(self) -> str:
        return f"{self.symbol} {self.at_ms}"


class ScoredTo(models.Model):
    """Up to which deal everything has been judged: one row."""

    deal_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_mark_of_scored_deals")]

    def __str__(self) -> str:
        return str(self.deal_id)


class PairCount(models.Model):
    """How often two accounts opened within seconds of one another: who is worth comparing trade by trade."""

    first = models.ForeignKey(TradingAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(TradingAccount, on_delete=models.CASCADE, related_name="+", db_index=True)
    times = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["last_at"], name="pair_counts_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="a_pair_is_counted_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="pair_is_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}"


class AbuseEpisode(HasState):
    """Suspected abuse of a kind by an account, or by several together: a work item with its evidence.

    `stake` is in the brand's base currency; `facts` are the figures of its sentence. An open one is extended by what follows.
    """

    TRANSITIONS: ClassVar[Mapping[str, Transitions]] = {"state": EPISODE_TRANSITIONS}

    kind = models.CharField(max_length=12, choices=Abuse.choices)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    accounts = ArrayField(models.BigIntegerField(), help_text="Ids of the accounts involved, ascending")
    state = models.CharField(max_length=10, choices=EpisodeState.choices, default=EpisodeState.OPEN)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="abuse_episode")
    score = models.DecimalField(max_digits=4, decimal_places=3)
    stake = models.DecimalField(max_digits=20, decimal_places=2)
    facts = models.JSONField(default=dict)
    first_at = models.DateTimeField(help_text="Opening of the first evidence trade")
    last_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    lost = models.CharField(
        max_length=8, choices=Lost.choices, blank=True, help_text="Why its evidence no longer holds"
    )
    handling = models.CharField(max_length=20, choices=Handling.choices, blank=True, help_text="What was decided to do")
    reason = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_abuseepisode", gettext_noop("May decide episodes of suspected abuse"))]
        indexes = [
            models.Index(fields=["client", "-id"], name="episodes_of_a_client"),
            models.Index(fields=["-stake", "-id"], name="episodes_by_stake"),
            models.Index(fields=["id"], name="episodes_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "accounts"], condition=Q(state="open"), name="one_open_episode_per_kind_and_accounts"
            ),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="episode_score_is_a_share"),
            models.CheckConstraint(condition=Q(stake__gte=0), name="episode_stake_is_not_negative"),
            models.CheckConstraint(condition=Q(first_at__lte=F("last_at")), name="episode_is_in_order"),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True, reason="")
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="decided_episode_says_who_when_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/risk/abuse/{self.pk}/"


class EpisodeParty(models.Model):
    """An account of an episode and whose it was: who sees the client sees the episode."""

    episode = models.ForeignKey(AbuseEpisode, on_delete=models.CASCADE, related_name="parties")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="abuse_parties")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["episode", "account"], name="account_is_in_an_episode_once")]

    def __str__(self) -> str:
        return f"{self.episode_id} {self.account_id}"


class EpisodeTrade(models.Model):
    """An evidence trade by the deal that opened it, with that deal's revision of then: an edit afterwards is seen."""

    episode = models.ForeignKey(AbuseEpisode, on_delete=models.CASCADE, related_name="trades", db_index=False)
    place = models.PositiveSmallIntegerField()
    deal_id = models.BigIntegerField(help_text="Deals are partitioned: no foreign key")
    opened_at = models.DateTimeField()
    revision = models.SmallIntegerField(default=0)

    class Meta:
        ordering = ["episode_id", "place"]
        constraints = [models.UniqueConstraint(fields=["episode", "place"], name="evidence_has_its_place")]
        indexes = [models.Index(fields=["deal_id"], name="episodes_of_a_deal")]

    def __str__(self) -> str:
        return f"{self.episode_id} {self.deal_id}"


class AbuseMeasure(ApprovalMixin):
    """A measure against a client of confirmed abuse: proposed by one person, carried out when another approves it."""

    episode = models.ForeignKey(AbuseEpisode, on_delete=models.PROTECT, related_name="measures")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="abuse_measures")
    kind = models.CharField(max_length=12, choices=Measure.choices)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    account_type = models.ForeignKey(AccountType, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("abuse_measure"),
            ApprovalMixin.one_open(
                "client", "kind", "account", name="one_open_measure_of_a_kind", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(kind=Measure.TYPE, account__isnull=False, account_type__isnull=False)
                | ~Q(kind=Measure.TYPE) & Q(account__isnull=True, account_type__isnull=True),
                name="type_of_a_measure_is_of_an_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.client}"
