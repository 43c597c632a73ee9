"""The tables that decide: what a lead is worth, who gets it, and when people are at work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Coalesce
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from crm.conditions import always
from crm.models import Book, Brand, Desk, User
from leads.choices import NoAgent, OffShift, RuleKind, Strategy


class ScoreRule(models.Model):
    """Points for one property of a lead, from a day to a day. A lead is scored by the rules of the day."""

    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="score_rules",
        help_text=_("Empty: all brands"),
    )
    name = models.CharField(max_length=80, help_text=_("Shown to the agent next to the points"))
    kind = models.CharField(max_length=10, choices=RuleKind.choices)
    parameters = models.JSONField(default=dict, blank=True, help_text=_("e.g. countries, is, from, to, at_least"))
    points = models.SmallIntegerField(help_text=_("-100 to 100; for campaign quality, the points at quality 10"))
    valid_from = models.DateField(default=dt.date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day on which the rule no longer applies"))
    history = HistoricalRecords()
    # Of the segments that it asks for, as far as its reader sees them (`leads.queries.named_score_rules`).
    segment_names: Mapping[int, str] = MappingProxyType({})

    class Meta:
        ordering = ["brand_id", "kind", "name", "valid_from"]
        permissions = [("manage_rules", "May change scoring and routing rules")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(points__gte=-100, points__lte=100), name="score_rule_points_are_within_a_hundred"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="score_rule_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="score_rule_has_one_version_a_day",
                expressions=[
                    (Coalesce(F("brand_id"), Value(0)), RangeOperators.EQUAL),
                    (F("name"), RangeOperators.EQUAL),
                    (
                        Func(F("valid_from"), F("valid_to"), function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def segment_ids(self) -> list[int]:
        """The segments that it asks for."""
        return list(self.parameters.get("segments", ()))

    @property
    def values_text(self) -> str:
        """The rule's values for a table: codes, hours of the day, or from how many on."""
        values = self.parameters
        if self.kind == RuleKind.HOUR:
            return f"{values.get('from', 0)}:00–{values.get('to', 24)}:00"
        if self.kind == RuleKind.REPEAT:
            return f"≥ {values.get('at_least', 2)}"
        if self.kind == RuleKind.DEPOSIT:
            return f"≥ {values.get('at_least', 0)}"
        if self.kind == RuleKind.FIELD:
            wanted = f"≥ {values['at_least']}" if "at_least" in values else ", ".join(values.get("values", []))
            return f"{values.get('field', '')}: {wanted}"
        if "days" in values:
            return _now("≥ %(count)s in %(days)s days") % {"count": values["at_least"], "days": values["days"]}
        segments = [self.segment_names.get(pk, f"#{pk}") for pk in self.segment_ids]
        listed = values.get("countries") or values.get("sources") or values.get("experience") or segments
        return ", ".join(map(str, listed or [values.get("is", "")]))


class RoutingRule(models.Model):
    """Which desk gets which leads, and how it shares them. The first matching rule with an agent available decides."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="routing_rules")
    position = models.PositiveSmallIntegerField(default=100, help_text=_("Rules are tried in ascending order"))
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    condition = models.JSONField(default=always, blank=True, help_text="Which leads, as crm.conditions stores it")
    # What happens to a lead that fits.
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="routing_rules")
    pool = models.ForeignKey(
        Book,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where leads wait that no agent gets; empty: the desk's pool",
    )
    agents = models.ManyToManyField(
        User,
        blank=True,
        related_name="+",
        help_text=_("Only these agents of the desk; empty: all agents who accept leads"),
    )
    strategy = models.CharField(max_length=14, choices=Strategy.choices, default=Strategy.ROUND_ROBIN)
    weights = models.JSONField(default=dict, blank=True, help_text="Shares by agent id, from 1 to 100; others have 1")
    needs_language = models.BooleanField(default=True, help_text=_("Only agents who speak the lead's language"))
    off_shift = models.CharField(max_length=8, choices=OffShift.choices, default=OffShift.WAIT)
    no_agent = models.CharField(max_length=4, choices=NoAgent.choices, default=NoAgent.NEXT)
    sla_seconds = models.PositiveIntegerField(
        default=900, help_text=_("Leads without first contact within this time are reassigned; 0: never")
    )
    history = HistoricalRecords(m2m_fields=[agents])

    class Meta:
        ordering = ["brand_id", "position", "id"]

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """Hours in which an agent works, on a day of the week, in the agent's zone. What no shifts mean, the brand's policy says."""

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(help_text=_("0 is Monday"))
    starts = models.TimeField()
    ends = models.TimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["agent_id", "weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="shift_ends_after_it_starts"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="shift_is_on_a_weekday"),
            models.UniqueConstraint(fields=["agent", "weekday", "starts"], name="shift_starts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_day()} {self.starts:%H:%M}–{self.ends:%H:%M}"

    def get_day(self) -> str:
        return str(WEEKDAYS_ABBR[self.weekday])


class Absence(models.Model):
    """Days on which an agent takes no leads, first and last included, in the agent's own time zone."""

    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="absences")
    starts_on = models.DateField()
    ends_on = models.DateField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["agent_id", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="absence_ends_after_it_starts"
            ),
            ExclusionConstraint(
                name="absences_of_an_agent_do_not_overlap",
                expressions=[
                    ("agent", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_on"),
                            F("ends_on"),
                            Value("[]"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m-%d} – {self.ends_on:%Y-%m-%d}"
