"""The HR dates of a member of staff: joining, role change, notice and last day, and who confirmed that nothing is left."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from crm.models.people import User


class StaffEmployment(models.Model):
    """One row for each member of staff whose dates are known. Days are those of the person's own time zone."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="employment", primary_key=True)
    joined_on = models.DateField(null=True, blank=True)
    role_changed_on = models.DateField(null=True, blank=True)
    notice_on = models.DateField(null=True, blank=True, help_text=_("Day on which notice was given"))
    leaves_on = models.DateField(null=True, blank=True, help_text=_("Last day of work"))
    offboarded_at = models.DateTimeField(null=True, help_text=_("When it was confirmed that nothing is left"))
    offboarded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["user_id"]
        indexes = [models.Index(fields=["leaves_on"], name="staff_leaving", condition=Q(leaves_on__isnull=False))]
        constraints = [
            models.CheckConstraint(
                condition=Q(notice_on__isnull=True) | Q(leaves_on__isnull=False) & Q(leaves_on__gte=F("notice_on")),
                name="notice_names_a_last_day_after_it",
            ),
            models.CheckConstraint(
                condition=Q(joined_on__isnull=True) | Q(leaves_on__isnull=True) | Q(leaves_on__gte=F("joined_on")),
                name="last_day_is_not_before_joining",
            ),
            models.CheckConstraint(
                condition=Q(offboarded_at__isnull=True, offboarded_by__isnull=True)
                | Q(offboarded_at__isnull=False, offboarded_by__isnull=False, leaves_on__isnull=False)
                & ~Q(offboarded_by=F("user")),
                name="offboarding_is_confirmed_by_another_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    def has_given_notice(self, on: dt.date) -> bool:
        """Check whether notice was given on or before a day, or the last day has passed."""
        given = self.notice_on is not None and self.notice_on <= on
        return given or (self.leaves_on is not None and self.leaves_on < on)
