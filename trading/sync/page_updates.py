"""Open pages of the agent and of the client show what the platform did, without a reload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection

from crm.notices.notify import push_live_many
from trading.core.batching import array

CLIENTS_MAX: Final = 2000
PEOPLE: Final = "SELECT id, owner_id, user_id FROM clients_client WHERE id = ANY(%s::bigint[])"


def refresh_pages(client_ids: Iterable[int]) -> None:
    """Refresh the pages that show these clients' trading; after a long outage only some, the others catch up later."""
    chosen = sorted(set(client_ids))[:CLIENTS_MAX]
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [array(chosen)])
        rows = cursor.fetchall()
    push_live_many("deals", ((person, {"id": client_id}) for client_id, *people in rows for person in people if person))
