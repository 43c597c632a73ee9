"""Tasks about partners: set for one or several, reminded on the day, moved, completed with a result."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from crm.due import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from ib.manager_tasks.partner_tasks import add_tasks, change_task, complete_task, tasks_visible_to
from ib.models import PartnerTask
from tests.ib.factories import NOON
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def task(cast, partner, *, days=1, assignee=None, actor=None):
    manager = actor or cast.ib_manager
    who = assignee or manager
    due_on = TODAY + dt.timedelta(days=days)
    return add_tasks(
        partner_ids=[partner.pk], title="Renew contract", due_on=due_on, assignee_id=who.pk, actor=manager
    )[0]


@time_machine.travel(NOON, tick=False)
def test_a_task_is_reminded_moved_and_completed_once(network, cast):
    made = task(cast, network.sub, assignee=cast.finance)
    assert Notification.objects.get(kind="ib.partner_task").user == cast.finance
    change_task(
        task_id=made.pk, due_on=TODAY + dt.timedelta(days=2), assignee_id=cast.ib_manager.pk, actor=cast.finance
    )
    Notification.objects.all().delete()
    with time_machine.travel(NOON + dt.timedelta(days=1)):
        sweep()
        assert not Notification.objects.filter(kind="ib.partner_task").exists()
    with time_machine.travel(NOON + dt.timedelta(days=2)):
        sweep()
        notice = Notification.objects.get(kind="ib.partner_task")
        assert notice.user == cast.ib_manager and notice.title == f"Due today: task for {network.sub.name}"
        complete_task(task_id=made.pk, result="Signed", actor=cast.ib_manager)
        with pytest.raises(WrongState):
            complete_task(task_id=made.pk, actor=cast.ib_manager)
        with pytest.raises(WrongState):
            change_task(task_id=made.pk, due_on=NOON.date(), assignee_id=cast.finance.pk, actor=cast.ib_manager)
    made.refresh_from_db()
    assert (made.done_by, made.result) == (cast.ib_manager, "Signed")
    assert list(
        AuditEvent.objects.filter(action__startswith="ib.task_").order_by("pk").values_list("action", flat=True)
    ) == ["ib.task_added", "ib.task_changed", "ib.task_completed"]


@time_machine.travel(NOON, tick=False)
def test_who_may_set_and_complete_tasks(network, cast):
    for actor in (cast.agent, cast.finance, network.top.user):
        with pytest.raises(NotAllowed):
            task(cast, network.sub, actor=actor, assignee=cast.ib_manager)
    for wrong in ({"assignee": cast.agent}, {"days": -1}, {"days": 2000}):
        with pytest.raises(DomainError):
            task(cast, network.sub, **wrong)
    made = task(cast, network.sub)
    with pytest.raises(NotAllowed):
        complete_task(task_id=made.pk, actor=cast.finance)
    assert not tasks_visible_to(network.top.user).exists() and not tasks_visible_to(cast.client.user).exists()
    assert PartnerTask.objects.get(pk=made.pk).done_at is None


@time_machine.travel(NOON, tick=False)
def test_partners_chosen_in_the_list_get_a_task_each(network, cast, browse, django_assert_max_num_queries):
    manager, page = browse(cast.ib_manager), reverse("ib_task_new")
    chosen = [network.sub, network.top]
    assert "each of 2 partners" in text_of(manager.post(page, {"ids": [partner.pk for partner in chosen]}))
    numbers = ",".join(str(partner.pk) for partner in chosen)
    sent = {"partners": numbers, "title": "Call", "due_on": "2026-09-11", "assignee": cast.ib_manager.pk}
    assert "from today on" in text_of(manager.post(page, {**sent, "due_on": "2026-09-09"}))
    assert manager.post(page, sent).status_code == 302
    assert set(PartnerTask.objects.values_list("partner", flat=True)) == {partner.pk for partner in chosen}
    assert not Notification.objects.filter(kind="ib.partner_task").exists()
    with django_assert_max_num_queries(25):
        assert network.top.name in text_of(manager.get(reverse("ib_tasks"), {"of": "mine", "state": "open"}))
    assert network.top.name not in text_of(manager.get(reverse("ib_tasks"), {"state": "overdue"}))
    assert "Call" in text_of(manager.get(reverse("home")))
    first = PartnerTask.objects.get(partner=network.sub)
    assert "Call" in text_of(manager.get(network.sub.get_absolute_url()))
    assert "Complete task" in text_of(manager.get(first.get_absolute_url()))
    manager.post(first.get_absolute_url(), {"due_on": "2026-09-12", "assignee": cast.finance.pk})
    answer = manager.post(reverse("ib_task_complete", args=[first.pk]), {"from": "partner"})
    assert answer["location"] == network.sub.get_absolute_url()
    first.refresh_from_db()
    assert (first.due_on, first.assignee, first.done_by) == (dt.date(2026, 9, 12), cast.finance, cast.ib_manager)
    assert browse(cast.finance).get(page).status_code == 403
