"""Claiming, approving, rejecting, undoing; and what follows once a decision takes effect."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clients.models import Client, Message
from crm import due, events, work
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, OutboxEvent, WorkItem
from kyc import reviews
from kyc.choices import DOCUMENT_TRANSITIONS, DocumentState, RejectReason
from kyc.expiry import validity
from kyc.levels import reaching as levels
from kyc.models import Document, LevelReached
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.kyc.factories import claimed, let_settle, passport_jpeg, registered, uploaded, waiting
from tests.outbox import published

pytestmark = pytest.mark.django_db


def close_the_window(document):
    assert let_settle() == 1
    document.refresh_from_db()


@pytest.fixture
def second_officer(cast):
    return make_staff("olga@meridian.example", Role.KYC_OFFICER, brand=cast.brand)


@pytest.fixture(autouse=True)
def registration(cast):
    registered(cast.client)


# ── claims ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_takes_all_of_a_clients_waiting_documents(cast):
    passport, bill = waiting(cast.client), waiting(cast.client, kind="proof_of_address")
    taken = work.claim(item_id=passport.work_id, actor=cast.kyc_officer)
    assert {item.pk for item in taken} == {passport.work_id, bill.work_id}
    assert all(item.claimed_until > timezone.now() for item in taken)


def test_two_officers_never_work_on_one_client(cast, second_officer):
    passport, bill = waiting(cast.client), waiting(cast.client, kind="proof_of_address")
    work.claim(item_id=passport.work_id, actor=cast.kyc_officer)
    with pytest.raises(WrongState, match="is working on this until"):
        work.claim(item_id=bill.work_id, actor=second_officer)
    with pytest.raises(NotAllowed, match="is working on this"):
        reviews.approve(document_id=bill.pk, actor=second_officer)


def test_a_lease_ends_by_itself(cast, second_officer):
    document = claimed(cast.client, cast.kyc_officer)
    past = timezone.now() - dt.timedelta(seconds=1)
    WorkItem.objects.filter(pk=document.work_id).update(claimed_at=past - dt.timedelta(minutes=9), claimed_until=past)
    assert not work.extend(item_id=document.work_id, actor=cast.kyc_officer)
    work.claim(item_id=document.work_id, actor=second_officer)
    with pytest.raises(NotAllowed):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


def test_an_open_page_keeps_the_lease_and_leaving_gives_it_back(cast, second_officer):
    document = claimed(cast.client, cast.kyc_officer)
    WorkItem.objects.filter(pk=document.work_id).update(claimed_until=timezone.now() + dt.timedelta(seconds=5))
    assert work.extend(item_id=document.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.work.claimed_until > timezone.now() + dt.timedelta(minutes=9)
    work.release(item_id=document.work_id, actor=second_officer)
    document.refresh_from_db()
    assert document.work.claimed_by == cast.kyc_officer
    work.release(item_id=document.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.work.claimed_by is None


def test_next_is_the_one_that_waited_longest_and_that_nobody_has(cast, second_officer):
    first = waiting(cast.client)
    second = waiting(cast.other_client, content=passport_jpeg("Óscar", "Núñez", number="X1X1X1X1X"))
    assert work.claim_next(reviews.REVIEW, actor=cast.kyc_officer) == first.work
    assert work.claim_next(reviews.REVIEW, actor=second_officer) == second.work
    assert work.claim_next(reviews.REVIEW, actor=cast.mlro) is None


@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "auditor", "support", "administrator"])
def test_other_roles_claim_and_decide_nothing(cast, who):
    document = waiting(cast.client)
    with pytest.raises(NotAllowed):
        work.claim(item_id=document.work_id, actor=getattr(cast, who))
    for decide in (
        lambda: reviews.approve(document_id=document.pk, actor=getattr(cast, who)),
        lambda: reviews.reject(document_id=document.pk, actor=getattr(cast, who), reason_code="other", reason="no"),
    ):
        with pytest.raises(NotAllowed):
            decide()
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW and document.work.claimed_by is None


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_once_one_wins(cast, second_officer):
    document = waiting(cast.client)
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def take(officer):
        gate.wait()
        try:
            work.claim(item_id=document.work_id, actor=officer)
            outcomes.append("mine")
        except WrongState:
            outcomes.append("theirs")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[one]) for one in (cast.kyc_officer, second_officer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["mine", "theirs"]


# ── approve ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_approving_has_no_consequence_until_the_window_closes(cast):
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.state == DocumentState.APPROVED and document.settled_at is None and document.work.claimed_by is None
    assert document.state_for_client == DocumentState.PENDING_REVIEW
    assert due.sweep(kinds=[work.SETTLING]) == 0
    assert not OutboxEvent.objects.filter(name__in=["kyc.document_reviewed", "kyc.client_verified"]).exists()
    cast.client.refresh_from_db()
    assert cast.client.kyc_level == 0


def test_then_the_client_is_verified_once(cast):
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    close_the_window(document)
    assert let_settle() == 0
    event = OutboxEvent.objects.get(name="kyc.client_verified")
    assert event.payload["level"] == 1 and event.client_id == cast.client.pk
    events.drain()
    client = Client.objects.get(pk=cast.client.pk)
    assert (client.kyc_level, client.stage) == (1, "verified")
    assert Message.objects.get(client=client).template == "kyc.verified"
    assert Notification.objects.filter(user=cast.agent, kind="kyc.client_verified").count() == 1
    assert AuditEvent.objects.filter(action="kyc.level_reached").count() == 1


def test_the_second_level_comes_with_the_address(cast):
    passport, bill = waiting(cast.client), waiting(cast.client, kind="proof_of_address")
    work.claim(item_id=passport.work_id, actor=cast.kyc_officer)
    for document in (passport, bill):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
        close_the_window(document)
    assert [row.payload["level"] for row in OutboxEvent.objects.filter(name="kyc.client_verified").order_by("pk")] == [
        1,
        2,
    ]
    events.drain()
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 2
    assert Message.objects.filter(template="kyc.verified").count() == 1


def test_a_bill_alone_verifies_nobody(cast):
    bill = claimed(cast.client, cast.kyc_officer, kind="proof_of_address")
    reviews.approve(document_id=bill.pk, actor=cast.kyc_officer)
    close_the_window(bill)
    assert not OutboxEvent.objects.filter(name="kyc.client_verified").exists()
    passport = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=passport.pk, actor=cast.kyc_officer)
    close_the_window(passport)
    assert OutboxEvent.objects.get(name="kyc.client_verified").payload["level"] == 2
    assert list(LevelReached.objects.values_list("level", flat=True)) == [1, 2]


def test_a_brand_may_want_the_second_level_before_it_calls_somebody_verified(cast):
    set_policies(cast.brand, kyc_level_required=2, kyc_undo_seconds=0)
    passport = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=passport.pk, actor=cast.kyc_officer)
    events.drain()
    assert Client.objects.get(pk=cast.client.pk).stage == "registered"
    assert not Message.objects.exists()
    assert levels.level_required(cast.client) == 2


def test_without_a_window_the_decision_takes_effect_at_once(cast):
    set_policies(cast.brand, kyc_undo_seconds=0)
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    assert OutboxEvent.objects.filter(name="kyc.client_verified").count() == 1


def test_a_problem_needs_a_note(cast):
    registered(cast.client, last_name="Schmidt")
    document = claimed(cast.client, cast.kyc_officer)
    with pytest.raises(DomainError, match="The name differs from the registration"):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note="Maiden name, marriage certificate seen")
    row = AuditEvent.objects.get(action="kyc.document_approved")
    from crm.security import audit

    body = audit.body_of(row)
    assert body["reason"] == "Maiden name, marriage certificate seen" and body["evidence"]["despite"] == [
        "NAME_MISMATCH"
    ]


@pytest.mark.parametrize("severity", ["warning", "blocking"])
def test_nobody_approves_past_a_finding_without_a_note(cast, severity):
    """Blurred, or no zone on a passport: a person says why that is good enough."""
    document = claimed(cast.client, cast.kyc_officer)
    run = document.runs.get()
    run.issues.create(document=document, code="BLUR", severity=severity, score=0.9)
    for note in ("", "   "):
        with pytest.raises(DomainError, match="The picture is blurred") as told:
            reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note=note)
        assert told.value.code == "needs_note"
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note="All fields read on the screen")
    assert Document.objects.get(pk=document.pk).state == DocumentState.APPROVED


def test_the_page_asks_for_the_note_before_anything_is_sent(cast, browse):
    document = claimed(cast.client, cast.kyc_officer)
    page = browse(cast.kyc_officer).get(document.get_absolute_url()).content.decode()
    assert 'id="id_note" required' not in page and "required" not in page.split('name="note"')[1].split(">")[0]
    document.runs.get().issues.create(document=document, code="NO_MRZ", severity="warning", score=0.8)
    page = browse(cast.kyc_officer).get(document.get_absolute_url()).content.decode()
    assert "required" in page.split('name="note"')[1].split(">")[0]


def test_equal_findings_are_one_issue_to_read(cast, browse):
    document = claimed(cast.client, cast.kyc_officer)
    run = document.runs.get()
    for field in ("address_line", "postal_code", "city"):
        run.issues.create(document=document, code="POA_ADDRESS", severity="blocking", score=1, field=field)
    run.issues.create(document=document, code="BLUR", severity="warning", score=0.9)
    page = browse(cast.kyc_officer).get(document.get_absolute_url()).content.decode()
    assert "Address not found: Street, Postal code, City" in page and "The picture is blurred" in page
    assert page.count("<li data-issue=") == 2


def test_a_note_about_nothing_is_not_asked_for(cast):
    document = claimed(cast.client, cast.kyc_officer)
    document.runs.get().issues.create(document=document, code="EXPIRES_SOON", severity="info", score=1)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


def test_an_expired_document_is_never_approved(cast):
    document = claimed(cast.client, cast.kyc_officer, content=passport_jpeg(expires_on=dt.date(2025, 1, 1)))
    with pytest.raises(DomainError, match="expired on"):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note="looks fine to me")


def test_without_a_claim_nothing_is_decided(cast):
    document = waiting(cast.client)
    with pytest.raises(NotAllowed, match="Claim this first"):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


def test_approving_twice_is_told(cast):
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    with pytest.raises((WrongState, NotAllowed)):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


def test_nobody_reviews_what_they_uploaded(cast):
    document = waiting(cast.client, actor=cast.kyc_officer)
    with pytest.raises(NotAllowed, match="a colleague must review it"):
        work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    Document.objects.filter(pk=document.pk)
    document.reviewed_by = cast.kyc_officer
    with pytest.raises(IntegrityError, match="reviewer_is_not_the_uploader"), transaction.atomic():
        document.save()


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_once_one_counts(cast):
    document = claimed(cast.client, cast.kyc_officer)
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def decide(verb):
        gate.wait()
        try:
            verb()
            outcomes.append("done")
        except DomainError:
            outcomes.append("refused")
        finally:
            connection.close()

    verbs = [
        lambda: reviews.approve(document_id=document.pk, actor=cast.kyc_officer),
        lambda: reviews.reject(document_id=document.pk, actor=cast.kyc_officer, reason_code="unreadable"),
    ]
    threads = [threading.Thread(target=decide, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["done", "refused"]
    assert AuditEvent.objects.filter(action__in=["kyc.document_approved", "kyc.document_rejected"]).count() == 1


# ── reject, undo, expire ───────────────────────────────────────────────────────────────────────────────────────────


def test_rejecting_tells_the_client_what_to_do(cast):
    document = claimed(cast.client, cast.kyc_officer)
    reviews.reject(document_id=document.pk, actor=cast.kyc_officer, reason_code=RejectReason.UNREADABLE)
    events.drain()
    assert not Message.objects.exists()
    close_the_window(document)
    events.drain()
    letter = Message.objects.get()
    # Clara reads German; the officer works in English.
    assert letter.template == "kyc.document_rejected" and "Tageslicht" in letter.body and "Reisepass" in letter.body
    with pytest.raises(DomainError, match="couldn't accept it"):
        uploaded(cast.client)


def test_another_reason_needs_words(cast):
    document = claimed(cast.client, cast.kyc_officer)
    with pytest.raises(DomainError, match="Enter what the client should do"):
        reviews.reject(document_id=document.pk, actor=cast.kyc_officer, reason_code=RejectReason.OTHER)
    with pytest.raises(ValueError, match="nonsense"):
        reviews.reject(document_id=document.pk, actor=cast.kyc_officer, reason_code="nonsense")


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_decision_is_undone_inside_the_window(cast, second_officer, decide):
    document = claimed(cast.client, cast.kyc_officer)
    if decide == "approve":
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    else:
        reviews.reject(document_id=document.pk, actor=cast.kyc_officer, reason_code="unreadable")
    with pytest.raises(NotAllowed, match="Only the person who made"):
        work.undo(item_id=document.work_id, actor=second_officer)
    work.undo(item_id=document.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW and document.work.claimed_by == cast.kyc_officer
    assert document.reviewed_by is None and document.reason == ""
    assert let_settle() == 0
    events.drain()
    assert not Message.objects.exists()
    assert AuditEvent.objects.filter(action="kyc.review_undone").count() == 1


def test_after_the_window_nothing_is_undone(cast):
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    close_the_window(document)
    with pytest.raises(NotAllowed, match="taken effect"):
        work.undo(item_id=document.work_id, actor=cast.kyc_officer)


def approved(cast, officer, **fields):
    document = claimed(cast.client, officer, **fields)
    reviews.approve(document_id=document.pk, actor=officer)
    close_the_window(document)
    return document


def test_an_expired_document_lowers_the_level_and_asks_for_a_new_one(cast):
    document = approved(cast, cast.kyc_officer)
    with time_machine.travel(dt.datetime(2033, 4, 15, 23, 59, tzinfo=dt.UTC), tick=False):
        assert due.sweep(kinds=[validity.EXPIRY]) == 0
    with time_machine.travel(dt.datetime(2033, 4, 16, tzinfo=dt.UTC), tick=False):
        assert due.sweep(kinds=[validity.EXPIRY]) == 1
        assert due.sweep(kinds=[validity.EXPIRY]) == 0
    document.refresh_from_db()
    assert document.state == DocumentState.EXPIRED
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 0
    assert Message.objects.get(template="kyc.document_expired").client == cast.client


def test_a_renewed_document_takes_the_place_of_the_old_one_without_a_second_welcome(cast):
    older = approved(cast, cast.kyc_officer)
    newer = approved(cast, cast.kyc_officer, content=passport_jpeg(number="C77X00T47"))
    older.refresh_from_db()
    assert (older.state, newer.state) == (DocumentState.REPLACED, DocumentState.APPROVED)
    assert OutboxEvent.objects.filter(name="kyc.client_verified").count() == 1
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 1


def test_the_fact_recomputes_to_what_it_is(cast):
    from clients.facts import FACTS, differences

    approved(cast, cast.kyc_officer)
    assert list(differences(FACTS["kyc_level"])) == []
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    assert list(differences(FACTS["kyc_level"])) == [(cast.client.pk, 2, 1)]


@pytest.mark.parametrize("before", DocumentState.values)
@pytest.mark.parametrize("after", DocumentState.values)
def test_only_the_tables_transitions_happen(before, after):
    document = Document(state=before)
    if after in DOCUMENT_TRANSITIONS[before]:
        document.move_to(DocumentState(after))
        assert document.state == after
    else:
        with pytest.raises(WrongState):
            document.move_to(DocumentState(after))
        assert document.state == before


def test_notice_of_an_expiry_is_published_as_far_ahead_as_the_brand_says(cast):
    set_policies(cast.brand, kyc_expiry_notice_days=[30])
    document = approved(cast, cast.kyc_officer)
    with time_machine.travel(dt.datetime(2033, 3, 15, 23, 59, tzinfo=dt.UTC), tick=False):
        assert due.sweep(kinds=[validity.EXPIRING]) == 0
    with time_machine.travel(dt.datetime(2033, 3, 16, tzinfo=dt.UTC), tick=False):
        assert due.sweep(kinds=[validity.EXPIRING]) == 1
    (event,) = published("kyc.document_expiring")
    assert event.data == {"document_id": document.pk, "kind": "passport", "expires_on": "2033-04-15", "days": 30}
    assert (event.client, event.brand) == (cast.client.pk, cast.brand.pk)


def test_a_replaced_document_gives_no_notice(cast):
    older = approved(cast, cast.kyc_officer)
    approved(cast, cast.kyc_officer, content=passport_jpeg(number="C77X00T47"))
    with time_machine.travel(dt.datetime(2033, 3, 16, tzinfo=dt.UTC), tick=False):
        due.sweep(kinds=[validity.EXPIRING])
    assert older.pk not in [event.data["document_id"] for event in published("kyc.document_expiring")]
