"""A company on a phone: it registers, names its owner, sends her passport, and an officer verifies it."""

import datetime as dt

from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Client
from crm import events, work
from kyc import incoming, pipeline, reviews
from kyc.models import CompanyPerson, Document
from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.browser.test_portal import send_document
from tests.kyc.factories import bill_pdf, passport_jpeg, uploaded


def approve(document: Document, officer, **dates) -> None:
    """Check it, and approve it as an officer who has seen it where the machine left it to one."""
    pipeline.check(document.pk)
    document.refresh_from_db()
    if document.state != "pending_review":  # decided by the machine already
        return
    work.claim(item_id=document.work_id, actor=officer)
    reviews.approve(document_id=document.pk, actor=officer, note="Compared with the original", **dates)


def test_a_company_registers_and_is_verified(phone, cast):
    set_policies(cast.brand, kyc_undo_seconds=0)
    enter(phone, cast.client.user)
    phone.goto("/portal/documents/")
    phone.get_by_role("link", name="Register your company").click()
    for name, value in {
        "name": "Nordwind GmbH",
        "legal_form": "GmbH",
        "registration_number": "HRB 1",
        "registered_address": "Hafenstraße 1, Hamburg",
        "activity": "Sailing equipment",
    }.items():
        phone.locator(f"[name={name}]").fill(value)
    phone.locator("[name=country]").select_option("DE")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_text("Still missing")).to_be_visible()
    phone.get_by_role("link", name="Add person").click()
    for name, value in {"first_name": "Anna", "last_name": "Nordwind", "date_of_birth": "1980-02-03"}.items():
        phone.locator(f"[name={name}]").fill(value)
    for name in ("nationality", "country"):
        phone.locator(f"[name={name}]").select_option("DE")
    phone.get_by_role("button", name="Save").click()
    phone.get_by_role("link", name="Add share").click()
    phone.locator("[name=person]").select_option(label="Anna Nordwind")
    phone.locator("[name=share]").fill("100")
    phone.get_by_role("button", name="Save").click()
    expect(phone.get_by_text("Anna Nordwind isn't verified.")).to_be_visible()
    anna = CompanyPerson.objects.get(person__first_name="Anna").person
    phone.get_by_role("link", name="Anna Nordwind").click()
    passport = passport_jpeg("Anna", "Nordwind", dt.date(1980, 2, 3), number="C11X00T47")
    phone.get_by_role("link", name="Upload document").click()
    send_document(phone, "passport.jpg", passport, "Passport", then="**/portal/company/people/*/")
    assert incoming.take_in_due() == 1
    approve(Document.objects.get(client=anna), cast.kyc_officer)
    director = CompanyPerson.objects.exclude(person=anna).get().person
    approve(uploaded(director, content=passport_jpeg("Clara", "Weber")), cast.kyc_officer)
    extract = uploaded(cast.client, kind="register_extract", content=bill_pdf())
    approve(extract, cast.kyc_officer, issued_on=timezone.now().date())
    events.drain()
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 1
    phone.goto("/portal/company/")
    expect(phone.get_by_text("complete and verified")).to_be_visible()
