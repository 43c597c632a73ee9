"""Open pages of the agent and of the client show what the platform did, without a reload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from clients.models import Client
from crm.notify import push_live_many

CLIENTS_MAX: Final = 2000


def refresh_pages(client_ids: Iterable[int]) -> None:
    """Nudge the pages that show these clients' trading; after a long outage only some, the others catch up by themselves."""
    chosen = sorted(set(client_ids))[:CLIENTS_MAX]
    rows = Client.objects.filter(pk__in=chosen).values_list("pk", "owner_id", "user_id")
    push_live_many("deals", ((person, {"id": client_id}) for client_id, *people in rows for person in people if person))
