"""The calendar of follow-ups: the agent's own days, hours and absences; a move, its undo and its reminder."""

import datetime as dt
import zoneinfo

import pytest
import time_machine
from django.utils import timezone

from clients.followups import FOLLOW_UP, add_task, move_task, set_default_reminder, snooze_task, undo_task_move
from clients.models import Task
from crm import due
from crm.brand_policies.registry import today
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification, User
from crm.staff.policy_changes import change_policy
from leads.agenda.calendar import calendar_of
from leads.models import Absence, Shift

pytestmark = pytest.mark.django_db
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
HOUR = dt.timedelta(hours=1)
PAGE = "/my-day/calendar/"


@pytest.fixture(autouse=True)
def _in_berlin(cast):
    User.objects.filter(pk=cast.agent.pk).update(time_zone="Europe/Berlin")
    cast.agent.refresh_from_db()


@pytest.fixture
def at():
    return (timezone.now() + 2 * dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def task(cast, at):
    return add_task(client_id=cast.client.pk, actor=cast.agent, title="Call back", due_at=at)


def drop(browser, task, to):
    sent = {"task": task.pk, "to": to.isoformat(), "seen": task.due_at.isoformat()}
    return browser.post(f"{PAGE}drop/", sent, follow=True)


@pytest.mark.parametrize(("day", "slots"), [("2027-03-28", 46), ("2027-10-31", 50), ("2027-06-01", 48)])
def test_a_day_is_as_long_as_the_clocks_make_it(cast, day, slots):
    """In spring two o'clock is missing, in autumn it comes twice; each slot is an instant of its own."""
    [shown] = calendar_of(cast.agent, cast.agent, dt.date.fromisoformat(day), 1).days
    assert len(shown.slots) == slots == len({slot.at for slot in shown.slots})
    assert len(shown.hours.get(2, [])) == slots - 46
    assert shown.has_clock_change == (slots != 48)


def test_a_follow_up_is_in_the_slot_of_its_instant_also_in_a_repeated_hour(cast):
    with time_machine.travel(dt.datetime(2027, 10, 30, tzinfo=dt.UTC), tick=False):
        for hour in (0, 1):  # half past two, summer and winter time
            due_at = dt.datetime(2027, 10, 31, hour, 40, tzinfo=dt.UTC)
            add_task(client_id=cast.client.pk, actor=cast.agent, title=f"Call {hour}", due_at=due_at)
        [day] = calendar_of(cast.agent, cast.agent, dt.date(2027, 10, 31), 1).days
    shown = [[task.title for task in slot.tasks] for slot in day.hours[2]]
    assert shown == [[], ["Call 0"], [], ["Call 1"]]


def test_hours_absences_and_holidays_are_shown(cast):
    """2 to 8 August 2027: shifts on Monday, absent on Tuesday, a holiday on Wednesday."""
    for weekday in range(7):
        Shift.objects.create(agent=cast.agent, weekday=weekday, starts=dt.time(9), ends=dt.time(12, 30))
    Absence.objects.create(agent=cast.agent, starts_on=dt.date(2027, 8, 3), ends_on=dt.date(2027, 8, 3))
    change_policy(
        brand_id=cast.brand.pk,
        key="holidays",
        value=["2027-08-04"],
        effective_on=today(cast.brand),
        actor=None,
        reason="A holiday of the country",
    )
    User.objects.filter(pk=cast.agent.pk).update(brand=cast.brand)
    agent = User.objects.select_related("brand").get(pk=cast.agent.pk)
    week = calendar_of(agent, agent, dt.date(2027, 8, 2), 7)
    working = [slot.at.astimezone(BERLIN).time() for slot in week.days[0].slots if slot.is_open]
    assert (working[0], working[-1], len(working)) == (dt.time(9), dt.time(12), 7)
    assert [day.is_absent for day in week.days[:3]] == [False, True, False]
    assert [day.is_holiday for day in week.days[:3]] == [False, False, True]
    assert not any(slot.is_open for day in week.days[1:3] for slot in day.slots)
    assert (week.rows[0][0], week.rows[-1][0]) == (8, 18)


def test_a_drop_moves_it_and_is_undone(cast, task, at, browse):
    browser = browse(cast.agent)
    page = drop(browser, task, at + 3 * HOUR)
    assert "Undo move" in page.content.decode()
    moved = Task.objects.get()
    assert (moved.due_at, moved.moved_from) == (at + 3 * HOUR, at)
    assert DueRow.objects.get(kind=FOLLOW_UP.code).at == at + 3 * HOUR
    undone = browser.post(f"{PAGE}{task.pk}/undo/", follow=True).content.decode()
    assert "Move undone." in undone and "Undo move" not in undone
    assert Task.objects.get().due_at == at == DueRow.objects.get(kind=FOLLOW_UP.code).at
    assert "There is no move to undo." in browser.post(f"{PAGE}{task.pk}/undo/", follow=True).content.decode()
    actions = AuditEvent.objects.filter(action__startswith="clients.task_move").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["clients.task_moved", "clients.task_move_undone"]


def test_a_stale_page_and_a_past_time_move_nothing(cast, task, at, browse):
    browser = browse(cast.agent)
    move_task(task_id=task.pk, actor=cast.desk_head, to=at + HOUR, seen_at=at)
    assert "was moved meanwhile" in drop(browser, task, at + 2 * HOUR).content.decode()
    task.refresh_from_db()
    assert "Choose a time in the future." in drop(browser, task, at - dt.timedelta(days=9)).content.decode()
    assert Task.objects.get().due_at == at + HOUR
    assert browser.post(f"{PAGE}drop/", {"task": task.pk, "to": "soon", "seen": ""}).status_code == 404


def test_the_form_reads_the_agents_clock(cast, task, browse):
    """Also when a desk head of another zone moves it; an hour that doesn't exist is refused."""
    User.objects.filter(pk=cast.desk_head.pk).update(time_zone="Asia/Tokyo")
    head, url, year = browse(cast.desk_head), f"{PAGE}{task.pk}/", timezone.now().year + 1
    assert head.post(url, {"due_at": f"{year}-07-01T10:00", "remind_before": "30"}).status_code in (204, 302)
    assert Task.objects.get().due_at == dt.datetime(year, 7, 1, 10, tzinfo=BERLIN)
    assert DueRow.objects.get(kind=FOLLOW_UP.code).at == dt.datetime(year, 7, 1, 9, 30, tzinfo=BERLIN)
    march = dt.date(year, 3, 31)
    sunday = march - dt.timedelta(days=march.isoweekday() % 7)
    assert head.post(url, {"due_at": f"{sunday}T02:30", "remind_before": ""}).status_code == 422


def test_a_desk_head_sees_their_agents_and_an_agent_only_themselves(cast, task, browse, django_assert_max_num_queries):
    day = task.due_at.astimezone(BERLIN).date()
    asked = f"{PAGE}?agent={cast.agent.pk}&date={day}"
    head = browse(cast.desk_head)
    head.get(asked)
    with django_assert_max_num_queries(25):
        assert "Call back" in head.get(asked).content.decode()
    assert browse(cast.agent).get(f"{PAGE}?date={day}").content.decode().count('class="a-client"') == 1
    for other in (cast.agent, cast.other_agent):
        assert browse(other).get(f"{PAGE}?agent={cast.desk_head.pk}").status_code == 404
    assert browse(cast.other_agent).get(asked).status_code == 404
    with pytest.raises(NotAllowed):
        move_task(task_id=task.pk, actor=cast.other_agent, to=task.due_at + HOUR, seen_at=task.due_at)
    assert Task.objects.get().moved_from is None


def test_an_odd_date_shows_this_week(cast, browse):
    browser = browse(cast.agent)
    for odd in ("0001-01-01", "9999-12-31", "soon", "2027-02-30"):
        assert browser.get(PAGE, {"date": odd, "view": "day"}).status_code == 200


def test_the_reminder_comes_before_as_chosen(cast, task, at, browse):
    """The person's own choice moves what is scheduled; a follow-up's own stays, and each reminds once."""
    own = add_task(client_id=cast.client.pk, actor=cast.agent, title="Documents", due_at=at, remind_before_minutes=15)
    browse(cast.agent).post(f"{PAGE}reminder/", {"minutes": "60"})
    rows = DueRow.objects.filter(kind=FOLLOW_UP.code)
    assert {int(row.key): at - row.at for row in rows} == {task.pk: HOUR, own.pk: HOUR / 4}
    for minutes, titles in ((61, []), (60, ["Call back"]), (15, ["Call back", "Documents"]), (-60, None)):
        with time_machine.travel(at - dt.timedelta(minutes=minutes), tick=False):
            due.sweep(kinds=[FOLLOW_UP])
        reminded = Notification.objects.filter(kind="clients.task_due").order_by("pk")
        assert titles is None or [row.title for row in reminded] == titles
    assert len(reminded) == 2 and " · due " in reminded[0].body
    cast.agent.refresh_from_db()
    with pytest.raises(DomainError, match="a week before"):
        set_default_reminder(actor=cast.agent, minutes=10_081)


def test_a_postponed_follow_up_has_no_move_to_undo(cast, task, at):
    move_task(task_id=task.pk, actor=cast.agent, to=at + HOUR, seen_at=at)
    snooze_task(task_id=task.pk, actor=cast.agent, until=at + 2 * HOUR)
    with pytest.raises(WrongState):
        undo_task_move(task_id=task.pk, actor=cast.agent)
