"""A merge and somebody who edits, writes or merges at the same time."""

import pytest

from clients.merging.late import LATE
from clients.merging.merge import merge_clients, undo_merge
from clients.models import Client, ClientMerge, Note
from clients.notes import add_note
from clients.profile import change_profile
from crm.due.sweep import sweep
from crm.errors import NotAllowed, WrongState
from crm.models import DueRow
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from tests.cast import make_client
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def merging(cast, kept, merged):
    return lambda: merge_clients(kept_id=kept.pk, merged_id=merged.pk, actor=cast.desk_head)


def test_an_edit_of_the_merged_record_waits_and_is_refused(cast, first, second):
    both = race(
        merging(cast, first, second),
        lambda: change_profile(client_id=second.pk, actor=cast.agent, changes={"city": "Graz"}),
    )
    assert both.has_waited and isinstance(both.second, NotAllowed)
    assert Client.objects.get(pk=second.pk).city == ""


def test_two_merges_of_one_client_make_one(cast, first, second):
    third = make_client(brand=cast.brand, book=cast.book, email="third@example.com", login=False)
    both = race(merging(cast, first, second), merging(cast, third, second))
    assert both.has_waited and isinstance(both.second, WrongState)
    assert ClientMerge.objects.get().kept_id == first.pk


def test_two_merges_against_each_other_make_one(cast, first, second):
    both = race(merging(cast, first, second), merging(cast, second, first))
    assert both.has_waited and isinstance(both.second, WrongState)
    assert ClientMerge.objects.count() == 1


def test_a_merge_into_a_record_that_is_being_merged_is_refused(cast, first, second):
    third = make_client(brand=cast.brand, book=cast.book, email="third@example.com", login=False)
    both = race(merging(cast, third, first), merging(cast, first, second))
    assert both.has_waited and isinstance(both.second, WrongState)
    assert Client.objects.get(pk=second.pk).merged_into_id is None


def test_a_capture_that_waited_for_a_merge_goes_to_the_kept_record(cast, first, second):
    capture = Capture(channel=Channel.API, email=second.email)
    both = race(merging(cast, first, second), lambda: capture_lead(brand=cast.brand, capture=capture))
    assert both.has_waited
    assert both.second.client.pk == first.pk


def test_a_note_that_came_too_late_follows_and_goes_back(cast, first, second):
    both = race(merging(cast, first, second), lambda: add_note(client_id=second.pk, actor=cast.agent, body="Late"))
    assert both.has_waited
    assert Note.objects.get(body="Late").client_id == second.pk
    DueRow.objects.filter(kind=LATE.code).update(next_at="2020-01-01T00:00Z")
    sweep(kinds=[LATE])
    assert Note.objects.get(body="Late").client_id == first.pk
    undo_merge(merge_id=both.first.pk, actor=cast.desk_head, reason="Two sisters")
    assert Note.objects.get(body="Late").client_id == second.pk


def test_one_merge_is_undone_once(cast, first, second):
    row = merging(cast, first, second)()
    undo = lambda: undo_merge(merge_id=row.pk, actor=cast.desk_head, reason="Wrong")  # noqa: E731
    both = race(undo, undo)
    assert both.has_waited and isinstance(both.second, WrongState)
