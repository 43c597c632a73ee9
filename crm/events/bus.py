"""What an event is, how it is stored and read back, and who hears it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import orjson
from django.utils.functional import Promise
from pydantic import TypeAdapter

EVENT_TYPES: dict[str, type[Event]] = {}
HANDLERS: dict[str, list[str]] = {}
_FUNCTIONS: dict[str, Handler] = {}
_ADAPTERS: dict[type[Event], TypeAdapter[Any]] = {}
# Kept beside the payload, in columns of the outbox row.
IN_COLUMNS = frozenset({"client_id", "brand_id"})
E_ = TypeVar("E_", bound="Event")
Label = str | Promise


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """Base of the catalogue: a subclass with a stable name and annotated fields is a frozen, keyword-only dataclass.

    Fields are plain values: ids, codes, instants, amounts as Decimal, tuples of these. A change that a reader of the old
    form would stumble over (a field renamed, retyped or gone) raises `version`; a new field with a default does not.
    """

    name: ClassVar[str] = ""
    label: ClassVar[Label] = ""
    version: ClassVar[int] = 1
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

    @classmethod
    def data_fields(cls) -> dict[str, dataclasses.Field[Any]]:
        """List the fields of the event's data: all but client and brand, which are in the envelope."""
        return {field.name: field for field in dataclasses.fields(cls) if field.name not in IN_COLUMNS}

    def to_payload(self) -> bytes:
        """Write the event's data as JSON, amounts and instants as text; client and brand are in columns of the row.

        Raises:
            PydanticSerializationError: a field holds another type than it declares; no handler could read it back.
        """
        payload: bytes = adapter_of(type(self)).dump_json(self, warnings="error", exclude=set(IN_COLUMNS))
        return payload

    @classmethod
    def from_payload(
        cls, payload: dict[str, Any], *, client_id: int | None = None, brand_id: int | None = None
    ) -> Self:
        """Rebuild the event; unknown keys of an older or newer schema are ignored.

        Raises:
            ValidationError: names each field that is missing or of another type.
        """
        values = {**payload, "client_id": client_id, "brand_id": brand_id}
        event: Self = adapter_of(cls).validate_json(orjson.dumps(values), strict=True)
        return event


def label_of(name: str) -> str:
    """Name an event for a reader; by its code where nobody declares it any more."""
    event_type = EVENT_TYPES.get(name)
    return str(event_type.label) if event_type is not None and event_type.label else name


def adapter_of(event_type: type[E_]) -> TypeAdapter[E_]:
    """Build an event's reader and writer when it is first needed: not all of them in each process."""
    if event_type not in _ADAPTERS:
        _ADAPTERS[event_type] = TypeAdapter(event_type)
    return _ADAPTERS[event_type]


@dataclasses.dataclass(frozen=True)
class Handler:
    """What hears an event: a function of one event, or of a list of events of the same type."""

    function: Callable[[Any], None]
    takes_many: bool = False

    def handle(self, events: list[Any]) -> None:
        if self.takes_many:
            self.function(events)
        else:
            for event in events:
                self.function(event)


def subscribe(*event_types: type[Event]) -> Callable[[Callable[[E_], None]], Callable[[E_], None]]:
    """Register a handler of one event; its dotted name is its stable identity in the delivery table."""

    def register(handler: Callable[[E_], None]) -> Callable[[E_], None]:
        _register(event_types, Handler(handler))
        return handler

    return register


def subscribe_many(*event_types: type[Event]) -> Callable[[Callable[[list[E_]], None]], Callable[[list[E_]], None]]:
    """Register a handler of a list: up to `delivery.BATCH` events of the same type, at most one per client.

    They are handled in one transaction. Where that fails, each is handed over alone, so that one bad event stops no other.
    """

    def register(handler: Callable[[list[E_]], None]) -> Callable[[list[E_]], None]:
        _register(event_types, Handler(handler, takes_many=True))
        return handler

    return register


def _register(event_types: tuple[type[Event], ...], handler: Handler) -> None:
    name = f"{handler.function.__module__}.{handler.function.__qualname__}"
    _FUNCTIONS[name] = handler
    for event_type in event_types:
        names = HANDLERS.setdefault(event_type.name, [])
        if name not in names:
            names.append(name)


def handler_named(name: str) -> Handler:
    """Find the registered handler. Raises: KeyError for a delivery whose handler was removed or renamed."""
    return _FUNCTIONS[name]
