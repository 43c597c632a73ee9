"""Calls through the exchange: from the click to the timeline, and an incoming one that opens on the owner's page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from clients.choices import IdentifierKind
from clients.identifiers.keeping import learn
from clients.models import Call, Client, PhoneCall
from clients.telephony import hearing
from tests.browser.people import enter
from tests.cast import Cast
from tests.clients.telephony.conftest import CLIENT_NUMBER, exchange, sandbox  # noqa: F401 - fixtures
from tests.clients.telephony.running import RunningExchange, work


def test_an_agent_calls_a_client_and_the_call_is_on_the_timeline(
    cast: Cast, open_page: Any, sandbox: RunningExchange, exchange: Any
) -> None:
    page: Page = open_page()
    enter(page, cast.agent)
    page.goto(cast.client.get_absolute_url())
    page.get_by_role("link", name="Call client").first.click()
    dialog = page.locator("#k-fill")
    dialog.get_by_role("button", name="Call now").click()
    expect(dialog.get_by_role("button", name="Hang up")).to_be_visible()
    work(PhoneCall.objects.get())
    assert set(sandbox.deliver()) == {200}
    hearing.process_due()
    dialog.get_by_text("Reached", exact=True).click()
    dialog.get_by_label("Notes").fill("Wants MT5")
    dialog.get_by_role("button", name="Log call").click()
    expect(page.locator("main")).to_contain_text("Wants MT5")
    call = PhoneCall.objects.get()
    assert (call.state, call.call_id) == ("ended", Call.objects.get().pk)


def test_an_incoming_call_opens_on_the_owners_page(
    cast: Cast, open_page: Any, sandbox: RunningExchange, exchange: Any
) -> None:
    learn(cast.client.pk, IdentifierKind.PHONE, CLIENT_NUMBER)
    Client.objects.filter(pk=cast.client.pk).update(owner=cast.agent)
    page: Page = open_page()
    enter(page, cast.agent)
    page.goto("/my-day/")
    sandbox.ring_in(CLIENT_NUMBER)
    call = PhoneCall.objects.get()
    ring = (
        "id => document.body.dispatchEvent(new CustomEvent('k:live:dialog', "
        "{detail: {url: `/phone/calls/${id}/`, key: `phone:${id}`, title: 'Incoming call'}}))"
    )
    page.evaluate(ring, call.pk)
    dialog = page.locator("#k-fill")
    expect(dialog.get_by_role("heading", name=cast.client.full_name)).to_be_visible()
    page.evaluate(ring, call.pk)
    expect(page.locator(".k-toast")).to_have_count(0)
    page.evaluate(ring, call.pk + 1)
    expect(page.locator(".k-toast")).to_contain_text("Incoming call")
