"""Who had a client when: every move leaves a row, whichever way it is made, and no row is ever changed."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clients.books import move_client, move_clients
from clients.models import BookDesk, Client, Ownership
from clients.ownership.check import close_gaps, gaps
from crm.db.bulk import copy_models
from crm.models import Book
from crm.staff.books import BookDetails, change_book
from tests.cast import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def third_book(cast):
    return Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)


def owners_of(client) -> list[tuple]:
    return list(Ownership.objects.filter(client=client).order_by("since").values_list("book_id", "owner_id"))


def periods_of(client) -> list[tuple]:
    """(owner, desk, since, until) of each period."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, desk_id, since::text, until::text FROM clients_ownership_period"
            " WHERE client_id = %s ORDER BY since",
            [client.pk],
        )
        return cursor.fetchall()


def test_a_new_client_is_its_books_from_the_beginning(cast):
    client = make_client(brand=cast.brand, book=cast.book, email="new@example.com")
    assert periods_of(client) == [(cast.agent.pk, cast.desk.pk, "1970-01-01 00:00:00+00", "infinity")]


def test_a_move_says_since_when(cast, third_book):
    before = timezone.now()
    move_client(client_id=cast.client.pk, to_book_id=third_book.pk, actor=cast.desk_head)
    assert owners_of(cast.client) == [(cast.book.pk, cast.agent.pk), (third_book.pk, cast.retention.pk)]
    assert before <= Ownership.objects.filter(client=cast.client).latest("since").since <= timezone.now()
    (_first, _desk, _since, until), (_second, _desk, since, end) = periods_of(cast.client)
    assert (until, end) == (since, "infinity")


def test_a_move_of_many_costs_no_statement_per_client(cast, third_book, django_assert_max_num_queries):
    many = [make_client(brand=cast.brand, book=cast.book, email=f"m{n}@example.com", login=False) for n in range(40)]
    with django_assert_max_num_queries(30):
        move_clients(client_ids=[c.pk for c in many], to_book_id=third_book.pk, actor=cast.desk_head)
    rows = Ownership.objects.filter(book=third_book, owner=cast.retention)
    assert sorted(rows.values_list("client_id", flat=True)) == [client.pk for client in many]
    move_clients(client_ids=[c.pk for c in many], to_book_id=third_book.pk, actor=cast.desk_head)
    assert rows.count() == 40, "those already there stay untouched"


WAYS = {
    "saved": lambda client, book: (setattr(client, "book", book), setattr(client, "owner", book.owner), client.save()),
    "updated": lambda client, book: Client.objects.filter(pk=client.pk).update(book=book, owner=book.owner),
    "by hand": lambda client, book: connection.cursor().execute(
        "UPDATE clients_client SET book_id = %s, owner_id = %s WHERE id = %s", [book.pk, book.owner_id, client.pk]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_move_a_client_is_forgotten(cast, third_book, way):
    WAYS[way](cast.client, third_book)
    assert owners_of(cast.client)[-1] == (third_book.pk, cast.retention.pk)
    assert gaps() == []


def test_moves_of_one_transaction_keep_their_order(cast, third_book):
    for book in (cast.pool, third_book, cast.book):
        move_client(client_id=cast.client.pk, to_book_id=book.pk)
    assert [book for book, _owner in owners_of(cast.client)] == [
        cast.book.pk,
        cast.pool.pk,
        third_book.pk,
        cast.book.pk,
    ]


def test_another_change_of_the_client_leaves_no_row(cast):
    cast.client.first_name = "Klara"
    cast.client.save()
    Client.objects.filter(pk=cast.client.pk).update(score=3, book=cast.book)
    assert len(owners_of(cast.client)) == 1


def test_imported_clients_have_their_first_row(cast):
    clients = [
        Client(brand=cast.brand, book=cast.book, owner=cast.agent, email=f"i{n}@example.com", created_at=timezone.now())
        for n in range(5)
    ]
    copy_models(clients)
    assert all(owners_of(client) == [(cast.book.pk, cast.agent.pk)] for client in clients)


def test_a_known_past_is_not_repeated_by_the_move_that_follows_it(cast, third_book):
    at = timezone.now() - dt.timedelta(days=30)
    Ownership.objects.create(client=cast.client, book=third_book, owner=cast.retention, since=at)
    Client.objects.filter(pk=cast.client.pk).update(book=third_book, owner=cast.retention)
    assert list(Ownership.objects.filter(client=cast.client, since__gt=at)) == []


def test_a_book_keeps_the_desk_of_its_past(cast):
    details = BookDetails(name=cast.book.name, desk=cast.other_desk, owner=cast.book.owner, is_pool=cast.book.is_pool)
    change_book(book_id=cast.book.pk, actor=cast.administrator, details=details)
    assert [desk for _owner, desk, _since, _until in periods_of(cast.client)] == [cast.desk.pk, cast.other_desk.pk]
    assert len(owners_of(cast.client)) == 1, "no row per client"
    move_client(client_id=cast.client.pk, to_book_id=cast.pool.pk)
    assert [desk for _owner, desk, *_times in periods_of(cast.client)] == [
        cast.desk.pk,
        cast.other_desk.pk,
        cast.desk.pk,
    ]


@pytest.mark.parametrize("statement", ["UPDATE {} SET since = now()", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["clients_ownership", "clients_bookdesk"])
def test_what_was_is_never_changed(cast, table, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


@pytest.fixture
def bypassed(cast):
    """A client moved, one added, and a book put under another desk, while no trigger saw it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Client.objects.filter(pk=cast.client.pk).update(book=cast.pool, owner=None)
        cast.unseen = make_client(brand=cast.brand, book=cast.book, email="u@example.com", login=False)
        Book.objects.filter(pk=cast.pool.pk).update(desk=cast.other_desk)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return cast


def test_the_check_names_what_the_history_lacks(bypassed):
    err = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("rebuild_facts", "--check", stdout=io.StringIO(), stderr=err)
    for what in (f"book {bypassed.pool.pk}", f"client {bypassed.client.pk}", f"client {bypassed.unseen.pk}"):
        assert f"{what}: the history of owners doesn't end with its present one" in err.getvalue()
    assert len(gaps()) == 3 and len(owners_of(bypassed.client)) == 1, "a check writes nothing"


def test_the_command_completes_the_history(bypassed):
    out = io.StringIO()
    call_command("rebuild_facts", stdout=out)
    assert "history of owners: 3 completed" in out.getvalue()
    assert owners_of(bypassed.client) == [(bypassed.book.pk, bypassed.agent.pk), (bypassed.pool.pk, None)]
    assert [since for _owner, _desk, since, _until in periods_of(bypassed.unseen)] == ["1970-01-01 00:00:00+00"]
    assert BookDesk.objects.filter(book=bypassed.pool).count() == 2
    assert (gaps(), close_gaps()) == ([], 0)
