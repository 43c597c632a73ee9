"""The timeline as people read it: kinds with their icons, a page at a time by position, never by number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import TupleLessThan

from clients.choices import TimelineKind
from clients.models import Client, TimelineEntry
from crm.models import User
from crm.ui.views import may_open

PAGE = 40
# An active trader has thousands of entries: the filters offered are those that the newest ones need.
KINDS_FROM = 500
SALT = "clients.timeline"
LOOKS: dict[str, tuple[str, str]] = {
    TimelineKind.CALL: ("phone", "info"),
    TimelineKind.EMAIL: ("mail", "info"),
    TimelineKind.CHAT: ("headset", "info"),
    TimelineKind.TEXT: ("send", "info"),
    TimelineKind.NOTE: ("message-square", "neutral"),
    TimelineKind.TASK: ("list-todo", "warning"),
    TimelineKind.STAGE: ("flag", "accent"),
    TimelineKind.LEAD: ("target", "accent"),
    TimelineKind.DOCUMENT: ("file-check", "teal"),
    TimelineKind.PAYMENT: ("banknote", "success"),
    TimelineKind.TRADING: ("chart-candlestick", "teal"),
    TimelineKind.COMPLIANCE: ("shield", "danger"),
    TimelineKind.PARTNER: ("handshake", "accent"),
    TimelineKind.TICKET: ("life-buoy", "info"),
}
MISSED = {"no_answer", "busy", "voicemail", "wrong_number"}


@dataclass(frozen=True)
class EntryRow:
    """An entry as the page shows it.

    `seconds` of a call; `is_mine`: a note the reader wrote and may edit; `url`: a page they may open.
    """

    entry: TimelineEntry
    icon: str
    tone: str
    is_mine: bool
    url: str

    @property
    def seconds(self) -> int | None:
        return self.entry.data.get("duration_seconds") or None

    @property
    def note_id(self) -> int | None:
        note_id: int | None = self.entry.data.get("note_id")
        return note_id

    @property
    def is_edited(self) -> bool:
        version: int = self.entry.data.get("version", 1)
        return version > 1


@dataclass(frozen=True)
class Page:
    entries: Sequence[EntryRow]
    older: str
    kind: str
    is_whole: bool = False  # every entry that the reader may see


def read_page(client: Client, reader: User, *, kind: str = "", cursor: str = "") -> Page:
    """Read one page of a client's timeline, newest first; `older` is the next page's cursor. A damaged one starts from the top."""
    rows = _readable(client, reader).select_related("actor")
    if kind in TimelineKind.values:
        rows = rows.filter(kind=kind)
    place = _read_cursor(cursor)
    if place:
        rows = rows.filter(TupleLessThan((F("at"), F("id")), place))
    entries = list(rows.order_by("-at", "-id")[: PAGE + 1])
    shown = [_shown(entry, reader) for entry in entries[:PAGE]]
    last = entries[PAGE - 1] if len(entries) > PAGE else None
    older = signing.dumps([last.at.isoformat(), last.pk], salt=SALT) if last else ""
    return Page(shown, older, kind, is_whole=not (older or place or kind))


def kinds_of(client: Client, reader: User, page: Page) -> list[tuple[str, str]]:
    """List the kinds to filter by, with their labels: those among the client's newest entries, and the chosen one."""
    if page.is_whole:
        there = {row.entry.kind for row in page.entries}
    else:
        newest = _readable(client, reader).order_by("-at", "-id").values_list("kind", flat=True)[:KINDS_FROM]
        there = {*newest, page.kind}
    return [(value, str(label)) for value, label in TimelineKind.choices if value in there]


Hiding = Callable[[Client, User], Q | None]
_hidings: list[Hiding] = []


def hide_entries(which: Hiding) -> None:
    """Have an app keep entries from a reader for a while, as from an officer who judges something again; None hides nothing."""
    _hidings.append(which)


def _readable(client: Client, reader: User) -> QuerySet[TimelineEntry]:
    permissions = sorted(reader.get_all_permissions())
    rows = TimelineEntry.objects.filter(client=client).filter(
        Q(data__needs__isnull=True) | Q(data__needs__in=permissions)
    )
    for which in _hidings:
        if (hidden := which(client, reader)) is not None:
            rows = rows.exclude(hidden)
    return rows


def _read_cursor(text: str) -> tuple[dt.datetime, int] | None:
    if not text:
        return None
    try:
        at, pk = signing.loads(text, salt=SALT)
        return dt.datetime.fromisoformat(at), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _shown(entry: TimelineEntry, reader: User) -> EntryRow:
    icon, tone = LOOKS.get(entry.kind, ("circle", "neutral"))
    if entry.kind == TimelineKind.CALL and entry.data.get("outcome") in MISSED:
        icon, tone = "phone-missed", "neutral"
    url = entry.url if entry.url and may_open(reader, entry.url) else ""
    return EntryRow(entry, icon, tone, is_mine=bool(entry.data.get("note_id")) and entry.actor_id == reader.pk, url=url)
