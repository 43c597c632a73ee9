"""Releases of economic figures, around which the news rule allows no deals."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.models import Brand, User


class NewsRelease(models.Model):
    """One release of a brand's economic calendar. It is never changed: one that is moved is removed and entered again."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    title = models.CharField(max_length=120)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(
                name="release_stays_as_entered", fields=["brand", "at", "currency", "title", "made_by", "created_at"]
            ),
            pgtrigger.Protect(name="release_is_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "at", "currency", "title"],
                condition=Q(removed_at__isnull=True),
                name="release_is_entered_once",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="removed_release_says_by_whom",
            ),
        ]
        indexes = [models.Index(fields=["brand", "at"], name="releases_of_a_brand")]

    def __str__(self) -> str:
        return f"{self.currency} {self.title}"
