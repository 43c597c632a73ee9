"""The client portal in a real browser: registering, getting verified, money, on a desk and on a phone."""

import datetime as dt
import io
import os
import re
from pathlib import Path

import pytest
from django.core import mail as outbox
from PIL import Image
from playwright.sync_api import expect

from clients.models import Client
from crm import work
from kyc import specimens
from kyc.models import Document, IncomingFile, UploadPage
from kyc.reviews import approve
from kyc.uploads.pages import CHUNK_BYTES_MAX
from leads.invitations import invite
from tests.brand_policies import set_policies
from tests.browser.people import enter, login
from tests.cast import PASSWORD, make_client
from tests.kyc.factories import BORN, bill_pdf, officers_decide, passport_jpeg, registered, with_policy
from tests.portal.conftest import room, verify
from tests.sandbox.psp.running import wait_until
from tests.wallet.conftest import load_rates, outside
from wallet.models import Deposit, Withdrawal

ROOM = (
    "",
    "wallet/",
    "wallet/deposit/",
    "wallet/withdraw/",
    "wallet/transfer/",
    "wallet/exchange/",
    "wallet/history/",
    "accounts/",
    "documents/",
    "profile/",
    "profile/security/",
    "profile/details/",
)
__all__ = ["outside", "room"]
PHRASE = "a quiet long phrase"


@pytest.fixture(autouse=True)
def decisions_are_final_at_once(cast):
    set_policies(cast.brand, kyc_undo_seconds=0)


def fill_registration(page, **changes):
    fields = {
        "First name": "Greta",
        "Last name": "Hoffmann",
        "Phone": "+49 151 98765432",
        "Password": PHRASE,
        **changes,
    }
    for label, value in fields.items():
        page.get_by_role("textbox", name=label).fill(value)
    page.get_by_label("Country of residence").select_option("DE")
    page.get_by_label("Date of birth").fill("1990-05-17")
    for words in ("terms of business", "privacy notice", "lose my money"):
        page.get_by_label(re.compile(words)).check()


def latest_link(pattern):
    letter = wait_until(lambda: next((one for one in reversed(outbox.outbox) if re.search(pattern, one.body)), None))
    return re.search(pattern, letter.body)[0]


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_a_stranger_registers_confirms_the_email_and_is_led_on(page, cast, background):
    page.goto("/b/meridian/register/?ref=abc&utm_source=google")
    page.get_by_role("button", name="Open my account").click()
    expect(page.get_by_text("Check the highlighted fields")).to_be_visible()
    page.get_by_role("textbox", name="E-mail").fill("greta@example.com")
    fill_registration(page)
    page.get_by_role("button", name="Open my account").click()
    expect(page.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    page.goto(latest_link(r"/b/meridian/confirm/\S+"))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/portal/")
    expect(page.get_by_role("heading", name="Hello, Greta")).to_be_visible()
    expect(page.get_by_text("Getting started")).to_be_visible()
    page.get_by_role("link", name=re.compile("Continue: Your details")).click()
    page.get_by_label("Citizenship").select_option("DE")
    page.get_by_label("Street and number").fill("Lindenstraße 12")
    page.get_by_label("Postal code").fill("10969")
    page.get_by_label("City").fill("Berlin")
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/portal/documents/")


def test_an_invited_lead_is_in_with_one_form(page, cast, background):
    lead = make_client(
        brand=cast.brand, book=cast.book, email="greta@example.com", login=False, first_name="Gretel", country="DE"
    )
    _row, token = invite(client_id=lead.pk, actor=cast.agent)
    page.goto(f"/l/invitation/{token}/")
    expect(page.get_by_label("First name")).to_have_value("Gretel")
    expect(page.get_by_role("textbox", name="E-mail")).to_be_disabled()
    fill_registration(page, **{"First name": "Gretel"})
    page.get_by_role("button", name="Open my account").click()
    page.wait_for_url("**/portal/")
    page.goto(f"/l/invitation/{token}/")
    expect(page.get_by_text("already registered with this link")).to_be_visible()


def look_at(page, name):
    """Pictures for whoever changes these pages: KEELSON_LOOK=<folder>."""
    if folder := os.environ.get("KEELSON_LOOK"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")


def add(page, name, content, kind="image/jpeg"):
    page.locator("input[name=file]").set_input_files({"name": name, "mimeType": kind, "buffer": content})
    page.locator(".k-pages > li:not([data-unfinished])", has_text=name).wait_for(timeout=30_000)


def send_document(page, name, content, label, kind="image/jpeg", *, then="**/portal/documents/"):
    """Choose a document that has one side, add one file and send it."""
    page.get_by_text(label, exact=True).first.click()
    page.get_by_role("button", name="Continue").click()
    add(page, name, content, kind)
    page.get_by_role("link", name="Continue", exact=True).click()
    page.get_by_role("button", name="Send document").click()
    page.wait_for_url(then)


def test_documents_are_sent_checked_and_approved_while_the_page_looks_on(page, cast, background):
    registered(cast.client, nationality="DE")
    officers_decide(cast.brand)
    enter(page, cast.client_user)
    page.goto("/portal/documents/upload/identity/")
    send_document(page, "passport.jpg", passport_jpeg()[:20_000], "Passport")
    # The page waits for the job that opens the file, and says why it was refused.
    expect(page.locator("#document-states").get_by_text(re.compile("incomplete"))).to_be_visible(timeout=30_000)
    page.locator("#identity").get_by_role("link", name="Upload document").click()
    send_document(page, "passport.jpg", passport_jpeg(), "Passport")
    expect(page.get_by_text("Document sent. We're checking it.")).to_be_visible()
    expect(page.locator("#document-states").get_by_text("Under review")).to_have_count(1, timeout=30_000)
    page.locator("#address").get_by_role("link", name="Upload document").click()
    send_document(page, "bill.pdf", bill_pdf(), "Proof of address", "application/pdf")
    expect(page.locator("#document-states").get_by_text("Under review")).to_have_count(2, timeout=30_000)
    for document in Document.objects.order_by("pk"):
        wait_until(lambda pk=document.pk: Document.objects.get(pk=pk).state == "pending_review", 60)
        document.refresh_from_db()  # its work came with the check
        work.claim(item_id=document.work_id, actor=cast.kyc_officer)
        approve(document_id=document.pk, actor=cast.kyc_officer, note="Read by eye")
    # No reload: the page asks again by itself.
    expect(page.locator("#document-states").get_by_text("Approved")).to_have_count(2, timeout=30_000)
    wait_until(lambda: Client.objects.get(pk=cast.client.pk).kyc_level >= 1)


def test_on_a_phone_a_flaw_is_named_and_a_good_document_approved(page, cast, background):
    """No person decides: an expired passport is sent back with what to do, both sides of a good card are approved."""
    registered(cast.client, nationality="DE")
    with_policy(cast.brand)
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, cast.client_user)
    page.goto("/portal/documents/")
    look_at(page, "upload-1-documents")
    page.locator("#identity").get_by_role("link", name="Upload document").click()
    look_at(page, "upload-2-choose")
    send_document(page, "old.jpg", passport_jpeg(expires_on=dt.date(2024, 1, 1)), "Passport")
    # In the client's language.
    flaw = "Das Dokument ist abgelaufen. Bitte senden Sie ein gültiges."
    expect(page.locator("#document-states").get_by_text(flaw, exact=True)).to_be_visible(timeout=60_000)
    page.reload()
    look_at(page, "upload-3-refused")
    page.locator("#identity").get_by_role("link", name="Upload again").click()
    expect(page.get_by_text(flaw)).to_be_visible()
    expect(page.locator("input[value=passport]")).to_be_checked()
    expect(page.locator("[name=country]")).to_have_value("DE")
    look_at(page, "upload-4-again")
    page.get_by_text("Identity card", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    look_at(page, "upload-5-front")
    front, back = (
        specimens.jpeg(side) for side in specimens.id_card(specimens.Holder("Clara", "Weber", BORN, number="C01X00T47"))
    )
    # The connection is lost after the first part, and the page is left: the same file goes on where it stopped.
    large, sent_parts = front + bytes(CHUNK_BYTES_MAX), []
    page.route("**/pages/*/", lambda route: route.abort() if sent_parts else (sent_parts.append(1), route.continue_()))
    page.locator("input[name=file]").set_input_files({"name": "front.jpg", "mimeType": "image/jpeg", "buffer": large})
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    look_at(page, "upload-6-lost")
    assert UploadPage.objects.get().received_bytes == CHUNK_BYTES_MAX
    page.unroute("**/pages/*/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text(re.compile("Interrupted at"))).to_be_visible()
    look_at(page, "upload-7-interrupted")
    page.locator("button[value=remove]").click()
    add(page, "front.jpg", specimens.jpeg(specimens.blurred(Image.open(io.BytesIO(front)), 6)))
    expect(page.get_by_text(re.compile("may be blurred"))).to_be_visible()
    look_at(page, "upload-8-blurred")
    page.locator("button[value=remove]").click()
    add(page, "front.jpg", front)
    page.get_by_role("link", name="Continue", exact=True).click()
    add(page, "back.jpg", back)
    look_at(page, "upload-9-back")
    page.get_by_role("link", name="Continue", exact=True).click()
    expect(page.locator(".k-review canvas, .k-review img")).to_have_count(2)
    look_at(page, "upload-10-check")
    page.get_by_role("button", name="Send document").click()
    expect(page.locator("#document-states").get_by_text("Approved", exact=True)).to_be_visible(timeout=90_000)
    look_at(page, "upload-11-approved")
    assert set(Document.objects.values_list("kind", "state", "reviewed_by")) == {
        ("passport", "rejected", None),
        ("id_card", "approved", None),
    }
    wait_until(lambda: Client.objects.get(pk=cast.client.pk).stage == "verified")


def test_a_computer_hands_the_upload_to_a_phone(page, phone, cast, settings):
    registered(cast.client, nationality="DE")
    enter(page, cast.client_user)
    page.goto("/portal/documents/upload/identity/")
    page.get_by_text("Passport", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    look_at(page, "desk-1-page")
    page.get_by_role("button", name="Continue on phone").click()
    expect(page.get_by_role("img", name="QR code for your phone")).to_be_visible()
    look_at(page, "desk-2-code")
    address = page.locator("[data-code-url]").get_attribute("data-code-url")
    phone.goto(address)
    look_at(phone, "phone-1-open")
    phone.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Your phone is connected")).to_be_visible(timeout=15_000)
    look_at(phone, "phone-2-page")
    assert "Weber" not in phone.content() and cast.client.email not in phone.content()
    large = passport_jpeg() + bytes(200_000)  # more than a stranger may send
    add(phone, "passport.jpg", large)
    expect(page.get_by_text("from your phone")).to_be_visible(timeout=15_000)
    look_at(page, "desk-3-page")
    phone.get_by_role("link", name="Continue", exact=True).click()
    look_at(phone, "phone-3-check")
    phone.get_by_role("button", name="Send document").click()
    expect(phone.get_by_role("heading", name="Document sent")).to_be_visible()
    look_at(phone, "phone-4-sent")
    page.wait_for_url("**/portal/documents/", timeout=15_000)
    assert IncomingFile.objects.get().size_bytes == len(large)
    phone.goto(address)
    expect(phone.get_by_text("This code was already used.")).to_be_visible()
    look_at(phone, "phone-5-used")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page, cast, settings):
    settings.UPLOAD_MAX_BYTES = 50_000
    enter(page, cast.client_user)
    page.goto("/portal/documents/upload/proof_of_address/")
    page.get_by_role("button", name="Continue").click()
    page.locator("input[name=file]").set_input_files(
        {"name": "passport.jpg", "mimeType": "image/jpeg", "buffer": b"x" * 60_000}
    )
    expect(page.get_by_text(re.compile("This file is too large")).first).to_be_visible()
    assert not UploadPage.objects.exists()


def test_a_deposit_there_and_back_and_the_page_waits_for_the_webhook(
    page, cast, background, outside, settings, live_server
):
    settings.BASE_URL = live_server.url
    verify(cast.client)
    enter(page, cast.client_user)
    page.goto("/portal/wallet/deposit/")
    page.get_by_label("Amount").fill("500")
    page.get_by_role("radio", name=re.compile("^Card")).check()
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url(re.compile(re.escape(outside.running.url)))
    page.locator("[name=payer_name]").fill("Clara Weber")
    page.locator("[name=card_number]").fill("4242424242424242")
    page.locator("[name=expiry]").fill("12/39")
    page.locator("[name=cvc]").fill("123")
    page.locator("[name=action][value=pay]").click()
    page.wait_for_url(re.compile("/portal/wallet/D-"))
    outside.deliver(wait_for=2, process=False)
    expect(page.get_by_text(re.compile("is in your wallet"))).to_be_visible(timeout=30_000)
    assert Deposit.objects.get().state == "settled"
    page.goto("/portal/")
    expect(page.get_by_text("€500.00").first).to_be_visible()


def test_a_withdrawal_asks_who_one_is_and_can_be_cancelled(page, room):
    login(page, room.user)
    page.goto("/portal/wallet/withdraw/")
    page.get_by_label("Pay the rest to").select_option(value=str(room.bank.pk))
    page.wait_for_url(re.compile("psp="))
    page.get_by_label("Amount").fill("200")
    page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    page.get_by_label("Account holder").fill("Clara Weber")
    page.get_by_role("button", name="Review withdrawal").click()
    expect(page.locator("form[data-plan]")).to_contain_text("To IBAN •••• 3000")
    page.get_by_role("button", name="Request withdrawal").click()
    expect(page.get_by_text("Your withdrawal is under review")).to_be_visible()
    page.get_by_role("button", name="Cancel withdrawal").click()
    page.locator("#k-confirm [data-yes]").click()
    expect(page.get_by_text("Cancelled by you")).to_be_visible()
    assert Withdrawal.objects.get().state == "cancelled"


def test_the_room_fits_a_phone_in_both_languages(phone, room):
    enter(phone, room.user)
    for language in ("en-us", "de"):
        room.user.language = language
        room.user.save(update_fields=["language"])
        for path in (*ROOM, f"accounts/{room.account.pk}/"):
            phone.goto(f"/portal/{path}")
            expect(phone.locator("html")).to_have_attribute("lang", language)
            fits(phone)


def test_registering_fits_a_phone(phone, cast):
    for page in ("/b/meridian/register/", "/b/meridian/login/", "/b/meridian/legal/terms/", "/b/"):
        phone.goto(page)
        fits(phone)


def test_a_client_sets_up_a_second_factor_and_needs_it_from_then_on(page, cast):
    from tests.crm.factors import code

    login(page, cast.client_user)
    page.goto("/portal/profile/security/")
    page.locator(".card:has-text('Authenticator app')").get_by_role("link", name="Set up").click()
    secret = page.locator("[data-secret]").inner_text()
    page.locator("input[name=code]").fill(code(secret))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#recovery-codes")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/b/meridian/login/")
    page.get_by_label("E-mail").fill(cast.client_user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/authenticate/")
    expect(page.get_by_text("Meridian Markets").first).to_be_visible()


def test_right_to_left_pages_do_not_break(page, cast):
    """Hebrew is not shipped; the frame must hold when a language that runs the other way is added."""
    load_rates()
    enter(page, cast.client_user)
    page.goto("/portal/")
    page.evaluate("document.documentElement.dir = 'rtl'")
    fits(page)
    page.goto("/b/meridian/register/")
    page.evaluate("document.documentElement.dir = 'rtl'")
    fits(page)
