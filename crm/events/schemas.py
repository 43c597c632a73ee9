"""The JSON Schema of each event, kept as files: the record of what receivers were promised. And the table of `docs/events.md`."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

from django.conf import settings

from crm.choices import ActorKind
from crm.events.bus import EVENT_TYPES, HANDLERS, IN_COLUMNS, Event, adapter_of

PAGE = "events.md"
BEGIN, END = "<!-- events: written by manage.py event_schemas -->", "<!-- end of events -->"
# Words that describe a value and don't restrict it.
DESCRIBING = {"description", "title"}


class SchemaBroken(Exception):
    """A change of an event that receivers of its version would stumble over."""


def folder() -> Path:
    """Locate the schema files."""
    return Path(settings.BASE_DIR) / "docs" / "events"


def catalogue() -> list[type[Event]]:
    """List the events of the catalogue by name; not those that a test declares."""
    return [EVENT_TYPES[name] for name in sorted(EVENT_TYPES) if EVENT_TYPES[name].__module__.startswith("crm.events.")]


def meaning_of(event_type: type[Event]) -> str:
    """Return what an event means: its class's docstring on one line."""
    return " ".join((event_type.__doc__ or "").split())


def schema_of(event_type: type[Event]) -> dict[str, Any]:
    """Describe the envelope of an event with its data in JSON Schema 2020-12."""
    data, hints = adapter_of(event_type).json_schema(mode="serialization"), get_type_hints(event_type)
    fields = {
        name: {key: value for key, value in field.items() if key != "title"}
        | ({"format": "decimal"} if hints[name] is Decimal else {})
        for name, field in data["properties"].items()
        if name not in IN_COLUMNS
    }
    number = {"type": ["integer", "null"]}
    envelope = {
        "id": {"type": "integer"},
        "name": {"const": event_type.name},
        "version": {"const": event_type.version},
        "occurred_at": {"type": "string", "format": "date-time"},
        "actor": {
            "type": "object",
            "properties": {"kind": {"enum": list(ActorKind.values)}, "id": number},
            "required": ["kind", "id"],
        },
        "brand": number,
        "client": number,
        "data": {
            "type": "object",
            "properties": fields,
            "required": [name for name in data.get("required", []) if name not in IN_COLUMNS],
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type.name,
        "description": meaning_of(event_type),
        "type": "object",
        "properties": envelope,
        "required": list(envelope),
    }


def file_of(event_type: type[Event]) -> Path:
    """Locate the schema file of an event's present version."""
    return folder() / f"{event_type.name}.v{event_type.version}.json"


def text_of(schema: dict[str, Any]) -> str:
    """Write a schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def broken_by(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Name what receivers of the old schema would stumble over; a further field of the data is none."""
    before, after = (_data_fields(schema) for schema in (old, new))
    gone = [f"{name} is gone" for name in before if name not in after]
    changed = [f"{name} changed" for name in before if name in after and before[name] != after[name]]
    required = set(old["properties"]["data"]["required"]) - set(new["properties"]["data"]["required"])
    return [*gone, *changed, *(f"{name} may be left out" for name in sorted(required & set(after)))]


def _data_fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields = schema["properties"]["data"]["properties"]
    return {name: {k: v for k, v in field.items() if k not in DESCRIBING} for name, field in fields.items()}


def outdated() -> Iterator[tuple[Path, str]]:
    """List the files that aren't as the code says, with what they should hold. Raises: SchemaBroken."""
    for event_type in catalogue():
        path, schema = file_of(event_type), schema_of(event_type)
        text = path.read_text() if path.exists() else ""
        if text == text_of(schema):
            continue
        if text and (broken := broken_by(json.loads(text), schema)):
            raise SchemaBroken(
                f"{event_type.name}: {', '.join(broken)}. Raise {event_type.__name__}.version to {event_type.version + 1}; "
                f"{path.name} stays as the record of version {event_type.version}."
            )
        yield path, text_of(schema)
    page = folder().parent / PAGE
    head, _begin, rest = page.read_text().partition(BEGIN)
    foot = rest.partition(END)[2]
    wanted = f"{head}{BEGIN}\n\n{_sections()}\n{END}{foot}"
    if page.read_text() != wanted:
        yield page, wanted


def missing_versions() -> list[str]:
    """List the files of earlier versions that are gone, or of events that nobody publishes any more."""
    known = {event_type.name: event_type.version for event_type in catalogue()}
    earlier = [f"{name}.v{number}.json" for name, version in known.items() for number in range(1, version)]
    return [name for name in earlier if not (folder() / name).exists()]


# ── the page ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sections() -> str:
    publishers = publishers_of()
    return "\n".join(_section(event_type, publishers[event_type.__name__]) for event_type in catalogue())


def _section(event_type: type[Event], publishers: set[str]) -> str:
    schema = schema_of(event_type)["properties"]["data"]
    fields = ", ".join(f"`{name}` ({_kind(field)})" for name, field in schema["properties"].items())
    heard = ", ".join(f"`{name}`" for name in sorted(HANDLERS.get(event_type.name, [])))
    published = ", ".join(f"`{name}`" for name in sorted(publishers))
    file = file_of(event_type).name
    return (
        f"### `{event_type.name}`\n\n{meaning_of(event_type)}\n\n"
        f"- Data: {fields or 'none'}. Schema: [{file}](events/{file}), class `{event_type.__name__}`.\n"
        f"- Published by {published or 'nobody'}; heard by {heard or 'no handler'}.\n"
    )


def _kind(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        kinds = [_kind(part) for part in field["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "null") + (" or empty" if "null" in kinds else "")
    if field["type"] == "array":
        return f"list of {_kind(field['items'])}s"
    if field["type"] == "string":
        return str(field.get("format", "text"))
    return str(field["type"])


def publishers_of() -> dict[str, set[str]]:
    """Find the modules that name each event's class: all but those that hear it."""
    found: dict[str, set[str]] = defaultdict(set)
    names = {event_type.__name__ for event_type in catalogue()}
    root = Path(settings.BASE_DIR)
    for app in settings.KEELSON_APPS:
        for path in sorted((root / app).rglob("*.py")):
            if path.name == "subscribers.py" or "events" in path.parts:
                continue
            text = path.read_text()
            for name in (name for name in names if name in text):
                nodes = ast.walk(ast.parse(text))
                if any(isinstance(node, ast.Name) and node.id == name for node in nodes):
                    found[name].add(".".join(path.relative_to(root).with_suffix("").parts))
    return found
