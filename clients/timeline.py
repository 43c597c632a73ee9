"""The one function through which every app writes what people read about a client."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.utils import timezone

from clients.choices import TimelineKind
from clients.models import TimelineEntry
from crm.i18n.localized_text import LocalizedText, localize, stored_messages
from crm.models import Actor

TITLE_CHARS: Final = 200


def add_entry(  # noqa: PLR0913  one keyword per column of one row, most with a default, as `audit.record` has them
    *,
    client_id: int,
    kind: TimelineKind,
    title: LocalizedText,
    body: LocalizedText = "",
    actor: Actor = None,
    url: str = "",
    at: dt.datetime | None = None,
    data: dict[str, Any] | None = None,
    dedupe_key: str = "",
    is_visible_to_client: bool = False,
    needs: str = "",
    replaces: bool = False,
) -> None:
    """Add an entry; the same dedupe_key for the same client is written once, so event handlers may run again.

    replaces: the entry takes the place of the one with its dedupe_key, for what grows: a withdrawal that is paid part by
    part.
    title, body: a `phrase` is stored as message and values and read in the reader's language (`TimelineEntry.reading`);
    the columns hold it in the company's.
    needs: a permission without which staff don't read the entry, e.g. what those who talk to the client must not know.
    """
    data = {**(data or {}), **({"needs": needs} if needs else {})}
    texts = entry_texts(title=title, body=body, data=data)
    if replaces and TimelineEntry.objects.filter(client_id=client_id, dedupe_key=dedupe_key).update(**texts):
        return
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                client_id=client_id,
                kind=kind,
                actor=actor,
                url=url,
                at=at or timezone.now(),
                dedupe_key=dedupe_key,
                is_visible_to_client=is_visible_to_client,
                **texts,
            )
        ],
        ignore_conflicts=bool(dedupe_key),
    )


def entry_texts(
    *, title: LocalizedText, body: LocalizedText = "", data: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an entry's title, body and data as its columns hold them, for code that writes many entries at once."""
    messages = stored_messages(title, body)
    return {
        "title": localize(title)[:TITLE_CHARS],
        "body": localize(body),
        "data": {**(data or {}), **({"said": messages} if messages else {})},
    }
