"""Segments: who is in one by its conditions, entries and leavings as events, fixed lists, and their pages."""

import datetime as dt
import html
import json
from urllib.parse import quote

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.custom_fields import setup
from clients.custom_fields.registry import name_of
from clients.custom_fields.setup import FieldDetails
from clients.models import Client, Segment, SegmentMember
from clients.models.segments import SegmentProblem
from clients.segments import refreshing, verbs
from clients.segments.refreshing import refresh, refresh_all
from clients.tables import ClientTable
from clients.vocabulary import CLIENT
from crm.conditions import read
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from crm.security import audit
from tests.cast import make_client
from tests.racing import race

pytestmark = pytest.mark.django_db
GERMAN = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}


def made(cast, condition=GERMAN, name="Germans", actor=None) -> Segment:
    return verbs.create_segment(
        brand_id=cast.brand.pk, name=name, condition=condition, actor=actor or cast.administrator
    )


def people(cast, *countries, **fields) -> list[Client]:
    where = {"brand": cast.brand, "book": cast.book, "login": False, **fields}
    return [
        make_client(email=f"s{place}@x.example", country=country, **where) for place, country in enumerate(countries)
    ]


def members(segment) -> set[int]:
    return set(SegmentMember.objects.filter(segment=segment, left_at=None).values_list("client_id", flat=True))


def events(name) -> list[int]:
    return list(OutboxEvent.objects.filter(name=name).order_by("id").values_list("client_id", flat=True))


def test_it_begins_with_who_fits_and_then_entering_and_leaving_are_events(cast):
    Client.objects.update(country="FR")
    one, two, three = people(cast, "DE", "DE", "AT")
    (stranger,) = people(cast, "DE", brand=cast.other_brand, book=cast.other_client.book)
    segment = made(cast)
    assert (refresh(segment.pk).entered, members(segment)) == (2, {one.pk, two.pk})
    assert events("client.entered_segment") == []
    Client.objects.filter(pk=one.pk).update(country="AT")
    Client.objects.filter(pk=three.pk).update(country="DE")
    done = refresh(segment.pk)
    assert (done.entered, done.left, done.size) == (1, 1, 2)
    assert members(segment) == {two.pk, three.pk}
    assert (events("client.entered_segment"), events("client.left_segment")) == ([three.pk], [one.pk])
    payload = OutboxEvent.objects.get(name="client.entered_segment")
    assert (payload.brand_id, payload.payload["segment_id"]) == (cast.brand.pk, segment.pk)
    again = refresh(segment.pk)
    assert (again.entered, again.left) == (0, 0)
    segment.refresh_from_db()
    assert segment.size == 2
    assert stranger.pk not in members(segment)


def test_who_comes_back_enters_again_and_the_first_time_stays_on_record(cast):
    Client.objects.update(country="FR")
    (one,) = people(cast, "DE")
    segment = made(cast)
    for country in ("DE", "AT", "DE"):
        Client.objects.filter(pk=one.pk).update(country=country)
        refresh(segment.pk)
    spells = SegmentMember.objects.filter(segment=segment).order_by("id")
    assert [(spell.is_initial, spell.left_at is None) for spell in spells] == [(True, False), (False, True)]


def test_a_record_that_was_merged_away_is_in_no_segment(cast):
    one, kept = people(cast, "DE", "DE")
    Client.objects.filter(pk=one.pk).update(stage="closed", merged_into=kept)
    segment = made(cast)
    refresh(segment.pk)
    assert one.pk not in members(segment)
    assert kept.pk in members(segment)


def test_another_condition_lets_people_enter_and_leave(cast):
    Client.objects.update(country="FR")
    one, two = people(cast, "DE", "AT")
    segment = made(cast)
    refresh(segment.pk)
    austrian = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["AT"]}]}
    verbs.change_segment(segment_id=segment.pk, name="Austrians", condition=austrian, actor=cast.administrator)
    refresh(segment.pk)
    assert members(segment) == {two.pk}
    assert (events("client.entered_segment"), events("client.left_segment")) == ([two.pk], [one.pk])
    body = audit.body_of(AuditEvent.objects.get(action="clients.segment_changed"))
    assert (body["before"]["name"], body["after"]["name"], body["before"]["condition"]) == (
        "Germans",
        "Austrians",
        GERMAN,
    )


def test_an_archived_segment_stands_still_and_its_name_is_free(cast):
    people(cast, "DE")
    segment = made(cast)
    refresh(segment.pk)
    before = members(segment)
    verbs.archive_segment(segment_id=segment.pk, actor=cast.administrator)
    Client.objects.update(country="FR")
    assert refresh(segment.pk).left == 0
    assert members(segment) == before
    with pytest.raises(WrongState):
        verbs.archive_segment(segment_id=segment.pk, actor=cast.administrator)
    with pytest.raises(WrongState):
        verbs.change_segment(segment_id=segment.pk, name="Else", actor=cast.administrator)
    other = made(cast)
    with pytest.raises(DomainError, match="already has a segment"):
        verbs.archive_segment(segment_id=segment.pk, actor=cast.administrator, is_archived=False)
    verbs.change_segment(segment_id=other.pk, name="New Germans", condition=GERMAN, actor=cast.administrator)
    verbs.archive_segment(segment_id=segment.pk, actor=cast.administrator, is_archived=False)
    refresh(segment.pk)
    assert members(segment) == set()


def test_names_are_taken_once_per_brand_and_conditions_must_be_readable(cast):
    made(cast)
    with pytest.raises(DomainError, match="already has a segment"):
        made(cast)
    verbs.create_segment(brand_id=cast.other_brand.pk, name="Germans", condition=GERMAN, actor=None)
    with pytest.raises(DomainError):
        made(cast, {"version": 1, "all": [{"field": "shoe_size", "is": "in", "value": ["44"]}]}, name="Shoes")


def test_who_may_not_is_refused_and_nothing_is_written(cast):
    before = AuditEvent.objects.count()
    for nobody in (cast.agent, cast.finance, cast.client_user):
        with pytest.raises(NotAllowed):
            made(cast, name="Mine", actor=nobody)
    segment = made(cast)
    with pytest.raises(NotAllowed):
        verbs.archive_segment(segment_id=segment.pk, actor=cast.agent)
    assert Segment.objects.count() == 1
    assert AuditEvent.objects.count() == before + 1


def test_a_field_that_is_gone_is_said_on_the_segment_and_changes_no_members(cast):
    field = setup.create_custom_field(
        brand_id=cast.brand.pk,
        key="shoe",
        actor=cast.administrator,
        details=FieldDetails(labels={"en": "Shoe"}, type="text"),
    )
    condition = {"version": 1, "any": [*GERMAN["all"], {"field": name_of(field), "is": "empty"}]}
    segment = made(cast, condition)
    refresh(segment.pk)
    before = members(segment)
    assert before
    setup.archive_custom_field(field_id=field.pk, actor=cast.administrator)
    Client.objects.update(country="FR")
    refresh(segment.pk)
    segment.refresh_from_db()
    assert segment.problem == SegmentProblem.UNREADABLE
    assert members(segment) == before
    verbs.change_segment(segment_id=segment.pk, name="Germans", condition=GERMAN, actor=cast.administrator)
    refresh(segment.pk)
    segment.refresh_from_db()
    assert (segment.problem, members(segment)) == ("", set())


def test_a_condition_that_takes_too_long_is_said_on_the_segment(cast, monkeypatch):
    segment = made(cast)
    monkeypatch.setattr(refreshing, "SECONDS_MAX", 0.02)
    monkeypatch.setattr(refreshing, "CHANGE", "WITH fit(id) AS ({fit}) SELECT pg_sleep(5), %s, %s, %s, %s, %s, %s")
    refresh(segment.pk)
    segment.refresh_from_db()
    assert segment.problem == SegmentProblem.SLOW
    assert segment.refreshed_at is None


def test_a_segment_that_could_not_be_filled_at_first_begins_with_who_fits_then(cast, monkeypatch):
    people(cast, "DE")
    segment = made(cast)
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "SECONDS_MAX", 0.02)
        patched.setattr(refreshing, "CHANGE", "WITH fit(id) AS ({fit}) SELECT pg_sleep(5), %s, %s, %s, %s, %s, %s")
        refresh(segment.pk)
    assert refresh(segment.pk).size > 0
    assert events("client.entered_segment") == []


def test_a_fault_that_is_not_the_time_is_not_called_so(cast, monkeypatch):
    segment = made(cast)
    raised = OperationalError("the connection is closed")
    monkeypatch.setattr(refreshing, "records_of", lambda *_about: (_ for _ in ()).throw(raised))
    with pytest.raises(OperationalError):
        refresh(segment.pk)
    segment.refresh_from_db()
    assert segment.problem == ""


@pytest.mark.django_db(transaction=True)
def test_two_refreshes_at_the_same_moment_let_each_record_in_once(cast):
    people(cast, "DE", "DE")
    segment = made(cast)
    done = race(lambda: refresh(segment.pk), lambda: refresh(segment.pk))
    assert SegmentMember.objects.filter(segment=segment).count() == len(members(segment)) > 1
    assert done.has_waited


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["DE", "FR", ""]), st.booleans()), max_size=12))
def test_members_are_always_those_of_whom_the_condition_holds(cast, moves):
    with transaction.atomic():
        rows = people(cast, "DE", "FR", "DE", "FR")
        segment = made(cast, name="Any")
        condition = read(segment.condition, CLIENT)
        for place, country, is_refreshed in [*moves, (0, "DE", True)]:
            Client.objects.filter(pk=rows[place].pk).update(country=country)
            if is_refreshed:
                refresh(segment.pk)
                now = timezone.now()
                fits = {one.pk for one in Client.objects.filter(brand=cast.brand) if condition.holds(one, now)}
                assert members(segment) == fits
        transaction.set_rollback(True)


def test_every_open_segment_is_refreshed_the_one_that_waited_longest_first(cast, monkeypatch):
    one, two, three = (made(cast, name=name) for name in ("One", "Two", "Three"))
    for segment, hours in ((one, 1), (two, 5)):
        Segment.objects.filter(pk=segment.pk).update(refreshed_at=timezone.now() - dt.timedelta(hours=hours))
    fixed = verbs.create_segment(brand_id=cast.brand.pk, name="Fixed", actor=None)
    verbs.archive_segment(
        segment_id=verbs.create_segment(brand_id=cast.brand.pk, name="Old", condition=GERMAN, actor=None).pk, actor=None
    )
    done = []
    monkeypatch.setattr(refreshing, "refresh", lambda pk: done.append(pk) or refresh(pk))
    refresh_all()
    assert done == [three.pk, two.pk, one.pk]
    assert fixed.pk not in done


def test_a_fixed_list_has_whom_somebody_put_on_it_among_their_own(cast):
    one, two = people(cast, "DE", "AT")
    (stranger,) = people(cast, "DE", brand=cast.other_brand, book=cast.other_client.book)
    fixed = verbs.create_segment(brand_id=cast.brand.pk, name="Guests", actor=cast.administrator)
    assert (
        verbs.add_members(segment_id=fixed.pk, client_ids=[one.pk, two.pk, stranger.pk], actor=cast.administrator) == 2
    )
    assert verbs.add_members(segment_id=fixed.pk, client_ids=[one.pk], actor=cast.administrator) == 0
    assert events("client.entered_segment") == [one.pk, two.pk]
    assert verbs.remove_members(segment_id=fixed.pk, client_ids=[two.pk, stranger.pk], actor=cast.administrator) == 1
    assert events("client.left_segment") == [two.pk]
    fixed.refresh_from_db()
    assert (fixed.size, members(fixed)) == (1, {one.pk})
    assert refresh(fixed.pk).left == 0
    assert members(fixed) == {one.pk}
    rule = made(cast)
    with pytest.raises(DomainError, match="conditions decide"):
        verbs.add_members(segment_id=rule.pk, client_ids=[one.pk], actor=cast.administrator)


def test_who_heads_a_desk_puts_only_their_own_clients_on_a_list(cast):
    fixed = verbs.create_segment(brand_id=cast.brand.pk, name="Guests", actor=None)
    ids = list(Client.objects.filter(brand=cast.brand).values_list("pk", flat=True))
    verbs.add_members(segment_id=fixed.pk, client_ids=ids, actor=cast.desk_head)
    seen = set(ClientTable(cast.desk_head, QueryDict(f"segment={fixed.pk}")).matching.values_list("pk", flat=True))
    assert members(fixed) == seen
    assert members(fixed) < set(ids) or set(ids) == seen


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "rule", "condition": None}, {"kind": "list", "condition": GERMAN}, {"kind": "else"}, {"name": "Germans"}],
)
def test_the_database_refuses_what_is_no_segment(cast, wrong):
    made(cast)
    fields = {"brand": cast.brand, "name": "Other", "kind": "rule", "condition": GERMAN, "created_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.create(**{**fields, **wrong})


def test_the_database_keeps_a_record_in_a_segment_once_at_a_time(cast):
    (one,) = people(cast, "FR")
    segment, now = made(cast), timezone.now()
    SegmentMember.objects.create(segment=segment, client=one, entered_at=now)
    for left in (None, now - dt.timedelta(days=1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            SegmentMember.objects.create(segment=segment, client=one, entered_at=now, left_at=left)


def test_pages_from_the_list_to_a_new_segment_and_its_records(cast, browse):
    people(cast, "DE", stage="lead")
    page = browse(cast.administrator)
    form = {
        "brand": cast.brand.pk,
        "name": "Germans",
        "kind": "rule",
        "description": "For the newsletter",
        "condition": str(GERMAN).replace("'", '"'),
    }
    answer = page.post(reverse("segment_new"), form)
    segment = Segment.objects.get()
    assert answer.headers["Location"] == reverse("segment", args=[segment.pk])
    refresh(segment.pk)
    shown = page.get(reverse("segment", args=[segment.pk])).content.decode()
    assert "Country is Germany" in shown
    assert "By conditions" in shown
    listed = page.get(f"{reverse('clients')}?segment={segment.pk}").content.decode()
    assert "s0@x.example" in listed or "Show" in listed
    rows = ClientTable(cast.administrator, QueryDict(f"segment={segment.pk}")).matching
    assert set(rows.values_list("pk", flat=True)) == members(segment)
    taken = page.post(reverse("segment_new"), {**form, "description": "Another"})
    assert taken.status_code == 422
    assert "Another" in taken.content.decode()
    assert "already has a segment" in taken.content.decode()
    page.post(reverse("segment_edit", args=[segment.pk]), {**form, "name": "German speakers"})
    page.post(reverse("segment_do", args=[segment.pk, "archive"]))
    segment.refresh_from_db()
    assert (segment.name, segment.archived_at is None) == ("German speakers", False)
    assert "German speakers" not in page.get(reverse("segments")).content.decode()
    assert "German speakers" in page.get(f"{reverse('segments')}?is_archived=1").content.decode()


def test_the_conditions_of_the_list_become_a_segment(cast, browse):
    page, conditions = browse(cast.marketing), json.dumps(GERMAN)
    listed = page.get(reverse("clients"), {"conditions": conditions})
    link = f"{reverse('segment_new')}?conditions={quote(conditions)}"
    assert link in html.unescape(listed.content.decode())
    assert page.get(link).context["form"]["condition"].value() == conditions
    assert "segments/new" not in page.get(reverse("clients")).content.decode()
    assert (
        "segments/new" not in browse(cast.finance).get(reverse("clients"), {"conditions": conditions}).content.decode()
    )


def test_selected_clients_go_on_a_list_and_come_off_on_their_page(cast, browse):
    fixed = verbs.create_segment(brand_id=cast.brand.pk, name="Guests", actor=None)
    page = browse(cast.administrator)
    page.post(reverse("segment_add"), {"segment": fixed.pk, "ids": [cast.client.pk]})
    assert members(fixed) == {cast.client.pk}
    record = page.get(reverse("client", args=[cast.client.pk])).content.decode()
    assert "Guests" in record
    page.post(reverse("segment_do", args=[fixed.pk, "remove"]), {"client": cast.client.pk})
    assert members(fixed) == set()


def test_who_reaches_a_part_of_a_brand_sees_neither_its_size_nor_others_clients(cast, browse):
    (hidden,) = people(cast, "DE", first_name="Hiddenperson", book=cast.other_client.book)
    Client.objects.filter(pk=cast.client.pk).update(country="DE")
    segment = made(cast)
    refresh(segment.pk)
    SegmentMember.objects.filter(segment=segment).update(is_initial=False)
    agent = browse(cast.agent).get(reverse("segment", args=[segment.pk])).content.decode()
    assert "Entered in 30 days" not in agent
    assert "Hiddenperson" not in agent or hidden.book_id == cast.book.pk
    assert (
        "Entered in 30 days" in browse(cast.administrator).get(reverse("segment", args=[segment.pk])).content.decode()
    )
    other = verbs.create_segment(brand_id=cast.other_brand.pk, name="Far away", condition=GERMAN, actor=None)
    assert browse(cast.agent).get(reverse("segment", args=[other.pk])).status_code == 404


def test_a_segments_page_takes_as_many_queries_for_many_as_for_few(cast, browse):
    segment = made(cast)
    refresh(segment.pk)
    SegmentMember.objects.filter(segment=segment).update(is_initial=False)
    page, address, counts = browse(cast.administrator), reverse("segment", args=[segment.pk]), []
    page.get(address)
    for more in (0, 8):
        people(cast, *["DE"] * more)
        refresh(segment.pk)
        with CaptureQueriesContext(connection) as queries:
            page.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1]
