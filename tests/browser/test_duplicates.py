"""The queue of possible duplicates: a pair is merged from it, another noted as two people, also on a phone."""

import pytest

from clients.identifiers import IdentifierKind, learn
from clients.models import Client
from leads.duplicates import finding
from leads.models import PossibleDuplicate
from tests.browser.conftest import enter
from tests.cast import make_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pairs(cast):
    """Two spellings of one person, and a household."""
    people = []
    for number, first in enumerate(("Katharina", "Catharina", "Bernd")):
        client = make_client(
            brand=cast.brand,
            book=cast.book,
            email=f"p{number}@example.com",
            login=False,
            first_name=first,
            last_name="Meier",
            country="DE",
        )
        learn(client.pk, IdentifierKind.PHONE, "+4915111111111")
        people.append(client)
    finding.compare(cast.brand, [client.pk for client in people])
    return people


def test_a_pair_is_merged_and_another_noted_as_two_people(page, cast, pairs):
    first, second, _other = pairs
    enter(page, cast.desk_head)
    page.goto("/leads/duplicates/")
    assert page.get_by_text("same phone number (+3)").first.is_visible()
    row = page.get_by_role("row").filter(has_text="Catharina").filter(has_text="Katharina")
    row.get_by_role("link", name="Merge").click()
    page.get_by_role("button", name="Merge records").click()
    page.wait_for_url(f"**/clients/{first.pk}/")
    assert Client.objects.get(pk=second.pk).merged_into_id == first.pk
    page.goto("/leads/duplicates/?household=true")
    page.get_by_role("link", name="Not the same person").first.click()
    page.get_by_label("Reason").fill("Husband and wife")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Noted as not the same person.").wait_for()
    assert PossibleDuplicate.objects.filter(state="dismissed", reason="Husband and wife").exists()


def test_the_queue_fits_a_phone(phone, cast, pairs):
    enter(phone, cast.desk_head)
    phone.goto("/leads/duplicates/")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert phone.get_by_text("Katharina Meier").first.is_visible()
