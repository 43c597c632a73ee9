"""Reports that PSPs announced, from the message to the import; and overdue ones."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from wallet.choices.reconciliation import REPORT_TRANSITIONS, ReportState
from wallet.models.psp import Psp
from wallet.models.settlements import SettlementImport

OF_A_DAY = (ReportState.MISSING, ReportState.CAME)


class AnnouncedReport(HasState):
    """A report under the name that the PSP gave it. An overdue one has a day instead, and a name of ours."""

    TRANSITIONS = {"state": REPORT_TRANSITIONS}
    FIRST_STATES = {"state": {ReportState.WAITING, ReportState.MISSING}}

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="announced_reports", db_index=False)
    kind = models.CharField(max_length=20, help_text=_("Report type, as defined by the adapter"))
    name = models.CharField(max_length=160)
    address = models.CharField(max_length=500, blank=True, help_text=_("Download address given by the PSP"))
    day = models.DateField(null=True, help_text=_("For a missing report: the day it should cover"))
    announced_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReportState.choices, default=ReportState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)
    report = models.ForeignKey(SettlementImport, on_delete=models.PROTECT, null=True, related_name="announcements")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["psp", "name"], name="a_report_is_announced_once"),
            models.CheckConstraint(
                condition=Q(state=ReportState.WAITING, due_at__isnull=False)
                | (~Q(state=ReportState.WAITING) & Q(due_at__isnull=True)),
                name="a_report_that_waits_is_due",
            ),
            models.CheckConstraint(
                condition=Q(state=ReportState.IMPORTED, report__isnull=False)
                | (~Q(state=ReportState.IMPORTED) & Q(report__isnull=True)),
                name="an_imported_report_is_there",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OF_A_DAY, day__isnull=False) | (~Q(state__in=OF_A_DAY) & Q(day__isnull=True)),
                name="a_missing_report_is_of_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["psp", "-id"], name="announced_reports_by_psp"),
            models.Index(fields=["due_at", "id"], name="announced_reports_due", condition=Q(state=ReportState.WAITING)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Does somebody have to look at it?"""
        return self.state in ReportState.needs_somebody()

    @property
    def can_be_fetched(self) -> bool:
        return self.can_move_to(ReportState.WAITING)
