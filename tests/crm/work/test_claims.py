"""Claims: they expire, colleagues take over with a reason, and whoever lost the claim decides nothing."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from crm import work
from crm.choices import WorkAct
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, WorkEntry, WorkItem
from crm.security import audit, crypto
from crm.work.entries import entries_of
from kyc import reviews
from tests.crm.work.factories import HOUR, MINUTE, NOW, an_item, second_officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast):
    return second_officer(cast)


@time_machine.travel(NOW, tick=False)
def test_a_claim_is_taken_over_with_a_reason_that_its_holder_reads(cast, olga):
    item = an_item(cast.client)
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    work.take_over(item_id=item.pk, actor=olga, reason="Klara is off sick")
    item.refresh_from_db()
    assert (item.claimed_by, item.claimed_until) == (olga, NOW + 10 * MINUTE)
    (entry,) = entries_of(item)
    assert (entry.entry.act, entry.entry.other, entry.text) == (
        WorkAct.TAKEN_OVER,
        cast.kyc_officer,
        "Klara is off sick",
    )
    assert b"Klara" not in bytes(entry.entry.text_sealed)
    assert Notification.objects.get(user=cast.kyc_officer).body == "Klara is off sick"
    row = AuditEvent.objects.get(action="crm.work_taken_over")
    assert audit.body_of(row)["reason"] == "Klara is off sick"


def test_taking_over_needs_a_reason_and_the_right(cast, olga):
    item = an_item(cast.client)
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    with pytest.raises(DomainError, match="Enter a reason"):
        work.take_over(item_id=item.pk, actor=olga, reason=" ")
    with pytest.raises(NotAllowed):
        work.take_over(item_id=item.pk, actor=cast.agent, reason="I know them")
    item.refresh_from_db()
    assert item.claimed_by == cast.kyc_officer and not WorkEntry.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_an_expired_claim_is_not_taken_over_but_free(cast, olga):
    item = an_item(cast.client)
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    with time_machine.travel(NOW + 10 * MINUTE, tick=False):
        work.claim(item_id=item.pk, actor=olga)
        assert not work.extend(item_id=item.pk, actor=cast.kyc_officer)
    item.refresh_from_db()
    assert item.claimed_by == olga and not WorkEntry.objects.exists()


def test_who_lost_the_claim_decides_nothing(cast, olga):
    item = an_item(cast.client)
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    work.take_over(item_id=item.pk, actor=olga, reason="Urgent")
    with pytest.raises(NotAllowed, match="is working on this"):
        reviews.approve(document_id=item.document.pk, actor=cast.kyc_officer)
    reviews.approve(document_id=item.document.pk, actor=olga)
    with pytest.raises(WrongState, match="isn't open any more"):
        work.claim(item_id=item.pk, actor=cast.kyc_officer)


@pytest.mark.django_db(transaction=True)
def test_a_take_over_while_deciding_leaves_one_decision_by_its_holder(cast, olga):
    item = an_item(cast.client)
    crypto.encrypt_for_client(cast.client.pk, b"the document's file had made the client's key")
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    gate, results = threading.Barrier(2), []

    def run(verb):
        gate.wait()
        try:
            verb()
            results.append("done")
        except DomainError:
            results.append("refused")
        finally:
            connection.close()

    verbs = [
        lambda: reviews.approve(document_id=item.document.pk, actor=cast.kyc_officer),
        lambda: work.take_over(item_id=item.pk, actor=olga, reason="Urgent"),
    ]
    threads = [threading.Thread(target=run, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    item.refresh_from_db()
    assert sorted(results) == ["done", "refused"]
    assert (item.state, item.decided_by) in [("decided", cast.kyc_officer), ("open", None)]
    assert item.claimed_by == (olga if item.state == "open" else None)


@time_machine.travel(NOW, tick=False)
def test_next_is_what_is_assigned_then_urgent_then_oldest(cast, olga):
    oldest = an_item(cast.client, uploaded_at=NOW - 5 * HOUR)
    urgent = an_item(cast.other_client, uploaded_at=NOW - HOUR)
    WorkItem.objects.filter(pk=urgent.pk).update(priority=4)
    assert work.claim_next(reviews.REVIEW, actor=cast.kyc_officer) == urgent
    work.release(item_id=urgent.pk, actor=cast.kyc_officer)
    WorkItem.objects.filter(pk=oldest.pk).update(assigned_to=cast.kyc_officer)
    WorkItem.objects.filter(pk=urgent.pk).update(assigned_to=olga)
    assert work.claim_next(reviews.REVIEW, actor=cast.mlro) is None
    assert work.claim_next(reviews.REVIEW, actor=cast.kyc_officer) == oldest
    assert work.claim_next(reviews.REVIEW, actor=olga) == urgent


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"claimed_by_id": 1}, "work_claim_is_whole"),
        ({"state": "closed"}, "only_open_work_is_claimed"),
        ({"claimed_until": NOW - HOUR}, "work_claim_is_whole_and_ends"),
        ({"state": "decided", "claimed_by": None, "claimed_at": None, "claimed_until": None}, "decided_work_says"),
        ({"due_at": NOW - 60 * HOUR}, "work_is_due_after"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_the_database_refuses_what_can_not_be(cast, fields, name):
    item = an_item(cast.client)
    if fields != {"claimed_by_id": 1}:
        work.claim(item_id=item.pk, actor=cast.kyc_officer)
    else:
        fields = {"claimed_by": cast.kyc_officer}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        WorkItem.objects.filter(pk=item.pk).update(**fields)


def test_history_is_append_only(cast, olga):
    item = an_item(cast.client)
    work.comment(item_id=item.pk, actor=olga, text="Called the client")
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        WorkEntry.objects.update(at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


@time_machine.travel(NOW, tick=False)
def test_handling_time_runs_from_the_claim_to_the_decision(cast):
    item = an_item(cast.client)
    work.claim(item_id=item.pk, actor=cast.kyc_officer)
    with time_machine.travel(NOW + 3 * MINUTE, tick=False):
        assert work.extend(item_id=item.pk, actor=cast.kyc_officer)
        reviews.approve(document_id=item.document.pk, actor=cast.kyc_officer)
    item.refresh_from_db()
    assert (item.handling_seconds, item.outcome) == (180, "approved")
