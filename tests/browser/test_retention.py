"""An erasure in the browser: found among what is due, held for a court, proposed, and approved by another person."""

import os

from playwright.sync_api import expect

from crm.choices import Role
from tests.browser.people import enter
from tests.cast import PASSWORD, make_staff
from tests.compliance.retention.factories import ended

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def shot(page, name: str) -> None:
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)


def test_a_client_is_erased_by_two_people(page, phone, cast):
    name = cast.client.full_name
    ended(cast.client)
    enter(page, cast.mlro)
    page.goto("/compliance/retention/?state=due")
    shot(page, "retention")
    page.locator("tr", has_text=name).get_by_role("link").first.click()
    page.locator("form[action$='/hold/']").get_by_label("Reason").fill("Court order 12/2026")
    page.get_by_role("button", name="Place legal hold").click()
    expect(page.get_by_text("There is a legal hold.")).to_be_visible()
    shot(page, "retention-held")
    page.locator("form[action$='/lift/']").get_by_label("Reason").fill("Withdrawn")
    page.get_by_role("button", name="Lift legal hold").click()
    page.locator("form[action$='/erase/']").get_by_label("Reason").fill("Five years are over")
    page.get_by_role("button", name="Propose erasure").click()
    expect(page.locator("#main")).to_contain_text("Awaiting second approval")
    shot(page, "retention-proposed")

    enter(phone, make_staff("deputy@keelson.example", Role.MLRO, brand=cast.brand))
    phone.goto(f"/compliance/retention/{cast.client.pk}/")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(phone, "retention-phone")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.locator("dialog[open]")).to_contain_text("This can't be undone.")
    phone.locator("dialog[open] .btn-primary").click()
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Confirm").click()
    phone.wait_for_url(f"**/compliance/retention/{cast.client.pk}/")
    expect(phone.locator("#main")).to_contain_text("The client's key was destroyed.")
    shot(phone, "retention-erased-phone")
