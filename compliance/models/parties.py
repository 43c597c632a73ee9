"""People and organisations connected with clients, as they are screened."""

from __future__ import annotations

import hashlib

import orjson
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from clients.models import Client
from compliance.parties.choices import PartyRole


class ScreenedParty(models.Model):
    """A name connected with a client that isn't the client's own: who paid in, who is paid, who owns the company.

    One row for a name in a role, however many payments it is on, so that it is reviewed once.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="screened_parties")
    role = models.CharField(max_length=8, choices=PartyRole.choices)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, blank=True)
    is_company = models.BooleanField(
        null=True, help_text="None: unknown, so compared with both people and organisations"
    )
    subject = models.CharField(
        max_length=80, blank=True, help_text="What named it last: the reference of a deposit or withdrawal"
    )
    is_current = models.BooleanField(default=True, help_text="False: no longer connected with the client")
    noted_at = models.DateTimeField()
    screened_at = models.DateTimeField(null=True, help_text="Last compared with all lists in force")
    matcher_version = models.CharField(max_length=20, blank=True)
    normalised = models.CharField(max_length=400)
    pair_keys = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Without a list of pending rows: a search reads all of it, and rows are few but searches come in thousands.
            GinIndex(fields=["normalised"], name="parties_by_spelling", opclasses=["gin_trgm_ops"], fastupdate=False),
            GinIndex(fields=["pair_keys"], name="parties_by_sound", fastupdate=False),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "role", "name"], name="a_name_is_screened_once_in_its_role"),
            models.CheckConstraint(condition=~Q(normalised=""), name="a_screened_party_has_a_name"),
        ]

    def __str__(self) -> str:
        named = f"{self.get_role_display()}: {self.name}"
        return f"{named} ({self.subject})" if self.subject else named

    @property
    def data_hash(self) -> str:
        """Hash what is compared, for this party alone: the client's own matches by the same name are other decisions."""
        body = [self.pk, self.name, self.country, self.is_company]
        return hashlib.sha256(orjson.dumps(body)).hexdigest()
