"""A lead has its client's book, whoever writes either of them: readers of leads are asked by it."""

import threading

import pytest
from django.db import connection, transaction

from clients.models import Client
from leads.models import Lead
from leads.queries import leads_visible_to

pytestmark = pytest.mark.django_db
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


@pytest.fixture
def lead(cast):
    return Lead.objects.create(client=cast.client, brand=cast.brand, channel="manual")


def test_a_lead_goes_with_its_client(cast, lead):
    assert list(leads_visible_to(cast.agent)) == [lead]
    assert not leads_visible_to(cast.other_agent).exists()
    Client.objects.filter(pk=cast.client.pk).update(book=cast.other_book)
    assert not leads_visible_to(cast.agent).exists()
    assert list(leads_visible_to(cast.other_agent)) == [lead]


def test_a_lead_of_another_client_has_their_book(cast, lead):
    """As in a merge, which hands the leads of one record to the other."""
    Lead.objects.filter(pk=lead.pk).update(client=cast.other_client)
    assert list(leads_visible_to(cast.other_agent)) == [lead]
    assert not leads_visible_to(cast.agent).exists()


def test_a_lead_gets_no_book_of_its_own(cast, lead):
    Lead.objects.filter(pk=lead.pk).update(book=cast.other_book)
    lead.refresh_from_db()
    assert lead.book_id == cast.client.book_id
    lead.book = cast.other_book
    lead.save()
    assert not leads_visible_to(cast.other_agent).exists()


def test_clients_and_strangers_see_only_their_own(cast, lead):
    assert list(leads_visible_to(cast.client.user)) == [lead]
    assert not leads_visible_to(cast.other_client.user).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_move_first", [True, False])
def test_a_lead_and_a_move_of_its_client_wait_for_each_other(cast, is_move_first):
    def move():
        Client.objects.filter(pk=cast.client.pk).update(book=cast.other_book)

    def capture():
        Lead.objects.create(client=cast.client, brand=cast.brand, channel="manual")

    def later():
        second()
        connection.close()

    first, second = (move, capture) if is_move_first else (capture, move)
    thread = threading.Thread(target=later)
    with transaction.atomic():
        first()
        thread.start()
        while not _is_one_waiting():
            assert thread.is_alive()
    thread.join()
    assert Lead.objects.get().book_id == cast.other_book.pk


def _is_one_waiting():
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchone()[0])
