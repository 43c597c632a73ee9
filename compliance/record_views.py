"""Reads of the access log: who viewed, searched, revealed, exported; and who saw one client."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from clients.choices import CallOutcome
from clients.queries import clients_visible_to
from crm.choices import AccessKind
from crm.models import AccessEvent, User
from crm.security import confidential
from crm.security.policies import has_permission
from crm.security.scope import reach_of

PAGE_SIZE = 50
PEOPLE_MAX = 100


@dataclass(frozen=True)
class ViewPage:
    rows: list[AccessEvent]
    next: str = ""
    people: dict[int, User] = field(default_factory=dict)
    opened: frozenset[int] = frozenset()  # clients whose page the reader may open; an agent's work crosses desks


def views_visible_to(user: User) -> QuerySet[AccessEvent]:
    """List the access log for `crm.view_access_log`: of brands in reach as a whole; for a desk head, of their own people."""
    if not has_permission(user, "crm.view_access_log") or not user.is_team:
        return AccessEvent.objects.none()
    rows = confidential.access_for(user, AccessEvent.objects.all())
    if user.is_superuser:
        return rows
    reach = reach_of(user)
    if reach.whole_brands:
        return rows.filter(Q(brand_id__in=reach.whole_brands) | Q(brand_id__isnull=True))
    return rows.filter(user__desk_id__in=reach.desks)


def page_of(rows: QuerySet[AccessEvent], reader: User, cursor: str = "") -> ViewPage:
    """Newest first, from a place on: keyset on (at, id), which the indexes hold per client and per person."""
    place = _read(cursor)
    if place is not None:
        at, row_id = place
        rows = rows.filter(Q(at__lt=at) | Q(at=at, id__lt=row_id))
    events = list(rows.order_by("-at", "-id")[: PAGE_SIZE + 1])
    shown = events[:PAGE_SIZE]
    following = _token(shown[-1]) if len(events) > PAGE_SIZE else ""
    outcomes = dict(CallOutcome.choices)
    for row in shown:
        if row.kind == AccessKind.CALL:
            row.reason = str(outcomes.get(row.reason, row.reason))
    people = User.objects.select_related("desk").in_bulk({row.user_id for row in shown if row.user_id})
    ids = {row.client_id for row in shown if row.client_id}
    opened = clients_visible_to(reader).filter(pk__in=ids).values_list("pk", flat=True)
    return ViewPage(shown, following, people, frozenset(opened))


def who_saw(rows: QuerySet[AccessEvent], *, days: int = 90) -> list[dict[str, Any]]:
    """Per person: how often they looked, how often they revealed or exported, and when last. At most PEOPLE_MAX."""
    since = timezone.now() - dt.timedelta(days=days)
    counted = (
        rows.filter(at__gte=since, user_id__isnull=False)
        .values("user_id")
        .annotate(
            views=Count("id"),
            revealed=Count("id", filter=Q(kind__in=["reveal", "export", "download"])),
            last=Max("at"),
            outside=Count("id", filter=Q(in_book=False)),
        )
        .order_by("-last")[:PEOPLE_MAX]
    )
    summary = list(counted)
    people = User.objects.select_related("desk").prefetch_related("groups").in_bulk([row["user_id"] for row in summary])
    return [{**row, "person": people[row["user_id"]]} for row in summary]


def _token(row: AccessEvent) -> str:
    return base64.urlsafe_b64encode(f"{row.at.isoformat()}|{row.id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[dt.datetime, int] | None:
    """Read a cursor; None for the first page, also where it is damaged."""
    try:
        at, _bar, row_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        return dt.datetime.fromisoformat(at), int(row_id)
    except (ValueError, UnicodeDecodeError):
        return None
