"""The levels clients reached, and what lists know of their documents."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client, SideFacts
from kyc.models.documents import Document


class LevelReached(models.Model):
    """A client reached a KYC level: written once per level, so that the event behind it is published once."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="kyc_levels")
    level = models.PositiveSmallIntegerField()
    reached_at = models.DateTimeField()
    # The approval that made it so; None for what was taken over from elsewhere.
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["client_id", "level"]
        constraints = [
            models.UniqueConstraint(fields=["client", "level"], name="a_client_reaches_a_level_once"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="kyc_level_is_from_one_to_five"),
        ]

    def __str__(self) -> str:
        return f"Client {self.client_id} level {self.level}"


class KycFacts(SideFacts):
    """When a client last sent a document. Written by `kyc.subscribers.keep_the_facts`."""

    last_document_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["last_document_at"], name="facts_by_last_document")]
