"""Every operation of the OpenAPI file with values that fit, nearly fit and don't: no error of ours, answers true to the file."""

import json
import random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Caller

from crm.api.problems import CODES
from crm.api.scopes import BY_CODE
from crm.api.site import document
from tests.crm.api.test_reading import secret_of

pytestmark = pytest.mark.django_db
EXAMPLES = 5
ODD = [
    "",
    "0",
    "-1",
    "1,2,3",
    "9" * 30,
    "NaN",
    "null",
    "2026-11-26T00:00:00Z",
    "0001-01-01",
    "ü€😀",
    "' OR 1=1",
    "[]",
    "{}",
    "true",
]
ODD_JSON = [
    None,
    True,
    0,
    -1,
    2**63,
    1e300,
    "",
    "x" * 400,
    "ü€😀",
    [],
    {},
    [[]],
    {"a": 1},
    "2026-11-26",
    "9999-12-31T23:59:59-14:00",
]
NAMES = {"array": list, "object": dict, "string": str, "boolean": bool, "null": type(None)}


def fits(value: Any, schema: dict[str, Any], components: dict[str, Any], path: str = "$") -> list[str]:
    """What in a value isn't as its schema says; of JSON Schema only what the file uses."""
    if "$ref" in schema:
        return fits(value, components[schema["$ref"].rpartition("/")[2]], components, path)
    if "anyOf" in schema:
        return [] if any(not fits(value, one, components, path) for one in schema["anyOf"]) else [f"{path}: fits none"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        return [f"{path}: {value!r:.60} isn't {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r:.60} isn't in the list"]
    wrong = []
    if isinstance(value, list):
        for place, item in enumerate(value):
            wrong += fits(item, schema.get("items", {}), components, f"{path}[{place}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        wrong += [f"{path}: no {name}" for name in schema.get("required", []) if name not in value]
        if schema.get("additionalProperties") is False:
            wrong += [f"{path}: {name} isn't in the file" for name in value if name not in known]
        for name in value.keys() & known.keys():
            wrong += fits(value[name], known[name], components, f"{path}.{name}")
    return wrong


def is_a(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, NAMES[kind])


def made(schema: dict[str, Any], components: dict[str, Any], chance: random.Random) -> Any:
    """Make a value for a schema: it fits five times in six."""
    if chance.random() < 1 / 6:
        return chance.choice(ODD_JSON)
    if "$ref" in schema:
        return made(components[schema["$ref"].rpartition("/")[2]], components, chance)
    if "anyOf" in schema:
        return made(chance.choice(schema["anyOf"]), components, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type", "object")
    match kind if isinstance(kind, str) else chance.choice(kind):
        case "object":
            known = schema.get("properties", {})
            required = schema.get("required", [])
            chosen = [name for name in known if name in required or chance.random() < 0.5]
            return {name: made(known[name], components, chance) for name in chosen}
        case "array":
            return [made(schema.get("items", {}), components, chance) for _one in range(chance.randint(0, 3))]
        case "integer" | "number":
            return chance.choice([1, 17, 999_999_999])
        case "boolean":
            return chance.random() < 0.5
        case "null":
            return None
    return chance.choice([*map(str, schema.get("examples", [])), "text", "2026-11-26T09:30:00Z", "150.00"])


def ask(path: str, method: str, operation: dict[str, Any], components: dict[str, Any], secret: str, seed: str) -> Any:
    """Send one request made from an operation's own words."""
    chance, query = random.Random(seed), {}
    often = chance.choice([0, 0.05, 0.3]) if not seed.endswith("0") else 0  # the first one without what may be left out
    headers = {"authorization": f"Bearer {secret}", "idempotency-key": seed[-80:]}
    for parameter in operation.get("parameters", []):
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", str(chance.choice([1, 999_999_999, 2**63])))
        elif parameter["in"] == "query" and (parameter.get("required") or chance.random() < often):
            query[name] = chance.choice(ODD) if chance.random() < 0.5 else str(made(schema, components, chance))
    content = operation.get("requestBody", {}).get("content", {})
    caller = Caller(raise_request_exception=False)
    if method == "get":
        return caller.get(path, query, headers=headers)
    for kind, body in content.items():
        value = made(body["schema"], components, chance)
        if kind == "application/json":
            return caller.generic(method.upper(), path, json.dumps(value), content_type=kind, headers=headers)
        form = {name: str(one) for name, one in value.items()} if isinstance(value, dict) else {}
        return caller.post(path, form | {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7 odd")}, headers=headers)
    return caller.generic(method.upper(), path, headers=headers)


def test_no_operation_fails_and_every_answer_is_true_to_the_file(cast):
    described = document()
    components, wrong, answered = described["components"]["schemas"], [], set()
    secrets = [secret_of(user, *BY_CODE) for user in (cast.administrator, cast.finance, cast.desk_head)]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            for number in range(EXAMPLES):
                seed = f"{method} {path} {number}"
                answer = ask(path, method, operation, components, secrets[number % len(secrets)], seed)
                status = answer.status_code
                if status >= 500 and status != 502:
                    wrong.append(f"{seed}: {status}")
                elif status >= 400 and path.startswith("/api/v1/"):
                    problem = answer.json()
                    wrong += [f"{seed}: {line}" for line in fits(problem, components["Problem"], components)]
                    is_known = problem.get("code") in CODES or status == 422
                    wrong += [] if is_known else [f"{seed}: unknown code {problem.get('code')}"]
                elif status < 300 and status != 204:
                    answered.add(operation.get("operationId"))
                    schema = operation["responses"].get(str(status), {}).get("content", {}).get("application/json")
                    if schema is None:
                        wrong.append(f"{seed}: {status} isn't in the file")
                    else:
                        wrong += [f"{seed}: {line}" for line in fits(answer.json(), schema["schema"], components)]
    assert not wrong, "\n".join(wrong[:40])
    assert {"list_clients", "list_leads", "list_deposits", "list_client_facts"} <= answered
