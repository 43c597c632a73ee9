"""Client categories, by the rows that make them so."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from clients.facts import rebuild_client
from clients.models import Client
from kyc.categories.choices import Basis
from kyc.categories.models import CategoryDecision


def categorise(client: Client | int, category: str) -> None:
    """Give a client a category as one that came from an earlier system."""
    pk = client if isinstance(client, int) else client.pk
    with transaction.atomic():
        CategoryDecision.objects.create(
            client_id=pk, category=category, basis=Basis.MIGRATED, reason="Migrated", decided_at=timezone.now()
        )
        rebuild_client(pk, "category")
    if isinstance(client, Client):
        client.category = category
