"""A client on a phone who came by the link from a partner's QR code, to the first deposit."""

from playwright.sync_api import expect

from clients.models import Client
from ib.models import Attribution
from tests.browser.people import enter
from tests.browser.test_portal import fill_registration, latest_link
from tests.browser.widths import fits_both_widths
from tests.ib.conftest import network
from tests.sandbox.psp.running import wait_until
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, make_intent
from wallet.deposits.verbs import apply_payment

__all__ = ["network"]


def test_a_client_of_the_link_counts_to_the_first_deposit(page, phone, network, cast, background):
    enter(page, network.sub.user)
    page.goto("/partners/links/")
    page.get_by_role("link", name="Share Main link").click()
    shared = page.get_by_role("dialog").locator("#share-url").inner_text()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()

    phone.goto(shared)
    phone.get_by_role("textbox", name="E-mail").fill("greta@example.com")
    fill_registration(phone)
    phone.get_by_role("button", name="Open my account").click()
    expect(phone.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    phone.goto(latest_link(r"/b/meridian/confirm/\S+"))
    phone.get_by_role("button", name="Confirm").click()
    phone.wait_for_url("**/portal/")
    client = Client.objects.get(email="greta@example.com")
    wait_until(lambda: Attribution.objects.filter(client=client, partner=network.sub).exists())
    client.kyc_level, client.stage = 2, "verified"
    client.save()
    deposit = make_intent(client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    wait_until(lambda: Client.objects.get(pk=client.pk).first_deposit_at is not None)

    page.goto("/partners/?period=7")
    steps = page.locator(".k-flow li")
    assert [steps.nth(place).locator("strong").inner_text() for place in (0, 1, 3)] == ["1", "1", "1"]
    fits_both_widths(page)
    page.goto("/partners/clients/")
    expect(page.get_by_role("row").filter(has_text="Greta H.")).to_have_count(1)
    for address in (
        "/partners/clients/",
        "/partners/links/",
        "/partners/links/sources/?by=campaign",
        "/partners/earnings/",
    ):
        page.goto(address)
        fits_both_widths(page)
