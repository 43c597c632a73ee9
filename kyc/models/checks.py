"""The checks that ran on documents, and what they found."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from kyc.choices import RUN_TRANSITIONS, IssueCode, RunState, Severity
from kyc.models.documents import Document

ATTEMPTS_MAX = 3


class CheckRun(HasState):
    """One run of the check pipeline on a document: which version, how long, how it ended."""

    TRANSITIONS = {"state": RUN_TRANSITIONS}

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.RUNNING)
    version = models.CharField(max_length=20, help_text="Of the pipeline")
    engine = models.CharField(max_length=60, blank=True, help_text="What read the text, e.g. 'tesseract 5.5.4 mrz'")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    measures = models.JSONField(default=dict, help_text="Sharpness, brightness and other figures without personal data")
    details_sealed = models.BinaryField(null=True, help_text="Found and expected per issue, under the client's key")
    results = models.JSONField(
        default=list, help_text="Each check's verdict, reason, confidence and place, without what was read"
    )
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["document", "-id"], name="runs_by_document")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | ~Q(state="running") & Q(finished_at__isnull=False),
                name="finished_run_has_an_end",
            ),
            models.UniqueConstraint(
                fields=["document"], condition=Q(state="running"), name="one_running_check_per_document"
            ),
        ]

    def __str__(self) -> str:
        return f"Check {self.pk} of document {self.document_id}"


class Issue(models.Model):
    """One thing a check found: what, how sure, and where on the page (fractions of its width and height)."""

    run = models.ForeignKey(CheckRun, on_delete=models.CASCADE, related_name="issues")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="issues")
    code = models.CharField(max_length=20, choices=IssueCode.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    score = models.FloatField(help_text="0 to 1: how sure the check is")
    # Which field of the registration it concerns, e.g. 'last_name'; the values themselves are sealed in the run.
    field = models.CharField(max_length=30, blank=True)
    page = models.PositiveSmallIntegerField(default=1)
    box = ArrayField(models.FloatField(), size=4, null=True, help_text="left, top, width, height")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="issue_score_is_a_fraction"),
            models.UniqueConstraint(fields=["run", "code", "field"], name="a_run_names_an_issue_once_per_field"),
        ]

    def __str__(self) -> str:
        return f"{self.code} on document {self.document_id}"
