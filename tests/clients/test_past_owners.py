"""Who had a client before: a card on the record for those who may see it, noted as the record's view."""

import pytest

from clients.books import move_client
from clients.models import Client
from clients.ownership import history
from clients.ownership.history import owners_of
from crm.models import AccessEvent, Book
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
TITLE = "Owners so far"


@pytest.fixture
def moved(cast):
    other = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Second book", owner=cast.retention)
    move_client(client_id=cast.client.pk, to_book_id=other.pk, actor=cast.desk_head, reason="Handover")
    return Client.objects.get(pk=cast.client.pk)


def record(user, client):
    return signed_in(user).get(client.get_absolute_url()).content.decode()


def test_the_periods_name_owner_desk_and_book_the_present_first(cast, moved):
    now, before = owners_of(moved)
    assert (now.owner, now.book, now.until) == (str(cast.retention), "Second book", None)
    assert (before.owner, before.desk, before.book) == (str(cast.agent), cast.desk.name, cast.client.book.name)
    assert before.since is None and before.until == now.since


@pytest.mark.parametrize("who", ["desk_head", "mlro", "auditor", "administrator"])
def test_who_may_see_it_finds_it_on_the_record_and_the_view_is_noted(cast, moved, who):
    user = getattr(cast, who)
    page = record(user, moved)
    assert TITLE in page and str(cast.agent) in page.partition(TITLE)[2]
    assert AccessEvent.objects.filter(user=user, client_id=moved.pk, kind="view").exists()


@pytest.mark.parametrize("who", ["retention", "support", "finance"])
def test_others_do_not(cast, moved, who):
    assert TITLE not in record(getattr(cast, who), moved)


def test_a_client_who_was_never_moved_has_no_such_card(cast):
    assert TITLE not in record(cast.administrator, cast.client)


def test_the_list_is_bounded_and_says_so(cast, moved, monkeypatch):
    monkeypatch.setattr(history, "PERIODS_MAX", 1)
    page = record(cast.administrator, moved)
    assert "Only the newest are listed." in page
