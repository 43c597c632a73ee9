"""The one function through which every app writes what people read about a client."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from clients.choices import TimelineKind
from clients.models import TimelineEntry


def tell(
    *,
    client_id: int,
    kind: TimelineKind,
    title: str,
    body: str = "",
    actor: Any = None,
    url: str = "",
    at: dt.datetime | None = None,
    data: dict[str, Any] | None = None,
    dedupe_key: str = "",
    is_visible_to_client: bool = False,
) -> None:
    """Add an entry; the same dedupe_key for the same client is told once, so event handlers may run again."""
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                client_id=client_id, kind=kind, title=str(title)[:200], body=str(body), actor=actor, url=url,
                at=at or timezone.now(), data=data or {}, dedupe_key=dedupe_key,
                is_visible_to_client=is_visible_to_client,
            )
        ],
        ignore_conflicts=bool(dedupe_key),
    )  # fmt: skip
