"""The daily work on a client: calls, notes with their history, follow-ups."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.db import models
from django.utils import timezone

from clients.choices import CallDirection, CallOutcome
from clients.models.client import Client
from crm.models import User
from crm.models.audit import append_only

REMIND_BEFORE_MINUTES_MAX = 7 * 24 * 60


class Call(models.Model):
    """One phone call, as the agent logged it. Facts about the past: never changed."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="calls", db_index=False)
    agent = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calls", db_index=False)
    direction = models.CharField(max_length=8, choices=CallDirection.choices, default=CallDirection.OUTBOUND)
    outcome = models.CharField(max_length=16, choices=CallOutcome.choices)
    started_at = models.DateTimeField()
    duration_seconds = models.PositiveIntegerField(default=0)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-started_at"], name="calls_by_client"),
            models.Index(fields=["agent", "-started_at"], name="calls_by_agent"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(duration_seconds__lte=86400), name="call_lasts_a_day_at_most")
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} · {self.client_id}"


class Note(models.Model):
    """A remark on a client. Its words are in NoteVersion, which only grows; `body` repeats the latest version."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="notes", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()
    is_pinned = models.BooleanField(default=False)
    version = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["client", "-id"], name="notes_by_client"),
            models.Index(fields=["client"], name="notes_pinned", condition=models.Q(is_pinned=True)),
        ]

    def __str__(self) -> str:
        return self.body[:60]


# A client's erasure alone blanks the words.
ERASED_ALONE = """
IF TG_OP = 'UPDATE' AND NEW.body = 'Erased'
  AND (NEW.id, NEW.note_id, NEW.number, NEW.author_id, NEW.at) = (OLD.id, OLD.note_id, OLD.number, OLD.author_id, OLD.at)
  AND EXISTS (SELECT FROM clients_note n JOIN crm_subjectkey k ON k.client_id = n.client_id
    WHERE n.id = OLD.note_id AND k.wrapped IS NULL)
THEN RETURN NEW; END IF;
RAISE EXCEPTION 'note_version is append-only: write a new row instead';
"""


class NoteVersion(models.Model):
    """A note's text at a time. The database refuses to change or delete one."""

    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    body = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["note_id", "-number"]
        constraints = [models.UniqueConstraint(fields=["note", "number"], name="note_version_has_its_own_number")]
        triggers = [
            pgtrigger.Trigger(
                name="note_version_no_change",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=ERASED_ALONE,
            ),
            *append_only("note_version")[1:],
        ]

    def __str__(self) -> str:
        return f"{self.note_id} v{self.number}"


class Task(models.Model):
    """Something to do for a client at a time: a follow-up, a call back."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    title = models.CharField(max_length=160)
    due_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    times_snoozed = models.PositiveSmallIntegerField(default=0)
    # Minutes before it is due at which the reminder comes; empty: as the assignee has chosen for all.
    remind_before_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    # When it was due before the calendar moved it, for as long as that can be undone.
    moved_from = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(
                fields=["assignee", "due_at", "id"], name="tasks_open", condition=models.Q(done_at__isnull=True)
            ),
            models.Index(fields=["assignee", "-done_at"], name="tasks_done", condition=models.Q(done_at__isnull=False)),
            models.Index(fields=["client", "due_at"], name="tasks_by_client"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True, done_by__isnull=True)
                | models.Q(done_at__isnull=False, done_by__isnull=False),
                name="done_task_says_who_and_when",
            ),
            models.CheckConstraint(condition=~models.Q(title=""), name="task_has_a_title"),
            models.CheckConstraint(
                condition=models.Q(remind_before_minutes__lte=REMIND_BEFORE_MINUTES_MAX),
                name="task_reminds_a_week_before_at_most",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_overdue(self, now: dt.datetime | None = None) -> bool:
        return self.done_at is None and self.due_at < (now or timezone.now())
