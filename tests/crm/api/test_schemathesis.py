"""The whole OpenAPI file by schemathesis: no error of ours, and every answer is one that the file names.

Few examples in CI; `KEELSON_API_EXAMPLES=500 pytest tests/crm/api/test_schemathesis.py` looks long and at random.
"""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import Group
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from crm.api import limits
from crm.api.resources import RESOURCES
from crm.api.scopes import BY_CODE
from crm.api.site import document
from crm.choices import Role, UserKind
from crm.models import User
from ib.models import Partner
from tests.crm.api.test_reading import secret_of

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("KEELSON_API_EXAMPLES", "2"))
IS_LONG = EXAMPLES > 10
ONLY = os.environ.get("KEELSON_API_ONLY", "")
load_all_checks()
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
JUDGED = [CHECKS.get_one(name) for name in NAMES]


def sharpened(described: dict[str, Any], user: User, partner: User) -> dict[str, Any]:
    """Say more exactly what a caller would send: ids that exist, names of fields; else nearly all answers are 400 and 404."""
    whole = copy.deepcopy(described)
    ids = {
        resource.noun: sorted(resource.rows(user if resource.permission else partner).values_list("pk", flat=True)[:3])
        for resource in RESOURCES.values()
    }
    for path, methods in whole["paths"].items():
        name = path.removeprefix("/api/v1/").split("/")[0]
        resource = RESOURCES.get(name)
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and resource and ids[resource.noun]:
                    parameter["schema"] = {"enum": [*ids[resource.noun], 999_999_999]}
                elif parameter["name"] in ("fields", "expand") and parameter["in"] == "query" and resource:
                    known = [one.name for one in resource.fields] if parameter["name"] == "fields" else resource.expand
                    parameter["schema"] = {"anyOf": [{"enum": list(known)}, {"type": "string"}]}
                elif parameter["name"] == "updated_since":
                    parameter["schema"] = {"anyOf": [{"const": "beginning"}, {"type": "string"}]}
    for component in whole["components"]["schemas"].values():
        for name, schema in component.get("properties", {}).items():
            if (
                name.endswith("_id")
                and schema.get("type") == "integer"
                and (found := ids.get(name[:-3].replace("_", " ")))
            ):
                component["properties"][name] = {"enum": [*found, 999_999_999]}
    return whole


def operations(whole: dict[str, Any]) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(whole)
    schema.app = get_wsgi_application()
    for found in schema.get_all_operations():
        operation = found.ok()
        if ONLY in operation.label:
            yield operation


def faults_of(operation: Any, secret: str, mode: GenerationMode) -> list[str]:
    """Send examples of an operation; return what was wrong with the answers, each kind once."""
    faults: dict[str, str] = {}
    count = {}

    @settings(
        max_examples=EXAMPLES,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), place=st.integers(0, 2**40))
    def send(case: Any, place: int) -> None:
        headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
        if operation.method != "get" and "Idempotency-Key" not in case.headers:
            headers["Idempotency-Key"] = f"key-{place}"
        mark = transaction.savepoint()
        answer = case.call(headers=headers)
        transaction.savepoint_rollback(mark)  # each request begins with the same records
        count[answer.status_code] = count.get(answer.status_code, 0) + 1
        try:
            case.validate_response(answer, checks=JUDGED, headers=headers)
        except BaseException as error:  # a group of failures
            for one in getattr(error, "exceptions", [error]):
                key = f"{operation.label} {answer.status_code} {type(one).__name__}"
                faults.setdefault(
                    key, f"{key}: {str(one)[:600]}\n   {case.as_curl_command()[:600]}\n   -> {answer.text[:300]}"
                )

    send()
    if IS_LONG:
        print(operation.label, mode.name, count)
    return list(faults.values())


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests through the WSGI application keep the test's transaction, as Django's own test client has it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def all_rights() -> User:
    """Somebody with all roles, so that refusals are those of values."""
    user = User.objects.filter(groups__name=Role.ADMINISTRATOR, kind=UserKind.STAFF, is_active=True).first()
    assert user is not None
    user.groups.add(*Group.objects.filter(name__in=Role.values))
    return user


def test_every_answer_is_one_that_the_file_names(demo_world, one_connection, monkeypatch):
    monkeypatch.setattr(limits, "PER_TOKEN", 10**9)
    monkeypatch.setattr(limits, "PER_BRAND", 10**9)
    user = all_rights()
    partner = Partner.objects.filter(user__is_active=True).order_by("pk")[0].user
    secret, secret_of_partner = (secret_of(person, *BY_CODE) for person in (user, partner))
    faults = []
    for operation in operations(sharpened(document(), user, partner)):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            is_partners = operation.path.startswith("/api/v1/partner-")
            faults += faults_of(operation, secret_of_partner if is_partners else secret, mode)
    if path := os.environ.get("KEELSON_API_FAULTS"):
        Path(path).write_text("\n".join(faults))
    assert not faults, "\n".join(faults)
