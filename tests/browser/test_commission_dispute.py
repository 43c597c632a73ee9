"""At a phone's and a desk's width: an unpaid trade, disputed by the partner, adjusted by two people, paid with the settlement."""

from playwright.sync_api import expect

from crm.models import WorkProposal
from ib import engine, settlement
from ib.models import Accrual, CommissionDispute, Settlement
from tests.browser.people import enter
from tests.browser.widths import fits_both_widths
from tests.ib import factories
from tests.ib.conftest import network
from tests.ib.test_settlement_pages import agree

__all__ = ["network"]


def test_an_unpaid_trade_is_disputed_adjusted_and_paid(phone, cast, network):
    page = phone
    agree(cast, network.sub, cycle="instant")
    deal = factories.make_trade(network.account, symbol="XAUUSD")
    engine.run_for_deals(deal_ids=[deal])
    unpaid = Accrual.objects.get(deal_id=deal, partner=network.sub)
    assert unpaid.state == "excluded"
    enter(page, network.sub.user)
    page.goto(f"/partners/earnings/trade/{unpaid.pk}/")
    page.get_by_text("Something wrong with this commission?").click()
    page.get_by_label("What is wrong?").fill("Gold is in my contract.")
    page.get_by_role("button", name="Dispute commission").click()
    expect(page.get_by_text("Dispute opened.")).to_be_visible()
    page.get_by_role("link", name="Messages").click()
    page.get_by_label("Message").fill("Page 2 of the contract")
    page.get_by_role("button", name="Send message").click()
    expect(page.get_by_text("Answer expected by")).to_be_visible()
    fits_both_widths(page)

    dispute = CommissionDispute.objects.get()
    enter(page, cast.ib_manager)
    page.goto(f"/ib/disputes/{dispute.pk}/")
    expect(page.get_by_text("Page 2 of the contract")).to_be_visible()
    page.get_by_label("Adjustment in EUR").fill("9.50")
    page.locator("form:has(#id_amount)").get_by_label("Answer").fill("You're right, it was missing.")
    page.get_by_role("button", name="Propose adjustment").click()
    expect(page.get_by_text("Adjustment proposed.")).to_be_visible()
    fits_both_widths(page)
    enter(page, cast.finance)
    page.goto(f"/ib/disputes/{dispute.pk}/")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Resolved").first).to_be_visible()
    assert WorkProposal.objects.get().state == "approved"

    settlement.settle_cycles(brand=cast.brand)
    assert str(Settlement.objects.get().amount) == "9.50000000"
    enter(page, network.sub.user)
    page.goto(f"/partners/disputes/{dispute.pk}/")
    expect(page.get_by_text("€9.50")).to_be_visible()
    expect(page.get_by_text("You're right, it was missing.")).to_be_visible()
    fits_both_widths(page)
    page.goto("/partners/disputes/")
    expect(page.get_by_role("link", name="Disputes").first).to_have_attribute("aria-current", "page")
    fits_both_widths(page)
