"""A vendor is asked about whoever is new or changed, holds them until it answers, and its answer is a match like any other."""

from decimal import Decimal

import pytest

from compliance import hits, rescreening, screening
from compliance.choices import HitState, ScreeningTrigger
from compliance.models import Hit, Restriction, Screening, VendorCheck
from compliance.vendors import asking
from compliance.vendors.choices import CheckState
from crm.models import AccessEvent, AuditEvent
from crm.security.audit import body_of
from tests.compliance.factories import BORN
from tests.compliance.test_listed_numbers import learn_passport
from tests.compliance.vendors.running import settle

pytestmark = pytest.mark.django_db


def in_force(client) -> list[tuple[str, str]]:
    rows = Restriction.objects.filter(client=client, lifted_at=None).order_by("pk")
    return list(rows.values_list("kind", "cause"))


def screen(client, trigger=ScreeningTrigger.REGISTERED) -> None:
    screening.screen_client(client_id=client.pk, trigger=trigger)


def test_a_client_is_held_until_the_vendor_has_answered(cast, sandbox, vendor):
    screen(cast.client)
    check = VendorCheck.objects.get()
    assert (check.state, in_force(cast.client)) == ("waiting", [("frozen", "vendor_pending")])
    assert not Screening.objects.exists()
    assert asking.ask_due() == 1
    check.refresh_from_db()
    assert (check.state, check.hold, in_force(cast.client)) == ("answered", None, [])
    kept = Screening.objects.get()
    assert (kept.vendor, kept.matcher_version, kept.hit_count, kept.threshold) == (vendor, "yente", 0, vendor.threshold)
    vendor.refresh_from_db()
    assert vendor.last_answer_at is not None


def test_no_more_is_sent_than_is_compared_and_all_of_it_is_logged(cast, sandbox, vendor):
    cast.client.date_of_birth, cast.client.nationality, cast.client.country = BORN, "DE", "AT"
    cast.client.save()
    screen(cast.client)
    asking.ask_due()
    assert sandbox.queries == [
        {
            "schema": "Person",
            "properties": {"name": ["Clara Weber"], "birthDate": ["1970-03-04"], "country": ["at", "de"]},
        }
    ]
    check = VendorCheck.objects.get()
    assert list(sandbox.server.asked) == [check.reference] and len(check.reference) == 32
    seen = AccessEvent.objects.get(client_id=cast.client.pk, kind="export")
    assert (seen.target, seen.reason) == (
        "compliance.vendor:opensanctions",
        "OpenSanctions: schema, birthDate, country, name",
    )
    body = body_of(AuditEvent.objects.get(action="compliance.vendor_asked"))
    assert body["evidence"]["references"] == [check.reference] and len(body["evidence"]["sha256"]) == 64


def test_the_vendors_match_is_a_case_with_its_features_side_by_side(cast, sandbox, vendor):
    sandbox.put("NK-1", "Klara Weber", birthDate=["1970"], nationality=["de"])
    cast.client.date_of_birth, cast.client.nationality, cast.client.country = BORN, "DE", "DE"
    cast.client.save()
    screen(cast.client)
    settle()
    hit = Hit.objects.get()
    assert (hit.state, hit.entry.source.name, hit.entry.external_id) == ("open", "OpenSanctions", "NK-1")
    assert [feature["name"] for feature in hit.explanation["features"]] == ["name_match", "dob_match", "country_match"]
    assert hit.explanation["features"][0]["client"] == "Clara Weber"
    assert [pair["how"] for pair in hit.explanation["pairs"]] == ["equal", "sound"]
    assert hit.score == Decimal("0.9091") and hit.explanation["own_score"] > 0.9
    assert in_force(cast.client) == [("frozen", "screening_hold")] and hit.work is not None
    # Decided, it is not raised again for the same data of both.
    hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason_code="document", reason="Passport checked")
    screen(cast.client, ScreeningTrigger.DEMAND)
    settle()
    assert Hit.objects.count() == 1 and in_force(cast.client) == []
    assert Screening.objects.order_by("-pk").first().known_count == 1


def test_the_built_in_matcher_never_reads_a_vendors_entries(cast, sandbox, vendor):
    sandbox.put("NK-1", "Klara Weber")
    screen(cast.client)
    settle()
    assert Hit.objects.count() == 1
    found, _count = screening.matches(screening.person_of(cast.client), threshold=0.5)
    assert found == [] and screening.current_version_ids() == []


def test_a_number_that_a_vendors_entity_shares_leaves_its_match_as_it_is(cast, sandbox, vendor):
    """A vendor is sent no numbers, so its match rests on who was compared; the night must not end or repeat it."""
    sandbox.put("NK-1", "Klara Weber", passportNumber=["AB123456"], country=["de"])
    learn_passport(cast.client)
    screen(cast.client)
    settle()
    hit = Hit.objects.get()
    assert hit.explanation["identifiers"][0]["result"] == "same" and hit.client_hash == hit.screening.client_hash
    assert rescreening.screen_everybody().hit_count == 0
    settle()
    assert Hit.objects.get().state == HitState.OPEN and in_force(cast.client) == [("frozen", "screening_hold")]


def test_changed_data_hold_again_and_end_the_matches_of_before(cast, sandbox, vendor):
    sandbox.put("NK-1", "Klara Weber")
    screen(cast.client)
    settle()
    first = Hit.objects.get()
    cast.client.last_name = "Schuster"
    cast.client.save()
    screen(cast.client, ScreeningTrigger.PROFILE)
    # Until the vendor has answered about the new name, the old match and its hold stay.
    assert in_force(cast.client) == [("frozen", "screening_hold"), ("frozen", "vendor_pending")]
    settle()
    first.refresh_from_db()
    assert (first.state, in_force(cast.client)) == (HitState.OUTDATED, [])


def test_an_answer_about_data_that_changed_meanwhile_is_not_taken(cast, sandbox, vendor):
    screen(cast.client)
    claimed, _nobody = asking._claim(vendor, asking.adapter_of(vendor))
    cast.client.last_name = "Schuster"
    cast.client.save()
    found = asking.adapter_of(vendor).match([claimed[0].subject])
    asking._take(vendor, claimed, found)
    check = VendorCheck.objects.get()
    assert check.state == CheckState.WAITING and in_force(cast.client) == [("frozen", "vendor_pending")]
    assert asking.ask_due() == 1
    assert [query["properties"]["name"] for query in sandbox.queries] == [["Clara Weber"], ["Clara Schuster"]]
    assert in_force(cast.client) == []
