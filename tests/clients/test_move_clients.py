import datetime as dt

import pytest
from django.utils import timezone

from clients.books import move_client, move_clients
from clients.models import Client, Task, TimelineEntry
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, Book, Notification, OutboxEvent
from tests.cast import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def third_book(cast):
    """A second agent's book at the German desk: the desk head reaches both."""
    return Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)


def follow_up(client, person):
    return Task.objects.create(
        client=client, assignee=person, title="Call back", due_at=timezone.now() + dt.timedelta(days=1)
    )


def test_book_owner_tasks_and_record_follow(cast, third_book):
    task = follow_up(cast.client, cast.agent)
    of_another = follow_up(cast.client, cast.kyc_officer)
    move_client(client_id=cast.client.pk, to_book_id=third_book.pk, actor=cast.desk_head, reason="Retention takes over")
    client = Client.objects.get(pk=cast.client.pk)
    assert (client.book, client.owner) == (third_book, cast.retention)
    assert client.history.first().book_id == third_book.pk
    task.refresh_from_db()
    of_another.refresh_from_db()
    assert (task.assignee, of_another.assignee) == (cast.retention, cast.kyc_officer)
    assert AuditEvent.objects.filter(action="clients.moved", client_id=client.pk, actor=cast.desk_head).count() == 1
    assert TimelineEntry.objects.get(client=client).body == "Retention takes over"
    event = OutboxEvent.objects.get(name="client.moved")
    assert (event.payload["from_book_id"], event.payload["to_book_id"]) == (cast.book.pk, third_book.pk)
    assert Notification.objects.get().user == cast.retention


def test_moving_again_moves_nothing(cast, third_book):
    for _ in range(2):
        moved = move_clients(client_ids=[cast.client.pk], to_book_id=third_book.pk, actor=cast.desk_head)
    assert moved == []
    assert OutboxEvent.objects.filter(name="client.moved").count() == 1


def test_a_hundred_clients_move_with_a_bounded_number_of_queries(cast, third_book, django_assert_max_num_queries):
    ids = [make_client(brand=cast.brand, book=cast.book, email=f"c{n}@example.com", login=False).pk for n in range(100)]
    with django_assert_max_num_queries(22):
        assert len(move_clients(client_ids=ids, to_book_id=third_book.pk, actor=None)) == 100
    with django_assert_max_num_queries(26):
        assert len(move_clients(client_ids=ids, to_book_id=cast.book.pk, actor=cast.desk_head)) == 100


@pytest.mark.parametrize("who", ["agent", "other_agent", "kyc_officer", "auditor", "finance"])
def test_the_wrong_role_moves_nobody(cast, third_book, who):
    with pytest.raises(NotAllowed):
        move_client(client_id=cast.client.pk, to_book_id=third_book.pk, actor=getattr(cast, who))
    assert Client.objects.get(pk=cast.client.pk).book == cast.book
    assert not OutboxEvent.objects.filter(name="client.moved").exists()


def test_nobody_moves_clients_into_or_out_of_a_book_out_of_reach(cast, third_book):
    with pytest.raises(NotAllowed, match="don't have access"):
        move_client(client_id=cast.client.pk, to_book_id=cast.other_book.pk, actor=cast.desk_head)
    with pytest.raises(NotAllowed, match="don't have access"):
        move_client(client_id=cast.other_client.pk, to_book_id=third_book.pk, actor=cast.desk_head)


def test_brands_never_mix(cast):
    foreign = Book.objects.create(brand=cast.other_brand, name="Foreign")
    with pytest.raises(DomainError, match="different brand"):
        move_client(client_id=cast.client.pk, to_book_id=foreign.pk)
