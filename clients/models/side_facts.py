"""The side table of an app's facts about clients."""

from django.db import models

from clients.models.client import Client


class SideFacts(models.Model):
    """One row per client, written by the owning app only, from events; see `clients.facts`.

    A client without a row has each fact's default: columns are nullable, or NOT NULL with a `db_default`.
    """

    client = models.OneToOneField(
        Client, on_delete=models.CASCADE, primary_key=True, related_name="%(app_label)s_facts", db_constraint=True
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"Facts of client {self.client_id}"
