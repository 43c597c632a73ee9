"""The menu in two steps in a real browser: areas and pages by pointer, keyboard and finger; favourites; the "+"."""

from playwright.sync_api import expect

from crm.ui import favourites
from tests.browser.people import enter


def test_an_area_shows_its_pages_without_leaving_the_page(page, cast):
    enter(page, cast.finance)
    page.goto("/home/")
    money = page.locator(".k-rail-link[data-area=money]")
    expect(money).to_have_attribute("aria-expanded", "false")
    money.click()
    expect(money).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#k-area-money")).to_contain_text("Reconciliation")
    expect(page.locator("#k-area-home")).to_be_hidden()
    assert page.url.endswith("/home/")
    page.get_by_role("link", name="Deposits", exact=True).click()
    page.wait_for_url("**/money/deposits/")
    expect(page.locator("#k-area-money [aria-current=page]")).to_have_text("Deposits")
    expect(money).to_have_attribute("aria-current", "true")
    # The whole rail fits a small desktop.
    rail = page.locator(".k-rail-areas").evaluate("(rail) => [rail.scrollHeight, rail.clientHeight]")
    assert rail[0] <= rail[1]


def test_the_keyboard_goes_through_areas_pages_and_stars(page, cast):
    enter(page, cast.finance)
    page.goto("/home/")
    page.locator(".k-rail-link[data-area=home]").focus()
    for _step in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".k-rail-link[data-area=money]")).to_be_focused()
    page.keyboard.press("Enter")
    first = page.locator("#k-area-money .k-nav-link").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    star = page.get_by_role("button", name="Favourite: Pending withdrawals")
    expect(star).to_be_focused()
    page.keyboard.press("Enter")
    expect(star.last).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".k-rail-link[data-area=money]")).to_be_focused()


def test_the_menu_collapses_to_icons_and_opens_over_the_page(page, cast):
    enter(page, cast.agent)
    page.goto("/home/")
    page.locator("[data-nav-rail]").click()
    page.goto("/jobs/")
    assert page.locator(".k-nav").bounding_box()["width"] < 80
    expect(page.locator(".k-panel")).to_be_hidden()
    page.locator(".k-rail-link[data-area=sales]").click()
    expect(page.get_by_role("link", name="Pipeline")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".k-panel")).to_be_hidden()
    expect(page.locator(".k-rail-link[data-area=sales]")).to_be_focused()


def test_a_phone_has_the_same_two_steps_in_a_drawer(phone, cast):
    enter(phone, cast.finance)
    phone.goto("/home/")
    expect(phone.locator(".k-nav")).to_be_hidden()
    phone.locator("[data-nav-open]").tap()
    phone.locator(".k-rail").get_by_role("link", name="Money").tap()
    phone.locator("#k-area-money").get_by_role("button", name="Favourite: Ledger").tap()
    expect(phone.locator("#k-favourites")).to_contain_text("Ledger")
    phone.locator("#k-area-money").get_by_role("link", name="Ledger").tap()
    phone.wait_for_url("**/money/ledger/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_favourites_are_pinned_ordered_kept_and_unpinned(page, cast):
    enter(page, cast.agent)
    pinned = page.locator("#k-favourites .k-nav-link")
    for path, name in (("/clients/", "Clients"), ("/leads/", "Leads")):
        page.goto(path)
        star = page.locator(".k-top").get_by_role("button", name=f"Favourite: {name}")
        star.click()
        expect(star).to_have_attribute("aria-pressed", "true")
    expect(pinned).to_have_text(["Clients", "Leads"])
    page.reload()
    expect(pinned).to_have_text(["Clients", "Leads"])
    page.get_by_role("link", name="Arrange favourites").click()
    dialog = page.locator("#k-fill")
    dialog.get_by_role("button", name="Move up: Leads").press("Enter")
    dialog.get_by_role("button", name="Save favourites").click()
    expect(pinned).to_have_text(["Leads", "Clients"])
    page.reload()
    expect(pinned).to_have_text(["Leads", "Clients"])
    page.get_by_role("link", name="Arrange favourites").click()
    rows = dialog.locator(".k-arrange li")
    rows.nth(1).locator(".k-grip").drag_to(rows.nth(0), target_position={"x": 40, "y": 2})
    expect(rows.nth(0)).to_contain_text("Clients")
    dialog.get_by_role("button", name="Save favourites").click()
    expect(pinned).to_have_text(["Clients", "Leads"])
    page.reload()
    expect(pinned).to_have_text(["Clients", "Leads"])
    pinned.nth(1).hover()
    page.locator("#k-favourites").get_by_role("button", name="Favourite: Leads").click()
    expect(pinned).to_have_text(["Clients"])
    cast.agent.refresh_from_db()
    assert favourites.pinned(cast.agent) == ["clients"]


def test_the_plus_opens_its_dialog_and_only_what_the_role_may_create(page, cast):
    enter(page, cast.agent)
    page.goto("/home/")
    page.keyboard.press("c")
    expect(page.get_by_role("link", name="Lead", exact=True)).to_be_focused()
    expect(page.locator(".k-top").get_by_role("link", name="Partner", exact=True)).to_have_count(0)
    page.keyboard.press("Enter")
    dialog = page.locator("#k-fill")
    expect(dialog.get_by_role("heading", name="Add lead")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("dialog :focus")).to_have_count(0)
    page.keyboard.press("+")
    page.get_by_role("link", name="Follow-up", exact=True).click()
    dialog.get_by_label("Search clients").fill(cast.client.last_name)
    dialog.get_by_role("link", name=str(cast.client)).click()
    # The form and its quick times work on a page that isn't the client's.
    dialog.get_by_role("button", name="Tomorrow").click()
    expect(dialog.locator("input[type=datetime-local]")).not_to_have_value("")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("dialog :focus")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Quick add")
