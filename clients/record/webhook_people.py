"""What a brand's webhooks say of a client, where two people allowed personal data."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from clients.models import Client

FIELDS = ("first_name", "last_name", "email", "phone", "country", "language")


def people_for_webhooks(client_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Read name, e-mail address, phone, country and language of clients, by their id."""
    rows = Client.objects.filter(pk__in=client_ids).values("pk", *FIELDS)
    return {row.pop("pk"): row for row in rows}
