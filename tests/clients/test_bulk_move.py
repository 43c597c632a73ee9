"""Moving many clients from the list, and what the new and the old owner notice."""

import pytest
from django.utils import timezone

from clients.books import move_client, move_clients
from clients.models import Client, Task
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, Book, Notification
from tests.cast import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def third_book(cast):
    return Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)


def task_of(client, person, **fields) -> Task:
    return Task.objects.create(client=client, assignee=person, title="Call", due_at=timezone.now(), **fields)


def book_of(client) -> Book:
    return Client.objects.get(pk=client.pk).book


def test_done_tasks_and_those_of_others_stay_whose_they_are(cast, third_book):
    done = task_of(cast.client, cast.agent, done_at=timezone.now(), done_by=cast.agent)
    of_another_client = task_of(cast.other_client, cast.agent)
    still = task_of(cast.client, cast.agent)
    move_client(client_id=cast.client.pk, to_book_id=third_book.pk, actor=cast.desk_head)
    for task, whose in ((done, cast.agent), (of_another_client, cast.agent), (still, cast.retention)):
        task.refresh_from_db()
        assert task.assignee == whose


def test_a_pool_takes_clients_but_no_tasks(cast):
    task = task_of(cast.client, cast.agent)
    moved = move_client(client_id=cast.client.pk, to_book_id=cast.pool.pk)
    task.refresh_from_db()
    assert (moved.book, moved.owner, task.assignee) == (cast.pool, None, cast.agent)
    assert not Notification.objects.exists()


def test_a_book_that_is_gone_is_said_so(cast):
    with pytest.raises(DomainError, match="no longer exists"):
        move_client(client_id=cast.client.pk, to_book_id=999_999, actor=cast.desk_head)


def test_one_client_out_of_reach_stops_the_whole_move(cast, third_book):
    with pytest.raises(NotAllowed):
        move_clients(client_ids=[cast.client.pk, cast.other_client.pk], to_book_id=third_book.pk, actor=cast.desk_head)
    assert book_of(cast.client) == cast.book and not AuditEvent.objects.filter(action="clients.moved").exists()


def test_the_new_owner_hears_of_many_at_once(cast, third_book):
    second = make_client(brand=cast.brand, book=cast.book, email="b@example.com", login=False)
    move_clients(client_ids=[cast.client.pk, second.pk], to_book_id=third_book.pk, actor=cast.desk_head)
    note = Notification.objects.get()
    assert (note.user, note.title, note.url) == (cast.retention, "2 clients are now in your book", "/clients/")


def test_who_moves_clients_to_themselves_hears_nothing(cast):
    mine = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Dora's book", owner=cast.desk_head)
    move_client(client_id=cast.client.pk, to_book_id=mine.pk, actor=cast.desk_head)
    assert not Notification.objects.exists()


def test_a_quiet_move_rings_no_bell(cast, third_book):
    move_clients(client_ids=[cast.client.pk], to_book_id=third_book.pk, is_owner_notified=False)
    assert not Notification.objects.exists() and book_of(cast.client) == third_book


@pytest.mark.parametrize("book", ["", "x", "²", "-1"])
def test_the_list_asks_for_a_book(cast, browse, book):
    answer = browse(cast.desk_head).post("/clients/move/", {"ids": [cast.client.pk], "book": book})
    assert answer.status_code < 500 and book_of(cast.client) == cast.book


def test_the_form_offers_books_of_the_brand_in_reach(cast, third_book, browse):
    foreign = Book.objects.create(brand=cast.other_brand, name="Foreign")
    form = browse(cast.desk_head).get(f"/clients/{cast.client.pk}/move/").context["form"]
    assert set(form.fields["book"].queryset) == {cast.pool, third_book}
    for wrong in (foreign, cast.other_book, cast.book):
        assert browse(cast.desk_head).post(f"/clients/{cast.client.pk}/move/", {"book": wrong.pk}).status_code == 422
    assert book_of(cast.client) == cast.book
