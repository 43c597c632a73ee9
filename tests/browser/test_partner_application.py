"""Phone width, pages also a desk's: a master invites on a narrower plan, the invited applies, two people approve, and the new
partner chooses a password and requests the first payout."""

import re
from decimal import Decimal

from django.core import mail as outbox
from django.utils import timezone
from playwright.sync_api import expect

from crm.models import OutgoingMail
from crm.notices.mail import deliver
from ib import engine, settlement
from ib.applications.applying import link_own_record
from ib.models import Partner, PartnerPlan, Payout
from tests.browser.people import enter
from tests.browser.widths import fits_both_widths
from tests.cast import PASSWORD, make_client
from tests.ib.conftest import network
from tests.ib.factories import make_account, make_trade, refer
from tests.ib.test_settlement_pages import agree

__all__ = ["network"]


def test_a_sub_partner_is_invited_on_a_narrower_plan_and_paid(phone, cast, network):
    page = phone
    enter(page, network.master.user)
    page.goto("/partners/network/")
    page.get_by_role("link", name="Sub-partner plans").click()
    page.get_by_role("button", name="New offer").click()
    page.get_by_label("Name of the offer").fill("Bronze")
    page.get_by_label("Of the plan's rates").fill("120")
    page.get_by_role("button", name="Create offer").click()
    expect(page.get_by_text("7.2 EUR per lot, your agreement allows 6 at most")).to_be_visible()
    page.get_by_label("Of the plan's rates").fill("70")
    page.get_by_role("button", name="Create offer").click()
    expect(page.get_by_role("row").filter(has_text="FX majors")).to_contain_text("4.2")
    fits_both_widths(page)
    page.context.clear_cookies()
    page.goto(f"/partners/join/{network.master.offers.get().code}/")
    expect(page.get_by_text("4.2 EUR per lot")).to_be_visible()
    page.get_by_label("You are").select_option(label="Individual")
    page.get_by_label("Name or company").fill("Nordlicht Invest")
    page.get_by_label("E-mail").fill(cast.other_client.email)
    page.get_by_label("Country").select_option(label="Germany")
    page.get_by_label("How will you refer clients?").fill("Seminars and a newsletter")
    page.get_by_text("Partner agreement", exact=True).click()
    expect(page.get_by_text("Either side may end this agreement")).to_be_visible()
    page.get_by_label("I have read the partner agreement and accept it.").check()
    page.wait_for_timeout(2100)  # sooner it would be a robot
    fits_both_widths(page)
    page.get_by_role("button", name="Send application").click()
    expect(page.get_by_role("heading", name="Thank you for your application")).to_be_visible()

    cast.other_client.kyc_level, cast.other_client.stage = 3, "active"
    cast.other_client.email_confirmed_at = timezone.now()
    cast.other_client.save()
    partner = link_own_record(client=cast.other_client)
    enter(page, cast.ib_manager)
    page.goto("/ib/applications/")
    page.get_by_role("link", name="Nordlicht Invest").click()
    page.get_by_role("link", name="Propose approval").click()
    expect(page.get_by_label("Of the plan's rates")).to_have_value("70.00")
    page.get_by_label("Reason").fill("Known firm")
    page.get_by_role("button", name="Propose approval").click()
    expect(page.get_by_text("Approval proposed.")).to_be_visible()
    enter(page, cast.finance)
    page.goto(f"/approvals/partner-application/{partner.approvals.get().pk}/")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Partner approved. Invitation sent.")).to_be_visible()
    assert Partner.objects.get(pk=partner.pk).state == "active"
    assert PartnerPlan.usual.get(partner=partner, ends_at=None).percent == 70
    takes_the_first_payout(page, cast, partner)


def takes_the_first_payout(page, cast, partner):
    """Ten lots at 70 % of 6 EUR, settled and paid to the wallet."""
    deliver(mail_id=OutgoingMail.objects.get(kind="ib.invitation").pk)
    page.context.clear_cookies()
    page.goto(re.search(r"/partners/welcome/\S+", outbox.outbox[-1].body)[0])
    page.locator("#id_password1").fill(PASSWORD)
    page.locator("#id_password2").fill(PASSWORD)
    page.get_by_role("button", name="Open partner portal").click()
    expect(page.get_by_role("heading", name="Hello, Nordlicht Invest")).to_be_visible()
    fits_both_widths(page)
    client = make_client(brand=cast.brand, book=cast.client.book, email="first@example.com", login=False)
    refer(client, partner)
    engine.run_for_deals(deal_ids=[make_trade(make_account(client), lots="10", at=timezone.now())])
    agree(cast, partner, cycle="instant")
    settlement.settle_cycles(brand=cast.brand)
    page.goto("/partners/payouts/")
    expect(page.get_by_label("Balance EUR")).to_contain_text("€42.00")
    page.get_by_label("Amount").fill("25")
    page.get_by_role("button", name="Request payout").click()
    expect(page.get_by_label("Balance EUR")).to_contain_text("€17.00")
    fits_both_widths(page)
    assert Payout.objects.get().partner == partner
    assert settlement.balances_of(partner) == {"EUR": Decimal("17.00")}
