"""Publishing and subscribing. Rows are written in the caller's transaction; a worker is woken when it commits."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import orjson
from django.db import connection, transaction
from django.utils import timezone
from pydantic import TypeAdapter

from crm.queue.enqueue import enqueue

logger = logging.getLogger(__name__)
EVENT_TYPES: dict[str, type[Event]] = {}
HANDLERS: dict[str, list[str]] = {}
_FUNCTIONS: dict[str, Callable[[Any], None]] = {}
_ADAPTERS: dict[type[Event], TypeAdapter[Any]] = {}
E_ = TypeVar("E_", bound="Event")


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """Base of the catalogue: a subclass with a stable name and annotated fields is a frozen, keyword-only dataclass.

    Fields are plain values: ids, codes, instants, amounts as Decimal, tuples of these.
    """

    name: ClassVar[str] = ""
    client_id: int | None = None
    brand_id: int | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__dict__.get("name"):
            raise TypeError(f"{cls.__name__} needs a name of its own")
        if cls.name in EVENT_TYPES:
            raise TypeError(f"two events are called {cls.name!r}")
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        EVENT_TYPES[cls.name] = cls

    def to_payload(self) -> dict[str, Any]:
        """Give the event as JSON values, amounts and instants as text.

        Raises:
            PydanticSerializationError: a field holds another type than it declares; no handler could read it back.
        """
        payload: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json", warnings="error")
        return payload

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> Self:
        """Rebuild the event; unknown keys of an older or newer schema are ignored.

        Raises:
            ValidationError: names each field that is missing or of another type.
        """
        return _adapter(cls).validate_json(orjson.dumps(payload), strict=True)


def _adapter(event_type: type[E_]) -> TypeAdapter[E_]:
    """Build an event's reader and writer when it is first needed: not all of them in each process."""
    if event_type not in _ADAPTERS:
        _ADAPTERS[event_type] = TypeAdapter(event_type)
    return _ADAPTERS[event_type]


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
    """Find the registered handler. Raises: KeyError for a delivery whose handler was removed or renamed."""
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
    if deliveries and not any(entry[1] is enqueue_delivery for entry in connection.run_on_commit):
        transaction.on_commit(enqueue_delivery)
    return [row.pk for row in rows]


def enqueue_delivery() -> None:
    """Ask a worker to deliver at once; what it does not hear of the sweeper finds."""
    enqueue("crm.deliver_events")
