"""Bought challenges, the trading account of each phase, its days, and the breach that ended it."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User, WorkItem
from crm.security import crypto
from prop.choices import CHALLENGE_TRANSITIONS, STAGE_TRANSITIONS, ChallengeState, Rule, StageState
from prop.models.programmes import MONEY, Coupon, ProgrammePhase, ProgrammeSize, ProgrammeVersion
from trading.models import TradingAccount, TradingServer
from wallet.models import Journal


class Challenge(HasState):
    """A challenge that a client bought. It keeps its version, its price and the journal that paid for it."""

    TRANSITIONS = {"state": CHALLENGE_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="challenges", db_index=False)
    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="challenges")
    size = models.ForeignKey(ProgrammeSize, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=ChallengeState.choices, default=ChallengeState.ACTIVE)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, null=True, related_name="challenges")
    currency = models.CharField(max_length=5)
    balance = models.DecimalField(**MONEY, help_text="Starting balance of its accounts")
    price = models.DecimalField(**MONEY, help_text="What was paid, after the discount")
    discount = models.DecimalField(**MONEY, default=0)
    request_key = models.CharField(max_length=60)
    payment = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="+")
    bought_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True, help_text="Since when a pause is open: its fee was charged back")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        permissions = [
            ("view_challenge", "May see clients' challenges"),
            ("decide_challenge", "May approve a passed phase of a challenge"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "request_key"], name="one_challenge_per_request"),
            models.CheckConstraint(
                condition=Q(price__gt=0, discount__gte=0, balance__gt=0), name="challenge_was_paid_for"
            ),
            models.CheckConstraint(
                condition=Q(discount=0, coupon__isnull=True) | Q(discount__gt=0, coupon__isnull=False),
                name="challenge_discount_has_its_coupon",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="challenges_of_a_client"),
            models.Index(fields=["brand", "state", "-id"], name="challenges_by_state"),
        ]

    def __str__(self) -> str:
        return f"Challenge {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/prop/challenges/{self.pk}/"


class PhaseAccount(HasState):
    """The trading account on which a phase is traded. `judged` is the judge's own state, `judged_until` how far it has read."""

    TRANSITIONS = {"state": STAGE_TRANSITIONS}

    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    phase = models.ForeignKey(ProgrammePhase, on_delete=models.PROTECT, related_name="+", db_index=False)
    attempt = models.PositiveSmallIntegerField(default=1)
    account = models.OneToOneField(TradingAccount, on_delete=models.PROTECT, related_name="challenge_phase")
    state = models.CharField(max_length=8, choices=StageState.choices, default=StageState.OPENING)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="challenge_phase")
    idle_days = models.PositiveSmallIntegerField(
        default=0, help_text="Server days from a breach until it was reversed: they don't count against its trader"
    )
    growth = models.DecimalField(**MONEY, default=0, help_text="What scaling added to its starting balance")
    judged = models.JSONField(default=dict)
    judged_until = models.DateTimeField(null=True)
    # A sample with this balance, within these limits (minor units) and before this instant (ms) only moves the day's extremes.
    quiet_balance = models.BigIntegerField(null=True)
    quiet_floor = models.BigIntegerField(null=True)
    quiet_ceiling = models.BigIntegerField(null=True)
    quiet_until = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["challenge_id", "id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["challenge", "phase", "attempt"], name="one_account_per_phase_and_attempt"),
            models.UniqueConstraint(
                fields=["challenge"],
                condition=Q(state__in=["opening", "running"]),
                name="one_phase_of_a_challenge_runs_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="opening", started_at__isnull=True, ended_at__isnull=True)
                | Q(state="running", started_at__isnull=False, ended_at__isnull=True)
                | Q(
                    state__in=["review", "passed", "rejected", "breached", "expired", "ended"],
                    started_at__isnull=False,
                    ended_at__isnull=False,
                ),
                name="phase_account_says_when_it_ran",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["review", "passed", "rejected"]) | Q(work__isnull=False),
                name="reached_target_is_a_work_item",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["opening", "running"]), name="phase_accounts_that_run")
        ]

    def __str__(self) -> str:
        return f"{self.challenge_id}/{self.phase_id}/{self.attempt}"

    @property
    def size(self) -> Decimal:
        """What the percentages of its rules are of: the starting balance and what scaling added to it."""
        return self.challenge.balance + self.growth

    def get_absolute_url(self) -> str:
        return f"/prop/challenges/{self.challenge_id}/"


class ChallengeDay(models.Model):
    """What an account was on one day of its server: figures of the day, not of the calendar here."""

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="days", db_index=False)
    day = models.DateField(help_text="By the clock of the trading server")
    opening_balance = models.DecimalField(**MONEY)
    opening_equity = models.DecimalField(**MONEY)
    closing_balance = models.DecimalField(**MONEY)
    closing_equity = models.DecimalField(**MONEY)
    lowest_equity = models.DecimalField(**MONEY)
    highest_equity = models.DecimalField(**MONEY)
    trades = models.PositiveIntegerField(default=0)
    checkpoint = models.JSONField(null=True, help_text="The judge's state before the day began, to judge it again from")

    class Meta:
        ordering = ["phase_account_id", "day"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["phase_account", "day"], name="one_row_per_account_and_server_day"),
            models.CheckConstraint(
                condition=Q(lowest_equity__lte=models.F("highest_equity")),
                name="lowest_equity_is_not_above_the_highest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phase_account_id} {self.day}"


class EquityMinute(models.Model):
    """What is kept of an account's samples in one minute: enough to judge it again. See `prop/judge/kept.py`."""

    phase_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="minutes", db_index=False)
    minute = models.DateTimeField()
    samples = ArrayField(
        models.BigIntegerField(null=True),
        help_text="Time (ms), balance, equity and lowest reported equity of each, in minor units",
    )
    deals = models.JSONField(default=dict, help_text="Time and net amount of each deal as it was judged, by its ticket")

    class Meta:
        ordering = ["phase_account_id", "minute"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["phase_account", "minute"], name="one_row_of_samples_per_account_and_minute"
            ),
            models.CheckConstraint(condition=Q(samples__len__gt=0), name="minute_has_samples"),
        ]
        indexes = [models.Index(fields=["minute"], name="samples_by_their_age")]

    def __str__(self) -> str:
        return f"{self.phase_account_id} {self.minute}"


class EquityRound(models.Model):
    """One reading of a server's challenge accounts: a sample of each, in arrays ordered by account. Deleted once judged."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    accounts = ArrayField(models.BigIntegerField(), help_text="Phase accounts")
    balances = ArrayField(models.BigIntegerField(), help_text="In minor units")
    equities = ArrayField(models.BigIntegerField(), help_text="Without credit, in minor units")
    is_checked = models.BooleanField(default=False, help_text="Whoever it says something of was judged beyond it")

    class Meta:
        ordering = ["server_id", "at", "id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(accounts__len__gt=0)
                & Q(balances__len=models.F("accounts__len"))
                & Q(equities__len=models.F("accounts__len")),
                name="round_has_a_sample_of_each_account",
            )
        ]
        indexes = [models.Index(fields=["server", "at"], name="rounds_of_a_server")]

    def __str__(self) -> str:
        return f"{self.server_id} {self.at}"


class Breach(models.Model):
    """Why an account was closed, with its evidence. Append-only; one per account that counts: a reversed one lets go of it."""

    judged_account = models.ForeignKey(PhaseAccount, on_delete=models.PROTECT, related_name="breaches")
    phase_account = models.OneToOneField(
        PhaseAccount,
        on_delete=models.PROTECT,
        null=True,
        related_name="breach",
        help_text="The account that it ended; none once it was reversed",
    )
    rule = models.CharField(max_length=16, choices=Rule.choices)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    balance = models.DecimalField(**MONEY)
    equity = models.DecimalField(**MONEY)
    threshold = models.DecimalField(max_digits=20, decimal_places=8)
    evidence = models.JSONField(help_text="Samples before and after, deals, and the figures that the rule compared")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(name="breach_stays", exclude=["phase_account"]),
            pgtrigger.Protect(name="breach_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase_account__isnull=True) | Q(phase_account=models.F("judged_account")),
                name="breach_counts_for_its_own_account",
            )
        ]

    def __str__(self) -> str:
        return f"{self.judged_account_id}: {self.rule}"

    def get_absolute_url(self) -> str:
        return f"/prop/challenges/{self.judged_account.challenge_id}/"

    @property
    def is_of_money(self) -> bool:
        """Whether the threshold is an amount, not days, lots or a leverage."""
        return self.rule in (Rule.DAILY_LOSS, Rule.MAX_LOSS)


class StyleEnding(models.Model):
    """Why a person ended an account: the forbidden styles that were confirmed on it, as they were found then. Append-only.

    The person's reason is kept under the client's own key.
    """

    phase_account = models.OneToOneField(PhaseAccount, on_delete=models.PROTECT, related_name="style_ending")
    findings = models.JSONField(help_text="Each with its style, and what the trader reads of its evidence")
    reason_sealed = models.BinaryField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [pgtrigger.Protect(name="style_ending_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.phase_account_id}: forbidden style"

    @property
    def reason(self) -> str:
        """Why the person ended it; empty after an erasure."""
        try:
            return crypto.decrypt_for_client(self.phase_account.challenge.client_id, bytes(self.reason_sealed)).decode()
        except crypto.KeyDestroyed:
            return ""


class ChallengeReset(models.Model):
    """A second try at the phase that was lost, one for each lost account: bought at the version's reset price, or appealed for."""

    lost = models.OneToOneField(PhaseAccount, on_delete=models.PROTECT, related_name="reset")
    price = models.DecimalField(**MONEY)
    payment = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="+")
    appeal = models.OneToOneField("prop.Appeal", on_delete=models.PROTECT, null=True, related_name="reset")
    bought_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(price__gt=0, payment__isnull=False, appeal__isnull=True)
                | Q(price=0, payment__isnull=True, appeal__isnull=False),
                name="reset_was_paid_for_or_appealed_for",
            )
        ]
        triggers = [pgtrigger.Protect(name="reset_stays", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"reset of {self.lost_id}"


class Certificate(models.Model):
    """What a trader shows of a passed phase or a funded account. Its number is the address at which anybody can verify it."""

    phase_account = models.OneToOneField(PhaseAccount, on_delete=models.PROTECT, related_name="certificate")
    number = models.CharField(max_length=16, unique=True)
    shows_name = models.BooleanField(default=False, help_text="The trader agreed that the address shows their name")
    issued_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.number
