"""Notification settings, help beside a page and the guided tour, as people use them."""

import re

from playwright.sync_api import expect

from tests.browser.people import enter
from tests.ib.conftest import network

__all__ = ["network"]


def test_settings_are_chosen_by_keyboard_and_kept(page, cast):
    enter(page, cast.finance)
    page.goto("/notifications/settings/")
    choice = page.get_by_role("radio", name="PSPs not responding: Daily summary")
    page.get_by_role("radio", name="PSPs not responding: E-mail immediately").focus()
    page.keyboard.press("ArrowRight")
    expect(choice).to_be_checked()
    page.get_by_role("checkbox", name="Held deposits: In the app").uncheck()
    expect(page.get_by_role("checkbox", name="Manual journals awaiting second approval: In the app")).to_be_disabled()
    page.get_by_label("Quiet hours from").fill("22:00")
    page.get_by_label("Quiet hours until").fill("07:00")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Notification settings saved.")).to_be_visible()
    expect(choice).to_be_checked()
    expect(page.get_by_role("checkbox", name="Held deposits: In the app")).not_to_be_checked()
    page.get_by_role("button", name="Reset to defaults").click()
    expect(page.get_by_text("Default settings restored.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Held deposits: In the app")).to_be_checked()


def test_help_opens_beside_the_page_it_is_about(page, cast):
    enter(page, cast.finance)
    page.goto("/money/withdrawals/")
    page.get_by_role("link", name="Help for this page").click()
    panel = page.get_by_role("article", name="Withdrawals")
    expect(panel).to_contain_text("second person")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.url.endswith("/money/withdrawals/")
    page.keyboard.press("Control+k")
    page.keyboard.type("chargeback")
    page.locator(".k-palette-item[href='/help/disputes/']").click()
    page.wait_for_url("**/help/disputes/")
    page.get_by_role("link", name="All help topics").click()
    expect(page.get_by_role("heading", name="Help", exact=True)).to_be_visible()


def test_the_tour_is_walked_points_at_elements_and_ends(page, cast):
    enter(page, cast.agent)
    page.goto("/home/")
    offer = page.get_by_role("region", name="New here?")
    offer.get_by_role("button", name="Start tour").click()
    tour = page.locator("#k-tour")
    for number in range(1, 7):
        expect(tour).to_contain_text(f"Step {number} of 6")
        expect(page.locator(".k-tour-target")).to_be_visible()
        if number < 6:
            expect(tour.get_by_role("button", name="Next")).to_be_focused()
            page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    expect(tour).to_contain_text("Step 5 of 6")
    with page.expect_response(lambda answer: answer.request.post_data == "step=-1"):
        page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    page.reload()
    expect(page.get_by_text("Step 5 of 6")).to_have_count(0)
    expect(offer).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Your account")).click()
    page.get_by_role("button", name="Take the tour").click()
    expect(page.locator("#k-tour")).to_contain_text("Step 1 of 6")


def test_a_partner_walks_the_tour_over_their_pages(page, network):
    enter(page, network.sub.user)
    page.goto("/partners/")
    page.get_by_role("region", name="New here?").get_by_role("button", name="Start tour").click()
    tour = page.locator("#k-tour")
    walked = ("Overview", "/partners/"), ("Links", "/partners/links/"), ("Clients", "/partners/clients/")
    walked = (*walked, ("Payouts", "/partners/payouts/"), ("Help and notifications", "/partners/"))
    for number, (title, path) in enumerate(walked, start=1):
        expect(tour).to_contain_text(f"Step {number} of 5")
        expect(tour.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(page.locator(".k-tour-target")).to_be_visible()
        assert page.evaluate("location.pathname") == path
        tour.get_by_role("button", name="Done" if number == 5 else "Next").click()
    expect(tour).to_have_count(0)
    page.reload()
    expect(page.locator("#main h1").first).to_be_visible()
    expect(tour).to_have_count(0)
    expect(page.get_by_role("region", name="New here?")).to_have_count(0)


def test_a_trader_dismisses_the_tour_on_a_phone(phone, cast):
    enter(phone, cast.client_user)
    phone.goto("/portal/")
    offer = phone.get_by_role("region", name="New here?")
    offer.get_by_role("button", name="Not now").click()
    expect(offer).to_have_count(0)
    phone.reload()
    expect(phone.locator("#main")).to_be_visible()
    expect(offer).to_have_count(0)
