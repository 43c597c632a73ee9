"""A brand that begins or ends to be screened by a vendor; and who is connected with its clients is asked about, too."""

from decimal import Decimal

import pytest

from compliance import rescreening, screening
from compliance.choices import ScreeningTrigger
from compliance.models import Hit, ListScreening, Restriction, VendorCheck
from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note
from compliance.parties.queries import is_held
from compliance.vendors import asking, switching
from crm.models import AuditEvent
from crm.security.audit import body_of
from kyc.corporate.companies import CompanyDetails, register_company
from kyc.corporate.ownership import add_holding
from tests.brand_policies import set_policies
from tests.compliance.factories import load
from tests.compliance.vendors.running import make_vendor, settle

pytestmark = pytest.mark.django_db
DETAILS = CompanyDetails(
    name="Nordwind Handels GmbH",
    registration_number="HRB 1",
    legal_form="GmbH",
    country="DE",
    registered_address="Kai 1",
    activity="Trade",
)


def switched() -> list[dict[str, object]]:
    return [
        body_of(row)["after"]
        for row in AuditEvent.objects.filter(action="compliance.screening_switched").order_by("pk")
    ]


def test_existing_clients_are_asked_about_once_the_vendor_screens(cast, sandbox):
    sandbox.put("NK-1", "Clara Weber")
    vendor = make_vendor(cast.brand, sandbox.url)
    assert asking.ask_due() == 0
    set_policies(cast.brand, screened_by="both")
    settle()
    assert VendorCheck.objects.get(client=cast.client).state == "answered"
    assert Hit.objects.get().screening.vendor == vendor
    assert Restriction.objects.get(client=cast.client, lifted_at=None).cause == "screening_hold"
    assert [row["screened_by"] for row in switched()] == ["both"]
    asked = len(sandbox.queries)
    settle()
    assert len(sandbox.queries) == asked


def test_lists_are_compared_once_no_vendor_screens_alone(
    cast, sandbox, vendor, tmp_path, django_capture_on_commit_callbacks
):
    load(tmp_path, {"first": "Clara", "second": "Weber"})
    rescreening.screen_everybody()
    settle()
    assert not Hit.objects.exists()
    asked = len(sandbox.queries)
    set_policies(cast.brand, screened_by="built_in")
    runs = ListScreening.objects.count()
    with django_capture_on_commit_callbacks() as wanted:
        assert switching.follow_switches() == 0
    assert wanted and [row["screened_by"] for row in switched()] == ["built_in"]
    rescreening.screen_lists()  # what the task does that was asked for
    assert Hit.objects.get().client == cast.client and ListScreening.objects.count() == runs + 1
    assert len(sandbox.queries) == asked


def test_companies_of_a_chain_and_payers_are_asked_about(cast, sandbox, vendor):
    sandbox.put("NK-2", "Schatten Holding SA", schema="Company")
    sandbox.put("NK-3", "Ivan Petrov")
    register_company(client_id=cast.client.pk, details=DETAILS, actor=cast.client.user)
    top = add_holding(
        client_id=cast.client.pk, share=Decimal(100), actor=cast.client.user, entity=("Mittler AG", "CH1", "CH")
    )
    add_holding(
        client_id=cast.client.pk,
        share=Decimal(100),
        actor=cast.client.user,
        parent_id=top.pk,
        entity=("Schatten Holding SA", "B1", "LU"),
    )
    note(client_id=cast.client.pk, role=PartyRole.PAYER, named=Named(name="Ivan Petrov", subject="D-1"))
    assert is_held(client_id=cast.client.pk, role=PartyRole.PAYER, name="Ivan Petrov")
    settle()
    asked = {query["properties"]["name"][0]: query["schema"] for query in sandbox.queries}
    assert (
        asked.items()
        >= {
            DETAILS.name: "Company",
            "Mittler AG": "Company",
            "Schatten Holding SA": "Company",
            "Ivan Petrov": "LegalEntity",
        }.items()
    )
    assert {(hit.party.name, hit.entry.external_id) for hit in Hit.objects.all()} == {
        ("Schatten Holding SA", "NK-2"),
        ("Ivan Petrov", "NK-3"),
    }
    held = Restriction.objects.filter(client=cast.client, lifted_at=None, cause="screening_hold")
    assert sorted(held.values_list("kind", flat=True)) == ["frozen", "no_withdrawal"]


def test_whoever_was_held_by_the_vendor_stays_held_by_the_lists(cast, sandbox, vendor, tmp_path):
    load(tmp_path, {"first": "Clara", "second": "Weber"})
    sandbox.fault("outage", times=None)
    screening.screen_client(client_id=cast.client.pk, trigger=ScreeningTrigger.REGISTERED)
    set_policies(cast.brand, screened_by="built_in")
    asking.ask_due()
    assert Restriction.objects.get(client=cast.client, lifted_at=None).cause == "screening_hold"
