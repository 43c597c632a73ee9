"""How far work has come that is done once for each day."""

from django.db import models


class DayMark(models.Model):
    """Every day up to `done_to` is done, for one task and what it is done for."""

    task = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    done_to = models.DateField()

    class Meta:
        ordering = ["task", "subject"]
        constraints = [models.UniqueConstraint(fields=["task", "subject"], name="one_day_mark_per_task_and_subject")]

    def __str__(self) -> str:
        return f"{self.task} {self.subject}: {self.done_to}"
