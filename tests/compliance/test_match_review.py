"""A listed person is reviewed once, however many lists name them."""

import pytest
from django.db import IntegrityError, connection, transaction

from compliance import hits, queries, screening
from compliance.choices import HitState
from compliance.matches.cases import separate
from compliance.matches.one_person import is_one_person
from compliance.models import Hit, ListEntry, Restriction
from compliance.sources.house import COLUMNS
from compliance.tables import HitTable
from compliance.watchlists import import_watchlist
from crm import events, work
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, WorkItem
from tests.compliance.factories import confirm_match, load

pytestmark = pytest.mark.django_db

KLARA = {"first": "Klara", "second": "Weber"}
ROW = {
    "number": "7",
    "name": "Klara Weber",
    "aliases": "",
    "birth_date": "1970-03-04",
    "countries": "DE",
    "reason": "Fraud",
}


def internal(folder, *rows):
    path = folder / "house.csv"
    path.write_text("\n".join([",".join(COLUMNS), *(",".join({**ROW, **row}.values()) for row in rows)]))
    return import_watchlist(source="house", path=path, actor=None, may_shrink=True)


@pytest.fixture
def twice(cast, tmp_path):
    """One person on two lists, and the client who may be that person."""
    load(tmp_path, KLARA)
    internal(tmp_path, {})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    return cast


def both() -> tuple[Hit, Hit]:
    leader = Hit.objects.get(part_of=None, state=HitState.OPEN)
    return leader, Hit.objects.get(part_of=leader, state=HitState.OPEN)


def consistent() -> None:
    """The triggers that wait for the end of the transaction have nothing to object to."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def test_two_lists_make_one_review_and_one_hold(twice):
    leader, part = both()
    assert WorkItem.objects.filter(kind="compliance.hit").count() == Restriction.objects.count() == 1
    assert part.work is None and part.get_absolute_url() == leader.get_absolute_url()
    assert list(HitTable(twice.kyc_officer).queryset()) == [leader] and queries.open_hit_count(twice.kyc_officer) == 1
    consistent()


def test_one_decision_settles_all_entries(twice):
    leader, part = both()
    with pytest.raises(NotAllowed, match="together"):
        hits.clear_hit(hit_id=part.pk, actor=twice.kyc_officer, reason_code="document", reason="Passport seen")
    hits.clear_hit(hit_id=leader.pk, actor=twice.kyc_officer, reason_code="document", reason="Passport seen")
    assert set(Hit.objects.values_list("state", "reason", "decided_by")) == {
        ("false_positive", "Passport seen", twice.kyc_officer.pk)
    }
    assert AuditEvent.objects.filter(action="compliance.hit_cleared").count() == 2
    assert queries.restrictions_of(twice.client) == frozenset()
    screening.screen_client(client_id=twice.client.pk, trigger="demand")
    assert Hit.objects.count() == 2
    consistent()


def test_a_true_match_freezes_once(twice):
    leader, part = both()
    confirm_match(leader, twice)
    part.refresh_from_db()
    assert part.state == HitState.CONFIRMED
    assert Restriction.objects.filter(lifted_at=None).count() == 1


def test_a_contradiction_with_any_entry_counts(twice):
    leader, part = both()
    assert hits.contradiction_of(leader, "birth_date") == ""
    part.explanation["birth"] = "same_day"
    part.save()
    assert "date of birth matches" in hits.contradiction_of(Hit.objects.get(pk=leader.pk), "birth_date")


def test_a_review_outlives_its_first_entry(twice, tmp_path):
    leader, part = both()
    work.claim(item_id=leader.work_id, actor=twice.kyc_officer)
    load(tmp_path, {"first": "Somebody", "second": "Else"})
    events.drain()
    leader.refresh_from_db()
    part.refresh_from_db()
    assert (leader.state, leader.part_of, leader.work) == (HitState.OUTDATED, part, None)
    assert (part.state, part.part_of, part.work.claimed_by) == (HitState.OPEN, None, twice.kyc_officer)
    assert Restriction.objects.get(lifted_at=None).hit == part
    consistent()


def test_a_changed_entry_stays_in_the_same_review(twice, tmp_path):
    leader, _part = both()
    item = leader.work_id
    load(tmp_path, {**KLARA, "weak": "Klari"})
    events.drain()
    leader, part = both()
    assert leader.work_id == item and {leader.entry.source.code, part.entry.source.code} == {"un", "house"}
    assert Restriction.objects.filter(lifted_at=None).count() == 1
    consistent()


def test_a_proposal_covers_only_the_entries_it_was_about(cast, tmp_path):
    load(tmp_path, KLARA)
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    first = Hit.objects.get()
    hits.confirm_hit(hit_id=first.pk, actor=cast.kyc_officer, reason="Passport number agrees")
    internal(tmp_path, {})
    events.drain()
    assert Hit.objects.filter(part_of=None, state=HitState.OPEN).count() == 2


def test_an_entry_is_reviewed_separately_from_then_on(twice, tmp_path):
    leader, part = both()
    with pytest.raises(NotAllowed):
        separate(hit_id=part.pk, actor=twice.agent)
    separate(hit_id=part.pk, actor=twice.kyc_officer)
    with pytest.raises(WrongState, match="already"):
        separate(hit_id=part.pk, actor=twice.kyc_officer)
    hits.clear_hit(hit_id=leader.pk, actor=twice.kyc_officer, reason_code="document", reason="Passport seen")
    assert queries.restrictions_of(twice.client)
    internal(tmp_path, {"reason": "Fraud twice"})
    events.drain()
    assert (
        Hit.objects.get(state=HitState.OPEN).work_id == part.work_id
        or Hit.objects.get(state=HitState.OPEN).part_of is None
    )
    consistent()


@pytest.mark.parametrize(
    ("row", "is_one"),
    [
        ({}, True),
        ({"name": "Klara WEBER-LANG", "aliases": "Clara Weber"}, True),
        ({"birth_date": "1971"}, False),
        ({"name": "Karla Weber"}, False),
        ({"birth_date": "", "countries": "FR"}, False),
        ({"birth_date": ""}, True),
    ],
)
def test_who_is_one_person(tmp_path, row, is_one):
    load(tmp_path, KLARA)
    internal(tmp_path, row)
    one, other = ListEntry.objects.prefetch_related("names").order_by("pk")
    assert (is_one_person(one, other), is_one_person(other, one)) == (is_one, is_one)


def test_one_list_never_names_a_person_twice(tmp_path):
    load(tmp_path, KLARA, KLARA)
    assert not is_one_person(*ListEntry.objects.prefetch_related("names"))


def test_the_database_keeps_reviews_together(twice):
    leader, part = both()
    for change in ({"part_of": part}, {"client": twice.other_client}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Hit.objects.filter(pk=leader.pk).update(**change)
            consistent()


def test_the_page_shows_every_list_and_the_earlier_decision(twice, browse, tmp_path):
    leader, part = both()
    officer = browse(twice.kyc_officer)
    assert officer.get(f"/compliance/hits/{part.pk}/").url == leader.get_absolute_url()
    text = officer.get(leader.get_absolute_url()).text
    assert "reviewed together" in text and part.entry.source.name in text
    assert officer.post(f"/compliance/hits/{part.pk}/separate/").status_code == 302
    hits.clear_hit(hit_id=leader.pk, actor=twice.kyc_officer, reason_code="document", reason="Passport seen")
    load(tmp_path, {**KLARA, "weak": "Klari"})
    events.drain()
    again = Hit.objects.filter(entry=leader.entry, state=HitState.OPEN).get()
    text = officer.get(again.get_absolute_url()).text
    assert "Passport seen" in text and "The list entry has changed since." in text
