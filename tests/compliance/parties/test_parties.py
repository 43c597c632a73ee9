"""Payers, payees, owners and partners are screened beside the client: what a match holds, and when it ends."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from compliance import hits, queries, rescreening
from compliance.choices import HitState
from compliance.models import Hit, ListScreening, Restriction, ScreenedParty, Screening
from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note, note_all
from compliance.parties.queries import is_held
from compliance.restrictions import ask_to_lift, lift
from crm.models import Notification
from crm.privacy.erasures import destroy_client_key
from tests.cast import signed_in
from tests.compliance.factories import confirm_match, load
from tests.compliance.test_rescreening import settle

pytestmark = pytest.mark.django_db
OTHER = {"first": "Somebody", "second": "Else"}
IVAN = {"first": "Ivan", "second": "Petrov"}


def pay(cast, name="Ivan Petrov", subject="D-1"):
    return note(client_id=cast.client.pk, role=PartyRole.PAYER, named=Named(name=name, subject=subject))


def held(cast, name="Ivan Petrov") -> bool:
    return is_held(client_id=cast.client.pk, role=PartyRole.PAYER, name=name)


def test_a_listed_payer_blocks_withdrawals_not_trading(cast, tmp_path):
    load(tmp_path, OTHER, IVAN)
    settle()
    party = pay(cast)
    settle()
    hit = Hit.objects.get()
    assert (hit.party, hit.client, hit.screening.trigger, hit.screening.party) == (
        party,
        cast.client,
        "connected",
        party,
    )
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["no_withdrawal"] and held(cast)
    assert "Payer: Ivan Petrov (D-1)" in Restriction.objects.get().reason
    assert "Ivan Petrov" in str(Notification.objects.filter(kind="compliance.possible_match", user=cast.mlro)[0].body)
    page = signed_in(cast.mlro).get(f"/compliance/hits/{hit.pk}/").content.decode()
    assert "Ivan Petrov" in page and "Payer D-1" in page and cast.client.full_name in page
    assert "Payer: Ivan Petrov" in signed_in(cast.mlro).get("/compliance/hits/?state=open").content.decode()
    hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason_code="other", reason="The client's brother-in-law")
    assert not held(cast) and not queries.restrictions_of(cast.client)
    pay(cast, subject="D-2")
    rescreening.screen_everybody()
    assert Hit.objects.count() == 1 and ScreenedParty.objects.get().subject == "D-2"


def test_a_confirmed_payer_stays_held_until_the_block_is_lifted(cast, tmp_path):
    load(tmp_path, IVAN)
    pay(cast)
    confirm_match(Hit.objects.get(), cast)
    restriction = Restriction.objects.get(lifted_at=None)
    assert (restriction.kind, restriction.cause) == ("no_withdrawal", "confirmed_match") and held(cast)
    ask_to_lift(restriction_id=restriction.pk, reason="Licence of the authority", actor=cast.kyc_officer)
    lift(restriction_id=restriction.pk, actor=cast.mlro)
    assert not held(cast)


def test_a_party_newly_listed_is_found_by_the_list(cast, tmp_path):
    load(tmp_path, OTHER)
    pay(cast)
    pay(cast, name="Peter Ordinary")
    settle()
    assert not Hit.objects.exists()
    version = load(tmp_path, OTHER, IVAN)
    settle()
    assert Hit.objects.get().party.name == "Ivan Petrov" and held(cast)
    run = ListScreening.objects.get(version=version)
    assert (run.party_count, run.hit_count) == (2, 1)
    with CaptureQueriesContext(connection) as queries_made:
        rescreening.screen_everybody()
    assert len(queries_made) <= 38 and Hit.objects.count() == 1
    load(tmp_path, {"id": "100", **OTHER})
    settle()
    assert Hit.objects.get().state == HitState.OUTDATED and not held(cast)


def test_a_payer_of_the_clients_name_is_another_review(cast, tmp_path):
    """The client's own match and decision say nothing of somebody else by the same name, and the other way round."""
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    settle()
    pay(cast, name="Klara Weber")
    own = Hit.objects.get(party=None)
    assert Hit.objects.filter(party__isnull=False, part_of=None).count() == 1
    hits.clear_hit(hit_id=own.pk, actor=cast.kyc_officer, reason_code="document", reason="Passport seen")
    assert held(cast, "Klara Weber") and Client.objects.get(pk=cast.client.pk).restrictions == ["no_withdrawal"]


def test_a_company_in_the_chain_freezes_until_it_is_removed(cast, tmp_path):
    load(tmp_path, IVAN)
    owner = Named(name="Ivan Petrov", country="CY", is_company=True)
    note_all(client_id=cast.client.pk, role=PartyRole.OWNER, named=[owner])
    assert not Hit.objects.exists() and Screening.objects.get().party.is_company
    note_all(client_id=cast.client.pk, role=PartyRole.OWNER, named=[Named(name="Ivan Petrov", country="CY")])
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["frozen"]
    note_all(client_id=cast.client.pk, role=PartyRole.OWNER, named=[])
    assert Hit.objects.get().state == HitState.OUTDATED and not queries.restrictions_of(cast.client)
    assert not ScreenedParty.objects.get().is_current


def test_names_of_an_erased_client_are_blanked(cast, tmp_path):
    load(tmp_path, IVAN)
    pay(cast)
    pay(cast, name="Peter Ordinary")
    destroy_client_key(client_id=cast.client.pk)
    rescreening.screen_everybody()
    assert ScreenedParty.objects.count() == 2
    for left in ScreenedParty.objects.all():
        assert (left.name, left.normalised, left.subject, left.is_current) == (f"erased {left.pk}", "erased", "", False)


def test_a_name_without_letters_is_no_party(cast, tmp_path):
    load(tmp_path, IVAN)
    assert pay(cast, name=" •••• ") is None
    assert not ScreenedParty.objects.exists()
