"""What agents did per day, what was to be expected of them, alerts, decisions and the watchlist.

No content of calls or mails, no ranking of people: counts, and how far a day is from the person's own habit.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from crm.db.states import HasState
from crm.models import Brand, Desk, User
from crm.models.audit import append_only
from monitoring.anomalies.models import Anomaly, ServiceSlot
from monitoring.choices import ALERT_TRANSITIONS, AlertState, Feature, Severity, Verdict, WatchKind
from monitoring.history.models import HistoryFile
from monitoring.reviewing.models import ConfirmationProposal, Escalation, Explanation

__all__ = [
    "AgentDay",
    "Alert",
    "Anomaly",
    "Baseline",
    "Calibration",
    "ConfirmationProposal",
    "DayScore",
    "Decision",
    "Escalation",
    "Explanation",
    "HistoryFile",
    "ServiceSlot",
    "Watch",
]


class AgentDay(models.Model):
    """Counts of one agent on one day of the agent's own time zone, from the access log."""

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="monitored_days", db_index=False)
    day = models.DateField()
    views = models.PositiveIntegerField(default=0)
    clients = models.PositiveIntegerField(default=0)
    busiest_hour = models.PositiveIntegerField(default=0)
    searches = models.PositiveIntegerField(default=0)
    outside_views = models.PositiveIntegerField(default=0)
    outside_clients = models.PositiveIntegerField(default=0)
    dormant_views = models.PositiveIntegerField(default=0)
    reveals = models.PositiveIntegerField(default=0)
    reveals_without_call = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    lists = models.PositiveIntegerField(default=0)
    list_rows = models.PositiveIntegerField(default=0)
    outside_silent = models.PositiveIntegerField(default=0)
    silent_clients = models.PositiveIntegerField(default=0)
    odd_hours = models.PositiveSmallIntegerField(default=0)
    new_clients = models.PositiveIntegerField(default=0)
    one_owner = models.PositiveIntegerField(default=0)
    high_value_outside = models.PositiveIntegerField(default=0)
    high_value_clients = models.PositiveIntegerField(default=0)
    money_looks = models.PositiveIntegerField(default=0)
    revealed_clients = models.PositiveIntegerField(default=0)
    reveals_outside = models.PositiveIntegerField(default=0)
    prints = models.PositiveIntegerField(default=0)
    answered_calls = models.PositiveIntegerField(default=0)
    short_calls = models.PositiveIntegerField(default=0)
    calls_without_record = models.PositiveIntegerField(default=0)
    repeat_calls = models.PositiveIntegerField(default=0)
    new_devices = models.PositiveIntegerField(default=0)
    new_countries = models.PositiveIntegerField(default=0)
    new_networks = models.PositiveIntegerField(default=0)
    second_devices = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    steady_pace = models.PositiveIntegerField(default=0)
    fast_steps = models.PositiveIntegerField(default=0)
    sequential = models.PositiveIntegerField(default=0)
    edits = models.PositiveIntegerField(default=0)
    edits_outside = models.PositiveIntegerField(default=0)
    one_partner = models.PositiveIntegerField(default=0)
    left_after_looks = models.PositiveIntegerField(default=0)
    no_result = models.PositiveIntegerField(default=0)
    reached_before = models.PositiveIntegerField(default=0)
    exports = models.PositiveIntegerField(default=0)
    export_rows = models.PositiveBigIntegerField(default=0)
    downloads = models.PositiveIntegerField(default=0)
    off_hours = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0, help_text=_("Exports and reveals refused by a limit on access"))
    hours = models.IntegerField(default=0, help_text=_("Hours with any action, one bit each, in the agent's time zone"))
    active_hours = models.PositiveSmallIntegerField(default=0, help_text=_("Different hours with any action"))
    addresses = models.PositiveSmallIntegerField(default=0, help_text=_("Different IP addresses"))
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    is_excluded = models.BooleanField(default=False, help_text=_("Confirmed misuse: excluded from baselines"))

    class Meta:
        ordering = ["agent_id", "day"]
        constraints = [models.UniqueConstraint(fields=["agent", "day"], name="one_row_per_agent_and_day")]
        indexes = [models.Index(fields=["day", "agent"], name="agent_days_by_day")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}"


class Baseline(models.Model):
    """One agent's habit in one feature: decayed sums from which rate and overdispersion follow. See `monitoring.engine.scoring`.

    These are statistics, so they are floats. `slow_*` remember about two months, `fast_*` about a week.
    """

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="baselines", db_index=False)
    feature = models.CharField(max_length=24, choices=Feature.choices)
    slow_count = models.FloatField(default=0)
    slow_hours = models.FloatField(default=0)
    fast_count = models.FloatField(default=0)
    fast_hours = models.FloatField(default=0)
    spread = models.FloatField(default=0, help_text=_("Sum of (x − μ)² − μ"))
    spread_weight = models.FloatField(default=0, help_text=_("Sum of μ²"))
    days = models.FloatField(default=0)
    drift = models.FloatField(
        default=0, help_text=_("How far above the habit for weeks, in standard deviations added up")
    )
    through = models.DateField(help_text=_("Last day included"))

    class Meta:
        ordering = ["agent_id", "feature"]
        constraints = [models.UniqueConstraint(fields=["agent", "feature"], name="one_baseline_per_agent_and_feature")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.feature}"


class DayScore(models.Model):
    """How unusual an agent's day was: per feature what was expected, per family and in all how probable.

    Arrays follow `signals.FEATURES`, `signals.FAMILIES` and `scoring.LANES`. A probability is that of a day at least as busy as
    this one for this person on such a day; small is unusual.
    """

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="day_scores", db_index=False)
    day = models.DateField()
    expected = ArrayField(models.FloatField())
    dispersion = ArrayField(models.FloatField())
    feature_p = ArrayField(models.FloatField())
    slow_mean = ArrayField(models.FloatField(), default=list)
    lane_p = ArrayField(models.FloatField(), default=list)
    omnibus = models.FloatField(default=1)
    family_p = ArrayField(models.FloatField())
    probability = models.FloatField()
    is_final = models.BooleanField(default=False, help_text=_("The day is complete and included"))
    scored_at = models.DateTimeField()

    class Meta:
        ordering = ["agent_id", "day"]
        constraints = [
            models.UniqueConstraint(fields=["agent", "day"], name="one_score_per_agent_and_day"),
            models.CheckConstraint(condition=Q(probability__gte=0, probability__lte=1), name="score_is_a_probability"),
        ]
        indexes = [models.Index(fields=["day", "agent"], name="day_scores_by_day")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}: {self.probability:.2g}"


class Calibration(models.Model):
    """The tail of a lane's scores (a family over a window, or all) on the company's own past: it falls off with `scale`."""

    family = models.CharField(max_length=32, help_text=_("A family and window such as reach:5, or overall"))
    fitted_on = models.DateField()
    threshold = models.FloatField(help_text=_("−log₁₀ p exceeded by 2 % of days"))
    scale = models.FloatField()
    agent_days = models.PositiveIntegerField()

    class Meta:
        ordering = ["family", "-fitted_on"]
        constraints = [
            models.UniqueConstraint(fields=["family", "fitted_on"], name="one_calibration_per_family_and_day"),
            models.CheckConstraint(condition=Q(scale__gt=0), name="calibration_scale_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.family} {self.fitted_on}"


class Alert(HasState):
    """An agent's day that stands out from the agent's own baseline, or breaks a rule. One per agent and day."""

    TRANSITIONS = {"state": ALERT_TRANSITIONS}

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="alerts")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=AlertState.choices, default=AlertState.OPEN)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    probability = models.FloatField()
    rules = ArrayField(models.CharField(max_length=16), default=list)
    reasons = models.JSONField(
        default=list, help_text=_("Codes with figures; `monitoring.reasons` turns them into text")
    )
    score = models.FloatField(default=0, help_text=_("How far the day stands out; days compete by it"))
    last_day = models.DateField(null=True, help_text=_("Last day of the case, where further days followed"))
    was_watched = models.BooleanField(default=False)
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text=_("When it should be reviewed, in the brand's working hours"))
    updated_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("decide_alert", gettext_noop("May review and decide alerts about agents")),
            ("view_baselines", gettext_noop("May see agents' baselines")),
            ("see_agent_names", gettext_noop("May see agents' names in monitoring instead of pseudonyms")),
            ("manage_watchlist", gettext_noop("May manage the agent watchlist")),
            ("offboard_agents", gettext_noop("May hand over what leavers leave behind and confirm their offboarding")),
            ("limit_agents", gettext_noop("May limit agents' exports, reveals and view of contact details for a time")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["agent", "day"], name="one_alert_per_agent_and_day"),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("agent")), name="nobody_reviews_their_own_alert"
            ),
            models.CheckConstraint(
                condition=~Q(state="in_review") | Q(reviewer__isnull=False), name="alert_in_review_has_a_reviewer"
            ),
            models.CheckConstraint(
                condition=Q(state="decided", decided_at__isnull=False)
                | (~Q(state="decided") & Q(decided_at__isnull=True)),
                name="decided_alert_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["desk", "-id"], name="alerts_by_desk"),
            models.Index(fields=["state", "-id"], name="alerts_by_state", condition=~Q(state="decided")),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.day}"

    def get_absolute_url(self) -> str:
        return f"/monitoring/alerts/{self.pk}/"


class Decision(models.Model):
    """What a reviewer decided about an alert, and why. Never changed; a second thought is a second decision."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="decisions")
    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    text = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = append_only("alert_decision")
        constraints = [
            models.CheckConstraint(condition=~Q(reviewer=F("agent")), name="nobody_decides_on_themselves"),
            models.CheckConstraint(condition=~Q(text=""), name="decision_says_why"),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.CONFIRMED)
                | Q(second__isnull=False) & ~Q(second=F("reviewer")) & ~Q(second=F("agent")),
                name="confirmed_misuse_has_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.verdict}"


class DateRange(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


class WatchQuerySet(models.QuerySet["Watch"]):
    def on(self, day: dt.date) -> WatchQuerySet:
        """Those that held on a day, also where they were ended after it: a day may be closed late."""
        still_held = Q(ended_at__isnull=True) | Q(ended_at__date__gt=day)
        return self.filter(still_held, from_on__lte=day, to_on__gte=day)


class Watch(models.Model):
    """A person to watch more closely for a time: while it holds, less is needed for an alert."""

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="watches")
    kind = models.CharField(max_length=12, choices=WatchKind.choices)
    from_on = models.DateField()
    to_on = models.DateField()
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(to_on__gte=F("from_on")), name="watch_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(made_by=F("agent")), name="nobody_watches_themselves"),
            ExclusionConstraint(
                name="one_watch_per_agent_at_a_time",
                expressions=[
                    ("agent", RangeOperators.EQUAL),
                    (DateRange(F("from_on"), F("to_on"), Value("[]")), RangeOperators.OVERLAPS),
                ],
                condition=Q(ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.kind}"
