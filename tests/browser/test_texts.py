"""An e-mail's text is edited, seen as its reader would, published and sent to oneself."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from crm.models import OutgoingMail, TextVersion
from tests.browser.people import enter
from tests.cast import Cast


def test_a_text_is_edited_previewed_tested_and_published(cast: Cast, open_page: Any) -> None:
    page: Page = open_page()
    enter(page, cast.marketing)
    page.goto(f"/texts/{cast.brand.pk}/")
    page.get_by_role("link", name="Identity confirmed").click()
    frame = page.frame_locator(".k-preview-frame")
    expect(frame.locator("body")).to_contain_text("thank you for your documents")
    body = page.get_by_label("Text", exact=True)
    body.fill("Good news, ")
    page.get_by_role("button", name="first_name").click()
    expect(body).to_have_value("Good news, {{ first_name }}")
    expect(frame.locator("body")).to_contain_text("Good news, Clara")
    body.press_sequentially(" {{ frist_name }}")
    expect(page.locator("#text-preview")).to_contain_text("Did you mean “first_name”?")
    body.fill("Good news, {{ first_name }}")
    page.get_by_label("Plain text").check()
    expect(page.locator(".k-preview-text")).to_contain_text("Good news, Clara")
    page.get_by_role("button", name="Send test e-mail to me").click()
    expect(page.locator("body")).to_contain_text(f"Test e-mail sent to {cast.marketing.email}")
    expect(body).to_have_value("Good news, {{ first_name }}")
    page.get_by_label("Reason for the change").fill("Friendlier")
    page.get_by_role("button", name="Publish version").click()
    expect(page.locator("body")).to_contain_text("Version 1 is in force")
    assert TextVersion.objects.get().body == "Good news, {{ first_name }}"
    assert OutgoingMail.objects.get(kind="texts.test").to == cast.marketing.email
