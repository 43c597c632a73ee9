"""Keyset paging: each row exactly once, in order, both ways, through ties and empty values, while rows come and go."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.models import User
from crm.ui import keyset
from tests.examples import examples

WHEN = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def people(logins: list[int | None]) -> None:
    """One user per entry: last_login that many days after WHEN, or none."""
    User.objects.bulk_create(
        User(
            username=f"u{n}", email=f"u{n}@x.example", last_login=None if day is None else WHEN + dt.timedelta(days=day)
        )
        for n, day in enumerate(logins)
    )


def expected(descending: bool) -> list[int]:
    """Python's own idea of the order: by value then id, both in the same direction, empty values last."""
    rows = list(User.objects.values_list("pk", "last_login"))
    filled = sorted(((at, pk) for pk, at in rows if at), reverse=descending)
    empty = sorted((pk for pk, at in rows if at is None), reverse=descending)
    return [pk for _at, pk in filled] + empty


def walk_forward(order: keyset.Order, size: int) -> tuple[list[list[int]], list[str]]:
    pages, tokens, token = [], [""], ""
    while True:
        page = keyset.get_page(User.objects.all(), order, token, size)
        pages.append([row.pk for row in page.rows])
        if page.next is None:
            return pages, tokens
        token = page.next
        tokens.append(token)
        assert len(pages) < 200


def walk_back(order: keyset.Order, token: str, size: int) -> list[list[int]]:
    pages = []
    page = keyset.get_page(User.objects.all(), order, token, size)
    while True:
        pages.append([row.pk for row in page.rows])
        if page.previous is None:
            return pages[::-1]
        page = keyset.get_page(User.objects.all(), order, page.previous, size)
        assert len(pages) < 200


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_every_row_comes_once_in_order_and_back_again(db, descending, size):
    people([3, 1, None, 1, 1, 2, None, 9, 1, None, 3, 3])
    order = keyset.Order("last_login", "last_login", descending)
    pages, tokens = walk_forward(order, size)
    assert [pk for page in pages for pk in page] == expected(descending)
    assert walk_back(order, tokens[-1], size) == pages


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logins=st.lists(st.none() | st.integers(0, 4), max_size=24), size=st.integers(1, 9), descending=st.booleans())
def test_any_mix_of_ties_and_empty_values_pages_both_ways(db, logins, size, descending):
    User.objects.all().delete()
    people(logins)
    order = keyset.Order("last_login", "last_login", descending)
    pages, tokens = walk_forward(order, size)
    assert [pk for page in pages for pk in page] == expected(descending)
    if tokens[1:]:
        assert walk_back(order, tokens[-1], size) == pages


def test_rows_that_come_and_go_move_nobody_elses_place(db):
    people(list(range(10)))
    order = keyset.Order("last_login", "last_login", False)
    first = keyset.get_page(User.objects.all(), order, "", 4)
    User.objects.create(username="early", email="e@x.example", last_login=WHEN - dt.timedelta(days=1))
    User.objects.filter(pk=first.rows[-1].pk).delete()
    second = keyset.get_page(User.objects.all(), order, first.next, 4)
    assert [row.username for row in second.rows] == ["u4", "u5", "u6", "u7"]


def test_walking_back_to_the_start_gives_a_full_first_page(db):
    people(list(range(9)))
    order = keyset.Order("id", "id", False)
    first = keyset.get_page(User.objects.all(), order, "", 4)
    second = keyset.get_page(User.objects.all(), order, first.next, 4)
    User.objects.filter(pk__in=[row.pk for row in first.rows[:2]]).delete()
    back = keyset.get_page(User.objects.all(), order, second.previous, 4)
    assert [row.username for row in back.rows] == ["u2", "u3", "u4", "u5"]
    assert back.previous is None


def test_a_page_whose_rows_are_gone_shows_the_start_again(db):
    people(list(range(6)))
    order = keyset.Order("id", "id", False)
    first = keyset.get_page(User.objects.all(), order, "", 5)
    User.objects.filter(username="u5").delete()
    assert len(keyset.get_page(User.objects.all(), order, first.next, 5).rows) == 5


@pytest.mark.parametrize("token", ["nonsense", "gAAAAA" * 20, "%00", "ü"])
def test_a_damaged_cursor_is_the_first_page(db, token):
    people(list(range(3)))
    page = keyset.get_page(User.objects.all(), keyset.Order("id", "id"), token, 2)
    assert [row.username for row in page.rows] == ["u0", "u1"]


def test_a_cursor_of_another_order_is_the_first_page(db):
    people(list(range(5)))
    token = keyset.get_page(User.objects.all(), keyset.Order("id", "id"), "", 2).next
    page = keyset.get_page(User.objects.all(), keyset.Order("username", "username"), token, 2)
    assert [row.username for row in page.rows] == ["u0", "u1"]


def test_a_cursor_shows_nothing_of_its_value(db):
    people([1, 2, 3])
    token = keyset.get_page(User.objects.all(), keyset.Order("email", "email"), "", 1).next
    assert "u0@" not in token and "%" not in token and QueryDict(f"cursor={token}")["cursor"] == token
    import base64

    assert b"u0@x" not in base64.urlsafe_b64decode(token + "==")


def test_an_order_by_a_related_value_or_an_annotation_works(cast):
    by_brand = keyset.Order("brand", "brand__name", True)
    pages, _tokens = walk_forward(by_brand, 4)
    assert sorted(pk for page in pages for pk in page) == sorted(User.objects.values_list("pk", flat=True))
    rows = User.objects.annotate(full=Concat(F("first_name"), Value(" "), F("last_name")))
    names, token = [], ""
    while True:
        page = keyset.get_page(rows, keyset.Order("full", "full"), token, 5)
        names += [row.full for row in page.rows]
        token = page.next
        if not token:
            break
    assert len(names) == User.objects.count()


def test_a_list_is_never_ordered_through_many_rows(cast):
    with pytest.raises(Exception, match="leads to many rows"):
        keyset.get_page(User.objects.all(), keyset.Order("n", "notifications__id"), "", 5)


def test_a_page_costs_one_query_and_two_at_the_turn(db, django_assert_num_queries):
    people([1, 2, 3, 4, None, None, None])
    order = keyset.Order("last_login", "last_login", True)
    with django_assert_num_queries(1):
        first = keyset.get_page(User.objects.all(), order, "", 2)
    with django_assert_num_queries(2):
        second = keyset.get_page(User.objects.all(), order, first.next, 3)
    assert [row.last_login is None for row in second.rows] == [False, False, True]
    with django_assert_num_queries(1):
        keyset.get_page(User.objects.all(), order, second.next, 3)


def test_a_deep_page_is_a_range_of_the_index(db):
    """With an index on (value, id), a page far down reads its own rows only."""
    people([n % 40 for n in range(4000)])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE INDEX deep ON crm_user (last_login, id)")
        cursor.execute("ANALYZE crm_user")
        cursor.execute("SET LOCAL enable_seqscan = off")
    order = keyset.Order("last_login", "last_login", True)
    middle = User.objects.filter(last_login=WHEN + dt.timedelta(days=20)).order_by("pk")[50]
    token = keyset.Cursor(order.param, middle.last_login, middle.pk).token()
    rows = User.objects.annotate(k_sort=F("last_login"))
    part = keyset.Leg(order, keyset.Part.FILLED, True, True, keyset.read_cursor(token, order, rows)).of(rows)
    plan = part[:50].explain(analyze=True, format="json")
    assert "Index" in plan and "Rows Removed by Filter" not in plan and '"Sort Method"' not in plan


def test_the_estimate_is_near_and_needs_no_count(db, django_assert_num_queries):
    people(list(range(2000)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_user")
    with django_assert_num_queries(1):
        about = keyset.estimate(User.objects.all())
    assert 1800 <= about <= 2200
