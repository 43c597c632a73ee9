"""An officer rejects what the machine approved, and judges a blind sample of it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.models import Client, Message
from crm import events, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification, OutboxEvent, WorkItem
from kyc.choices import DocumentState, SecondLookState
from kyc.models import MachineDecision, SecondLook
from kyc.verdicts.overturning import overturn
from kyc.verdicts.second_looks import SECOND_LOOK, decide_second_look
from tests.kyc.factories import claimed, let_settle, registered, waiting, with_policy
from tests.kyc.test_limits import decided

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(cast):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=0)
    return waiting(cast.client, is_automatic=True)


@pytest.fixture
def look(cast):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=100)
    return waiting(cast.client, is_automatic=True).second_look


def test_overturning_takes_the_level_back_and_asks_the_client(cast, approved):
    events.drain()
    overturn(document_id=approved.pk, actor=cast.kyc_officer, reason_code="not_a_photo", note="Photo of a screen")
    approved.refresh_from_db()
    assert (approved.state, approved.reviewed_by, approved.decided_by_policy) == (
        DocumentState.REJECTED,
        cast.kyc_officer,
        None,
    )
    assert approved.reason_code == "not_a_photo" and approved.reason and approved.review_note == "Photo of a screen"
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 0
    decision = MachineDecision.objects.get(document=approved)
    assert (decision.outcome, decision.overturned_by, decision.overturn_reason) == (
        "approve",
        cast.kyc_officer,
        "Photo of a screen",
    )
    assert AuditEvent.objects.get(action="kyc.approval_overturned").actor == cast.kyc_officer
    assert OutboxEvent.objects.filter(name="kyc.document_reviewed").count() == 2
    lost = OutboxEvent.objects.get(name="kyc.level_lost").payload
    assert (lost["level_before"], lost["reason"]) == (1, "overturned")
    events.drain()
    assert Message.objects.filter(client=cast.client, template="kyc.document_rejected").count() == 1
    assert Notification.objects.filter(user=cast.client_user, kind="portal.document").count() == 2
    assert not DueRow.objects.filter(kind="kyc.document_expiry", key=str(approved.pk), state="pending").exists()


@pytest.mark.parametrize(("days", "is_restored"), [(1, True), (None, True), (-1, False)])
def test_overturning_brings_the_replaced_document_back(cast, days, is_restored):
    registered(cast.client)
    with_policy(cast.brand, sample_percent=0)
    ends = None if days is None else timezone.now().date() + dt.timedelta(days=days)
    earlier = decided(cast, settled_at=timezone.now(), expires_on=ends)
    newer = waiting(cast.client, is_automatic=True)
    earlier.refresh_from_db()
    assert (earlier.state, newer.state) == ("replaced", "approved")
    overturn(document_id=newer.pk, actor=cast.kyc_officer, reason_code="not_a_photo", note="Photo of a screen")
    earlier.refresh_from_db()
    assert earlier.state == ("approved" if is_restored else "replaced")
    assert Client.objects.get(pk=cast.client.pk).kyc_level == int(is_restored)
    assert AuditEvent.objects.filter(action="kyc.document_restored").count() == int(is_restored)


@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "auditor", "support", "administrator"])
def test_other_roles_overturn_nothing(cast, approved, who):
    with pytest.raises(NotAllowed):
        overturn(document_id=approved.pk, actor=getattr(cast, who), reason_code="other", note="no", reason="no")
    approved.refresh_from_db()
    assert approved.state == DocumentState.APPROVED


def test_overturning_needs_a_note_and_an_automatic_approval(cast, approved):
    with pytest.raises(DomainError, match="why"):
        overturn(document_id=approved.pk, actor=cast.kyc_officer, reason_code="unreadable", note=" ")
    overturn(document_id=approved.pk, actor=cast.kyc_officer, reason_code="unreadable", note="Blurred")
    with pytest.raises(NotAllowed):
        overturn(document_id=approved.pk, actor=cast.mlro, reason_code="unreadable", note="Blurred")


def test_an_officers_approval_is_not_overturned_this_way(cast):
    from kyc import reviews

    registered(cast.client)
    document = claimed(cast.client, cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    let_settle()
    with pytest.raises(NotAllowed):
        overturn(document_id=document.pk, actor=cast.mlro, reason_code="unreadable", note="Blurred")


# ── the blind second look ──────────────────────────────────────────────────────────────────────────────────────────


def test_who_agrees_changes_nothing(cast, look):
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=True)
    look.refresh_from_db()
    assert (look.state, look.decided_by, look.work.state) == (SecondLookState.AGREED, cast.kyc_officer, "final")
    assert look.document.state == DocumentState.APPROVED
    assert AuditEvent.objects.filter(action="kyc.second_look_agreed").count() == 1


def test_who_disagrees_overturns(cast, look):
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    decide_second_look(
        look_id=look.pk, actor=cast.kyc_officer, is_approved=False, reason_code="name_differs", note="Another person"
    )
    look.refresh_from_db()
    document = look.document
    assert (look.state, look.reason_code) == (SecondLookState.DISAGREED, "name_differs")
    assert (document.state, document.reviewed_by) == (DocumentState.REJECTED, cast.kyc_officer)
    assert MachineDecision.objects.get(document=document).overturned_by == cast.kyc_officer
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 0


def test_a_disagreement_needs_a_reason_and_a_note(cast, look):
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    for fields in ({"reason_code": "other", "note": ""}, {"reason_code": "", "note": "Wrong"}):
        with pytest.raises(DomainError, match="Choose a reason"):
            decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=False, **fields)
    assert SecondLook.objects.get().state == SecondLookState.OPEN


def test_a_second_look_is_decided_once_by_who_holds_it(cast, look):
    with pytest.raises(NotAllowed, match="Claim"):
        decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=True)
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    with pytest.raises(NotAllowed, match="working on this"):
        decide_second_look(look_id=look.pk, actor=cast.mlro, is_approved=True)
    decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=True)
    with pytest.raises((NotAllowed, WrongState)):
        decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=False, reason_code="other", note="x")
    assert work.claim_next(SECOND_LOOK, actor=cast.mlro) is None


def test_what_expired_meanwhile_is_only_noted(cast, look):
    document = look.document
    document.state = DocumentState.EXPIRED
    document.save(update_fields=["state"])
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    decide_second_look(look_id=look.pk, actor=cast.kyc_officer, is_approved=False, reason_code="expired", note="Old")
    document.refresh_from_db()
    assert document.state == DocumentState.EXPIRED and SecondLook.objects.get().state == SecondLookState.DISAGREED


def test_the_database_wants_a_person_behind_a_second_look(look):
    with pytest.raises(IntegrityError), transaction.atomic():
        SecondLook.objects.filter(pk=look.pk).update(state="agreed")


# ── pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_the_look_shows_nothing_the_machine_found(cast, look, browse):
    visit = browse(cast.kyc_officer)
    shown = visit.get(look.get_absolute_url()).content.decode()
    assert "Judge the document by yourself" in shown
    for word in ("Automatic", "policy 1", "Check results", "MRZ", "C01X00T47"):
        assert word not in shown
    assert visit.get(look.document.get_absolute_url()).headers["Location"] == look.get_absolute_url()
    work.claim(item_id=look.work_id, actor=cast.kyc_officer)
    answer = visit.post(look.get_absolute_url(), {"verdict": "reject", "reason_code": "", "note": ""})
    assert answer.status_code == 422 and "Choose a reason" in answer.content.decode()
    assert visit.post(look.get_absolute_url(), {"verdict": "approve"}).status_code == 302
    after = visit.get(look.get_absolute_url()).content.decode()
    assert "Approved automatically · policy 1" in after and "Check results" in after
    assert visit.get(look.document.get_absolute_url()).status_code == 200


def test_the_list_of_second_looks_opens_and_hides_the_verdict(cast, look, browse):
    shown = browse(cast.kyc_officer).get("/kyc/second-looks/").content.decode()
    assert look.get_absolute_url() in shown and "policy 1" not in shown


def test_auditors_read_the_document_but_no_look(cast, look, browse):
    visit = browse(cast.auditor)
    assert visit.get(look.get_absolute_url()).status_code == 403
    assert visit.get(look.document.get_absolute_url()).status_code == 200


def test_the_documents_page_says_who_decided_and_overturns(cast, approved, browse):
    visit = browse(cast.kyc_officer)
    shown = visit.get(approved.get_absolute_url()).content.decode()
    assert "Automatic · policy 1" in shown and "Overturn approval" in shown
    listed = visit.get("/kyc/documents/?reviewer=policy").content.decode()
    assert "Automatic · policy 1" in listed
    answer = visit.post(f"/kyc/documents/{approved.pk}/overturn/", {"reason_code": "unreadable", "note": ""})
    assert answer.status_code == 422
    answer = visit.post(f"/kyc/documents/{approved.pk}/overturn/", {"reason_code": "unreadable", "note": "Blurred"})
    assert answer.status_code == 302
    assert "Overturned by" in visit.get(approved.get_absolute_url()).content.decode()


def test_no_officers_figures_count_the_machine(cast, approved):
    from kyc.views.officer_cards import decided_today

    card = decided_today(cast.kyc_officer)
    assert card.now == 0 and "0 " in str(card.hint)
    assert not WorkItem.objects.filter(decided_by__isnull=False).exists()
