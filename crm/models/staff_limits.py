"""Limits on what a member of staff may do for a time: who set one, why, and until when."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from crm.choices import StaffLimitKind
from crm.models.people import User


class TimeRange(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class StaffLimitQuerySet(models.QuerySet["StaffLimit"]):
    def active(self, at: dt.datetime) -> StaffLimitQuerySet:
        """Those in force at a time: begun, not ended, and not over."""
        return self.filter(ended_at__isnull=True, from_at__lte=at, until_at__gt=at)


class StaffLimit(models.Model):
    """One limit of one person. It ends at its time without anybody's help, or earlier by a decision."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="limits", db_index=False)
    kind = models.CharField(max_length=8, choices=StaffLimitKind.choices)
    per_day = models.PositiveIntegerField(null=True, help_text=_("Contacts that may be revealed each day"))
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    reference = models.CharField(
        max_length=80, blank=True, help_text="What it follows from, e.g. 'monitoring.alert:17'"
    )
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    end_reason = models.CharField(max_length=300, blank=True)

    objects = StaffLimitQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="staff_limits_of_a_person")]
        constraints = [
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="staff_limit_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(made_by=F("user")), name="nobody_limits_themselves"),
            models.CheckConstraint(condition=~Q(reason=""), name="staff_limit_says_why"),
            models.CheckConstraint(
                condition=Q(kind="reveals", per_day__isnull=False) | ~Q(kind="reveals") & Q(per_day__isnull=True),
                name="a_limit_of_reveals_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="") & ~Q(ended_by=F("user")),
                name="ended_staff_limit_says_who_and_why",
            ),
            ExclusionConstraint(
                name="one_staff_limit_of_a_kind_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    (TimeRange(F("from_at"), F("until_at")), RangeOperators.OVERLAPS),
                ],
                condition=Q(ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
