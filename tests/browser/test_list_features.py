"""Lists in a real browser: the preview on Space, quick filters, row height, a status changed in its row, rows on a phone."""

import re

import pypdfium2
import pytest
from playwright.sync_api import expect

from clients.models import Client
from crm.models import AccessEvent
from tests.browser.people import enter
from tests.cast import make_client

ROWS = "#t-leads tbody tr"


@pytest.fixture
def leads(cast):
    for number, name in enumerate(("Ada", "Ben", "Cleo")):
        make_client(
            brand=cast.brand,
            book=cast.book,
            email=f"{name}@x.example",
            login=False,
            first_name=name,
            last_name=f"Lead {number}",
            country="DE",
        )
    return cast


def test_space_previews_a_row_and_the_keyboard_goes_on(page, leads):
    enter(page, leads.agent)
    page.goto("/leads/")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    panel = page.locator("#k-peek")
    heading = panel.locator("h2")
    expect(heading).to_have_text("Cleo Lead 2")
    expect(heading).to_be_focused()
    page.keyboard.press("j")
    expect(heading).to_have_text("Ben Lead 1")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.locator(f"{ROWS}.cursor a.row-link")).to_be_focused()
    assert AccessEvent.objects.filter(kind="view", target="clients.client:preview").count() == 2
    page.keyboard.press("Escape")
    page.locator(ROWS).nth(2).locator("td").last.click()
    page.keyboard.press("Space")
    expect(heading).to_have_text("Ada Lead 0")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/clients/\d+/"))


def test_a_printed_list_has_its_head_on_every_page(page, cast):
    for number in range(60):
        make_client(brand=cast.brand, book=cast.book, email=f"p{number}@x.example", login=False, last_name="Paper")
    enter(page, cast.agent)
    page.goto("/leads/")
    with pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True)) as paper:
        texts = []
        for sheet in paper:
            words = sheet.get_textpage()
            texts.append(words.get_text_range())
            words.close()
            sheet.close()
    assert len(texts) > 1
    # Letters of equal columns come below each other: only their order counts.
    assert all("Received" in "".join(text.split()) for text in texts), texts


def test_a_status_is_changed_in_its_row(page, leads):
    enter(page, leads.agent)
    page.goto("/leads/")
    row = page.locator(ROWS).first
    row.get_by_role("button", name="New").click()
    page.get_by_role("menuitem", name="No answer").click()
    expect(row).to_contain_text("No answer")
    page.get_by_role("button", name="No answer").first.click()
    page.get_by_role("menuitem", name="Contacted").click()
    expect(row).to_contain_text("Contacted")
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("No answer")
    Client.objects.update(sales_status="do_not_call")
    row.get_by_role("button", name="No answer").click()
    page.get_by_role("menuitem", name="Contacted").click()
    expect(page.locator(".k-toast.tone-danger")).to_be_visible()
    expect(row).to_contain_text("Do not call")


def test_quick_filters_and_row_height(page, leads):
    enter(page, leads.agent)
    page.goto("/leads/")
    chip = page.get_by_role("button", name="Interested")
    chip.click()
    page.wait_for_url("**sales_status=interested*")
    expect(page.get_by_role("button", name="Interested", pressed=True)).to_be_visible()
    expect(page.locator("#t-leads .k-empty")).to_be_visible()
    page.get_by_role("button", name="Interested").focus()
    page.keyboard.press("Space")
    expect(page.locator(ROWS)).to_have_count(3)
    page.get_by_role("button", name="Comfortable rows").click()
    expect(page.locator("html")).to_have_attribute("data-density", "comfortable")
    expect(page.get_by_role("button", name="Comfortable rows", pressed=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-density", "comfortable")


def test_rows_are_stacked_on_a_phone(phone, leads):
    enter(phone, leads.agent)
    phone.goto("/leads/")
    assert phone.locator(".k-scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    row = phone.locator(ROWS).first
    for place in (".p-name", ".p-state", ".p-when"):
        expect(row.locator(place)).to_be_in_viewport()
    row.click()
    phone.wait_for_url(re.compile(r"/clients/\d+/"))
