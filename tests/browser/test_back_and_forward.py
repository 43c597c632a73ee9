"""Back and forward: lists come back as they were, and after signing out nothing of a client does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import CHROMIUM
from tests.browser.people import enter

CLIENT = "Clara Weber"


@pytest.fixture
def keeping(chromium: Browser, live_server) -> Iterator[Page]:
    """A browser as people have it: it keeps pages in memory for going back, which Playwright turns off otherwise."""
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-gpu"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    page = browser.new_context(base_url=live_server.url, locale="en-GB").new_page()
    page.set_default_timeout(20_000)
    yield page
    browser.close()


def back(page: Page) -> None:
    page.evaluate("history.back()")


def sign_out(page: Page) -> None:
    page.evaluate("document.querySelector('form[action$=\"/logout/\"]').requestSubmit()")
    page.wait_for_url(lambda url: "/clients/" not in url)


def test_after_signing_out_back_shows_nothing_of_the_client(keeping, cast):
    page = keeping
    enter(page, cast.agent)
    page.goto("/clients/")
    page.goto(f"/clients/{cast.client.pk}/")
    expect(page.get_by_text(CLIENT).first).to_be_visible()
    page.goto("/clients/?q=Clara")
    expect(page.get_by_text(CLIENT).first).to_be_visible()
    sign_out(page)
    for _step in range(3):
        back(page)
        expect(page.locator("input[name=login]")).to_be_visible()
        assert CLIENT not in page.content()
    kept = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert CLIENT not in kept and "Weber" not in kept


def test_filters_and_a_record_come_back_while_signed_in(keeping, cast):
    page = keeping
    enter(page, cast.agent)
    page.goto("/clients/")
    page.get_by_role("link", name=CLIENT).first.wait_for()
    search = page.locator("main input[type=search]").first
    search.fill("nobody of this name")
    page.wait_for_url(re.compile("q=nobody"))
    expect(page.locator("main").get_by_role("link", name=CLIENT)).to_have_count(0)
    back(page)
    page.wait_for_url(re.compile(r"/clients/$"))
    page.locator("main").get_by_role("link", name=CLIENT).first.click()
    page.wait_for_url(re.compile(rf"/clients/{cast.client.pk}/"))
    back(page)
    page.wait_for_url(re.compile(r"/clients/$"))
    expect(page.locator("main").get_by_role("link", name=CLIENT).first).to_be_visible()
    page.evaluate("history.forward()")
    page.wait_for_url(re.compile(rf"/clients/{cast.client.pk}/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(CLIENT)
