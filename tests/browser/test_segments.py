"""Marketing makes a segment from conditions, sees who is in it, and who enters when a record changes."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from clients.models import Client, Segment
from clients.segments.refreshing import refresh
from tests.browser.people import enter
from tests.cast import Cast, make_client


def test_marketing_makes_a_segment_and_sees_who_is_in_it_and_who_enters(cast: Cast, open_page: Any) -> None:
    later = make_client(
        email="late@x.example", brand=cast.brand, book=cast.book, first_name="Late", last_name="Comer", login=False
    )
    Client.objects.filter(brand=cast.brand).update(country="FR")
    Client.objects.filter(pk=cast.client.pk).update(country="AT")
    page: Page = open_page()
    enter(page, cast.marketing)
    page.goto("/segments/")
    page.get_by_role("link", name="New segment").first.click()
    page.get_by_role("textbox", name="Name").fill("Austrians")
    page.get_by_role("button", name="Add condition").click()
    page.get_by_label("Field", exact=True).select_option("country")
    page.locator(".k-condition-group summary").first.click()
    page.get_by_label("Austria").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".k-condition-preview")).to_contain_text("Country is Austria")
    page.get_by_role("button", name="Create segment").click()
    expect(page.get_by_role("heading", name="Austrians")).to_be_visible()
    segment = Segment.objects.get()
    refresh(segment.pk)
    page.get_by_role("link", name="Show records").click()
    expect(page.get_by_role("link", name=cast.client.full_name)).to_be_visible()
    Client.objects.filter(pk=later.pk).update(country="AT")
    refresh(segment.pk)
    page.goto(f"/segments/{segment.pk}/")
    expect(page.get_by_role("link", name="Late Comer")).to_be_visible()
