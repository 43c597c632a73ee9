"""Two records of one person: chosen side by side, merged from the keyboard, undone from the client's page; also on a phone."""

import pytest

from clients.models import Client, Note
from clients.notes import add_note
from tests.browser.conftest import enter
from tests.cast import make_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twins(cast):
    fields = {"brand": cast.brand, "book": cast.book, "login": False, "first_name": "Anna"}
    first = make_client(email="anna@example.com", country="DE", **fields)
    second = make_client(email="a.weber@example.org", country="AT", last_name="Weber", **fields)
    add_note(client_id=second.pk, actor=cast.agent, body="Prefers the evening")
    return first, second


def test_two_records_are_merged_and_taken_apart_again(page, cast, twins):
    first, second = twins
    enter(page, cast.desk_head)
    page.goto(f"/clients/{first.pk}/merge/?q=Weber")
    page.locator(f'a[href="/clients/{first.pk}/merge/{second.pk}/"]').click()
    assert page.get_by_role("radio", name="Last name: Weber").is_checked(), "a blank gives way"
    page.get_by_role("radio", name="Country of residence: Germany").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/clients/{first.pk}/")
    assert page.get_by_text("Prefers the evening").first.is_visible()
    page.goto(f"/clients/{second.pk}/")
    page.wait_for_url(f"**/clients/{first.pk}/")
    kept = Client.objects.get(pk=first.pk)
    assert (kept.last_name, kept.country, kept.email) == ("Weber", "AT", "anna@example.com")
    page.get_by_role("link", name="Undo merge").click()
    page.get_by_label("Reason").fill("Two sisters")
    page.get_by_role("button", name="Undo merge").click()
    page.get_by_text("Merge undone.").wait_for()
    assert Client.objects.get(pk=first.pk).last_name == ""
    assert Note.objects.get().client_id == second.pk


def test_records_are_merged_on_a_phone(phone, cast, twins):
    first, second = twins
    enter(phone, cast.desk_head)
    phone.goto(f"/clients/{first.pk}/merge/{second.pk}/")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.get_by_role("button", name="Merge records").click()
    phone.wait_for_url(f"**/clients/{first.pk}/")
    assert Client.objects.get(pk=second.pk).merged_into_id == first.pk
