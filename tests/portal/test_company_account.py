"""A verified person applies to become a partner as a company: it is verified beside them, and the application goes on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from clients.facts import rebuild_client
from clients.models import Client
from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutgoingMail
from crm.security import audit
from ib.applications.approving import propose_approval, verification_missing
from ib.models import Partner, PartnerApproval
from ib.partners import link_wallet
from kyc.corporate.companies import note_people, register_company
from kyc.corporate.ownership import add_holding
from kyc.corporate.people import PersonDetails, change_person
from kyc.models import CompanyPerson
from kyc.policies import can_upload
from portal.partnership.company_account import open_company_account
from portal.registration import Application
from tests.ib.factories import applied, make_partner, make_version
from tests.ib.test_pages import text_of
from tests.kyc.corporate.test_companies import DETAILS
from tests.kyc.levels.test_levels import approved, level_of

pytestmark = pytest.mark.django_db
EMAIL = "office@nordwind.example"


@pytest.fixture
def partner(cast) -> Partner:
    """The application of a verified client, for a company."""
    for kind in ("passport", "proof_of_address"):
        approved(cast.client, kind)
    rebuild_client(cast.client.pk, "kyc_level")
    cast.client.refresh_from_db()
    assert cast.client.kyc_level == 2
    return applied(cast, client=cast.client, kind="company")


def sent(browser, email: str = EMAIL, **changes):
    address = reverse("portal_partner_company")
    page = browser.get(address)
    boxes = {f"login-consent_{kind.value}": text.sha256 for kind, text in page.context["login"].texts.items()}
    company = {name: value or "" for name, value in DETAILS.__dict__.items()}
    login = {"login-email": email, "login-password": "seven tall masts at sea"}
    return browser.post(address, {**company, **boxes, **login, **changes}, follow=True)


def test_the_application_goes_on_with_an_account_for_the_company(partner, cast, browse):
    version = make_version(cast.brand, cast.ib_manager, cast.finance)
    ask = {"partner_id": partner.pk, "plan_id": version.plan_id, "reason": "Known", "actor": cast.ib_manager}
    with pytest.raises(WrongState, match="A person who is verified stays so"):
        propose_approval(**ask)
    browser = browse(cast.client.user)
    assert reverse("portal_partner_company") in browser.get(reverse("portal_partner")).content.decode()
    for wrong in ({"lei": "1"}, {"login-password": "short"}, {"login-consent_terms": "0" * 64}):
        assert sent(browser, **wrong).status_code == 422
    assert EMAIL in text_of(sent(browser))
    partner.refresh_from_db()
    company = partner.client
    # The company is a client of its own; the person stays one, as verified as before, and its first director.
    assert (company.kind, company.last_name, company.email) == ("company", DETAILS.name, EMAIL)
    person = Client.objects.get(pk=cast.client.pk)
    assert (person.kind, person.kyc_level, person.user) == ("person", 2, cast.client.user)
    link = CompanyPerson.objects.get(company_id=company.pk)
    assert (link.person, link.is_director, link.is_signatory) == (person, True, True)
    entry = audit.body_of(AuditEvent.objects.get(action="ib.wallet_linked", target_id=str(partner.pk)))
    assert (entry["before"], entry["after"]) == ({"client": person.pk}, {"client": company.pk})
    assert OutgoingMail.objects.filter(kind="portal.confirm_email", to=EMAIL).exists()
    page = text_of(browser.get(reverse("portal_partner")))
    assert "now the company’s" in page and sent_again(browser) == 302
    # What the company's login may do of the person: neither change their details nor send their documents.
    assert not can_upload(company.user, person)
    with pytest.raises(DomainError, match="has an account"):
        change_person(client_id=company.pk, link_id=link.pk, details=PersonDetails("Eve", "Weber"), actor=company.user)
    # The company's own documents are asked for, the person's aren't.
    assert verification_missing(partner) == "The applicant's own client record isn't verified yet."
    for kind in ("register_extract", "proof_of_address"):
        approved(company, kind)
    add_holding(client_id=company.pk, share=Decimal(100), link_id=link.pk, actor=company.user)
    note_people(person_id=person.pk)
    rebuild_client(company.pk, "kyc_level")
    assert level_of(company) == 2
    item = propose_approval(**ask)
    approvals.approve(PartnerApproval, item.pk, actor=cast.finance)
    partner.refresh_from_db()
    assert (partner.state, partner.client) == ("active", company)


def sent_again(browser) -> int:
    return browser.get(reverse("portal_partner_company")).status_code


def test_an_address_that_has_a_login_changes_nothing_and_the_page_reads_the_same(partner, cast, browse):
    browser = browse(cast.client.user)
    assert cast.other_client.email in text_of(sent(browser, cast.other_client.email))
    partner.refresh_from_db()
    assert partner.client == cast.client and not CompanyPerson.objects.exists()
    assert OutgoingMail.objects.filter(kind="portal.registered_already", to=cast.other_client.email).exists()


def test_only_the_applicant_opens_it_and_only_while_the_application_waits(partner, cast, browse):
    given = {"details": DETAILS, "application": Application(EMAIL, "x", "A", "B", "", "DE", None, "en")}
    with pytest.raises(NotAllowed):
        open_company_account(client=cast.client, actor=cast.other_client.user, **given)
    with pytest.raises(WrongState, match="no application"):
        open_company_account(client=cast.other_client, actor=cast.other_client.user, **given)
    assert browse(cast.other_client.user).get(reverse("portal_partner_company")).status_code == 302
    Partner.objects.filter(pk=partner.pk).update(state="active")
    with pytest.raises(WrongState, match="no application"):
        open_company_account(client=cast.client, actor=cast.client.user, **given)


def test_a_manager_links_a_company_that_is_a_client_already(partner, cast):
    """In the place of the person's record, while the application waits; afterwards payouts never change hands."""
    link = {"partner_id": partner.pk, "actor": cast.ib_manager, "reason": "Their company"}
    with pytest.raises(DomainError, match="applied as a company"):
        link_wallet(client_id=cast.other_client.pk, **link)
    register_company(client_id=cast.other_client.pk, details=DETAILS, actor=cast.other_client.user)
    link_wallet(client_id=cast.other_client.pk, **link)
    partner.refresh_from_db()
    assert partner.client == cast.other_client
    with pytest.raises(WrongState, match="already has a wallet"):
        link_wallet(client_id=cast.client.pk, **link)
    other = make_partner(cast.brand)
    Partner.objects.filter(pk=other.pk).update(client=cast.client)
    with pytest.raises(WrongState, match="already has a wallet"):
        link_wallet(**{**link, "partner_id": other.pk}, client_id=cast.other_client.pk)
