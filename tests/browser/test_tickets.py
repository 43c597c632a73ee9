"""A ticket from a phone to the desk and back: opened in the portal, answered and solved by staff, rated by the client."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Page, expect

from support.models import Ticket
from tests.browser.people import enter
from tests.cast import Cast

SHOTS = os.environ.get("SHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_ticket_from_phone_to_solved_and_rated(cast: Cast, phone: Page, open_page: Any) -> None:
    enter(phone, cast.client_user)
    phone.goto("/portal/profile/")
    phone.get_by_role("main").get_by_role("link", name="Open ticket").click()
    phone.get_by_label("What is it about?").select_option("deposit")
    phone.get_by_label("Subject").fill("Card deposit missing")
    phone.get_by_label("Message").fill("I paid 250 an hour ago.")
    proof = {"name": "bank.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 x"}
    phone.get_by_label("Files").set_input_files(proof)
    shot(phone, "ticket-new-phone")
    fits(phone)
    phone.get_by_role("button", name="Send").click()
    expect(phone.get_by_role("main")).to_contain_text("I paid 250 an hour ago.")
    expect(phone.get_by_role("link", name="bank.pdf")).to_be_visible()
    ticket = Ticket.objects.get(subject="Card deposit missing")

    desk: Page = open_page()
    enter(desk, cast.support)
    desk.goto("/tickets/")
    shot(desk, "tickets")
    desk.get_by_role("link", name=str(ticket)).click()
    desk.get_by_label("Reply or note").fill("It is in your wallet now.")
    shot(desk, "ticket")
    desk.get_by_role("button", name="Send and wait for client").click()
    expect(desk.get_by_role("main")).to_contain_text("Awaiting client")

    phone.goto(ticket.portal_url)
    expect(phone.get_by_role("main")).to_contain_text("It is in your wallet now.")
    phone.get_by_label("Message").fill("I see it, thank you.")
    phone.get_by_role("button", name="Send").click()
    desk.goto(ticket.get_absolute_url())
    desk.get_by_role("button", name="Send and solve").click()
    expect(desk.get_by_role("main")).to_contain_text("Solved")

    phone.goto(ticket.portal_url)
    phone.locator("label[for=star-4]").click()
    phone.get_by_label("Comment").fill("Quick help.")
    shot(phone, "ticket-rate-phone")
    fits(phone)
    phone.get_by_role("button", name="Send rating").click()
    expect(phone.get_by_role("button", name="Change rating")).to_be_visible()
    shot(phone, "ticket-phone")
    desk.reload()
    expect(desk.get_by_role("main")).to_contain_text("4 of 5")
    expect(desk.get_by_role("main")).to_contain_text("Quick help.")
    shot(desk, "ticket-rated")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.rating) == ("solved", 4)
