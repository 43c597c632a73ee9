"""Publishing and subscribing. Rows are written in the caller's transaction; a worker is woken when it commits."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar, TypeVar, get_type_hints

from django.db import connection, transaction
from django.utils import timezone

from crm.queue.enqueue import wake

logger = logging.getLogger(__name__)
EVENT_TYPES: dict[str, type[Event]] = {}
HANDLERS: dict[str, list[str]] = {}
_FUNCTIONS: dict[str, Callable[[Any], None]] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """Base of the catalogue. Fields are plain values (ids, codes, amounts as Decimal); the name is stable."""

    name: ClassVar[str] = ""
    client_id: int | None = None
    brand_id: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.name in EVENT_TYPES:
            raise TypeError(f"two events are called {cls.name!r}")
        EVENT_TYPES[cls.name] = cls

    def to_payload(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Event:
        """Rebuild the event; unknown keys of an older or newer schema are ignored."""
        hints = get_type_hints(cls)
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: _typed(hints[key], value) for key, value in payload.items() if key in known})


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [item if type(item) is int else _plain(item) for item in value]  # often a thousand row ids
    return value


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    text = str(hint)
    if "Decimal" in text:
        return Decimal(value)
    if "datetime.datetime" in text:
        return dt.datetime.fromisoformat(value)
    if "datetime.date" in text:
        return dt.date.fromisoformat(value)
    if "tuple" in text:
        return tuple(value)
    return value


E_ = TypeVar("E_", bound=Event)


def subscribe(*event_types: type[Event]) -> Callable[[Callable[[E_], None]], Callable[[E_], None]]:
    """Register a handler; its dotted name is its stable identity in the delivery table."""

    def register(handler: Callable[[E_], None]) -> Callable[[E_], None]:
        handler_name = f"{handler.__module__}.{handler.__qualname__}"
        _FUNCTIONS[handler_name] = handler
        for event_type in event_types:
            names = HANDLERS.setdefault(event_type.name, [])
            if handler_name not in names:
                names.append(handler_name)
        return handler

    return register


def handler_function(handler_name: str) -> Callable[[Any], None]:
    """The registered function, or KeyError for a delivery whose handler was removed or renamed."""
    return _FUNCTIONS[handler_name]


def publish(event: Event) -> int:
    """Insert the event and a delivery per handler in the caller's transaction; wake a worker on commit.

    Raises RuntimeError outside a transaction: an event without its change must be impossible.
    """
    return publish_many([event])[0]


def publish_many(events: Iterable[Event]) -> list[int]:
    """Publish many events with two statements; see `publish`."""
    from crm.models import EventDelivery, OutboxEvent

    events = list(events)
    if events and not connection.in_atomic_block:
        raise RuntimeError(f"publish({events[0].name}) outside a transaction: no event without its change")
    rows = OutboxEvent.objects.bulk_create(
        [
            OutboxEvent(name=event.name, payload=event.to_payload(), client_id=event.client_id, brand_id=event.brand_id)
            for event in events
        ],
        batch_size=2000,
    )
    now = timezone.now()
    deliveries = [
        EventDelivery(event=row, handler=handler, client_id=row.client_id, due_at=now)
        for row in rows
        for handler in HANDLERS.get(row.name, [])
    ]
    EventDelivery.objects.bulk_create(deliveries, batch_size=2000)
    # Once for a transaction: what a savepoint undoes is no longer in this list.
    if deliveries and not any(entry[1] is wake_worker for entry in connection.run_on_commit):
        transaction.on_commit(wake_worker)
    return [row.pk for row in rows]


def wake_worker() -> None:
    """Ask a worker to deliver at once; what it does not hear of the sweeper finds."""
    wake("crm.deliver_events")
