"""An administrator creates a token, subscribes a system of the broker's to events; it refuses one; that is sent again."""

from __future__ import annotations

from typing import Any

import httpx
from django.db import transaction
from playwright.sync_api import Page, expect

from crm.models import ApiToken, WebhookDelivery
from tests.browser.people import enter
from tests.cast import Cast
from tests.crm.outbound.conftest import assign, go, leads, receiver, receiver_process  # noqa: F401  fixtures


def test_a_token_with_chosen_scopes_from_its_form_to_its_first_call(cast: Cast, page: Page, live_server: Any) -> None:
    enter(page, cast.administrator)
    page.goto("/api-tokens/")
    page.get_by_role("link", name="Create token").click()
    page.get_by_label("Name").fill("Zapier")
    page.get_by_label("Subscribe to events").check()
    page.get_by_role("button", name="Create token").click()
    secret = page.locator("#secret").inner_text()
    expect(page.get_by_role("row", name="Subscribe to events")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Zapier")).to_be_visible()
    expect(page.locator("#secret")).to_have_count(0)  # shown once
    assert ApiToken.objects.count() == 1
    with httpx.Client(base_url=live_server.url, headers={"Authorization": f"Bearer {secret}"}) as program:
        assert program.get("/api/v1/me").json()["scopes"] == ["webhooks:write"]
        assert program.get("/api/v1/hooks").json() == []
        assert program.get("/api/v1/leads").json()["code"] == "insufficient_scope"
    page.goto("/api-tokens/")
    page.get_by_role("link", name="API reference").click()
    page.locator("#docs-filter").fill("hooks post")
    expect(page.locator("[data-docs-words]:visible")).to_have_count(1)
    page.locator("[data-docs-words]:visible > summary").click()
    expect(page.locator("#op-subscribe_hook .k-op-scopes")).to_be_visible()


def test_a_webhook_from_its_form_to_the_replay_of_a_dead_letter(cast: Cast, open_page: Any, receiver: Any) -> None:
    page: Page = open_page()
    enter(page, cast.administrator)
    page.goto("/webhooks/")
    page.get_by_role("link", name="New webhook").first.click()
    page.get_by_label("Name").fill("Dialler")
    page.get_by_label("Address").fill(receiver.url + "/in")
    page.locator("details", has=page.locator("input[name=events]")).locator("summary").click()
    page.locator("input[name=events][value='lead.assigned']").check()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_text("Webhook added.")).to_be_visible()
    receiver.switch("status", 500)
    with transaction.atomic():
        assign(cast, 7, client=cast.client)
    go()
    WebhookDelivery.objects.update(attempts=9)
    go(later=True)
    receiver.calm()
    page.reload()
    expect(page.get_by_text("Not accepting", exact=True).first).to_be_visible()
    page.get_by_role("link", name="Lead assigned").click()
    expect(page.get_by_text("as switched on").first).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("1 message is sent again.")).to_be_visible()
    go()
    page.reload()
    expect(page.get_by_text("Delivered", exact=True).first).to_be_visible()
    assert leads(receiver) == [7]
