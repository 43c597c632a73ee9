"""The books in a real browser: a journal by hand with four eyes, and one movement's whole story."""

from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.people import enter
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, house, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.models import ManualJournal
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal


def test_a_journal_by_hand_is_written_by_one_person_and_posted_by_another(page, cast):
    fees, bank = house(cast.brand, AccountKind.FEES), house(cast.brand, AccountKind.HOUSE_BANK)
    fund(cast.client, 5_000)
    enter(page, cast.finance)
    page.goto("/money/journals/new/")
    accounts, sums = page.locator("[data-account]"), page.locator("[data-sums]")
    with page.expect_response("**/money/journals/accounts/**"):
        accounts.nth(0).fill("bank fees")
    expect(page.locator("#journal-accounts option")).to_have_count(1)
    accounts.nth(0).fill(page.locator("#journal-accounts option").first.get_attribute("value"))
    page.locator("[name=debit]").nth(0).fill("12.50")
    expect(sums).to_contain_text("EUR differs by 12.50")
    with page.expect_response("**/money/journals/accounts/**"):
        accounts.nth(1).fill("house bank")
    expect(page.locator("#journal-accounts option").first).to_have_attribute("value", f"{bank.pk} · {bank}")
    accounts.nth(1).fill(f"{bank.pk} · {bank}")
    page.locator("[name=credit]").nth(1).fill("12.5")
    expect(sums).to_contain_text("EUR in balance")
    page.get_by_role("button", name="Submit for approval").click()
    # Without a reason the browser keeps the form.
    page.get_by_label("Reason").fill("Account fee, statement 11")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.locator("#main")).to_contain_text("Someone else must decide.")
    manual = ManualJournal.objects.get()
    assert posting.balance(fees) == 0

    page.context.clear_cookies()
    enter(page, cast.second_finance)
    page.goto("/money/journals/")
    page.get_by_role("link", name=manual.reference).click()
    expect(page.locator("#main")).to_contain_text("Account fee, statement 11")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.locator("dialog[open] .btn-primary").click()
    expect(page.locator(".k-head")).to_contain_text("Approved")
    assert posting.balance(fees) == -1_250
    page.get_by_role("link", name=str(ManualJournal.objects.get().journal_id)).click()
    expect(page.get_by_role("link", name="Reverse")).to_be_visible()


def test_one_movement_s_story_stands_on_one_page_and_j_goes_on(page, cast):
    load_rates()
    cast.client.kyc_level = 2
    cast.client.save()
    psp = make_psp(cast.brand)
    paid_in(cast.client, psp, 100_000)
    first, second = (
        request_withdrawal(
            client_id=cast.client.pk,
            request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
            request_key=f"w{amount}",
            actor=cast.client.user,
        )
        for amount in (150, 160)
    )
    enter(page, cast.finance)
    page.goto(f"/money/withdrawals/{first.pk}/")
    story = page.locator(".k-timeline").first
    expect(story).to_contain_text("Withdrawal requested; funds on hold")
    expect(story).to_contain_text("Money reserved in the ledger")
    expect(story).to_contain_text("€150.00")
    expect(story.locator("[data-kind=check]")).to_contain_text("checks passed")
    page.keyboard.press("j")
    page.wait_for_url(f"**/money/withdrawals/{second.pk}/")
    page.keyboard.press("k")
    page.wait_for_url(f"**/money/withdrawals/{first.pk}/")
    page.get_by_role("link", name="Money reserved in the ledger").click()
    expect(page.locator("#main")).to_contain_text("Postings")
