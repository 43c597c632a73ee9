"""Money out in a real browser: the plan before it is sent, two people, several at once, and a rate that runs out."""

import datetime as dt
import os
import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.brand_policies import set_policies
from tests.browser.people import enter, login
from tests.portal.conftest import room
from tests.wallet import recon
from tests.wallet.withdrawals.test_withdrawal import paid_in
from wallet.models import Deposit, Exchange, Quote, Withdrawal
from wallet.withdrawals.payout_results import parts_of
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

__all__ = ["room"]
SHOTS = os.environ.get("KEELSON_SHOTS", "")
IBAN = {"iban": "DE89370400440532013000", "holder": "Clara Weber"}


def shot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fits(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


@pytest.fixture
def payer(room):
    """Clara, whose EUR 300 came by card and can be refunded to it; EUR 200 more are in the wallet."""
    paid_in(room.client, room.psp, 30_000)
    Deposit.objects.update(psp_reference="pay_1", instrument="Visa •••• 4242")
    return room


def asked(room, amount: str, key: str) -> Withdrawal:
    return request_withdrawal(
        client_id=room.client.pk,
        request=WithdrawalRequest(psp_id=room.bank.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
        request_key=key,
        actor=room.user,
    )


def test_the_plan_is_shown_on_a_phone_before_anything_is_sent(phone, payer):
    login(phone, payer.user)
    phone.goto(f"/portal/wallet/withdraw/?psp={payer.bank.pk}")
    expect(phone.get_by_text("Visa •••• 4242")).to_be_visible()
    fits(phone)
    shot(phone, "withdraw-phone")
    phone.get_by_label("Amount").fill("400")
    phone.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    phone.get_by_label("Account holder").fill("Clara Weber")
    phone.get_by_role("button", name="Review withdrawal").click()
    plan = phone.locator("form[data-plan]")
    expect(plan).to_contain_text("Back to Visa •••• 4242")
    expect(plan).to_contain_text("To IBAN •••• 3000")
    expect(plan).to_contain_text("€300.00")
    fits(phone)
    shot(phone, "plan-phone")
    assert not Withdrawal.objects.exists()
    phone.get_by_role("button", name="Edit withdrawal").click()
    expect(phone.get_by_label("Amount")).to_have_value("400")
    phone.get_by_role("button", name="Review withdrawal").click()
    phone.get_by_role("button", name="Request withdrawal").click()
    phone.wait_for_url(re.compile("/portal/wallet/W-"))
    expect(phone.get_by_text("Back to Visa •••• 4242")).to_be_visible()
    fits(phone)
    shot(phone, "request-phone")
    assert [part.amount_minor for part in parts_of(Withdrawal.objects.first())] == [30_000, 10_000]


def test_two_people_release_a_request_of_two_parts_from_the_keyboard(open_page, payer):
    withdrawal = asked(payer, "400", "k")
    for officer in (payer.cast.finance, payer.cast.second_finance):
        page = open_page()
        enter(page, officer)
        page.goto("/money/withdrawals/")
        shot(page, "queue")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/money/withdrawals/\d+/"))
        expect(page.get_by_role("heading", name="Payout destinations")).to_be_visible()
        shot(page, "withdrawal")
        page.keyboard.press("a")
        expect(page.locator("#k-confirm")).to_contain_text("€400.00")
        page.locator("#k-confirm [data-yes]").click()
        page.wait_for_load_state()
        expect(page.locator(".k-timeline")).to_contain_text(re.compile("pproval|pproved"))
    parts = parts_of(withdrawal)
    assert {part.state for part in parts} == {"approved"}
    assert {part.approved_by_id for part in parts} == {payer.cast.second_finance.pk}


def test_several_are_approved_after_a_preview(page, payer):
    for number, amount in enumerate(("20", "30", "250")):
        asked(payer, amount, f"k{number}")
    enter(page, payer.cast.finance)
    page.goto("/money/withdrawals/")
    page.locator("thead .pick input").check()
    page.get_by_role("button", name="Approve…").click()
    expect(page.get_by_text("3 requests can be approved")).to_be_visible()
    shot(page, "batch-preview")
    assert not Withdrawal.objects.exclude(state="requested").exists()
    page.get_by_role("button", name="Approve 3 withdrawals").click()
    expect(page.get_by_role("heading", name="3 of 3 approved")).to_be_visible()
    shot(page, "batch-result")
    assert sorted(Withdrawal.objects.values_list("state", flat=True)) == [
        "approved",
        "approved",
        "awaiting_second_approval",
    ]


def test_a_rate_that_runs_out_can_not_be_confirmed_and_a_new_one_can(phone, room):
    set_policies(room.cast.brand, fx_quote_seconds=3)
    enter(phone, room.user)
    phone.goto("/portal/wallet/exchange/")
    shot(phone, "exchange-phone")
    phone.get_by_label("Amount").fill("100")
    phone.get_by_role("button", name="Get rate").click()
    expect(phone.get_by_role("button", name="Exchange at this rate")).to_be_visible()
    shot(phone, "quote-phone")
    fits(phone)
    expect(phone.get_by_role("button", name="Exchange at this rate")).to_be_disabled(timeout=6_000)
    Quote.objects.update(expires_at=dt.datetime.now(dt.UTC))
    set_policies(room.cast.brand, fx_quote_seconds=None)
    phone.get_by_role("button", name="Get new rate").click()
    phone.get_by_role("button", name="Exchange at this rate").click()
    phone.wait_for_url(re.compile("/portal/wallet/X-"))
    expect(phone.get_by_text("Exchanged").first).to_be_visible()
    assert Exchange.objects.get().amount_minor == 10_000


def test_what_came_back_is_written_down_with_its_fee_and_booked_by_another(open_page, room):
    withdrawal = asked(room, "100", "back")
    Withdrawal.objects.filter(pk=withdrawal.pk).update(
        state="settled",
        fee_minor=250,
        approved_by=room.cast.finance,
        reviewed_by=room.cast.second_finance,
        journal_id=withdrawal.reservation_id,
        finished_at=dt.datetime.now(dt.UTC),
        psp_reference="po_1",
    )
    withdrawal.refresh_from_db()
    page = open_page()
    enter(page, room.cast.finance)
    page.goto(f"/money/withdrawals/{withdrawal.pk}/")
    page.get_by_text("Record as returned", exact=True).click()
    page.get_by_label("PSP or bank reference").fill("R-1")
    expect(page.get_by_label("Our fee")).to_contain_text("Keep it: €2.50")
    page.get_by_label("Our fee").select_option("yes")
    page.get_by_label("Reason for the terms").fill("Our bank mistyped the IBAN")
    page.get_by_label("Source and details").fill("Returned on the 3rd")
    fits(page)
    shot(page, "came-back-written")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("Awaiting second approval. Someone else must decide.")).to_be_visible()
    page = open_page()
    enter(page, room.cast.second_finance)
    page.goto(f"/money/withdrawals/{withdrawal.pk}/")
    expect(page.get_by_text("Fee returned")).to_be_visible()
    expect(page.get_by_text("Our bank mistyped the IBAN")).to_be_visible()
    shot(page, "came-back-second")
    page.get_by_role("button", name="Approve").click()
    page.locator("#k-confirm [data-yes]").click()
    expect(page.locator(".k-badge", has_text="Paid, then returned").first).to_be_visible()
    expect(page.locator(".k-timeline").first).to_contain_text("Payout outcome approved and booked")
    shot(page, "came-back-booked")
    assert Withdrawal.objects.get(pk=withdrawal.pk).state == "came_back"


def test_what_a_psp_holds_back_is_seen_with_its_due_day(page, room):
    held = recon.row("", -5_000, psp_reference="r-1", type="reserve")
    recon.report(room.psp, [held, {**held, "gross_minor": 7_000, "net_minor": 7_000, "psp_reference": "r-2"}])
    enter(page, room.cast.finance)
    page.goto("/money/reconciliation/")
    page.get_by_role("link", name="Rolling reserves").click()
    expect(page.get_by_text("r-1")).to_be_visible()
    expect(page.get_by_text("r-2")).not_to_be_visible()
    fits(page)
    shot(page, "reserves-held")
    page.goto("/money/reconciliation/reserves/")
    expect(page.get_by_text("r-2")).to_be_visible()
    shot(page, "reserves")
    page.goto("/money/cash/")
    expect(page.get_by_text("rolling reserve, not counted")).to_be_visible()
    shot(page, "cash")
