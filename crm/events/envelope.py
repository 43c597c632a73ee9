"""The envelope: what surrounds an event's data, in the outbox and in whatever leaves Keelson."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from crm.choices import ActorKind
from crm.events.bus import EVENT_TYPES, Event
from crm.models import Actor, OutboxEvent
from crm.security.request_context import current


@dataclass(frozen=True)
class EventActor:
    """Who caused an event: a person by their login, or the system, which has no id."""

    kind: str = ActorKind.SYSTEM.value
    id: int | None = None


def acting(actor: Actor) -> EventActor:
    """Name who acts: the person given, else the person who sent the request, else the system."""
    if actor is not None:
        return EventActor(str(actor.kind), actor.pk)
    context = current()
    return EventActor(context.user_kind, context.user_id) if context.user_id is not None else EventActor()


@dataclass(frozen=True)
class Envelope:
    """An event as the outbox keeps it. `docs/events.md` describes its JSON form."""

    id: int
    name: str
    version: int
    occurred_at: dt.datetime
    actor: EventActor
    brand: int | None
    client: int | None
    data: dict[str, Any]

    @classmethod
    def of(cls, row: OutboxEvent) -> Envelope:
        actor = EventActor(row.actor_kind, row.actor_id)
        return cls(row.pk, row.name, row.version, row.occurred_at, actor, row.brand_id, row.client_id, row.payload)

    def event(self) -> Event:
        """Rebuild the event. Raises: KeyError for a name that nobody declares; ValidationError for data that doesn't fit."""
        return EVENT_TYPES[self.name].from_payload(self.data, client_id=self.client, brand_id=self.brand)

    def as_json(self) -> dict[str, Any]:
        """Give the envelope as JSON values: what an outbound webhook sends."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "occurred_at": self.occurred_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
            "actor": {"kind": self.actor.kind, "id": self.actor.id},
            "brand": self.brand,
            "client": self.client,
            "data": self.data,
        }
