import datetime as dt

import pytest
from django.utils import timezone

from clients.calls import CallDetails, FollowUp, log_call
from clients.choices import CallOutcome
from clients.models import Call, Client, Task, TimelineEntry
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent, OutboxEvent

pytestmark = pytest.mark.django_db


def test_a_call_is_on_the_timeline_in_the_access_log_and_on_the_record(cast):
    call = log_call(
        client_id=cast.client.pk,
        actor=cast.agent,
        details=CallDetails(CallOutcome.REACHED, duration_seconds=245, notes=" Wants MT5 "),
    )
    assert call.notes == "Wants MT5"
    entry = TimelineEntry.objects.get(client=cast.client)
    assert (entry.kind, entry.body, entry.data["duration_seconds"]) == ("call", "Wants MT5", 245)
    seen = AccessEvent.objects.get(kind="call")
    assert (seen.client_id, seen.user, seen.in_book) == (cast.client.pk, cast.agent, True)
    assert Client.objects.get(pk=cast.client.pk).last_contact_at == call.started_at
    assert AuditEvent.objects.filter(action="clients.call_logged").count() == 1
    assert OutboxEvent.objects.get(name="client.contacted").payload["outcome"] == "reached"


def test_a_call_of_someone_elses_client_is_marked_as_out_of_book(cast):
    log_call(client_id=cast.client.pk, actor=cast.desk_head, details=CallDetails(CallOutcome.NO_ANSWER))
    assert AccessEvent.objects.get(kind="call").in_book is False


def test_a_follow_up_is_set_with_the_call(cast):
    due = timezone.now() + dt.timedelta(days=2)
    log_call(
        client_id=cast.client.pk,
        actor=cast.agent,
        details=CallDetails(CallOutcome.CALL_BACK),
        follow_up=FollowUp(due, "Send the platform guide"),
    )
    task = Task.objects.get()
    assert (task.title, task.due_at, task.assignee) == ("Send the platform guide", due, cast.agent)


def test_an_older_call_logged_late_does_not_turn_last_contact_back(cast):
    newer = log_call(client_id=cast.client.pk, actor=cast.agent, details=CallDetails(CallOutcome.REACHED))
    log_call(
        client_id=cast.client.pk,
        actor=cast.agent,
        details=CallDetails(CallOutcome.BUSY, started_at=timezone.now() - dt.timedelta(days=1)),
    )
    assert Client.objects.get(pk=cast.client.pk).last_contact_at == newer.started_at


@pytest.mark.parametrize(
    "fields",
    [{"started_at": timezone.now() + dt.timedelta(days=1)}, {"duration_seconds": -1}, {"duration_seconds": 90_000}],
)
def test_impossible_calls_are_refused(cast, fields):
    with pytest.raises(DomainError):
        log_call(client_id=cast.client.pk, actor=cast.agent, details=CallDetails(CallOutcome.REACHED, **fields))
    assert not Call.objects.exists()


@pytest.mark.parametrize("who", ["other_agent", "auditor", "marketing", "administrator"])
def test_the_wrong_role_logs_nothing(cast, who):
    with pytest.raises(NotAllowed):
        log_call(client_id=cast.client.pk, actor=getattr(cast, who), details=CallDetails(CallOutcome.REACHED))
    assert not Call.objects.exists() and not AccessEvent.objects.exists() and not OutboxEvent.objects.exists()
