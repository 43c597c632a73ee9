"""Documents as people meet them: a receipt on the phone, a hash proved at a desk, a month for all clients."""

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import enter
from tests.wallet.documents.test_documents import october, paid_in
from wallet.documents import invoices, store
from wallet.models import IssuedDocument


def look_at(page: Page, name: str) -> None:
    """Pictures for whoever changes these pages: KEELSON_LOOK=<folder>."""
    if folder := os.environ.get("KEELSON_LOOK"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)


def test_a_receipt_is_taken_on_the_phone_and_proved_at_the_desk(page, phone, cast, background, tmp_path):
    deposit = paid_in(cast, 25_000, fee=375, at=october(20))
    enter(phone, cast.client_user)
    phone.goto(f"/portal/wallet/{deposit.reference}/")
    look_at(phone, "phone-movement")
    phone.get_by_role("button", name="Receipt (PDF)").click()
    link = phone.get_by_role("link", name=re.compile("Download receipt-"))
    link.wait_for(timeout=60_000)
    with phone.expect_download() as started:
        link.click()
    path = tmp_path / "receipt.pdf"
    started.value.save_as(path)
    assert path.read_bytes().startswith(b"%PDF")
    phone.goto("/portal/wallet/documents/")
    expect(phone.get_by_text(f"Receipt {deposit.reference}")).to_be_visible()
    look_at(phone, "phone-papers")

    enter(page, cast.finance)
    page.goto("/money/documents/prove/")
    page.set_input_files("input[name=file]", path)
    page.get_by_role("button", name="Verify document", exact=True).click()
    page.get_by_text("This file was issued here and is unchanged").wait_for()
    look_at(page, "prove")
    page.get_by_role("link", name=f"Receipt {deposit.reference}").click()
    document = IssuedDocument.objects.get()
    expect(page.get_by_text(document.content_hash).first).to_be_visible()
    look_at(page, "document")
    assert path.read_bytes() == b"".join(store.content_of(document))


def test_a_month_of_all_clients_is_made_at_the_desk(page, cast, background):
    paid_in(cast, 25_000, fee=375, at=october(20))
    paid_in(cast, 10_000, fee=150, at=october(21), client=cast.other_client)
    enter(page, cast.finance)
    page.goto("/money/documents/")
    look_at(page, "documents-empty")
    page.get_by_role("link", name="Monthly documents, all clients").click()
    page.locator("select[name=kind]").select_option("fee_invoice")
    page.locator("input[name=month]").fill("2026-10")
    look_at(page, "month")
    page.get_by_role("button", name="Create documents").click()
    page.get_by_role("link", name=re.compile("Download fee_invoice-")).wait_for(timeout=60_000)
    look_at(page, "job")
    page.goto("/money/documents/")
    expect(
        page.get_by_text(re.compile(r"Invoice MERIDIAN-\d{4}-000001|Rechnung MERIDIAN-\d{4}-000001"))
    ).to_be_visible()
    look_at(page, "documents")
    assert invoices.FeeInvoice.objects.count() == 2
    page.goto("/money/documents/letterheads/")
    look_at(page, "letterheads")
    page.get_by_role("link", name="Meridian Markets", exact=True).first.click()
    page.locator("textarea[name=address]").fill("1 Harbour Road")
    look_at(page, "letterhead")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Letterhead saved").wait_for()
