"""Several leads get one e-mail: chosen in the list, previewed with who is left out, sent, and taken back."""

import pytest
from playwright.sync_api import expect

from clients.models import Client, Message
from tests.browser.people import enter
from tests.cast import make_client

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_email_to_chosen_leads_is_taken_back(page, cast):
    for name in ("Ada", "Ben"):
        email = f"{name}@x.example".lower()
        make_client(
            brand=cast.brand, book=cast.client.book, email=email, login=False, first_name=name, last_name="Lead"
        )
    Client.objects.filter(first_name="Ada", last_name="Lead").update(marketing_consent=True)
    enter(page, cast.agent)
    page.goto("/leads/")
    for name in ("Ada", "Ben"):
        page.locator("#t-leads tbody tr", has_text=f"{name} Lead").locator("input[type=checkbox]").check()
    page.locator(".k-bulk").get_by_role("button", name="Send e-mail").click()
    page.get_by_label("Subject").fill("News for {{ first_name }}")
    page.get_by_label("Text").fill("Hello {{ first_name }}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("News for Ada")).to_be_visible()
    expect(page.get_by_role("row", name="Ben Lead")).to_contain_text("agreed to news and offers")
    page.get_by_role("button", name="Send to 1 person").click()
    page.get_by_role("button", name="Undo bulk change").click()
    expect(page.get_by_text("1 change was undone")).to_be_visible()
    assert Message.objects.get().state == "undone"
