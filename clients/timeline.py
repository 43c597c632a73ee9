"""The one function through which every app writes what people read about a client."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from clients.choices import TimelineKind
from clients.models import Client, TimelineEntry
from crm.words import Words, say


def tell(
    *,
    client_id: int,
    kind: TimelineKind,
    title: Words,
    body: Words = "",
    actor: Any = None,
    url: str = "",
    at: dt.datetime | None = None,
    data: dict[str, Any] | None = None,
    dedupe_key: str = "",
    is_visible_to_client: bool = False,
    needs: str = "",
    is_renewed: bool = False,
) -> None:
    """Add an entry; the same dedupe_key for the same client is told once, so event handlers may run again.

    is_renewed: told again it is said anew in its place, for what grows: a withdrawal that is paid part by part.

    title, body: `lambda: _("…")` is said in the house's language for staff, and in the client's for an entry that the
    client may read (`TimelineEntry.for_client`).
    needs: a permission without which staff don't read the entry, e.g. what must not reach those who talk to the client.
    """
    data = {**(data or {}), **({"needs": needs} if needs else {})}
    if is_visible_to_client and (callable(title) or callable(body)):
        language = Client.objects.values_list("language", flat=True).get(pk=client_id)
        data |= said_to_client(title=title, body=body, language=language)
    said = {"title": say(title)[:200], "body": say(body), "data": data}
    if is_renewed and TimelineEntry.objects.filter(client_id=client_id, dedupe_key=dedupe_key).update(**said):
        return
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                client_id=client_id, kind=kind, actor=actor, url=url, at=at or timezone.now(), dedupe_key=dedupe_key,
                is_visible_to_client=is_visible_to_client, **said,
            )
        ],
        ignore_conflicts=bool(dedupe_key),
    )  # fmt: skip


def said_to_client(*, title: Words, body: Words = "", language: str) -> dict[str, Any]:
    """What an entry's `data` holds, so that its client reads it in their own language."""
    return {"for_client": {"title": say(title, language)[:200], "body": say(body, language)}}
