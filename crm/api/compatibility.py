"""What a change of the API breaks for programs that were written against the last release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


def breaking_changes(released: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """List what was taken away or made stricter: addresses, parameters, fields of answers, what bodies need."""
    found: list[str] = []
    for path, methods in released["paths"].items():
        for method, old in methods.items():
            if method not in METHODS:
                continue
            name = f"{method.upper()} {path}"
            new = current["paths"].get(path, {}).get(method)
            found += [f"{name}: removed"] if new is None else _of_operation(name, old, new, released, current)
    return found


def _of_operation(
    name: str, old: dict[str, Any], new: dict[str, Any], released: dict[str, Any], current: dict[str, Any]
) -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in old.get("parameters", [])}
    after = {(one["in"], one["name"]): one for one in new.get("parameters", [])}
    for key in before.keys() - after.keys():
        yield f"{name}: parameter {key[1]} removed"
    for key, one in after.items():
        if one.get("required") and not before.get(key, {}).get("required"):
            yield f"{name}: parameter {key[1]} is now required"
    if set(new.get("x-scopes", [])) - set(old.get("x-scopes", [])):
        yield f"{name}: needs another scope"
    for status, answer in old["responses"].items():
        if status.startswith("2"):
            schema = _schema(new["responses"].get(status), current)
            yield from _of_answer(f"{name} {status}", _schema(answer, released), schema, released, current)
    was, now = _schema(old.get("requestBody"), released), _schema(new.get("requestBody"), current)
    for field in set(now.get("required", [])) - set(was.get("required", [])):
        yield f"{name}: field {field} of the body is now required"
    for field in was.get("properties", {}).keys() - now.get("properties", {}).keys():
        yield f"{name}: field {field} of the body removed"


def _of_answer(
    where: str, old: dict[str, Any], new: dict[str, Any], released: dict[str, Any], current: dict[str, Any]
) -> Iterator[str]:
    old, new = _resolved(old, released), _resolved(new, current)
    for name, was in old.get("properties", {}).items():
        now = new.get("properties", {}).get(name)
        if now is None:
            yield f"{where}: field {name} removed"
        else:
            yield from _of_answer(f"{where}.{name}", was, now, released, current)
    if _types(new) - _types(old) and _types(old):
        yield f"{where}: type {sorted(_types(old))} became {sorted(_types(new))}"
    if "items" in old:
        yield from _of_answer(f"{where}[]", old["items"], new.get("items", {}), released, current)


def _types(schema: dict[str, Any]) -> set[str]:
    kind = schema.get("type", [])
    return set(kind) if isinstance(kind, list) else {kind}


def _schema(part: dict[str, Any] | None, document: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = next(iter((part or {}).get("content", {}).values()), {})
    return _resolved(content.get("schema", {}), document)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found
