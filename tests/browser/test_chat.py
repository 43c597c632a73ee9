"""A chat from a client's phone to an agent's desk and back, without either page being loaded again."""

from __future__ import annotations

import copy
import os
from typing import Any

from playwright.sync_api import Page, expect

from clients.models import CannedAnswer
from tests.browser.people import enter
from tests.cast import Cast
from tests.clients.chat.running import go_online
from tests.trading.processes import free_port, live_server_process

SHOTS = os.environ.get("SHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_a_chat_from_the_phone_to_the_desk_and_back(
    cast: Cast, open_page: Any, phone: Page, live_server: Any, settings: Any
) -> None:
    go_online(cast.agent)
    CannedAnswer.objects.create(
        brand=cast.brand, language="en", title="Greeting", body="Hello {{ first_name }}!", changed_by=cast.support
    )
    port = free_port()
    settings.LIVE_URL = f"http://localhost:{port}"
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["connect-src"] = ["'self'", f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
    settings.CONTENT_SECURITY_POLICY = policy
    with live_server_process(port=port, base_url=live_server.url):
        enter(phone, cast.client_user)
        phone.goto("/portal/")
        phone.get_by_role("link", name="Chat with us").click()
        expect(phone.locator("main")).to_contain_text("Our team is online")
        phone.get_by_label("Your message").fill("When will my deposit arrive?")
        phone.get_by_label("Your message").press("Enter")
        expect(phone.get_by_role("log")).to_contain_text("An agent will be with you shortly")
        desk: Page = open_page()
        enter(desk, cast.agent)
        desk.goto("/chats/")
        shot(desk, "chat-list")
        with desk.expect_response(f"**:{port}/live/"):
            desk.get_by_role("link", name="Clara Weber").first.click()
        expect(desk.get_by_role("log")).to_contain_text("When will my deposit arrive?")
        desk.get_by_role("button", name="Greeting").click()
        desk.get_by_label("Your message").press("Enter")
        expect(phone.get_by_role("log")).to_contain_text("Hello Clara!")
        phone.get_by_label("Your message").fill("Thanks!")
        phone.get_by_role("button", name="Send").click()
        expect(desk.get_by_role("log")).to_contain_text("Thanks!")
        shot(phone, "chat-phone")
        shot(desk, "chat-desk")
        if SHOTS:
            desk.emulate_media(color_scheme="dark")
            shot(desk, "chat-desk-dark")
            desk.set_viewport_size({"width": 390, "height": 844})
            shot(desk, "chat-desk-phone")
        for page in (phone, desk):
            page.goto("about:blank")  # so that neither hears the stream's end
