"""The OpenAPI file: current, complete, and never stricter than what was released."""

import copy
import re
from pathlib import Path

import orjson
from django.core.management import call_command

import crm.urls  # noqa: F401  the apps' resources are declared when the addresses are
from crm.api.compatibility import breaking_changes
from crm.api.problems import CODES
from crm.api.resources import RESOURCES
from crm.api.scopes import BY_CODE, SCOPES

ROOT = Path(__file__).parents[3]


def test_the_file_is_current_and_breaks_nothing_that_was_released():
    call_command("api_schema", check=True)


def test_every_resource_and_scope_is_described():
    document = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())
    assert document["openapi"] == "3.1.0"
    used = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            used |= set(operation.get("x-scopes", []))
    assert used | {"contacts:read"} == set(BY_CODE)
    for resource in RESOURCES.values():
        assert f"/api/v1/{resource.name}" in document["paths"]
        assert set(resource.filters) <= set(resource.by_name)
    references = re.findall(rb'"\$ref": "#/components/schemas/(\w+)"', (ROOT / "docs" / "openapi.json").read_bytes())
    assert {name.decode() for name in references} <= set(document["components"]["schemas"])


def test_what_breaks_a_program_is_named():
    released = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())
    assert breaking_changes(released, released) == []

    def after(change) -> list[str]:
        current = copy.deepcopy(released)
        change(current)
        return breaking_changes(released, current)

    notes = released["paths"]["/api/v1/notes"]
    assert after(lambda now: now["paths"].pop("/api/v1/deals")) == ["GET /api/v1/deals: removed"]
    schemas = "components", "schemas"
    gone = after(lambda now: now[schemas[0]][schemas[1]]["Note"]["properties"].pop("body"))
    assert "GET /api/v1/notes/{id} 200: field body removed" in gone
    typed = after(lambda now: now[schemas[0]][schemas[1]]["Note"]["properties"]["version"].update(type="string"))
    assert any("version: type ['integer', 'null'] became ['string']" in line for line in typed)
    required = after(lambda now: now[schemas[0]][schemas[1]]["NoteIn"]["required"].append("is_pinned"))
    assert required == ["POST /api/v1/notes: field is_pinned of the body is now required"]
    filtered = after(lambda now: now["paths"]["/api/v1/notes"]["get"]["parameters"].pop())
    assert len(filtered) == 1
    assert notes["post"]["x-scopes"] == ["clients:write"]
    scoped = after(lambda now: now["paths"]["/api/v1/notes"]["post"].update({"x-scopes": ["support:write"]}))
    assert scoped == ["POST /api/v1/notes: needs another scope"]


def test_the_guide_names_every_scope_and_every_code():
    guide = (ROOT / "docs" / "api.md").read_text()
    for scope in SCOPES:
        assert f"`{scope.code}`" in guide, scope.code
    for code, (status, _title, _advice) in CODES.items():
        assert re.search(rf"\| `{code}` \| {status} \|", guide), code
