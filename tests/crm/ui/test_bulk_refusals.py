"""A bulk action that is refused says so on its list, and leads nowhere else."""

import pytest

from clients.models import Client
from crm.models import Book

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "start", "field", "words"),
    [
        ("/leads/assign/", "/leads/?sort=-id", "agent", "Choose who gets"),
        ("/clients/move/", "/clients/", "book", "Choose a book"),
    ],
)
def test_a_refused_bulk_action_is_said_on_its_list(cast, browse, address, start, field, words):
    browser = browse(cast.desk_head)
    answer = browser.post(address, {"ids": [cast.client.pk], field: "", "list": start})
    assert answer.status_code == 302 and answer["Location"] == start
    assert words in browser.get(start).content.decode()
    assert Client.objects.get(pk=cast.client.pk).book_id == cast.client.book_id


def test_a_book_out_of_reach_is_refused_on_the_list_with_its_filters(cast, browse):
    browser, start = browse(cast.desk_head), "/clients/?sort=-id"
    fields = {"ids": [cast.client.pk], "book": cast.other_book.pk, "list": start}
    assert browser.post("/clients/move/", fields)["Location"] == start
    assert "a book you don&#x27;t have access to" in browser.get(start).content.decode()
    assert Client.objects.get(pk=cast.client.pk).book_id == cast.client.book_id


def test_clients_are_moved_from_the_list(cast, browse):
    book = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Rita's book", owner=cast.retention)
    browser = browse(cast.desk_head)
    page = browser.post("/clients/move/", {"ids": [cast.client.pk], "book": book.pk, "list": "/clients/"}, follow=True)
    assert "1 client moved." in page.content.decode()
    assert Client.objects.get(pk=cast.client.pk).book_id == book.pk


@pytest.mark.parametrize("start", ["https://evil.example/", "//evil.example/", "/\\evil.example", ""])
def test_a_refusal_leads_to_pages_of_ours_only(cast, browse, start):
    browser = browse(cast.desk_head)
    answer = browser.post("/leads/assign/", {"ids": [cast.client.pk], "agent": "", "list": start})
    assert answer.status_code == 302 and answer["Location"] == "/leads/"
    assert "Choose who gets" in browser.get("/leads/").content.decode()


def test_what_a_role_may_not_do_stays_a_403(cast, browse):
    answer = browse(cast.agent).post("/clients/move/", {"ids": [cast.client.pk], "book": "", "list": "/clients/"})
    assert answer.status_code == 403
