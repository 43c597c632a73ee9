"""The reference page: every operation, scope and code of the running instance; each link within it leads somewhere."""

import re
from html import unescape

import orjson
import pytest
from django.test import Client as Browser

from crm.api.problems import CODES
from crm.api.scopes import BY_CODE, SCOPES
from crm.events.schemas import catalogue
from tests.cast import make_client
from tests.crm.api.test_openapi import ROOT
from tests.crm.api.test_reading import get, secret_of
from tests.crm.api.test_writing import send

pytestmark = pytest.mark.django_db


def test_every_operation_is_described_and_every_link_leads_somewhere():
    answer = Browser().get("/api/v1/docs/", headers={"accept-language": "de"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert '<html lang="en' in page, "in English, as the API is"
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    document = orjson.loads((ROOT / "docs" / "openapi.json").read_bytes())
    for path, methods in document["paths"].items():
        for operation in methods.values():
            at = page.index(f'id="op-{operation["operationId"]}"')
            part = unescape(page[at : page.index("</details>", at)])
            assert path in part and operation["summary"] in part
            for parameter in operation.get("parameters", []):
                assert f"<code>{parameter['name']}</code>" in part, (path, parameter["name"])
            for scope in operation.get("x-scopes", []):
                assert f'href="#scope-{scope}"' in part
    links = {unescape(link) for link in re.findall(r'href="#([^"]+)"', page)} - {"main"}
    assert links <= set(ids), sorted(links - set(ids))
    assert {f"scope-{scope.code}" for scope in SCOPES} | {f"error-{code}" for code in CODES} <= set(ids)
    lead = unescape(page[page.index('id="op-create_lead"') :])
    assert '-d \'{"brand": "meridian", "email": "pia@example.com"' in lead[: lead.index("</details>")]


def test_every_request_of_the_guides_recipes_is_answered(cast):
    recipes = (ROOT / "docs" / "api.md").read_text().partition("## Recipes")[2]
    secrets = [secret_of(user, *BY_CODE) for user in (cast.desk_head, cast.finance)]
    requests = re.findall(r"^GET /api/v1/(\S+)$", recipes, re.M)
    assert len(requests) == 6
    for request in requests:
        answers = [get(request, secret) for secret in secrets]
        assert 200 in {answer.status_code for answer in answers}, (request, [answer.content for answer in answers])
    (body,) = re.findall(r"^POST /api/v1/calls\n.*\n(\{.*\})$", recipes, re.M)
    person = make_client(brand=cast.brand, book=cast.book, email="pia@example.com", login=False)
    answer = send("calls", secrets[0], body.replace("1842", str(person.pk)))
    assert answer.status_code == 201, answer.content
    assert set(re.findall(r"webhook `([\w.]+)`", recipes)) <= {event.name for event in catalogue()}
