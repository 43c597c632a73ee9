"""Reads of the audit log: a client's whole trail, and the log as an auditor sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from clients.models import Client
from crm.models import AuditEvent, AuditSeal, User
from crm.security import audit, confidential
from crm.security.policies import has_permission
from crm.security.scope import reach_of

BATCH = 500


@dataclass(frozen=True)
class TrailFilter:
    """What part of a trail: an area (`kyc`), who (`staff`, `client`, `system`), from and to day (both included)."""

    area: str = ""
    who: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    def apply(self, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        if self.area:
            rows = rows.filter(action__startswith=f"{self.area}.")
        if self.who == "system":
            rows = rows.filter(actor__isnull=True)
        elif self.who:
            rows = rows.filter(actor__kind=self.who)
        if self.first_day:
            rows = rows.filter(at__gte=_midnight(self.first_day))
        if self.last_day:
            rows = rows.filter(at__lt=_midnight(self.last_day + dt.timedelta(days=1)))
        return rows

    def as_parameters(self) -> dict[str, str]:
        return {
            "area": self.area,
            "who": self.who,
            "first_day": self.first_day.isoformat() if self.first_day else "",
            "last_day": self.last_day.isoformat() if self.last_day else "",
        }

    @classmethod
    def from_parameters(cls, values: dict[str, str]) -> TrailFilter:
        def day(name: str) -> dt.date | None:
            return dt.date.fromisoformat(values[name]) if values.get(name) else None

        return cls(values.get("area", ""), values.get("who", ""), day("first_day"), day("last_day"))


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def events_visible_to(user: User) -> QuerySet[AuditEvent]:
    """List the audit log for `crm.view_audit`: rows of brands in reach as a whole, and those that belong to no brand."""
    if not has_permission(user, "crm.view_audit") or not user.is_team:
        return AuditEvent.objects.none()
    rows = confidential.audit_for(user, AuditEvent.objects.all())
    if user.is_superuser:
        return rows
    return rows.filter(Q(brand_id__in=reach_of(user).whole_brands) | Q(brand_id__isnull=True))


def trail_of(user: User, client: Client) -> QuerySet[AuditEvent]:
    """List every row of one client that the user may know of, newest first. The caller got the client by a scoped read."""
    rows = confidential.audit_for(user, AuditEvent.objects.filter(client_id=client.pk))
    return rows.select_related("actor").order_by("-id")


def whole_trail(client: Client, chosen: TrailFilter) -> Iterator[list[AuditEvent]]:
    """Read a client's audit log from the first row on, in batches; each row gets its decrypted `body_plain`.

    What only a circle may read is left out, whoever asks: a pack leaves the house.
    """
    after = 0
    rows = chosen.apply(confidential.audit_for(None, AuditEvent.objects.filter(client_id=client.pk)))
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        attach_bodies(batch)
        yield batch
        after = batch[-1].pk


def attach_bodies(rows: Sequence[Any]) -> None:
    """Give each row its decrypted content as `body_plain`; the keys are read with one statement."""
    for row, body in zip(rows, audit.bodies_of(rows), strict=True):
        row.body_plain = body


def head_seal() -> AuditSeal | None:
    """Find the newest seal; None before the first."""
    return AuditSeal.objects.order_by("-id").first()


def sealed_ids(rows: Sequence[Any]) -> set[int]:
    """List which rows of a page are sealed already."""
    from crm.models import AuditLeaf

    ids = [row.pk for row in rows]
    return set(AuditLeaf.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
