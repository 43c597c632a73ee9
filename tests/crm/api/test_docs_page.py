"""The reference page: every operation, scope and code of the running instance; each link within it leads somewhere."""

import re
from html import unescape

import orjson
import pytest
from django.test import Client as Browser

from crm.api.problems import CODES
from crm.api.scopes import SCOPES
from tests.crm.api.test_openapi import ROOT

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
