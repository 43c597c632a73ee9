"""The reference of the API, read from its OpenAPI document: what the page /api/v1/docs/ shows.

It can't go stale: operations, fields, scopes and problems are those that the running instance answers with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from crm.api.openapi import JSON
from crm.api.problems import CODES
from crm.api.scopes import BY_CODE, SCOPES, Scope

DEPTH_MAX: Final = 4
# As a broker would look for them; a group that isn't named here follows at the end.
ORDER: Final = (
    *("principal", "leads", "clients", "notes", "calls", "tasks", "tickets"),
    *("documents", "incoming-documents", "submissions", "questionnaires"),
    *("trading-accounts", "deals", "positions", "deposits", "withdrawals", "transfers"),
    *("ledger-accounts", "journals", "settlement-reports", "breaks"),
    *("partners", "accruals", "settlements", "cases", "alerts", "campaigns", "segments", "figures", "hooks"),
)
TITLES: Final = {"principal": "Tokens", "hooks": "Webhook subscriptions", "figures": "Daily figures"}
KINDS: Final = {"boolean": "true or false", "integer": "integer", "number": "number", "object": "object"}
FORMATS: Final = {"date-time": "time (UTC)", "date": "date", "binary": "file"}
# Values that examples have where the schema names none.
SAMPLES: Final[dict[str, Any]] = {
    "brand": "meridian",
    "email": "pia@example.com",
    "phone": "+4915112345678",
    "country": "DE",
    "language": "de",
    "first_name": "Pia",
    "last_name": "Berger",
    "currency": "EUR",
    "source": "google",
    "medium": "cpc",
    "target_url": "https://hooks.example.com/in",
    "event": "lead.assigned",
    "secret": "whsec_…",
    "next_cursor": None,
    "updated_until": "w1a7f3",
    "amount": "250.00",
    "leverage": 30,
}
_CODE: Final = re.compile(r"(?<!\w)([a-z_]{4,40}): ")


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a field of a body or record. `record`: the record that its kind refers to."""

    name: str
    kind: str
    record: str
    note: str
    is_required: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    notes: tuple[str, ...]
    scopes: tuple[Scope, ...]
    parameters: tuple[Value, ...]
    body: tuple[Value, ...]
    body_kind: str
    call: str
    status: str
    record: str
    answer: tuple[Value, ...]
    answer_example: str
    problems: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A schema that operations share."""

    name: str
    anchor: str
    note: str
    fields: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    anchor: str
    title: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    groups: tuple[Group, ...]
    records: tuple[Record, ...]

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return SCOPES

    @property
    def codes(self) -> list[tuple[str, int, str]]:
        return [(code, status, advice) for code, (status, _title, advice) in CODES.items()]


def read(document: dict[str, Any]) -> Reference:
    """Arrange an OpenAPI document as people read it."""
    reader = _Reader(document["components"]["schemas"])
    grouped: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            grouped.setdefault(tag, []).append(reader.operation(path, method.upper(), operation))
    tags = sorted(grouped, key=lambda tag: (ORDER.index(tag) if tag in ORDER else len(ORDER), tag))
    groups = [
        Group(f"group-{tag}", TITLES.get(tag) or tag.replace("-", " ").capitalize(), tuple(grouped[tag]))
        for tag in tags
    ]
    return Reference(tuple(groups), tuple(reader.records()))


class _Reader:
    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas
        self.named: set[str] = set()

    def operation(self, path: str, method: str, given: dict[str, Any]) -> Operation:
        status, answer = self._success(given["responses"])
        contents: dict[str, Any] = given.get("requestBody", {}).get("content", {})
        body_kind = next(iter(contents), "")
        body: dict[str, Any] = contents.get(body_kind, {}).get("schema", {})
        record = self._record_of(answer)
        if record:
            self.named.add(record)
        problems = [
            (code, tuple(_codes_of(response["description"])))
            for code, response in sorted(given["responses"].items())
            if code >= "400"
        ]
        return Operation(
            anchor=f"op-{given['operationId']}",
            method=method,
            path=path,
            summary=given["summary"],
            notes=_notes(given.get("description", "")),
            scopes=tuple(BY_CODE[code] for code in given.get("x-scopes", ())),
            parameters=tuple(self._parameter(one) for one in given.get("parameters", ())),
            body=tuple(self.fields(body)),
            body_kind=body_kind,
            call=self._call(path, method, given, body_kind, body),
            status=status,
            record=record,
            answer=tuple(self.fields(answer)) if "$ref" not in answer else (),
            answer_example=_pretty(self.example(answer)) if answer else "",
            problems=tuple(problems),
        )

    def records(self) -> Iterator[Record]:
        """Describe what operations name, and what those records name in turn."""
        done: dict[str, Record] = {}
        while missing := self.named - set(done):
            for name in missing:
                schema = self.schemas[name]
                note = schema.get("description", "")
                done[name] = Record(name, f"record-{name}", note, tuple(self.fields(schema)))
        return iter(sorted(done.values(), key=lambda record: record.name))

    def _success(self, responses: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        ok = {status: response for status, response in responses.items() if status < "300"}
        status = next((status for status, response in sorted(ok.items()) if "content" in response), min(ok))
        return status, ok[status].get("content", {}).get(JSON, {}).get("schema", {})

    def _record_of(self, schema: dict[str, Any]) -> str:
        """Name the record that an answer is, or a list's rows are."""
        rows = schema.get("properties", {}).get("data", schema).get("items", schema)
        return str(rows.get("$ref", "")).rpartition("/")[2]

    def _parameter(self, given: dict[str, Any]) -> Value:
        kind, record = self.kind(given["schema"])
        note = given.get("description") or given["schema"].get("description", "")
        return Value(given["name"], kind, record, note, bool(given.get("required")), given["in"])

    def fields(self, schema: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[Value]:
        """List the fields of an object, with those of objects inside it that have no name of their own."""
        schema = self._resolved(schema) if depth == 0 else schema
        required = set(schema.get("required", ()))
        for name, one in schema.get("properties", {}).items():
            kind, record = self.kind(one)
            if record:
                self.named.add(record)
            yield Value(f"{prefix}{name}", kind, record, one.get("description", ""), name in required)
            inner = _first(one)
            rows = inner.get("items", {})
            if depth < DEPTH_MAX and rows.get("properties"):
                yield from self.fields(rows, f"{prefix}{name}[].", depth + 1)
            elif depth < DEPTH_MAX and inner.get("properties"):
                yield from self.fields(inner, f"{prefix}{name}.", depth + 1)

    def kind(self, schema: dict[str, Any]) -> tuple[str, str]:
        """Say what a value is, and which record it refers to."""
        schema = _first(schema)
        if reference := str(schema.get("$ref", "")).rpartition("/")[2]:
            inner = self.schemas[reference]
            return (_one_of(inner), "") if "enum" in inner else (reference, reference)
        if "enum" in schema:
            return _one_of(schema), ""
        if schema.get("type") == "array" or "items" in schema:
            kind, record = self.kind(schema.get("items", {}))
            return f"list of {kind}", record
        if "const" in schema:
            return f"“{schema['const']}”", ""
        name = schema.get("type", "")
        name = next((one for one in name if one != "null"), "") if isinstance(name, list) else name
        text = f"text, up to {schema['maxLength']} characters" if "maxLength" in schema else "text"
        return FORMATS.get(schema.get("format", "")) or KINDS.get(name, text if name == "string" else "any"), ""

    def example(self, schema: dict[str, Any], name: str = "", depth: int = 0) -> Any:
        """Make an example of a value, of what the schema says."""
        if schema.get("examples"):
            return schema["examples"][0]
        schema = _first(schema)
        if "$ref" in schema:
            schema = self._resolved(schema)
        if schema.get("examples"):
            return schema["examples"][0]
        if "properties" in schema:
            if depth > DEPTH_MAX:
                return {}
            inner = schema["properties"].items()
            # What only `expand` brings isn't there without it.
            return {
                key: self.example(one, key, depth + 1)
                for key, one in inner
                if not one.get("description", "").startswith("With expand=")
            }
        if "items" in schema:
            return [self.example(schema["items"], name, depth + 1)] if depth <= DEPTH_MAX else []
        if name in SAMPLES:
            return SAMPLES[name]
        if schema.get("enum"):
            return schema["enum"][0]
        if found := re.match(r"One of: ([\w.-]+)", schema.get("description", "")):
            return found[1]
        return _plain_example(schema)

    def body_example(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Fill in what a body must have, and what has a sample."""
        schema = self._resolved(schema)
        required = set(schema.get("required", ()))
        fields = schema.get("properties", {}).items()
        return {name: self.example(one, name) for name, one in fields if name in required or name in SAMPLES}

    def _call(self, path: str, method: str, given: dict[str, Any], body_kind: str, body: dict[str, Any]) -> str:
        address = path.replace("{id}", "1842").replace("{hook_id}", "7")
        needed = [one for one in given.get("parameters", ()) if one.get("required") and one["in"] == "query"]
        query = "&".join(f"{one['name']}={self.example(one['schema'], one['name'])}" for one in needed)
        lines = [f'curl "$KEELSON_URL{address}{"?" + query if query else ""}"']
        if method != "GET" and not (method == "POST" and body):
            lines[0] = lines[0].replace("curl ", f"curl -X {method} ")
        if given.get("security"):
            lines.append('-H "Authorization: Bearer $KEELSON_TOKEN"')
        if any(one["name"] == "Idempotency-Key" for one in given.get("parameters", ())):
            lines.append('-H "Idempotency-Key: $(uuidgen)"')
        filled = self.body_example(body) if body else {}
        if body_kind == JSON:
            lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(filled, ensure_ascii=False)}'"]
        elif body_kind == "multipart/form-data":
            lines += [f"-F {name}={'@passport.jpg' if name == 'file' else value}" for name, value in filled.items()]
        elif body_kind:
            lines += [f"-d {name}={value}" for name, value in filled.items()]
        return " \\\n  ".join(lines)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return self.schemas[name] if name else schema


def _first(schema: dict[str, Any]) -> dict[str, Any]:
    """Take the first of several kinds that isn't null."""
    choices: Iterable[dict[str, Any]] = schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf") or (schema,)
    return next((one for one in choices if one.get("type") != "null"), schema)


def _one_of(schema: dict[str, Any]) -> str:
    return f"one of: {', '.join(map(str, schema['enum']))}"


def _plain_example(schema: dict[str, Any]) -> Any:
    name = schema.get("type", "string")
    name = next((one for one in name if one != "null"), "") if isinstance(name, list) else name
    if name == "integer":
        return 17
    if name in ("boolean", "number"):
        return name == "boolean" or 1.5
    if name == "object":
        return {}
    return {"date-time": "2026-11-26T09:30:00Z", "date": "2026-11-26"}.get(str(schema.get("format", "")), "…")


def _notes(description: str) -> tuple[str, ...]:
    """Split a description into paragraphs, without the scope, which is shown in its own place."""
    parts = (part.strip() for part in description.split("\n\n"))
    return tuple(part for part in parts if part and not part.startswith("Scope: "))


def _codes_of(description: str) -> Iterator[str]:
    return (code for code in dict.fromkeys(_CODE.findall(description)) if code in CODES)


def _pretty(example: Any) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)
