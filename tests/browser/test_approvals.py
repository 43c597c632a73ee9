"""Second approvals in a real browser: the list, a proposal opened from it, what was typed, and the decision."""

import os

from playwright.sync_api import expect

from tests.browser.people import enter
from tests.sandbox.psp.running import wait_until
from tests.wallet.ledger.approval_cases import journal
from tests.wallet.reconciliation.approval_cases import terms
from wallet.models import Journal

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def shot(page, name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)


def fits(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_the_checker_decides_from_the_list_and_the_maker_withdraws(page, phone, cast):
    case, own = journal(cast, None), terms(cast, None)
    enter(page, case.checker)
    page.goto("/approvals/")
    row = page.locator("tr", has_text=case.item.reference)
    expect(row).to_contain_text("Fee of the bank")
    shot(page, "approvals-list")
    row.get_by_role("link").click()
    expect(page.locator("#main")).to_contain_text("Requested by")
    shot(page, "approval")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("body")).to_contain_text("Enter a reason.")
    page.get_by_label("Note").fill("Seen on the statement")
    page.get_by_role("button", name="Approve").click()
    page.locator("dialog[open] .btn-primary").click()
    wait_until(lambda: Journal.objects.count() == 1)
    expect(row).to_have_count(0)

    enter(phone, own.maker)
    phone.goto("/approvals/")
    fits(phone)
    shot(phone, "approvals-list-phone")
    phone.goto(own.kind.url(own.item))
    fits(phone)
    shot(phone, "cost-terms-phone")
    phone.goto("/approvals/")
    phone.get_by_role("button", name="Withdraw").click()
    expect(phone.get_by_text("Proposal withdrawn.")).to_be_visible()
