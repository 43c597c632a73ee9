"""`bench web` on a small house: its rows are there, its pages answer, its figures have yardsticks."""

import pytest
from django.db import connection
from django.test.utils import override_settings

from bench import harness, web
from clients.models import Client
from leads.models import Lead


@pytest.fixture
def house(db):
    people = web.make_house(20)
    web.fill(1, 500)
    with harness.own_pages(), override_settings(ROOT_URLCONF="bench.bare_urls"):
        yield people


def test_a_house_has_its_leads_spread_over_all_books_and_some_clients(house):
    assert Client.objects.filter(stage="lead").count() == 500 and Lead.objects.count() == 520
    assert Client.objects.exclude(stage="lead").count() == 20
    assert Client.objects.filter(stage="lead").values("book").distinct().count() == 20
    web.fill(501, 600)
    assert Client.objects.filter(stage="lead").count() == 600


def test_each_page_is_measured_beside_the_bare_page_with_its_queries(house):
    p95s: dict[str, list[float]] = {}
    found = {figure.name: figure for figure in web.measure("agent", house["agent"], 500, 2, p95s)}
    for page in ("list", "list by score", "filter", "search", "profile", "list of clients"):
        timed = found[f"agent, 500: {page} p95"]
        assert timed.value > 0 and timed.yardstick == found["agent, 500: bare page p95"].value
        assert 3 <= found[f"agent, 500: {page} queries"].value <= 20
    assert p95s["agent: list"] == [found["agent, 500: list p95"].value]
    assert found["agent, 500: raw keyset query p95"].value > 0


def test_the_sweep_names_the_slowest_filter_and_order(house):
    p95s: dict[str, list[float]] = {}
    found = web.sweep("desk head", house["desk head"], 500, 0, p95s)
    assert any("slowest (" in figure.name for figure in found) and p95s["desk head: every filter in every order"]


def test_a_page_that_fails_stops_the_benchmark(house):
    with pytest.raises(RuntimeError, match="answered 404"):
        web.getter(web.signed_in(house["agent"]), "/nowhere/")()


def test_processor_time_counts_the_database_too(db):
    before = harness.cpu_ms()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n) FROM generate_series(1, 300000) n")
    assert harness.cpu_ms() > before
