"""Phone width, pages also a desk's: a master invites on a narrower plan, the invited applies, two people approve."""

from playwright.sync_api import expect

from ib.applications.applying import link_own_record
from ib.models import Partner, PartnerPlan
from tests.browser.people import enter
from tests.browser.widths import fits_both_widths
from tests.ib.conftest import network

__all__ = ["network"]


def test_a_sub_partner_is_invited_on_a_narrower_plan(phone, cast, network):
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
    page.get_by_label("You are").select_option(label="Company")
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

    cast.other_client.kyc_level = 3
    cast.other_client.save(update_fields=["kyc_level"])
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
