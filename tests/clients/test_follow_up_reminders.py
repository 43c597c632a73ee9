"""A follow-up that comes due reminds its assignee once; done, it reminds nobody, and postponed, later."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from clients.followups import FOLLOW_UP, add_task, complete_task, reopen_task, snooze_task
from clients.models import Task
from crm import due
from crm.models import DueRow, Notification

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def task(cast):
    return add_task(client_id=cast.client.pk, actor=cast.agent, title="Call back", due_at=timezone.now() + HOUR)


def reminders():
    return list(Notification.objects.filter(kind="clients.task_due").values_list("user_id", "title"))


def sweep_in(time):
    with time_machine.travel(timezone.now() + time, tick=False):
        due.sweep(kinds=[FOLLOW_UP])


def test_the_assignee_is_reminded_once(cast, task):
    due.sweep(kinds=[FOLLOW_UP])
    assert reminders() == []
    sweep_in(HOUR)
    sweep_in(2 * HOUR)
    assert reminders() == [(cast.agent.pk, "Call back")]
    assert DueRow.objects.get(kind="clients.follow_up").client_id == cast.client.pk


def test_who_has_the_task_by_then_is_reminded(cast, task):
    Task.objects.update(assignee=cast.desk_head)
    sweep_in(HOUR)
    assert reminders() == [(cast.desk_head.pk, "Call back")]


def test_a_completed_task_reminds_nobody_and_a_reopened_one_does(cast, task):
    complete_task(task_id=task.pk, actor=cast.agent)
    sweep_in(HOUR)
    assert reminders() == []
    reopen_task(task_id=task.pk, actor=cast.agent)
    sweep_in(HOUR)
    assert reminders() == [(cast.agent.pk, "Call back")]


def test_a_postponed_task_reminds_later_and_again(cast, task):
    snooze_task(task_id=task.pk, actor=cast.agent, until=timezone.now() + 3 * HOUR)
    sweep_in(2 * HOUR)
    assert reminders() == []
    sweep_in(3 * HOUR)
    assert len(reminders()) == 1
    snooze_task(task_id=task.pk, actor=cast.agent, until=timezone.now() + 5 * HOUR)
    sweep_in(5 * HOUR)
    assert len(reminders()) == 2


def test_a_task_that_is_overdue_when_written_down_reminds_nobody(cast):
    add_task(client_id=cast.client.pk, actor=cast.agent, title="Late", due_at=timezone.now() - HOUR)
    sweep_in(HOUR)
    assert reminders() == []
