"""A bulk action that is refused says so on its list, and leads nowhere else."""

import pytest

from clients.models import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "start", "field", "words"),
    [
        ("/leads/assign/", "/leads/?sort=-id", "agent", "Choose who gets"),
        ("/clients/move/", "/clients/", "book", "Choose the book"),
    ],
)
def test_a_refused_bulk_action_is_said_on_its_list(cast, browse, address, start, field, words):
    browser = browse(cast.desk_head)
    answer = browser.post(address, {"ids": [cast.client.pk], field: "", "list": start})
    assert answer.status_code == 302 and answer["Location"] == start
    assert words in browser.get(start).content.decode()
    assert Client.objects.get(pk=cast.client.pk).book_id == cast.client.book_id


@pytest.mark.parametrize("start", ["https://evil.example/", "//evil.example/", "/\\evil.example", ""])
def test_a_refusal_leads_to_pages_of_ours_only(cast, browse, start):
    answer = browse(cast.desk_head).post("/leads/assign/", {"ids": [cast.client.pk], "agent": "", "list": start})
    assert answer.status_code == 409 and "Choose who gets" in answer.content.decode()


def test_what_a_role_may_not_do_stays_a_403(cast, browse):
    answer = browse(cast.agent).post("/clients/move/", {"ids": [cast.client.pk], "book": "", "list": "/clients/"})
    assert answer.status_code == 403
