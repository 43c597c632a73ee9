"""Corporate clients: registering, people, ownership with its flaws, and the level that follows from all of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from clients.facts import FACTS, differences, rebuild_client
from clients.models import Client
from compliance.screening import person_of
from crm import events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from kyc.corporate.companies import CompanyDetails, change_company, note_people, register_company
from kyc.corporate.lei import is_lei
from kyc.corporate.ownership import add_holding, remove_holding
from kyc.corporate.people import PersonDetails, add_person, remove_person
from kyc.corporate.structure import structure_of
from kyc.models import Company, CompanyPerson, Shareholding
from kyc.policies import can_upload
from kyc.queries import requirements_of
from tests.cast import signed_in
from tests.kyc.levels.test_levels import approved, level_of
from tests.outbox import published

DETAILS = CompanyDetails(
    name="Nordwind Handels GmbH",
    registration_number="HRB 12345 B",
    legal_form="GmbH",
    country="DE",
    registered_address="Hafenstraße 1, 20457 Hamburg",
    activity="Wholesale of sailing equipment",
    incorporated_on=dt.date(2011, 3, 1),
    lei="529900T8BM49AURSDO55",
)
ANNA = PersonDetails("Anna", "Nordwind", dt.date(1980, 2, 3), "DE", "DE")


@pytest.fixture
def company(cast) -> Company:
    return register_company(client_id=cast.client.pk, details=DETAILS, actor=cast.client.user)


def add(company: Company, actor, details: PersonDetails = ANNA, **roles: bool) -> CompanyPerson:
    return add_person(client_id=company.pk, details=details, actor=actor, **roles)


def hold(company: Company, actor, share: str, **by: object) -> Shareholding:
    return add_holding(client_id=company.pk, share=Decimal(share), actor=actor, **by)


def verify(person: Client) -> None:
    approved(person, "passport")
    rebuild_client(person.pk, "kyc_level")
    note_people(person_id=person.pk)


def fully_owned(company: Company, actor) -> CompanyPerson:
    """A company with its registrant as director and Anna as its only owner."""
    anna = add(company, actor)
    hold(company, actor, "100", link_id=anna.pk)
    return anna


@pytest.mark.parametrize(
    ("lei", "fits"),
    [
        ("529900T8BM49AURSDO55", True),
        ("529900T8BM49AURSDO56", False),
        ("529900T8BM49AURSDO5", False),
        ("529900t8bm49aursdo55", False),
        ("", False),
    ],
)
def test_the_check_digits_of_an_lei_are_checked(lei, fits):
    assert is_lei(lei) is fits


def test_who_registers_becomes_the_first_director_and_the_company_the_client(cast):
    name = cast.client.full_name
    company = register_company(client_id=cast.client.pk, details=DETAILS, actor=cast.client.user)
    client = Client.objects.get(pk=cast.client.pk)
    assert (client.kind, client.full_name, client.date_of_birth) == ("company", DETAILS.name, None)
    assert "nordwind handels" in client.search_text
    person = person_of(Client.objects.select_related("brand").get(pk=client.pk))
    assert person.is_firm and person.names == (DETAILS.name,)
    link = company.people.get()
    assert (str(link.person), link.is_director, link.is_signatory, link.person.stage) == (name, True, True, "related")
    assert link.person.user_id is None and link.person.book_id == client.book_id
    assert [event.client for event in published("kyc.company_person_linked")] == [link.person_id]
    assert AuditEvent.objects.filter(action="kyc.company_registered", client_id=client.pk).count() == 1
    with pytest.raises(WrongState):
        register_company(client_id=cast.client.pk, details=DETAILS, actor=cast.client.user)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "name"),
        ({"registration_number": ""}, "registration_number"),
        ({"country": "XX"}, "country"),
        ({"lei": "529900T8BM49AURSDO56"}, "lei"),
        ({"incorporated_on": dt.date(2999, 1, 1)}, "incorporated_on"),
    ],
)
def test_details_that_are_wrong_name_their_field(cast, change, code):
    details = CompanyDetails(**{**DETAILS.__dict__, **change})
    with pytest.raises(DomainError) as refused:
        register_company(client_id=cast.client.pk, details=details, actor=cast.client.user)
    assert refused.value.code == code and not Company.objects.exists()


def test_a_registration_number_is_unique_per_brand_and_country(cast, company):
    from tests.cast import make_client

    second = make_client(brand=cast.brand, book=cast.book, email="second@example.com", first_name="B", last_name="C")
    same = CompanyDetails(**{**DETAILS.__dict__, "registration_number": "hrb 12345 b"})
    with pytest.raises(DomainError, match="already have a company"):
        register_company(client_id=second.pk, details=same, actor=second.user)
    assert Client.objects.get(pk=second.pk).kind == "person"


def test_strangers_and_sales_enter_nothing(cast, company):
    for actor in (cast.other_client.user, cast.agent, cast.other_agent):
        with pytest.raises(NotAllowed):
            add(company, actor)
    assert company.people.count() == 1


def test_a_verified_company_is_changed_by_staff_only(cast, company):
    Client.objects.filter(pk=company.pk).update(kyc_level=1)
    with pytest.raises(NotAllowed, match="contact support"):
        change_company(client_id=company.pk, details=DETAILS, actor=cast.client.user)
    changed = CompanyDetails(**{**DETAILS.__dict__, "name": "Südwind GmbH"})
    change_company(client_id=company.pk, details=changed, actor=cast.kyc_officer)
    assert Client.objects.get(pk=company.pk).full_name == "Südwind GmbH"


# ── ownership ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_shares_of_one_entity_never_exceed_the_whole(cast, company):
    actor, anna = cast.client.user, add(company, cast.client.user)
    hold(company, actor, "60", link_id=anna.pk)
    with pytest.raises(DomainError, match=r"add up to 100\.01 %"):
        hold(company, actor, "40.01", entity=("Holding SA", "B1", "LU"))
    holding = hold(company, actor, "40", entity=("Holding SA", "B1", "LU"))
    hold(company, actor, "100", parent_id=holding.pk, link_id=anna.pk)
    structure = structure_of(company)
    assert {str(one.person): (one.share, one.is_owner) for one in structure.people}[str(anna.person)] == (100, True)
    for share in (Decimal(0), Decimal("100.01")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Shareholding.objects.create(company=company, entity_name="X", share=share)
    with pytest.raises(DomainError, match="Remove the shares"):
        remove_holding(client_id=company.pk, holding_id=holding.pk, actor=actor)
    with pytest.raises(DomainError, match="holds shares"):
        remove_person(client_id=company.pk, link_id=anna.pk, actor=actor)


def test_chains_are_five_deep_at_most(cast, company):
    parent = None
    for number in range(5):
        parent = hold(company, cast.client.user, "100", parent_id=parent and parent.pk, entity=(f"H{number}", "", ""))
    with pytest.raises(DomainError, match="5 levels deep"):
        hold(company, cast.client.user, "100", parent_id=parent.pk, entity=("H6", "", ""))


def test_flaws_are_named_until_everything_is_there(cast, company):
    actor = cast.client.user
    director = company.people.get()
    flaws = structure_of(company).flaws
    assert any("100 % of the shares are not accounted for" in flaw for flaw in flaws)
    assert f"{director.person} isn't verified." in flaws
    holding = hold(company, actor, "100", entity=("Holding SA", "B1", "LU"))
    assert "Holding SA holds 100 %, but its own owners aren't named." in structure_of(company).flaws
    anna = add(company, actor)
    hold(company, actor, "80", parent_id=holding.pk, link_id=anna.pk)
    assert structure_of(company).flaws == [f"{director.person} isn't verified.", f"{anna.person} isn't verified."]


def test_a_managing_official_stands_in_where_no_one_owns_enough(cast, company):
    add(company, cast.client.user, is_managing_official=True)
    assert not any("not accounted for" in flaw for flaw in structure_of(company).flaws)


# ── the level ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_company_is_verified_by_its_extract_and_all_its_people(cast, company):
    anna = fully_owned(company, cast.client.user)
    approved(cast.client, "register_extract")
    rebuild_client(company.pk, "kyc_level")
    assert level_of(cast.client) == 0
    verify(company.people.exclude(pk=anna.pk).get().person)
    assert level_of(cast.client) == 0 and not published("kyc.client_verified")
    verify(anna.person)
    assert level_of(cast.client) == 1
    assert [event.client for event in published("kyc.client_verified")] == [cast.client.pk]
    assert structure_of(company).flaws == [] and list(differences(FACTS["kyc_level"])) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda company, anna: company.people.update(is_director=False),
        lambda company, anna: company.shareholdings.update(share=Decimal(70)),
        lambda company, anna: anna.person.documents.update(state="expired"),
        lambda company, anna: Client.objects.filter(pk=anna.person_id).update(restrictions=["frozen"]),
        lambda company, anna: company.client.documents.update(state="expired"),
    ],
)
def test_what_page_and_statement_call_complete_is_the_same(cast, company, harm):
    anna = fully_owned(company, cast.client.user)
    approved(cast.client, "register_extract")
    for link in company.people.all():
        verify(link.person)
    assert level_of(cast.client) == 1
    harm(company, anna)
    rebuild_client(company.pk, "kyc_level")
    extract = requirements_of(Client.objects.get(pk=company.pk))[0]
    assert level_of(cast.client) == 0 and (structure_of(company).flaws or not extract.is_met)


def test_people_are_no_clients_of_their_own(cast, company):
    person = company.people.get().person
    page = signed_in(cast.kyc_officer).get(reverse("clients")).content.decode()
    assert DETAILS.name in page and f"/clients/{person.pk}/" not in page
    assert can_upload(cast.client.user, person) and not can_upload(cast.other_client.user, person)
    verify(person)
    events.drain()
    assert Client.objects.get(pk=person.pk).stage == "related" and not person.trading_accounts.exists()


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_portal_registers_a_company_with_people_and_shares(cast):
    browser = signed_in(cast.client.user)
    assert "Register your company" in browser.get(reverse("portal_documents")).content.decode()
    form = {name: value or "" for name, value in DETAILS.__dict__.items()}
    assert browser.post(reverse("portal_company_details"), {**form, "lei": "1"}).status_code == 422
    assert browser.post(reverse("portal_company_details"), form).status_code == 302
    person = {
        "first_name": "Anna",
        "last_name": "Nordwind",
        "date_of_birth": "1980-02-03",
        "nationality": "DE",
        "country": "DE",
        "is_director": "on",
    }
    assert browser.post(reverse("portal_company_person_new"), person).status_code == 302
    anna = CompanyPerson.objects.get(person__first_name="Anna")
    share = {"person": anna.pk, "share": "100", "parent": ""}
    assert browser.post(reverse("portal_company_holding"), share).status_code == 302
    page = browser.get(reverse("portal_company")).content.decode()
    assert "Beneficial owner" in page and "Anna Nordwind isn't verified." in page.replace("&#x27;", "'")
    assert browser.get(reverse("portal_company_person", args=[anna.pk])).status_code == 200
    assert "Register extract" in browser.get(reverse("portal_documents")).content.decode()
    assert browser.get(reverse("portal")).status_code == 200
    stranger = signed_in(cast.other_client.user)
    assert stranger.get(reverse("portal_company_person", args=[anna.pk])).status_code == 404
    staff = signed_in(cast.kyc_officer)
    page = staff.get(reverse("client_tab", args=[cast.client.pk, "kyc"])).content.decode()
    assert "Ownership" in page and "Nordwind" in page and "HRB 12345 B" in page
    for name, args in (("company", []), ("company_person", [anna.pk]), ("company_holding_new", [])):
        assert staff.get(reverse(f"kyc:{name}", args=[cast.client.pk, *args])).status_code == 200
    assert staff.get(reverse("client", args=[anna.person_id])).status_code == 200
