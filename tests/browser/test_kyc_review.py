"""An officer's page in a real browser: uploads say why, and a decision needs no mouse."""

import re

import pytest
from playwright.sync_api import expect

from kyc.models import Document
from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.kyc.factories import claimed, passport_jpeg, registered, waiting
from tests.wallet.providers import provider


@pytest.fixture
def document(cast):
    registered(cast.client, last_name="Schmidt")
    return claimed(cast.client, cast.kyc_officer)


def test_a_refused_upload_says_why_and_keeps_the_form(page, cast):
    """422 with a page: its reason is shown, not a general sentence."""
    enter(page, cast.kyc_officer)
    page.goto(f"/kyc/clients/{cast.client.pk}/upload/")
    page.locator("select[name=kind]").select_option("id_card")
    page.locator("input[name=file]").set_input_files(
        {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": b"MZ this is a program"}
    )
    page.get_by_role("button", name="Upload").click()
    reason = page.get_by_text("This file type isn't supported")
    expect(reason).to_be_visible()
    expect(page.locator("select[name=kind]")).to_have_value("id_card")
    assert page.evaluate("document.activeElement.matches('.k-alert, .is-invalid, .errorlist')")
    page.locator("input[name=file]").set_input_files(
        {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": passport_jpeg()}
    )
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url(re.compile(r"tab"))
    expect(page.get_by_text("Checking the file").first).to_be_visible()


def test_a_statement_that_is_refused_says_why(page, cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as outside:
        enter(page, cast.finance)
        page.goto("/money/bank/")
        page.locator("select[name=psp]").first.select_option(str(outside.psp.pk))
        page.locator("input[name=file]").set_input_files(
            {"name": "a.xlsx", "mimeType": "application/octet-stream", "buffer": b"\xd0\xcf\x11\xe0 no workbook"}
        )
        page.get_by_role("button", name="Import and book").click()
        expect(page.get_by_text("The workbook can't be read")).to_be_visible()


def test_a_rejection_needs_no_mouse(page, cast, document):
    enter(page, cast.kyc_officer)
    page.goto(document.get_absolute_url())
    expect(page.get_by_text("send from a text field")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.press("2")
    expect(page.locator("[data-reject] select")).to_have_value("cut_off")
    expect(page.locator("[data-reject] textarea[name=reason]")).to_have_value(re.compile("all four corners"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/kyc/queue/**")
    document.refresh_from_db()
    assert (document.state, document.reason_code) == ("rejected", "cut_off")


def test_words_of_ones_own_are_sent_with_ctrl_enter(page, cast, document):
    enter(page, cast.kyc_officer)
    page.goto(document.get_absolute_url())
    page.keyboard.press("r")
    page.keyboard.press("1")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Line 1")
    page.keyboard.press("Enter")
    page.keyboard.type("Line 2")
    assert Document.objects.get(pk=document.pk).state == "pending_review"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/kyc/queue/**")
    document.refresh_from_db()
    assert document.state == "rejected" and document.reason.splitlines() == ["Line 1", "Line 2"]


def test_one_key_does_not_approve_past_a_finding(page, cast, document):
    enter(page, cast.kyc_officer)
    page.goto(document.get_absolute_url())
    page.keyboard.press("a")
    expect(page.locator("[data-approve] textarea[name=note]")).to_be_focused()
    page.keyboard.type("Maiden name, certificate seen")
    assert Document.objects.get(pk=document.pk).state == "pending_review"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/kyc/queue/**")
    assert Document.objects.get(pk=document.pk).state == "approved"


def test_a_field_is_corrected_the_page_turned_and_zoomed_by_keys(page, cast, document):
    """The correction goes to the field that differs; what is turned stays turned for the next who opens it."""
    enter(page, cast.kyc_officer)
    page.goto(document.get_absolute_url())
    expect(page.locator("mark.kyc-differs").first).to_be_visible()
    page.keyboard.press("]")
    page.keyboard.press("+")
    expect(page.locator("[data-stage]")).to_have_attribute("data-quarter", "1")
    expect(page.locator("[data-stage]")).to_have_class(re.compile("zoomed"))
    page.keyboard.press("e")
    field = page.locator("[data-correct=last_name] input[name=value]")
    expect(field).to_be_focused()
    page.keyboard.type("Schmidt")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Last name corrected. The checks ran again")).to_be_visible()
    expect(page.locator("[data-stage]")).to_have_attribute("data-quarter", "1")
    page.keyboard.press("?")
    for words in ("Rotate left", "Zoom in", "Correct a field", "Request another document"):
        expect(page.locator("#k-keys").get_by_text(words, exact=True)).to_be_visible()


def test_a_batch_is_confirmed_by_keys_once_its_pictures_were_shown(page, cast):
    registered(cast.client, last_name="Webber")
    set_policies(cast.brand, kyc_batch_doubts=["NAME_NEAR"])
    row = waiting(cast.client)
    enter(page, cast.kyc_officer)
    page.goto("/kyc/queue/")
    page.keyboard.press("b")
    page.wait_for_url("**/kyc/queue/batch/")
    page.keyboard.press("n")
    tick = page.locator("[data-card] input[name=items]")
    expect(tick).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(tick).not_to_be_checked()
    page.keyboard.press("x")
    page.keyboard.press("a")
    page.get_by_role("button", name="Decide 1 item").click()
    expect(page.locator("[data-undo]")).to_be_visible()
    row.refresh_from_db()
    assert (row.state, row.reviewed_by) == ("approved", cast.kyc_officer)
