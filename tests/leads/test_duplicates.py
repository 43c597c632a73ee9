"""Possible duplicates: found by what two records share, decided by people, remembered; never across brands."""

import datetime as dt

import pytest

from clients.identifiers import IdentifierKind, learn
from clients.merging.merge import merge_clients, undo_merge
from clients.models import Client
from crm import events
from crm.errors import DomainError, WrongState
from crm.models import AuditEvent
from leads.choices import DuplicateState
from leads.duplicates import finding
from leads.duplicates.deciding import dismiss_duplicate, pairs_visible_to, reopen_duplicate
from leads.duplicates.weighing import Facts, Points, weigh_pair
from leads.models import DuplicatePass, PossibleDuplicate
from tests.cast import make_client

pytestmark = pytest.mark.django_db
POINTS = Points(phone=3, device=2, birth_date=3, country=1, first_name=1, last_name=1, listed_from=4)
BORN = dt.date(1984, 3, 5)


def facts(first="Katharina", last="Meier", country="DE", born=None):
    return Facts(first, last, country, born)


@pytest.fixture
def person(cast):
    """Make a record of a person; the identifiers are learnt as a capture does."""

    def make(number, *, book=None, brand=None, phone="", device="", **fields):
        client = make_client(
            brand=brand or cast.brand, book=book or cast.book, email=f"p{number}@example.com", login=False
        )
        typed = {"first_name": "Katharina", "last_name": "Meier", "country": "DE", "date_of_birth": None, **fields}
        Client.objects.filter(pk=client.pk).update(phone=phone, **typed)
        for kind, value in ((IdentifierKind.PHONE, phone), (IdentifierKind.DEVICE, device)):
            if value:
                learn(client.pk, kind, value)
        return Client.objects.get(pk=client.pk)

    return make


@pytest.fixture
def pair(cast, person):
    """Two records with one phone number and alike names."""
    first, second = person(1, phone="+4915111111111"), person(2, phone="+4915111111111", first_name="Catharina")
    finding.compare(cast.brand, [second.pk])
    return PossibleDuplicate.objects.get(first=first, second=second)


@pytest.mark.parametrize(
    ("one", "other", "shared", "is_listed", "is_household"),
    [
        (facts(), facts(), ["phone"], True, False),
        (facts(), facts("Catharina", "Meyer"), ["phone"], True, False),
        (facts("Meier", "Katharina"), facts(), ["device"], True, False),
        (facts(), facts("Bernd"), ["phone"], True, True),
        (facts(born=BORN), facts(born=BORN.replace(year=1954)), ["phone"], True, True),
        (facts(born=BORN), facts(born=BORN), [], True, False),
        (facts(born=BORN), facts("Bernd", born=BORN), [], False, False),
        (facts(born=BORN), facts(born=BORN, country="AT"), [], True, False),
        (facts(), facts(), [], False, False),
        (facts("", "", ""), facts("", "", ""), ["device"], False, False),
        (facts("", "", ""), facts(), ["email"], True, False),
    ],
)
def test_what_two_records_share_is_weighed(one, other, shared, is_listed, is_household):
    weighed = weigh_pair(one, other, shared, POINTS)
    assert (weighed.is_listed, weighed.is_household) == (is_listed, is_household)
    assert weighed.points == sum(reason["weight"] for reason in weighed.reasons)


def test_a_pair_is_found_by_phone_with_its_reasons(pair):
    assert (pair.points, pair.is_household, pair.state) == (6, False, "open")
    assert [reason["code"] for reason in pair.reasons] == ["phone", "country", "similar_first_name", "last_name"]


def test_a_pair_is_found_by_date_of_birth_and_names(cast, person):
    ids = [person(number, date_of_birth=BORN, last_name=name).pk for number, name in ((1, "Meier"), (2, "Meyer"))]
    assert finding.compare(cast.brand, ids[:1]) == 1


def test_records_of_two_brands_are_never_a_pair(cast, person):
    mine = person(1, phone="+4915111111111", date_of_birth=BORN)
    person(2, phone="+4915111111111", date_of_birth=BORN, brand=cast.other_brand, book=cast.other_brand.books.first())
    assert finding.compare(cast.brand, [mine.pk]) == 0


def test_an_offices_number_links_nobody(cast, person, monkeypatch):
    monkeypatch.setattr(finding, "SHARED_MAX", 2)
    people = [person(number, phone="+4930111111") for number in (1, 2, 3)]
    assert finding.compare(cast.brand, [people[0].pk]) == 0


def test_a_capture_with_anothers_phone_is_compared(cast, german_rule, capture):
    capture(email="a@web.de", first_name="Erika", last_name="Muster")
    capture(email="b@web.de", first_name="Bernd", last_name="Muster")
    events.drain()
    assert PossibleDuplicate.objects.get().is_household


def test_dismissed_it_comes_again_only_when_the_facts_change(cast, pair):
    dismiss_duplicate(pair_id=pair.pk, actor=cast.desk_head, reason="Mother and daughter, both called")
    finding.compare(cast.brand, [pair.first_id])
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by, pair.reason) == (
        "dismissed",
        cast.desk_head,
        "Mother and daughter, both called",
    )
    Client.objects.filter(pk=pair.second_id).update(first_name="Katharina")
    finding.compare(cast.brand, [pair.second_id])
    pair.refresh_from_db()
    assert pair.state == DuplicateState.OPEN and pair.reason, "what was said before stays on it"
    rows = AuditEvent.objects.filter(action="leads.duplicate_dismissed")
    assert set(rows.values_list("client_id", flat=True)) == {pair.first_id, pair.second_id}


def test_an_open_pair_that_shares_nothing_any_more_goes(cast, pair):
    Client.objects.filter(pk=pair.second_id).update(first_name="Zoe", last_name="Alvarez", country="ES")
    pair.second.identifiers.all().delete()
    finding.compare(cast.brand, [pair.second_id])
    assert not PossibleDuplicate.objects.exists()


def test_a_reason_is_asked_for_and_a_decided_pair_is_not_decided_again(cast, pair):
    with pytest.raises(DomainError, match="reason"):
        dismiss_duplicate(pair_id=pair.pk, actor=cast.desk_head, reason=" ")
    dismiss_duplicate(pair_id=pair.pk, actor=cast.desk_head, reason="Two people")
    with pytest.raises(WrongState):
        dismiss_duplicate(pair_id=pair.pk, actor=cast.desk_head, reason="Two people")
    assert reopen_duplicate(pair_id=pair.pk, actor=cast.desk_head).state == "open"


def test_only_who_sees_both_records_sees_the_pair(cast, person):
    mine = person(1, phone="+4915111111111")
    person(2, phone="+4915111111111", book=cast.other_agent.books.get())
    finding.compare(cast.brand, [mine.pk])
    assert pairs_visible_to(cast.administrator).count() == 1
    assert pairs_visible_to(cast.desk_head).count() == 0
    assert pairs_visible_to(cast.agent).count() == 0


def test_a_merge_closes_the_pair_and_its_undo_opens_it(cast, pair):
    Client.objects.filter(pk__in=[pair.first_id, pair.second_id]).update(stage="lead", registered_at=None)
    merge = merge_clients(kept_id=pair.first_id, merged_id=pair.second_id, actor=cast.desk_head)
    events.drain()
    pair.refresh_from_db()
    assert pair.state == DuplicateState.MERGED
    undo_merge(merge_id=merge.pk, actor=cast.desk_head, reason="Two people after all")
    events.drain()
    pair.refresh_from_db()
    assert pair.state == DuplicateState.OPEN


def test_the_nightly_round_is_bounded_and_goes_on_the_next_night(cast, person, monkeypatch):
    monkeypatch.setattr(finding, "COMPARED_MAX", 1)
    people = [person(number, phone="+4915111111111") for number in (1, 2)]
    before = DuplicatePass.objects.get_or_create(brand=cast.brand)[0]
    DuplicatePass.objects.filter(pk=before.pk).update(after_nightly=people[0].pk - 1)
    finding.compare_nightly(at_most=1)
    assert PossibleDuplicate.objects.count() == 1
    assert DuplicatePass.objects.get(pk=before.pk).after_nightly == people[0].pk
    finding.compare_nightly(at_most=5)
    assert DuplicatePass.objects.get(pk=before.pk).after_nightly == 0, "and then begins again"


def test_the_queue_shows_pairs_households_and_decisions(cast, pair, person, browse, django_assert_max_num_queries):
    for number in range(10, 30, 2):
        phone = f"+49151222222{number}"
        person(number, phone=phone)
        person(number + 1, phone=phone, first_name="Bernd")
    finding.compare(cast.brand, list(Client.objects.values_list("pk", flat=True)))
    head = browse(cast.desk_head)
    page = head.get("/leads/duplicates/").content.decode()
    assert "same phone number (+3)" in page and f"/clients/{pair.first_id}/merge/{pair.second_id}/" in page
    with django_assert_max_num_queries(30):
        head.get("/leads/duplicates/")
    households = head.get("/leads/duplicates/?household=true").content.decode()
    assert "Household" in households and "/merge/" not in households, "a household is never proposed as one person"
    assert head.post(f"/leads/duplicates/{pair.pk}/dismiss/", {"reason": "Two people"}).status_code in (200, 302)
    assert "Reopen" in head.get("/leads/duplicates/?state=dismissed").content.decode()
    assert head.post(f"/leads/duplicates/{pair.pk}/reopen/", {"x": "1"}).status_code in (200, 302)
    pair.refresh_from_db()
    assert pair.state == DuplicateState.OPEN
