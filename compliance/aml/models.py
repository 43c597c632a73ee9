"""Tables of AML monitoring: movements, trading by day, rules with their versions, alerts with their evidence, and cases."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from clients.models import Client
from compliance.aml.choices import (
    CASE_TRANSITIONS,
    VERSION_TRANSITIONS,
    CaseState,
    MovementKind,
    MovementMethod,
    RuleAct,
    Severity,
    VersionState,
)
from crm.conditions import always
from crm.db.states import HasState
from crm.models import Brand, User, WorkItem
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only

# What a version says is fixed once it runs: what it raised was raised by these very words.
FIXED = [
    "measure",
    "parameters",
    "population",
    "threshold",
    "window_hours",
    "repeat_hours",
    "severity",
    "number",
    "rule_id",
]
NEW_ROW, OLD_ROW = (", ".join(f"{row}.{name}" for name in FIXED) for row in ("NEW", "OLD"))
VERSION_IS_FIXED = f"""
IF TG_OP = 'DELETE' OR ({NEW_ROW}) IS DISTINCT FROM ({OLD_ROW}) THEN
  RAISE EXCEPTION 'aml_version_is_fixed_once_it_runs: version % of rule % is %', OLD.number, OLD.rule_id, OLD.state
    USING ERRCODE = 'check_violation', CONSTRAINT = 'aml_version_is_fixed_once_it_runs';
END IF;
RETURN NEW;
"""


class AmlMovement(models.Model):
    """Money that moved to or from a client. Append-only, written once per source row by `compliance.aml.stream`.

    `source` names the row it came from, as in "deposit:17". `base_amount` is in the brand's base currency at the rate of its
    day. `instrument` is masked as people see it, `instrument_mark` a keyed hash that two movements share when they used the
    same one. Without foreign keys' own indexes: reads go by client and time, or by brand and time.
    """

    source = models.CharField(max_length=60, unique=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="aml_movements", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=MovementKind.choices)
    at = models.DateTimeField()
    method = models.CharField(max_length=8, choices=MovementMethod.choices)
    instrument = models.CharField(max_length=80, blank=True)
    instrument_mark = models.CharField(max_length=32, blank=True)
    is_third_party = models.BooleanField(default=False, help_text="The payer's name isn't the client's")
    is_return = models.BooleanField(default=False, help_text="Goes back to the deposit that it came from")
    currency = models.CharField(max_length=5)
    amount = models.DecimalField(max_digits=28, decimal_places=8)
    base_amount = models.DecimalField(max_digits=20, decimal_places=2)
    country = models.CharField(max_length=2, blank=True, help_text="Of residence when it moved")
    bank_country = models.CharField(
        max_length=2, blank=True, help_text="Of the bank account's IBAN; empty where there is none"
    )
    card_country = models.CharField(
        max_length=2, blank=True, db_default="", help_text="That issued the card; empty where it isn't known"
    )
    counterpart = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The other client, where money moved between two of ours",
    )
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # Rules read a year of many clients in this order: without the columns in it, that is a visit to the table per row.
            models.Index(
                fields=["client", "at"],
                include=["id", "kind", "method", "base_amount", "is_return"],
                name="aml_movements_by_client",
            ),
            models.Index(fields=["brand", "at"], name="aml_movements_by_brand"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, base_amount__gte=0), name="aml_movement_has_an_amount")
        ]
        triggers = append_only("aml_movement")

    def __str__(self) -> str:
        return self.source


class AmlMonth(models.Model):
    """What a client deposited in a calendar month (UTC), written with each movement: a client's peers are compared by it."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.DateField(help_text="Its first day")
    total = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        ordering = ["-month"]
        indexes = [models.Index(fields=["client", "month"], include=["brand", "total"], name="aml_months_by_client")]
        constraints = [
            models.UniqueConstraint(fields=["brand", "month", "client"], name="one_aml_month_per_client"),
            models.CheckConstraint(condition=Q(month__day=1), name="aml_month_is_its_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.month:%Y-%m}"


class AmlTradingDay(models.Model):
    """What a client closed on a day (UTC) on all accounts with real money; written again whenever a deal of it changes."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    trades = models.PositiveIntegerField()
    lots = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["client", "day"], name="one_aml_trading_day_per_client")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.day}"


class AmlPending(models.Model):
    """A client with new movements that the running rules haven't seen, and the first instant that is new.

    The queue and its mark in one: rows are deleted in the transaction that writes the alerts, so a crash loses nothing.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField()

    class Meta:
        ordering = ["client_id"]
        verbose_name_plural = "aml pending"

    def __str__(self) -> str:
        return str(self.client_id)


class AmlRule(models.Model):
    """A rule of a brand. What it says is in its versions."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="aml_rules")
    name = models.CharField(max_length=120)
    code = models.SlugField(max_length=40, blank=True, help_text="Of the shipped rule that it began as")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "AML rule"
        permissions = [
            ("write_amlrule", "May write AML rules and have them tried out"),
            ("approve_amlrule", "May have AML rules go live"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="aml_rule_has_its_own_name"),
            models.UniqueConstraint(
                fields=["brand", "code"], condition=~Q(code=""), name="shipped_aml_rule_once_per_brand"
            ),
        ]

    def __str__(self) -> str:
        """Name it; a shipped rule in the reader's language, from its English name."""
        return gettext(self.name) if self.code else self.name

    def get_absolute_url(self) -> str:
        return f"/aml/rules/{self.pk}/"


class AmlRuleVersion(HasState):
    """What a rule says: whom it is for, what is measured over which time, and from where on it raises an alert."""

    TRANSITIONS = {"state": VERSION_TRANSITIONS}

    rule = models.ForeignKey(AmlRule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=VersionState.choices, default=VersionState.DRAFT)
    measure = models.CharField(max_length=20)
    parameters = models.JSONField(default=dict)
    population = models.JSONField(default=always, help_text="Condition over facts of clients")
    threshold = models.DecimalField(max_digits=14, decimal_places=2)
    window_hours = models.PositiveIntegerField()
    repeat_hours = models.PositiveIntegerField(help_text="At most one alert per client in this time")
    severity = models.CharField(max_length=6, choices=Severity.choices, default=Severity.MEDIUM)
    why = models.CharField(max_length=300, help_text="Why it was written, or changed")
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    written_at = models.DateTimeField()
    shadow_since = models.DateTimeField(null=True)
    shadow_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    live_since = models.DateTimeField(null=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="aml_version_has_its_number"),
            models.UniqueConstraint(fields=["rule"], condition=Q(state="live"), name="one_live_version_per_aml_rule"),
            models.UniqueConstraint(
                fields=["rule"], condition=Q(state__in=["draft", "shadow"]), name="one_aml_version_in_the_making"
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(live_since__isnull=False, approved_by__isnull=False),
                name="live_aml_version_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="aml_version_is_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gt=0, window_hours__gt=0, repeat_hours__gt=0), name="aml_version_has_limits"
            ),
            models.CheckConstraint(
                condition=~Q(state="shadow") | Q(shadow_since__isnull=False), name="shadow_aml_version_says_since_when"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="aml_version_is_fixed_once_it_runs",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("OLD.state <> 'draft'"),
                func=VERSION_IS_FIXED,
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule} v{self.number}"

    @property
    def why_text(self) -> str:
        """Why it was written; that of a shipped rule in the reader's language."""
        return gettext(self.why) if self.rule.code else self.why


class AmlBacktest(models.Model):
    """What a version would have raised over a time, as it read then (`content_hash`)."""

    version = models.ForeignKey(AmlRuleVersion, on_delete=models.CASCADE, related_name="backtests")
    content_hash = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    alert_count = models.PositiveIntegerField()
    client_count = models.PositiveIntegerField()
    # [["2026-10-05", 4], …] by week; samples: {"client", "at", "value"}; overlap: {"rule", "version", "both"}.
    weeks = models.JSONField(default=list)
    samples = models.JSONField(default=list)
    overlap = models.JSONField(default=list)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="aml_backtest_covers_a_time")]

    def __str__(self) -> str:
        return f"{self.version} {self.start:%Y-%m-%d}"


class AmlRuleProposal(ApprovalMixin):
    """That a version goes live, or is retired: one person asks, another agrees."""

    version = models.ForeignKey(AmlRuleVersion, on_delete=models.PROTECT, related_name="proposals")
    act = models.CharField(max_length=8, choices=RuleAct.choices)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("aml_rule_proposal"),
            ApprovalMixin.one_open("version", name="one_open_proposal_per_aml_version"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.version}"


class AmlCase(HasState):
    """What somebody decides about a client: all alerts of a time together. One is open per client."""

    TRANSITIONS = {"state": CASE_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="aml_cases", db_index=False)
    state = models.CharField(max_length=12, choices=CaseState.choices, default=CaseState.OPEN)
    score = models.PositiveIntegerField(
        default=0, help_text="From severity, money and the client's risk: what comes first"
    )
    opened_at = models.DateTimeField()
    last_alert_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)
    monitor_until = models.DateField(null=True)
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", help_text="The case whose monitoring ended"
    )
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="aml_case")

    class Meta:
        ordering = ["-score", "id"]
        verbose_name = "AML case"
        permissions = [
            ("decide_amlcase", "May decide AML cases"),
            ("see_amlreports", "May see that a suspicion was reported, and report one"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="aml_cases_by_client"),
            models.Index(fields=["-score", "id"], name="aml_cases_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(state="open"), name="one_open_aml_case_per_client"),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(work__isnull=False), name="open_aml_case_is_a_work_item"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="open") & Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="decided_aml_case_says_who_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(state="monitored", monitor_until__isnull=False)
                | ~Q(state="monitored") & Q(monitor_until__isnull=True),
                name="monitored_aml_case_says_until_when",
            ),
        ]

    def __str__(self) -> str:
        return f"AML-{self.pk}"

    def get_absolute_url(self) -> str:
        return f"/aml/cases/{self.pk}/"


class AmlAlert(models.Model):
    """That a version of a rule held for a client: once per episode (a stretch of `repeat_hours`), however often it is run.

    `movement` is the one at which it held first. A shadow alert is in no case.
    """

    version = models.ForeignKey(AmlRuleVersion, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="aml_alerts", db_index=False)
    episode = models.BigIntegerField()
    is_shadow = models.BooleanField()
    movement = models.ForeignKey(AmlMovement, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=20, decimal_places=2)
    base_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, help_text="Of its evidence together")
    raised_at = models.DateTimeField()
    case = models.ForeignKey(AmlCase, on_delete=models.PROTECT, null=True, related_name="alerts", db_index=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["client", "-at"], name="aml_alerts_by_client"),
            models.Index(fields=["case", "-at"], name="aml_alerts_by_case", condition=Q(case__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "client", "episode", "is_shadow"], name="one_aml_alert_per_episode"
            ),
            models.CheckConstraint(
                condition=Q(is_shadow=False) | Q(case__isnull=True), name="shadow_alert_is_in_no_case"
            ),
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}"


class AmlEvidence(models.Model):
    """A movement behind an alert, as it was then. Never changed."""

    alert = models.ForeignKey(AmlAlert, on_delete=models.PROTECT, related_name="evidence", db_index=False)
    # Without a constraint of the database, which would look each of 200 rows up: movements are append-only, none can go.
    movement = models.ForeignKey(
        AmlMovement, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["alert", "movement"], name="aml_evidence_once_per_alert")]
        triggers = append_only("aml_evidence")

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.movement_id}"
