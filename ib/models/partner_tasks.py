"""What partner managers have to do for a partner, and by when."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models import User
from ib.models.partners import Partner


class PartnerTask(models.Model):
    """Something that a member of staff does for a partner by a day: a call, a contract to renew."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    title = models.CharField(max_length=160)
    due_on = models.DateField(help_text="By the brand's calendar")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    result = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [
            models.Index(fields=["partner", "due_on"], name="partner_tasks_by_partner"),
            models.Index(fields=["due_on", "id"], name="partner_tasks_by_day"),
            models.Index(fields=["assignee", "due_on"], name="partner_tasks_open", condition=Q(done_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="partner_task_has_a_title"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True, result="")
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="done_partner_task_says_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/ib/tasks/{self.pk}/"
