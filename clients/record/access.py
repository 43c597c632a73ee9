"""The access log's row of somebody who was shown a client, or something of theirs."""

from __future__ import annotations

from clients.models import Client
from clients.queries import is_in_own_book
from crm.choices import AccessKind
from crm.models import Actor
from crm.security import access_log


def log_access(
    user: Actor, client: Client, target: str, *, kind: AccessKind = AccessKind.VIEW, rows: int = 1, reason: str = ""
) -> None:
    """Record who was shown what of a client, and whether the client is in a book of theirs. Raises: as `access_log.note`."""
    access_log.note(
        user=user,
        kind=kind,
        client_id=client.pk,
        brand_id=client.brand_id,
        target=target,
        rows=rows,
        in_book=is_in_own_book(user, client),
        reason=reason,
    )
