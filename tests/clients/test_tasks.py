import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.followups import add_task, complete_task, reopen_task, snooze_task
from clients.models import Task, TimelineEntry
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def due():
    return timezone.now() + dt.timedelta(days=2)


@pytest.fixture
def task(cast, due):
    return add_task(client_id=cast.client.pk, actor=cast.agent, title="Call back", due_at=due)


def test_a_follow_up_is_set_for_oneself_and_told(cast, task):
    assert (task.assignee, task.created_by) == (cast.agent, cast.agent)
    assert TimelineEntry.objects.get().kind == "task"
    assert not Notification.objects.exists()


def test_a_follow_up_for_a_colleague_is_on_their_bell(cast, due):
    add_task(
        client_id=cast.client.pk, actor=cast.desk_head, title="Ask for documents", due_at=due, assignee_id=cast.agent.pk
    )
    assert Notification.objects.get().user == cast.agent


def test_a_follow_up_for_someone_who_cannot_see_the_client_is_refused(cast, due):
    with pytest.raises(DomainError, match="doesn't have access"):
        add_task(client_id=cast.client.pk, actor=cast.agent, title="x", due_at=due, assignee_id=cast.other_agent.pk)


@pytest.mark.parametrize(("title", "days"), [("", 1), ("x", -3), ("x", 2000)])
def test_a_follow_up_without_a_title_or_at_an_odd_time_is_refused(cast, title, days):
    with pytest.raises(DomainError):
        add_task(
            client_id=cast.client.pk, actor=cast.agent, title=title, due_at=timezone.now() + dt.timedelta(days=days)
        )
    assert not Task.objects.exists()


def test_done_undone_and_done_again(cast, task):
    complete_task(task_id=task.pk, actor=cast.agent)
    with pytest.raises(WrongState):
        complete_task(task_id=task.pk, actor=cast.agent)
    reopen_task(task_id=task.pk, actor=cast.agent)
    with pytest.raises(WrongState):
        reopen_task(task_id=task.pk, actor=cast.agent)
    assert complete_task(task_id=task.pk, actor=cast.desk_head).done_by == cast.desk_head


def test_snoozing_moves_the_time_and_counts(cast, task, due):
    later = due + dt.timedelta(hours=3)
    snoozed = snooze_task(task_id=task.pk, actor=cast.agent, until=later)
    assert (snoozed.due_at, snoozed.times_snoozed) == (later, 1)
    with pytest.raises(DomainError):
        snooze_task(task_id=task.pk, actor=cast.agent, until=timezone.now() - dt.timedelta(minutes=1))
    complete_task(task_id=task.pk, actor=cast.agent)
    with pytest.raises(WrongState):
        snooze_task(task_id=task.pk, actor=cast.agent, until=later)


@pytest.mark.parametrize("who", ["other_agent", "kyc_officer", "auditor"])
@pytest.mark.parametrize("verb", [complete_task, reopen_task])
def test_nobody_else_touches_a_task(cast, task, who, verb):
    with pytest.raises(NotAllowed):
        verb(task_id=task.pk, actor=getattr(cast, who))
    task.refresh_from_db()
    assert task.done_at is None


def test_the_database_refuses_a_done_task_without_a_doer(cast, task):
    with pytest.raises(IntegrityError, match="done_task_says_who_and_when"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(done_at=timezone.now())
