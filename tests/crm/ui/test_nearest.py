"""Lists with an end to their walk show the same rows as without, and walk no further than they said."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.models import User
from crm.ui import keyset, nearest
from tests.crm.ui.test_keyset import WHEN, people
from tests.examples import examples

WIDE = User.objects.all


def pages_of(rows, order, size, candidates, **more):
    found, token = [], ""
    while True:
        page = keyset.get_page(rows, order, token, size, candidates, **more)
        found.append([row.pk for row in page.rows])
        if page.next is None:
            return found, page
        token = page.next
        assert len(found) < 100


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    logins=st.lists(st.none() | st.integers(0, 4), max_size=24),
    rest=st.integers(0, 4),
    size=st.integers(1, 6),
    descending=st.booleans(),
    path=st.sampled_from(["last_login", "id", "pk", "username"]),
    end=st.integers(1, 12),
    has_index=st.booleans(),
    usual=st.none() | st.integers(0, 4),
)
def test_with_an_end_or_without_pages_are_the_same_both_ways(
    db, logins, rest, size, descending, path, end, has_index, usual
):
    User.objects.all().delete()
    people(logins)
    first = User.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    rows = User.objects.filter(pk__gte=first + rest).exclude(username__endswith="3").select_related("brand")
    order = plain_order = keyset.Order(path, path, descending)
    if path == "last_login" and usual is not None:  # its rows are a leg of their own, in the same place
        order = keyset.Order(path, path, descending, WHEN + dt.timedelta(days=usual))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "PROBE_ROWS", end)
        bounded, last = pages_of(rows, order, size, WIDE(), has_index=has_index)
        plain, plain_last = pages_of(rows, plain_order, size, None)
        assert pages_of(rows, order, size, None)[0] == plain
        assert bounded == plain
        while last.previous:
            last = keyset.get_page(rows, order, last.previous, size, WIDE(), has_index=has_index)
            plain_last = keyset.get_page(rows, plain_order, plain_last.previous, size)
            assert [row.pk for row in last.rows] == [row.pk for row in plain_last.rows]


def test_a_full_page_near_the_start_costs_one_query_and_an_empty_one_two(db, django_assert_num_queries):
    people(list(range(20)))
    order = keyset.Order("id", "id", True)
    with django_assert_num_queries(1):
        assert len(keyset.get_page(WIDE(), order, "", 10, WIDE()).rows) == 10
    with django_assert_num_queries(2):
        assert keyset.get_page(User.objects.filter(username="nobody"), order, "", 10, WIDE()).rows == []


def test_a_filter_that_nobody_passes_walks_no_further_than_the_end(db):
    """The planner believes that every second one passes; in truth none does."""
    with connection.cursor() as cursor:
        # Before the rows: an index that is made after an update of the same transaction may not be used in it.
        cursor.execute("CREATE INDEX walked ON crm_user (last_login, id)")
    people([n % 40 for n in range(3000)])
    User.objects.update(is_staff=False)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE crm_user")
        # What earlier tests left behind must not make another plan cheaper than the index.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    wanted = User.objects.filter(is_staff=True).order_by("-last_login", "-pk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "PROBE_ROWS", 100)
        near = nearest._read_from(wanted, WIDE().order_by("-last_login", "-pk")[: nearest.PROBE_ROWS])[:50]
        plan = near.explain(analyze=True, format="json")
    assert max(rows_of(json.loads(plan)[0]["Plan"])) <= 100
    leg = keyset.Leg(keyset.Order("last_login", "last_login", True), keyset.Part.EMPTY, nullable=True, down=True)
    plan = leg.of(WIDE().annotate(k_sort=F("last_login")), is_range=True)[:50].explain()
    assert "walked" in plan and "Index Cond: (last_login IS NULL)" in plan, "else past everybody who has a value"


def rows_of(node):
    yield node["Actual Rows"]
    for below in node.get("Plans", []):
        yield from rows_of(below)


def test_rows_keep_their_joins_annotations_and_ties(db, cast):
    day = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    User.objects.update(last_login=day)
    order = keyset.Order("last_login", "last_login", True)
    rows = User.objects.select_related("brand").filter(brand__isnull=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "PROBE_ROWS", 1)
        page = keyset.get_page(rows, order, "", 500, WIDE())
    assert [row.pk for row in page.rows] == list(rows.order_by("-pk").values_list("pk", flat=True))
    assert all(row.k_sort == day and "brand" in row._state.fields_cache for row in page.rows)
