"""Who agreed to be shown on the leaderboard of a brand's programmes, and under which name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from clients.models import Client
from prop.choices import ShownAs


class LeaderboardConsent(models.Model):
    """A trader's consent, until it is withdrawn: then the row is gone. A nickname is kept under the client's own key.

    nickname_mark: a keyed hash by which a nickname is used once in a brand.
    """

    client = models.OneToOneField(Client, on_delete=models.PROTECT, related_name="leaderboard_consent")
    shown_as = models.CharField(max_length=8, choices=ShownAs.choices)
    nickname_sealed = models.BinaryField(null=True)
    nickname_mark = models.CharField(max_length=64, null=True, unique=True)
    agreed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(shown_as="nickname", nickname_sealed__isnull=False, nickname_mark__isnull=False)
                | Q(shown_as="name", nickname_sealed__isnull=True, nickname_mark__isnull=True),
                name="leaderboard_consent_has_its_nickname",
            )
        ]

    def __str__(self) -> str:
        return f"leaderboard consent of {self.client_id}"
