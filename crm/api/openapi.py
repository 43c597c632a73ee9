"""What the OpenAPI file says of declared resources: parameters, answers, scopes, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm.api.authentication import TokenAuth
from crm.api.fields import MONEY_SCHEMA
from crm.api.problems import CODES
from crm.api.scopes import BY_CODE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm.api.fields import Field
    from crm.api.resources import Resource

_AUTH = TokenAuth()
JSON = "application/json"
MANY = "Many"
PROBLEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "examples": sorted(CODES)},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["type", "title", "status", "detail", "code"],
}


def auth() -> TokenAuth:
    """Return the one way to authenticate that the file names."""
    return _AUTH


def record_schema(resource: Resource) -> dict[str, Any]:
    """Describe a record. No field is required: `fields` leaves some out."""
    properties = {one.name: one.schema for one in resource.fields}
    for name, other in resource.expand.items():
        properties[name] = {"anyOf": [_reference(other), {"type": "null"}], "description": f"With expand={name}"}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def complete(schema: dict[str, Any], resources: Iterable[Resource]) -> None:
    """Add what the declared resources refer to, and leave out what the framework adds to every operation."""
    components = schema["components"].setdefault("schemas", {})
    components["Problem"] = PROBLEM
    components["Money"] = MONEY_SCHEMA
    components.update({_name(resource): record_schema(resource) for resource in resources})
    for name, component in components.items():
        if name.startswith(MANY) and (row := name.removeprefix(MANY)) in components:
            component["properties"]["rows"]["items"] = {"$ref": f"#/components/schemas/{row}"}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            responses = operation["responses"]
            if "201" in responses and "200" in responses and "content" not in responses["200"]:
                del responses["200"]
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "Idempotency-Key" and path.startswith("/api/v1/"):
                    parameter["required"] = True
                    parameter["schema"].pop("default", None)


def _name(resource: Resource) -> str:
    return resource.noun.title().replace(" ", "")


def _reference(resource: Resource) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{_name(resource)}"}


def of_list(resource: Resource) -> dict[str, Any]:
    """Describe a list: the shared parameters, its own filters, its page."""
    page: dict[str, Any] = {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": _reference(resource)},
            "next_cursor": {"type": ["string", "null"], "description": "Send it as `cursor` for the next page"},
        },
        "required": ["data", "next_cursor"],
        "additionalProperties": False,
    }
    if resource.tracks_changes:
        page["properties"]["updated_until"] = {
            "type": "string",
            "description": "Send it as `updated_since` the next time",
        }
    parameters = [
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Records per page"),
        _query("cursor", {"type": "string"}, "`next_cursor` of the page before"),
        _query("order", {"enum": ["newest", "oldest"], "default": "newest"}, "By when records were created"),
        *_shape_parameters(resource),
    ]
    if resource.tracks_changes:
        parameters.append(_query("updated_since", {"type": "string"}, "`beginning`, or `updated_until` of an answer"))
    if resource.vocabulary is not None:
        note = (
            '{"all": [{"field": "equity", "is": "ge", "value": "1000"}]}: a condition over what /v1/client-facts lists'
        )
        parameters.append(_query("where", {"type": "string", "maxLength": 4000}, note))
    for name in resource.filters:
        parameters += _filter_parameters(resource.by_name[name])
    extra = _extra(resource.scope, page, parameters, resource.summary)
    if resource.tracks_changes:
        extra["responses"]["410"] = problem_response("expired_cursor")
    return extra


def of_record(resource: Resource) -> dict[str, Any]:
    """Describe one record with its ETag."""
    extra = _extra(resource.scope, _reference(resource), _shape_parameters(resource), resource.summary)
    extra["responses"]["200"]["headers"] = {"ETag": {"schema": {"type": "string"}}}
    extra["responses"]["304"] = {"description": "Unchanged since the ETag in If-None-Match"}
    extra["responses"] |= refusals("not_found", "malformed")
    return extra


def problem_response(*codes: str) -> dict[str, Any]:
    """Describe a problem document with the codes that it may have."""
    description = "; ".join(f"{code}: {CODES[code][2]}" for code in codes)
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def refusals(*codes: str) -> dict[str, Any]:
    """Describe the refusals with these codes, by their statuses: for an operation that isn't declared by a resource."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    return {str(status): problem_response(*found) for status, found in by_status.items()}


def _shape_parameters(resource: Resource) -> list[dict[str, Any]]:
    names = ", ".join(one.name for one in resource.fields)
    parameters = [_query("fields", {"type": "string"}, f"Only these, separated by commas: {names}")]
    if resource.expand:
        parameters.append(_query("expand", {"type": "string"}, f"Records to include: {', '.join(resource.expand)}"))
    return parameters


def _filter_parameters(one: Field) -> list[dict[str, Any]]:
    kind = {"integer": "integer", "boolean": "boolean"}.get(one.kind, "string")
    exact: dict[str, Any] = {"type": "string"} if kind == "integer" else {"type": kind}
    parameters = [_query(one.name, exact, "This value, or several separated by commas")]
    if one.kind in ("time", "day"):
        schema = {"type": "string", "format": "date-time" if one.kind == "time" else "date"}
        parameters = [_query(f"{one.name}[{name}]", schema, f"{name}, UTC") for name in ("gte", "lt")]
    return parameters


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "schema": schema, "required": False, "description": description}


def _extra(scope: str, schema: dict[str, Any], parameters: list[dict[str, Any]], summary: str) -> dict[str, Any]:
    label = BY_CODE[scope].label
    return {
        "description": f"{summary}\n\nScope: `{scope}` ({label}).".strip(),
        "x-scopes": [scope],
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": {JSON: {"schema": schema}}},
            "400": problem_response("invalid_request", "invalid_cursor"),
            "401": problem_response("unauthorized"),
            "403": problem_response("insufficient_scope", "not_allowed", "wrong_network"),
            "429": problem_response("too_many_requests"),
        },
    }


VERDICT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "row": {"type": "integer", "description": "Its place in `rows`, from 0"},
        "status": {"type": "integer", "description": "As a single write would have answered", "examples": [201, 422]},
        "id": {"type": "integer"},
        "is_replay": {"type": "boolean", "description": "Done by an earlier request with this key"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["row", "status"],
    "additionalProperties": False,
}


def of_bulk(scope: str) -> dict[str, Any]:
    """Describe a bulk write: a verdict per row, in their order."""
    page = {
        "type": "object",
        "properties": {"results": {"type": "array", "items": VERDICT}},
        "required": ["results"],
        "additionalProperties": False,
    }
    note = "Each row is written on its own. The same request with the same Idempotency-Key does only what was refused before."
    extra = _extra(scope, page, [], note)
    extra["responses"]["400"] = problem_response("missing_idempotency_key", "invalid_json")
    extra["responses"]["409"] = problem_response("idempotency_conflict")
    extra["responses"]["413"] = problem_response("too_large")
    extra["responses"]["422"] = problem_response("malformed")
    return extra


def of_read(scope: str) -> dict[str, Any]:
    """Describe a read that is no list of records."""
    described = _extra(scope, {}, [], "")
    del described["parameters"], described["responses"]["200"], described["description"]
    described["responses"]["422"] = problem_response("malformed")
    return described


def of_write(resource: Resource, scope: str, *, needs_match: bool, is_new: bool) -> dict[str, Any]:
    """Describe a write: its answer is the record."""
    extra = _extra(scope, _reference(resource), [], "Needs an Idempotency-Key: the same key does it once.")
    if is_new:
        extra["responses"]["201"] = extra["responses"].pop("200")
    extra["responses"]["400"] = problem_response("missing_idempotency_key", "invalid_json")
    extra["responses"]["404"] = problem_response("not_found")
    extra["responses"]["409"] = problem_response("wrong_state", "idempotency_conflict")
    extra["responses"]["413"] = problem_response("too_large")
    extra["responses"]["422"] = problem_response("malformed", "refused")
    if needs_match:
        parameter = {"in": "header", "name": "If-Match", "schema": {"type": "string"}, "required": False}
        extra["parameters"].append({**parameter, "description": "The ETag that you have read"})
        extra["responses"]["412"] = problem_response("stale")
    return extra
