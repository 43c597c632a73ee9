from django.db import models

from crm.choices import JOB_TRANSITIONS, JobState
from crm.db.states import HasState


class Job(HasState):
    """Something a person asked for and waits on: an export, a PDF, an import. Run by RQ, shown with its progress."""

    TRANSITIONS = {"state": JOB_TRANSITIONS}

    kind = models.CharField(max_length=80)
    title = models.CharField(max_length=160)
    owner = models.ForeignKey("crm.User", on_delete=models.PROTECT, related_name="jobs")
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text="0 while unknown")
    message = models.CharField(max_length=300, blank=True)
    cancel_requested = models.BooleanField(default=False)
    result_name = models.CharField(max_length=160, blank=True)
    result_path = models.CharField(max_length=300, blank=True, help_text="Below PRIVATE_DIR/jobs")
    result_url = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["owner", "-id"], name="jobs_by_owner")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(total=0) | models.Q(done__lte=models.F("total")), name="job_done_is_at_most_total"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int | None:
        return None if not self.total else min(100, self.done * 100 // self.total)

    @property
    def is_open(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)
