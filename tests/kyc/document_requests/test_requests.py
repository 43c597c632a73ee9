"""Another document asked for: what the client sees, the reminder, the last day, and the way back to the officer."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from clients.models import Message
from crm import due, events, work
from crm.brand_policies.registry import today
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification
from kyc import reviews
from kyc.document_requests.requesting import REQUEST_DUE, request_document, withdraw_request
from kyc.models import DocumentRequest
from kyc.reviews import REVIEW
from tests.kyc.factories import let_settle, passport_jpeg, waiting
from tests.kyc.test_limits import a_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(cast):
    row = a_document(cast.client, kind="passport")
    work.claim(item_id=row.work_id, actor=cast.kyc_officer)
    return row


def ask(document, actor, **fields):
    values = {
        "kind": "proof_of_address",
        "reason_code": "no_address",
        "message": "Bitte mit aktueller Adresse.",
        **fields,
    }
    values.setdefault("due_on", today(document.client.brand) + dt.timedelta(days=7))
    return request_document(document_id=document.pk, actor=actor, **values)


def test_the_client_reads_what_why_and_until_when(cast, browse, document):
    request = ask(document, cast.kyc_officer)
    events.drain()
    letter = Message.objects.get(client=cast.client, template="kyc.document_requested")
    assert "aktueller Adresse" in letter.text if hasattr(letter, "text") else letter
    assert Notification.objects.filter(user=cast.client_user, kind="kyc.document_requested").count() == 1
    portal = browse(cast.client_user)
    page = portal.get(reverse("portal_documents")).content.decode()
    assert 'id="requested"' in page and "Bitte mit aktueller Adresse." in page
    assert "#requested" in portal.get(reverse("portal")).content.decode()
    record = browse(cast.kyc_officer).get(reverse("client_tab", args=[cast.client.pk, "kyc"])).content.decode()
    assert "Bitte mit aktueller Adresse." in record and "Requested" in record
    document.work.refresh_from_db()
    assert (document.work.assigned_to, document.work.claimed_by) == (cast.kyc_officer, None)
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) is None  # it waits for the client
    assert request.is_open


def test_the_answer_comes_back_to_the_same_officer_first(cast, document):
    request = ask(document, cast.kyc_officer)
    other = waiting(cast.client, kind="proof_of_address")
    request.refresh_from_db()
    assert (request.state, request.answer) == ("answered", other)
    assert other.work.assigned_to == cast.kyc_officer
    assert work.claim_next(REVIEW, actor=cast.mlro) is None
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) in (other.work, document.work)


def test_a_requested_card_is_answered_by_both_sides(cast, document):
    request = ask(document, cast.kyc_officer, kind="id_card")
    front = waiting(cast.client, kind="id_card")
    request.refresh_from_db()
    assert (request.state, front.work.assigned_to) == ("open", cast.kyc_officer)
    back = waiting(cast.client, kind="id_card", side="back", content=passport_jpeg(number="C01X00T48"))
    request.refresh_from_db()
    assert (request.state, request.answer, back.work.assigned_to) == ("answered", back, cast.kyc_officer)


def test_a_reminder_then_the_last_day(cast, document):
    request = ask(document, cast.kyc_officer)
    with time_machine.travel(dt.datetime.combine(request.due_on - dt.timedelta(days=2), dt.time(12), dt.UTC)):
        assert due.sweep(kinds=[REQUEST_DUE]) == 1
    request.refresh_from_db()
    assert request.is_open and request.reminded_at is not None
    assert Message.objects.filter(client=cast.client, template="kyc.document_requested").count() == 2
    with time_machine.travel(dt.datetime.combine(request.due_on + dt.timedelta(days=1), dt.time(12), dt.UTC)):
        assert due.sweep(kinds=[REQUEST_DUE]) == 1
    request.refresh_from_db()
    assert request.state == "lapsed"
    assert Notification.objects.filter(user=cast.kyc_officer, kind="kyc.request_lapsed").count() == 1
    assert work.claim_next(REVIEW, actor=cast.kyc_officer) == document.work


def test_withdrawn_or_decided_nothing_is_asked_any_more(cast, document):
    request = ask(document, cast.kyc_officer)
    with pytest.raises(NotAllowed):
        withdraw_request(request_id=request.pk, actor=cast.agent)
    assert withdraw_request(request_id=request.pk, actor=cast.mlro).state == "withdrawn"
    with pytest.raises(NotAllowed):
        withdraw_request(request_id=request.pk, actor=cast.mlro)
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    second = ask(document, cast.kyc_officer)
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note="Found it in the file")
    let_settle()
    second.refresh_from_db()
    assert second.state == "withdrawn"


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"due_on": dt.date(2020, 1, 1)}, DomainError), ({"reason_code": "other", "message": " "}, DomainError)],
)
def test_what_is_refused(cast, document, fields, error):
    with pytest.raises(error):
        ask(document, cast.kyc_officer, **fields)
    assert not DocumentRequest.objects.exists()


def test_one_open_request_and_only_by_the_holder(cast, browse, document):
    with pytest.raises(NotAllowed):
        ask(document, cast.mlro)
    day = (today(cast.brand) + dt.timedelta(days=5)).isoformat()
    answer = browse(cast.kyc_officer).post(
        reverse("kyc:request", args=[document.pk]), {"kind": "selfie", "reason_code": "unreadable", "due_on": day}
    )
    assert answer.status_code == 302 and DocumentRequest.objects.get().message
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    with pytest.raises(WrongState):
        ask(document, cast.kyc_officer, kind="selfie")
