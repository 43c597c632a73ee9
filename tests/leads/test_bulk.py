"""Bulk changes of leads: preview, who is left out, result, and undoing without touching what changed since."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.mail import deliver_due
from clients.messages.choices import SuppressionReason
from clients.messages.outgoing import is_marketing
from clients.messages.suppression import suppress
from clients.models import Client, Message, SegmentMember, Task, TimelineEntry
from clients.segments.verbs import add_members, create_segment
from crm.db.bulk import copy_models
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import run_job
from crm.models import AccessEvent, AuditEvent, Brand, DueRow, Job
from leads.automations import verbs
from leads.automations.definition import new_definition
from leads.automations.entering import STEP_DUE
from leads.bulk import in_parts
from leads.bulk.changing import change_many, undo_many
from leads.bulk.planning import plan
from leads.capture import Capture, capture_lead
from leads.choices import BulkKind, Channel
from leads.models import AutomationRun, BulkChange
from leads.pipeline import change_sales_status
from tests.brand_policies import set_policies
from tests.cast import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast):
    def lead(number: int):
        capture = Capture(channel=Channel.MANUAL, first_name=f"Ida{number}", email=f"ida{number}@x.example")
        return capture_lead(brand=cast.brand, capture=capture, actor=cast.agent, keep_with=cast.client.book).client

    return [lead(number) for number in range(3)]


def statuses(people) -> list[str]:
    for client in people:
        client.refresh_from_db()
    return [client.sales_status for client in people]


def test_statuses_change_and_go_back(cast, people):
    ids = [client.pk for client in people]
    change_sales_status(client_id=ids[0], to="interested", actor=cast.agent)
    change_sales_status(client_id=ids[1], to="contacted", actor=cast.agent)
    options = {"status": "interested"}
    lines = plan(kind=BulkKind.STATUS, options=options, client_ids=[*ids, cast.other_client.pk], user=cast.agent)
    assert [bool(line.problem) for line in lines] == [True, False, False]
    row = change_many(kind="status", options=options, client_ids=ids, actor=cast.agent)
    assert statuses(people) == ["interested"] * 3
    assert (row.changes, [pk for pk, _why in row.left_out]) == ([[ids[1], "contacted"], [ids[2], "new"]], [ids[0]])
    change_sales_status(client_id=ids[1], to="call_back", actor=cast.agent)
    assert undo_many(change_id=row.pk, actor=cast.agent).undone == 1
    assert statuses(people) == ["interested", "call_back", "new"]
    with pytest.raises(WrongState):
        undo_many(change_id=row.pk, actor=cast.agent)
    assert AuditEvent.objects.filter(action__in=["leads.bulk_changed", "leads.bulk_undone"]).count() == 2


def test_list_and_follow_ups_are_taken_back(cast, people):
    ids = [client.pk for client in people]
    fixed = create_segment(brand_id=cast.brand.pk, name="Webinar", actor=cast.desk_head)
    add_members(segment_id=fixed.pk, client_ids=ids[:1], actor=cast.desk_head)
    row = change_many(kind="list", options={"segment": fixed.pk}, client_ids=ids, actor=cast.desk_head)
    undo_many(change_id=row.pk, actor=cast.desk_head)
    assert list(SegmentMember.objects.filter(left_at=None).values_list("client_id", flat=True)) == ids[:1]
    row = change_many(kind="task", options={"title": "Call", "days": 2}, client_ids=ids, actor=cast.desk_head)
    assert Task.objects.filter(title="Call", assignee=cast.agent, done_at=None).count() == 3
    undo_many(change_id=row.pk, actor=cast.desk_head)
    assert not Task.objects.filter(title="Call", done_at=None).exists()


def test_bulk_changes_are_bounded_and_ones_own(cast, people):
    ids = [client.pk for client in people]
    with pytest.raises(DomainError):
        change_many(kind="status", options={"status": "converted"}, client_ids=ids, actor=cast.agent)
    with pytest.raises(DomainError):
        change_many(kind="task", options={"title": "Call", "days": 1}, client_ids=range(10_001), actor=cast.agent)
    with pytest.raises(DomainError):  # none of them is in reach
        change_many(kind="task", options={"title": "Call", "days": 1}, client_ids=ids, actor=cast.other_agent)
    with pytest.raises(NotAllowed):
        change_many(kind="list", options={"segment": 1}, client_ids=ids, actor=cast.agent)
    row = change_many(kind="status", options={"status": "contacted"}, client_ids=ids, actor=cast.agent)
    with pytest.raises(NotAllowed):
        undo_many(change_id=row.pk, actor=cast.desk_head)
    assert Brand.objects.filter(pk=cast.brand.pk).exists() and statuses(people) == ["contacted"] * 3


def test_pages_preview_change_and_undo(cast, people, django_assert_max_num_queries):
    page, ids = signed_in(cast.agent), [client.pk for client in people]
    url, given = reverse("leads_bulk_status"), {"ids": ids, "status": "contacted"}
    assert "3 leads selected" in page.post(url, {"ids": ids}).content.decode()
    shown = page.post(url, {**given, "step": "preview"}).content.decode()
    assert "Change 3 leads" in shown and not BulkChange.objects.exists()
    answer = page.post(url, {**given, "step": "confirm"})
    row = BulkChange.objects.get()
    assert answer["Location"] == row.get_absolute_url() and statuses(people) == ["contacted"] * 3
    with django_assert_max_num_queries(30):
        shown = page.get(row.get_absolute_url()).content.decode()
    assert "Ida1" in shown and "Undo bulk change" in shown
    page.post(reverse("leads_bulk_undo", args=[row.pk]))
    assert statuses(people) == ["new"] * 3
    assert "3 changes were undone" in page.get(row.get_absolute_url()).content.decode()
    assert signed_in(cast.desk_head).get(row.get_absolute_url()).status_code == 404
    assert page.post(reverse("leads_bulk_list"), {"ids": ids}).status_code == 403


def test_more_than_a_part_is_changed_and_undone_by_jobs(cast, people, monkeypatch):
    monkeypatch.setattr(in_parts, "PART", 2)
    page, ids = signed_in(cast.agent), [client.pk for client in people]
    change_sales_status(client_id=ids[0], to="contacted", actor=cast.agent)
    given = {"ids": ",".join(map(str, ids)), "status": "contacted", "step": "confirm"}
    answer = page.post(reverse("leads_bulk_status"), given)
    job, row = Job.objects.get(), BulkChange.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/" and row.changes == [] and statuses(people)[1:] == ["new"] * 2
    run_job(job.pk)
    job.refresh_from_db()
    row.refresh_from_db()
    assert (job.state, job.done, job.total, job.result_url) == ("done", 3, 3, row.get_absolute_url())
    assert row.changes == [[ids[1], "new"], [ids[2], "new"]] and [pk for pk, _why in row.left_out] == ids[:1]
    monkeypatch.setattr(in_parts, "PART", 1)
    page.post(reverse("leads_bulk_undo", args=[row.pk]))
    run_job(Job.objects.latest("pk").pk)
    row.refresh_from_db()
    assert row.undone == 2 and statuses(people) == ["contacted", "new", "new"]
    assert AuditEvent.objects.filter(action__in=["leads.bulk_changed", "leads.bulk_undone"]).count() == 2


def test_undoing_ends_a_change_that_is_being_made(cast, people, monkeypatch):
    monkeypatch.setattr(in_parts, "PART", 1)
    ids = [client.pk for client in people]
    in_parts.begin_change(kind="task", options={"title": "Call", "days": 1}, client_ids=ids, actor=cast.agent)
    row = BulkChange.objects.get()

    def undo_after_the_first(done: int, total: int) -> None:
        if done == 1:
            undo_many(change_id=row.pk, actor=cast.agent)

    in_parts.change_in_parts(change_id=row.pk, client_ids=ids, report=undo_after_the_first)
    row.refresh_from_db()
    assert len(row.changes) == 1 and not Task.objects.filter(title="Call", done_at=None).exists()
    with pytest.raises(DomainError):
        in_parts.begin_change(kind="status", options={"status": "new"}, client_ids=ids, actor=cast.agent)


def test_an_automation_starts_for_the_chosen_and_is_taken_back(cast, people, browse):
    draft = {**new_definition(), "steps": [{"action": "task", "options": {"text": "Call", "days": 2, "person": None}}]}
    draft["condition"] = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}
    row = verbs.create_automation(brand_id=cast.brand.pk, name="Webinar", actor=None, draft=draft)
    verbs.activate_automation(automation_id=row.pk, actor=None)
    Client.objects.filter(pk__in=[client.pk for client in people]).update(country="DE")
    Client.objects.filter(pk=people[2].pk).update(country="FR")
    change_sales_status(client_id=people[1].pk, to="do_not_call", actor=cast.agent)
    ids, options = [client.pk for client in people], {"automation": row.pk}
    browser, address = browse(cast.marketing), reverse("clients_bulk_start")
    page = browser.post(reverse("leads_bulk_start"), {"ids": ids, "automation": row.pk, "step": "preview"})
    text = page.content.decode()
    for shown in ("Start for 1 person", "The conditions aren&#x27;t met", "Marked as not to be contacted"):
        assert shown in text, shown
    assert browser.post(address, {"ids": [cast.client.pk]}).status_code == 200
    change = change_many(kind="start", options=options, client_ids=ids, actor=cast.marketing)
    run = AutomationRun.objects.get()
    assert (run.client_id, run.state, change.changes) == (ids[0], "active", [[ids[0], run.pk]])
    with pytest.raises(DomainError):
        change_many(kind="start", options=options, client_ids=ids, actor=cast.marketing)
    with pytest.raises(NotAllowed):
        change_many(kind="start", options=options, client_ids=ids, actor=cast.agent)
    assert undo_many(change_id=change.pk, actor=cast.marketing).undone == 1
    run.refresh_from_db()
    assert (run.state, run.reason, run.next_at) == ("left", "taken_back", None)
    assert not DueRow.objects.filter(kind=STEP_DUE, state="pending").exists()


def test_an_email_goes_to_the_willing_and_is_taken_back(cast, people, browse):
    ids = [client.pk for client in people]
    Client.objects.filter(pk__in=ids).update(marketing_consent=True)
    suppress(brand_id=cast.brand.pk, address=people[1].email, reason=SuppressionReason.UNSUBSCRIBED)
    change_sales_status(client_id=ids[2], to="do_not_call", actor=cast.agent)
    other = capture_lead(
        brand=cast.brand,
        capture=Capture(channel=Channel.MANUAL, first_name="Udo", email="udo@x.example"),
        actor=cast.agent,
        keep_with=cast.client.book,
    ).client
    given = {"ids": [*ids, other.pk], "subject": "News for {{ first_name }}", "message": "Hello {{ first_name }}"}
    browser, url = browse(cast.agent), reverse("leads_bulk_mail")
    shown = browser.post(url, {**given, "step": "preview"}).content.decode()
    for text in ("Send to 1 person", "News for Ida0", "suppression list", "not to be contacted", "agreed to news"):
        assert text in shown, text
    assert not Message.objects.exists()
    wrong = browser.post(url, {**given, "message": "Hi {{ iban }}", "step": "confirm"})
    assert wrong.status_code == 422 and "There is no variable" in wrong.content.decode()
    browser.post(url, {**given, "step": "confirm"})
    row, message = BulkChange.objects.get(), Message.objects.get()
    assert (row.changes, row.options, len(row.left_out)) == ([[ids[0], message.pk]], {"subject": given["subject"]}, 3)
    assert (message.subject, message.state, message.sender) == ("News for Ida0", "queued", cast.agent)
    assert message.body.startswith("Hello Ida0") and deliver_due() == 0, "it waits for being undone"
    assert undo_many(change_id=row.pk, actor=cast.agent).undone == 1
    message.refresh_from_db()
    assert message.state == "undone"
    # What is already sent stays sent, and nothing is sent at night.
    second = change_many(kind="mail", options=given, client_ids=ids[:1], actor=cast.agent)
    Message.objects.filter(pk=second.changes[0][1]).update(due_at=timezone.now())
    set_policies(cast.brand, marketing_hour_from=0, marketing_hour_until=24)
    assert deliver_due() == 1
    assert undo_many(change_id=second.pk, actor=cast.agent).undone == 0
    assert is_marketing(Message.objects.get(pk=second.changes[0][1]))


def test_one_email_to_thousands_in_one_step(cast, browse, django_assert_max_num_queries):
    """As many queries for many as for a few; who is left out is counted by reason; what waits is taken back whole."""
    clients = [
        Client(
            brand=cast.brand,
            book=cast.client.book,
            first_name=f"Ida{number}",
            email=f"many{number}@x.example",
            country="DE",
            language="de" if number % 2 else "en",
            marketing_consent=number % 10 != 0,
            created_at=timezone.now(),
        )
        for number in range(1_200)
    ]
    copy_models(clients)
    browser, url = browse(cast.agent), reverse("clients_bulk_mail")
    given = {
        "all": 1,
        "query": "q=&stage=lead",
        "subject": "News for {{ first_name }}",
        "message": "Hello {{ first_name }}",
    }
    shown = browser.post(url, {**given, "step": "preview"}).content.decode()
    assert "Send to 1080 people" in shown and "agreed to news and offers" in shown
    ids = ",".join(str(client.pk) for client in clients)
    with django_assert_max_num_queries(70):
        browser.post(url, {**given, "all": "", "ids": ids, "step": "confirm"})
    row = BulkChange.objects.get()
    assert (len(row.changes), len(row.left_out)) == (1_080, 120)
    assert TimelineEntry.objects.filter(actor=cast.agent, title="News for Ida1").count() == 1
    assert AccessEvent.objects.filter(kind="mail", user_id=cast.agent.pk).count() == 1_080
    assert AuditEvent.objects.filter(action="clients.mail_sent").count() == 1_080
    message = Message.objects.get(client=clients[1])
    assert (message.language, message.thread.subject) == ("de", message.subject)
    assert Client.objects.get(pk=clients[1].pk).last_contact_at is not None
    page = browser.get(row.get_absolute_url()).content.decode()
    assert "Nothing is sent before" in page and "and 880 more" in page
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=timezone.now())
    assert undo_many(change_id=row.pk, actor=cast.agent).undone == 1_079
    assert TimelineEntry.objects.filter(title="Not sent: News for Ida2").count() == 1
    assert Client.objects.get(pk=clients[2].pk).last_contact_at is None
