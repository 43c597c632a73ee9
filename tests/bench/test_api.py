"""`bench api` on a few clients: its lists answer beside their yardsticks, and all clients are listed by their changes."""

from unittest.mock import patch

import pytest
from django.test.utils import override_settings

from bench import api, harness, web
from crm.api import limits


@pytest.fixture
def people(db):
    people = web.make_house(20)
    web.fill(1, 300)
    with (
        harness.own_pages(),
        override_settings(ROOT_URLCONF="bench.api"),
        patch.multiple(limits, PER_TOKEN=10**9, PER_BRAND=10**9),
    ):
        yield people


def test_lists_are_measured_beside_a_plain_view_of_the_same_query(people):
    found = {figure.name: figure for figure in api._lists("desk head", people["desk head"], 2)}
    timed = found["desk head: clients, processor time"]
    assert timed.ratio > 0 and timed.yardstick_name == "plain JSON view"
    assert found["desk head: clients, in the middle, p95"].value > 0


def test_the_plain_view_answers_the_same_rows(people):
    browser = api.caller(people["whole brand"])
    ours, plain = (browser.get(address).json()["data"] for address in ("/api/v1/clients", "/plain/clients"))
    assert [row["id"] for row in ours] == [row["id"] for row in plain] and len(ours) == api.LIMIT
