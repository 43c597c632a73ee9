"""Numbers and addresses of entries: an equal one makes a match whatever the name is, and decisions are asked again only for it."""

import io
import json

import pytest
from django.core.management import call_command

from clients.identifiers import IdentifierKind, learn
from clients.identifiers.keeping import document_value, number_fingerprint, official_value
from compliance import hits, queries, rescreening, screening
from compliance.choices import HitState
from compliance.lists import keying
from compliance.lists.numbers import marks_of
from compliance.matching.evidence import Address, Details, ListedAddress, ListedNumber
from compliance.matching.score import ListedName, Person, score
from compliance.models import ClientKeys, EntryMark, EntryName, Hit, WatchlistSource
from compliance.sources.base import Identifier
from tests.compliance.factories import PASSPORT, load

pytestmark = pytest.mark.django_db

LISTED = {"first": "Somebody", "second": "Else", "more": PASSPORT.format(number="AB 123-456", issuer="Germany")}


def learn_passport(client, number="AB123456", country="DE"):
    learn(client.pk, IdentifierKind.DOCUMENT_NUMBER, document_value(country, number_fingerprint(number)))


def screen(client):
    return screening.screen_client(client_id=client.pk, trigger="demand")


def test_a_listed_passport_makes_a_match_under_any_name(cast, tmp_path):
    load(tmp_path, LISTED)
    learn_passport(cast.client)
    assert screen(cast.client).hit_count == 1
    hit = Hit.objects.get()
    assert hit.score == 1 and "same_number" in hit.explanation["notes"]
    assert hit.explanation["identifiers"] == [
        {"kind": "passport", "value": "AB 123-456", "country": "DE", "result": "same"}
    ]
    assert "frozen" in queries.restrictions_of(cast.client)


@pytest.mark.parametrize(("number", "country"), [("AB123457", "DE"), ("AB123456", "FR")])
def test_another_number_or_another_issuer_is_no_match(cast, tmp_path, number, country):
    load(tmp_path, LISTED)
    learn_passport(cast.client, number, country)
    assert screen(cast.client).hit_count == 0


def test_a_new_version_and_the_night_find_a_listed_number(cast, tmp_path):
    learn_passport(cast.client)
    version = load(tmp_path, LISTED)
    assert rescreening.screen_version(version.pk).hit_count == 1
    assert rescreening.screen_everybody().hit_count == 0
    assert Hit.objects.get().client_id == cast.client.pk


def test_a_cleared_match_is_asked_again_for_the_listed_passport_alone(cast, tmp_path):
    load(tmp_path, {**LISTED, "first": "Klara", "second": "Weber"})
    screen(cast.client)
    hits.clear_hit(hit_id=Hit.objects.get().pk, actor=cast.kyc_officer, reason_code="other", reason="Seen in person")
    learn_passport(cast.client, "C99999999")
    assert screen(cast.client).hit_count == 0, "any other passport changes nothing"
    assert screening.screen_listed_number(cast.client.pk) is None
    learn_passport(cast.client)
    assert screening.screen_listed_number(cast.client.pk).hit_count == 1
    assert Hit.objects.filter(state=HitState.OPEN).count() == 1
    assert screening.screen_listed_number(cast.client.pk) is None, "the match rests on it already"


def test_an_open_match_is_replaced_when_more_speaks_for_it(cast, tmp_path):
    load(tmp_path, {**LISTED, "first": "Klara", "second": "Weber"})
    screen(cast.client)
    learn_passport(cast.client)
    rescreening.screen_everybody()
    assert list(Hit.objects.order_by("pk").values_list("state", flat=True)) == [HitState.OUTDATED, HitState.OPEN]
    assert "frozen" in queries.restrictions_of(cast.client)


def test_keys_of_an_older_matcher_are_made_again(cast, tmp_path, monkeypatch):
    load(tmp_path, {**LISTED, "first": "Klara", "second": "Weber"}, {"first": "Ilja", "second": "Stern"})
    EntryName.objects.update(normalised="", pair_keys=[])
    EntryMark.objects.all().delete()
    monkeypatch.setattr(keying, "BATCH", 1)
    assert keying.refresh() == 0
    WatchlistSource.objects.update(keyed_by="2026.1")
    learn_passport(cast.client)
    assert rescreening.screen_everybody().hit_count == 1
    assert EntryMark.objects.count() == 1 and ClientKeys.objects.filter(client=cast.client).exists()


def test_a_listed_crypto_address_counts_whatever_it_is_that_is_listed(cast):
    found = list(marks_of([Identifier("wallet", "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h")], []))
    learn(cast.client.pk, IdentifierKind.CRYPTO_ADDRESS, "12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h")
    assert screening.numbers_of([cast.client.pk]) == {cast.client.pk: {(mark.kind, mark.mark) for mark in found}}


@pytest.mark.parametrize(
    ("number", "countries", "values"),
    [
        (Identifier("passport", "MP 3413113 and MP 2387911"), ["BY"], ["MP 3413113", "MP 2387911"]),
        (Identifier("tax", "7702070139", "RU"), ["BY"], ["7702070139"]),
        (Identifier("registration", "1027739609391"), ["RU", "CY"], ["1027739609391"] * 2),
        (Identifier("registration", "0365", "IR"), [], []),
        (Identifier("lei", "851683897", "NL"), [], []),
        (Identifier("passport", "541939"), [], []),
        (Identifier("swift", "BELBBY2X"), ["BY"], []),
    ],
)
def test_listed_numbers_are_kept_as_clients_are(number, countries, values):
    assert [mark.value for mark in marks_of([number], countries)] == values


def test_a_company_learns_its_numbers():
    assert official_value("GB", "01 074-897") == "GB:01074897"
    assert official_value("GB", "12345") == "" == official_value("", "01074897")


def test_another_lei_speaks_against_and_another_passport_does_not():
    firm = Person(
        ("Northern Star Shipping",), is_firm=True, numbers=frozenset({("lei", b"mine"), ("document", b"one")})
    )
    names = [ListedName("Northern Star Shipping")]
    plain = score(firm, names)
    other_lei = score(firm, names, details=Details((ListedNumber("lei", b"theirs", "lei", "5493"),)))
    other_passport = score(firm, names, details=Details((ListedNumber("document", b"two"),)))
    assert other_lei.score < 0.8 < plain.score == other_passport.score
    assert other_lei.identifiers == [{"kind": "lei", "value": "5493", "country": "", "result": "differs"}]


def test_an_address_supports_a_match_and_never_speaks_against_it():
    listed = Details(addresses=(ListedAddress("51 Ghobadiyan Street, Valiasr, Tehran 1968917173", "IR"),))
    results = []
    for address in (
        Address("Ghobadiyan St. 51", "Tehran", "", "IR"),
        Address("Azadi 7", "Tehran", "", "IR"),
        Address("Main Street 51", "London", "", "GB"),
    ):
        person = Person(("Reza Karimi",), address=address)
        results.append(score(person, [ListedName("Reza Karimy")], details=listed))
    assert [found.address for found in results] == ["same_street", "same_city", "unknown"]
    assert results[0].score > results[1].score > results[2].score
    assert results[0].address_words == ["51", "ghobadiyan", "tehran"]


def test_the_command_compares_numbers_and_says_so(cast, tmp_path):
    load(tmp_path, LISTED)
    out = io.StringIO()
    call_command("screen", "--name", "Nobody Known", "--number", "passport:DE:AB123456", "--json", stdout=out)
    (match,) = json.loads(out.getvalue())["matches"]
    assert match["score"] == 1 and match["explanation"]["identifiers"][0]["result"] == "same"
