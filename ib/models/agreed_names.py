"""What agreements, and proposed ones, say of clients' names."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ib.agreements.choices import ClientNames


class AgreedNames(models.Model):
    """How a partner reads their clients' names by an agreement. Empty: it doesn't say; others or the brand's policy count."""

    client_names = models.CharField(max_length=8, choices=ClientNames.choices, blank=True, default="", db_default="")

    class Meta:
        abstract = True

    @classmethod
    def names_constraint(cls, name: str) -> models.CheckConstraint:
        """Declare that names are shown in one of the known ways, or that the agreement doesn't say how."""
        return models.CheckConstraint(condition=Q(client_names__in=["", *ClientNames.values]), name=name)
