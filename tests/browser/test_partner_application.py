"""From an application on a phone to an approved partner: the applicant, the IB manager and finance, each in their own pages."""

from playwright.sync_api import expect

from ib.applications.applying import link_own_record
from ib.models import Partner
from tests.browser.people import enter
from tests.ib.factories import make_version


def test_an_application_on_a_phone_is_approved_by_two_people(phone, cast):
    page = phone
    make_version(cast.brand, cast.ib_manager, cast.finance)
    page.goto(f"/b/{cast.brand.code}/partners/apply/")
    page.get_by_label("You are").select_option(label="Company")
    page.get_by_label("Name or company").fill("Nordlicht Invest")
    page.get_by_label("E-mail").fill(cast.other_client.email)
    page.get_by_label("Country").select_option(label="Germany")
    page.get_by_label("How will you refer clients?").fill("Seminars and a newsletter")
    page.get_by_text("Partner agreement", exact=True).click()
    expect(page.get_by_text("Either side may end this agreement")).to_be_visible()
    page.get_by_label("I have read the partner agreement and accept it.").check()
    page.wait_for_timeout(2100)  # sooner it would be a robot
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Send application").click()
    expect(page.get_by_role("heading", name="Thank you for your application")).to_be_visible()

    cast.other_client.kyc_level = 3
    cast.other_client.save(update_fields=["kyc_level"])
    partner = link_own_record(client=cast.other_client)
    enter(page, cast.ib_manager)
    page.goto("/ib/applications/")
    page.get_by_role("link", name="Nordlicht Invest").click()
    page.get_by_role("link", name="Propose approval").click()
    page.get_by_label("Reason").fill("Known firm")
    page.get_by_role("button", name="Propose approval").click()
    expect(page.get_by_text("Approval proposed.")).to_be_visible()
    enter(page, cast.finance)
    page.goto(f"/approvals/partner-application/{partner.approvals.get().pk}/")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Partner approved. Invitation sent.")).to_be_visible()
    assert Partner.objects.get(pk=partner.pk).state == "active"
