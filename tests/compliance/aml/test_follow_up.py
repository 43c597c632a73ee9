"""What follows from a case: questionnaires and documents that the client is asked for, tasks, reminders, and the history."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from clients.models import Message, TimelineEntry
from compliance.aml import follow_up, queries
from compliance.aml.models import AmlCase
from compliance.aml.running import run_pending
from crm import events
from crm.due import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification
from crm.security import audit
from tests.compliance.aml.factories import at, live, moved
from tests.kyc.factories import passport_jpeg, waiting
from tests.kyc.questionnaires.factories import BEST, PLAIN_FUNDS, answer, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast):
    live(cast, "velocity_count", 1, repeat=1)
    moved(cast.client, "deposit", 30000, at())
    run_pending()
    return AmlCase.objects.get()


def test_an_answer_comes_back_to_its_case(cast, case, browse):
    made, other = published(cast, "source_of_funds"), published(cast)
    browser, due_on = browse(cast.kyc_officer), timezone.localdate() + dt.timedelta(days=7)
    page = f"/aml/cases/{case.pk}/"
    given = {"questionnaire_id": str(made.pk), "due_on": due_on.isoformat()}
    assert browser.post(f"{page}request/", {**given, "due_on": "2020-01-01"}).status_code == 422
    assert browser.post(f"{page}request/", given).status_code == 302
    reason = audit.body_of(AuditEvent.objects.filter(action="kyc.answers_requested").get())["reason"]
    assert reason and "AML" not in reason and "suspic" not in reason.lower()
    assert "Requested" in browser.get(page).text
    with pytest.raises(NotAllowed):
        follow_up.request_answers(case_id=case.pk, questionnaire_id=made.pk, due_on=due_on, actor=cast.agent)
    answer(cast.client, other, BEST)
    events.drain()
    assert case.requests.get().answered_at is None
    submission = answer(cast.client, made, PLAIN_FUNDS)
    events.drain()
    follow_up.note_answer(client_id=cast.client.pk, submission_id=submission.pk)  # told twice
    assert case.requests.get().submission_id == submission.pk
    assert "Answered by the client" in browser.get(page).text
    assert Notification.objects.filter(user=cast.kyc_officer, kind="compliance.case_follow_up").count() == 1
    assert "Answered for an AML case" not in browse(cast.agent).get(f"/clients/{cast.client.pk}/").text
    event = AuditEvent.objects.get(action="compliance.aml_answers_requested")
    assert audit.body_of(event)["after"]["questionnaire"] == made.name


def test_a_document_comes_back_to_its_case(cast, case, browse):
    browser, page = browse(cast.kyc_officer), f"/aml/cases/{case.pk}/"
    given = {"kind": "payslip", "due_on": (timezone.localdate() + dt.timedelta(days=7)).isoformat()}
    refused = browser.post(f"{page}documents/", {**given, "message": "Wegen Verdacht auf Geldwäsche (AML)"})
    assert refused.status_code == 422 and "AML, Geldwäsche, Verdacht" in refused.text
    assert browser.post(f"{page}documents/", {**given, "kind": "visa"}).status_code == 422
    assert browser.post(f"{page}documents/", {**given, "message": "Your last three, please."}).status_code == 302
    request = case.requests.get()
    assert "Requested" in browser.get(page).text and str(request) == "Payslip"
    portal = browse(cast.client_user)
    shown = portal.get("/portal/documents/").text
    assert (
        "Your last three, please." in shown
        and "Payslip" in shown
        and portal.get("/portal/documents/upload/payslip/").status_code == 200
    )
    told = [row.title + row.body for row in Notification.objects.filter(user=cast.client_user)]
    letter = Message.objects.get(client=cast.client, template="kyc.document_requested")
    said = " ".join(
        [
            shown,
            *told,
            letter.subject,
            *TimelineEntry.objects.filter(is_visible_to_client=True).values_list("title", flat=True),
        ]
    )
    assert not follow_up.TELLING.search(said)
    waiting(cast.client, kind="bank_statement")  # not what was asked for
    events.drain()
    assert case.requests.get().answered_at is None
    document = waiting(cast.client, kind="payslip", content=passport_jpeg(number="C01X00T48"))
    assert document.work.assigned_to == cast.kyc_officer
    events.drain()
    follow_up.note_document(client_id=cast.client.pk)  # told twice
    assert case.requests.get().document_id == document.pk
    text = browser.get(page).text
    assert "Received from the client" in text and document.get_absolute_url() in text
    assert Notification.objects.filter(user=cast.kyc_officer, kind="compliance.case_follow_up").count() == 1
    assert "AML" not in browse(cast.agent).get(f"/clients/{cast.client.pk}/").text
    assert browser.post(f"{page}documents/{request.pk}/withdraw/").status_code == 302
    assert case.requests.get().answered_at is not None


def test_a_withdrawn_or_lapsed_document_is_asked_for_no_longer(cast, case, browse):
    due_on = timezone.localdate() + dt.timedelta(days=7)
    given = {"case_id": case.pk, "due_on": due_on, "actor": cast.kyc_officer}
    with pytest.raises(NotAllowed):
        follow_up.ask_for_document(**{**given, "actor": cast.agent}, kind="contract")
    contract = follow_up.ask_for_document(**given, kind="contract")
    with pytest.raises(WrongState):
        follow_up.ask_for_document(**given, kind="contract")
    follow_up.withdraw_document(case_request_id=contract.pk, actor=cast.mlro)
    assert follow_up.standing_of(contract) == "withdrawn"
    again = follow_up.ask_for_document(**given, kind="contract")
    with time_machine.travel(dt.datetime.combine(due_on + dt.timedelta(days=1), dt.time(12), dt.UTC)):
        for _reminder_then_end in range(2):
            sweep()
        assert follow_up.standing_of(again) == "lapsed"
        assert "Not received" in browse(cast.kyc_officer).get(f"/aml/cases/{case.pk}/").text
    assert Notification.objects.filter(user=cast.kyc_officer, kind="kyc.request_lapsed").count() == 1


def test_a_task_reminds_and_is_done_once(cast, case, browse):
    browser, page = browse(cast.kyc_officer), f"/aml/cases/{case.pk}/"
    day = timezone.localdate() + dt.timedelta(days=3)
    assert browser.post(f"{page}tasks/", {"text": "Call the bank", "due_on": day.isoformat()}).status_code == 302
    task = case.tasks.get()
    with pytest.raises(DomainError, match="what has to be done"):
        follow_up.add_task(case_id=case.pk, text=" ", due_on=day, actor=cast.mlro)
    DueRow.objects.filter(kind="compliance.aml_follow_up").update(next_at=timezone.now(), at=timezone.now())
    sweep()
    assert Notification.objects.get(kind="compliance.case_follow_up").user == cast.kyc_officer
    assert browser.post(f"{page}tasks/{task.pk}/done/").status_code == 302
    with pytest.raises(WrongState):
        follow_up.finish_task(task_id=task.pk, actor=cast.mlro)
    steps = [step.title for step in follow_up.history_of(case, queries.alerts_of(case))]
    assert steps[:2] == ["Task done", "Task added"] and {"Alert", "Case opened"} < set(steps)
