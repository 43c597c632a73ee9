"""Settlement in a real browser: terms with four eyes, a cycle settled, a commission disputed and answered."""

import datetime as dt

from django.utils import timezone
from playwright.sync_api import Page, expect

from crm import events
from ib import engine
from ib.models import Accrual, CommissionDispute, Settlement, SettlementTerms
from tests.browser.axe import TAGS, in_the_dark, violations
from tests.browser.people import enter
from tests.ib.conftest import network
from tests.ib.factories import make_trade

__all__ = ["network"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}


def trade(network) -> Accrual:
    deal_id = make_trade(network.account, at=timezone.now() - dt.timedelta(days=2))
    engine.run_for_deals(deal_ids=[deal_id])
    return Accrual.objects.get(partner=network.sub, deal_id=deal_id)


def confirm(page: Page) -> None:
    page.locator("#k-confirm [data-yes]").click()


def test_a_partner_is_settled_by_terms_of_their_own(page, network, cast):
    """Manager proposes, finance approves and settles; the partner has an invoice, and disputes the next trade."""
    tab = f"/ib/partners/{network.sub.pk}/settlements/"
    enter(page, cast.ib_manager)
    page.goto(tab)
    page.get_by_role("link", name="Change terms").click()
    page.get_by_label("Settlement cycle").select_option(label="Daily")
    page.get_by_label("Self-billing invoices").select_option(label="Reverse charge")
    page.get_by_label("Legal name").fill("Sub Partners GmbH")
    page.get_by_label("Address").fill("Hauptstr. 1, Berlin")
    page.get_by_label("Reason").fill("Agreed by e-mail")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("needs the partner's VAT number")).to_be_visible()
    page.get_by_label("VAT number").fill("DE123456789")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("New terms await a second approval")).to_be_visible()

    enter(page, cast.finance)
    page.goto(f"/approvals/settlement-terms/{SettlementTerms.objects.get().pk}/")
    expect(page.get_by_text("Reverse charge")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("They apply from now on")).to_be_visible()
    settled, disputed = trade(network), trade(network)

    enter(page, network.sub.user)
    page.goto(f"/partners/earnings/trade/{disputed.pk}/")
    page.get_by_text("Something wrong with this commission?").click()
    page.get_by_label("What is wrong?").fill("It was two lots")
    page.get_by_role("button", name="Dispute commission").click()
    expect(page.get_by_text("In dispute", exact=True)).to_be_visible()

    enter(page, cast.finance)
    page.goto("/ib/periods/")
    page.get_by_role("button", name="Settle due cycles").click()
    confirm(page)
    expect(page.get_by_text("1 settlement made.")).to_be_visible()
    row = Settlement.objects.get()
    assert (row.amount, row.trades) == (settled.amount, 1)
    events.drain()
    page.goto("/ib/disputes/")
    page.locator(f"a[href='/ib/disputes/{CommissionDispute.objects.get().pk}/']").first.click()
    expect(page.get_by_text("It was two lots")).to_be_visible()
    assert not violations(page, RULES) and not in_the_dark(page)
    page.get_by_label("Answer").fill("The platform reports one lot.")
    page.get_by_role("button", name="Resolve dispute").click()
    expect(page.get_by_text("Dispute resolved.")).to_be_visible()
    page.goto(tab)
    expect(page.get_by_text("Nothing is on hold")).to_be_visible()
    assert not violations(page, RULES)

    enter(page, network.sub.user)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/partners/payouts/")
    expect(page.get_by_text("€6.00").first).to_be_visible()
    assert not violations(page, RULES)
    page.goto(f"/partners/payouts/{row.pk}/")
    with page.expect_download() as file:
        page.get_by_role("link", name=row.invoice.reference).click()
    assert file.value.suggested_filename == f"{row.invoice.reference}.pdf"
    page.goto(f"/partners/earnings/trade/{disputed.pk}/")
    expect(page.get_by_text("The platform reports one lot.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
