"""What a human reads about a client, in one stream."""

from __future__ import annotations

from django.db import models

from clients.choices import TimelineKind
from clients.models.client import Client
from crm.i18n.localized_text import texts_for_reader
from crm.models import User


class TimelineEntry(models.Model):
    """What a human reads: calls, mails, notes, stages, documents, payments, trades in one stream. Not proof: audit is."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="timeline", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=TimelineKind.choices)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    url = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)
    # An event that is delivered twice is one entry.
    dedupe_key = models.CharField(max_length=120, blank=True)
    is_visible_to_client = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["client", "-at", "-id"], name="timeline_by_client")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "dedupe_key"], condition=~models.Q(dedupe_key=""), name="timeline_tells_a_thing_once"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def reading(self) -> dict[str, str]:
        """Title and body in the reader's language, where it was written in that."""
        return texts_for_reader(self.data.get("said", {}), self.title, self.body)

    @property
    def for_client(self) -> dict[str, str]:
        """Return title and body as the client reads them. Entries of earlier versions hold the client's language of that day."""
        return self.data.get("for_client") or self.reading
