"""Reads of the client portal that are no other app's."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from clients.models import Client, TimelineEntry

ACTIVITY_PAGE = 20


@dataclass(frozen=True)
class ActivityPage:
    entries: list[TimelineEntry]
    cursor: str = ""


def activity(client: Client, *, cursor: str = "", size: int = ACTIVITY_PAGE, without: str = "") -> ActivityPage:
    """List what happened on the client's account and is meant for their eyes, newest first, by keyset.

    `without`: a kind of entries that the page shows elsewhere.
    """
    rows = TimelineEntry.objects.filter(client=client, is_visible_to_client=True).order_by("-at", "-id")
    if without:
        rows = rows.exclude(kind=without)
    at, number = _read(cursor)
    if at is not None:
        rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=number))
    entries = list(rows[: size + 1])
    more = len(entries) > size
    entries = entries[:size]
    return ActivityPage(entries, f"{entries[-1].at.isoformat()}_{entries[-1].pk}" if more else "")


def _read(cursor: str) -> tuple[dt.datetime | None, int]:
    """Read a cursor from the address; one that makes no sense means the beginning."""
    text, _under, number = cursor.rpartition("_")
    try:
        return dt.datetime.fromisoformat(text), int(number)
    except ValueError:
        return None, 0
