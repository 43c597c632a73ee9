"""Where identifiers come from, by app, so that they can be written again from the tables they were learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from clients.choices import IdentifierKind
from clients.identifiers.keeping import PURPOSE, Seen, learn_many, mark_of
from clients.models import Client
from crm.security.crypto import lasting_key

Source = Callable[[], Iterable[Seen]]
SOURCES: Final[dict[str, Source]] = {}
CHECKED_AT_ONCE: Final = 2_000
MISSING: Final = """
SELECT w.kind, w.client_id FROM unnest(%s::text[], %s::bytea[], %s::bigint[]) w(kind, mark, client_id)
WHERE NOT EXISTS (SELECT 1 FROM clients_identifier i WHERE i.kind = w.kind AND i.mark = w.mark AND i.client_id = w.client_id)
"""


def source(name: str, rows: Source) -> None:
    """Register an app's sightings. Raises: ValueError for a name that is taken."""
    if name in SOURCES:
        raise ValueError(f"two sources of identifiers are called {name}")
    SOURCES[name] = rows


def rebuild(name: str) -> int:
    """Write what a source knows; returns how many rows it names. Each statement is a transaction of its own."""
    with transaction.atomic():
        return learn_many(SOURCES[name](), is_rebuild=True)


def missing(name: str, *, limit: int = 20) -> Iterator[tuple[str, int]]:
    """Yield (kind, client) of sightings that a source knows and the table lacks."""
    key, found, batch = lasting_key(PURPOSE), 0, []
    for seen in SOURCES[name]():
        if mark := mark_of(seen.kind, seen.value, key=key):
            batch.append((seen.kind.value, mark, seen.client_id))
        if len(batch) == CHECKED_AT_ONCE:
            for row in _missing_of(batch):
                yield row
                found += 1
                if found >= limit:
                    return
            batch = []
    yield from _missing_of(batch)[: limit - found]


def _missing_of(batch: list[tuple[str, bytes, int]]) -> list[tuple[str, int]]:
    if not batch:
        return []
    with connection.cursor() as cursor:
        cursor.execute(MISSING, [list(column) for column in zip(*batch, strict=True)])
        rows: list[tuple[str, int]] = cursor.fetchall()
        return rows


def contacts() -> Iterator[Seen]:
    """Yield the e-mail addresses and phone numbers on the clients' records; a merged record's belong to the one that was kept."""
    merged = Client.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into")
    kept = {pk: into for pk, into in merged if into}
    rows = Client.objects.values_list("pk", "email", "phone", "created_at").order_by("pk")
    for pk, email, phone, created_at in rows.iterator(chunk_size=10_000):
        owner = pk
        while owner in kept:
            owner = kept[owner]
        if email:
            yield Seen(owner, IdentifierKind.EMAIL, email, created_at)
        if phone:
            yield Seen(owner, IdentifierKind.PHONE, phone, created_at)


def now_of(client: Client) -> list[Seen]:
    """List what a client's record says now, seen now."""
    now = timezone.now()
    pairs = ((IdentifierKind.EMAIL, client.email), (IdentifierKind.PHONE, client.phone))
    return [Seen(client.pk, kind, value, now) for kind, value in pairs if value]


source("clients.contacts", contacts)
