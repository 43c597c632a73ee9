"""The calendar of follow-ups: week and day, a drag or a form moves one, and the move can be undone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.followups import default_reminder, move_task, set_default_reminder, undo_task_move
from clients.forms import REMINDERS
from clients.models import Task
from clients.queries import clients_visible_to
from clients.views import dialogs
from crm.errors import DomainError
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.agenda.calendar import AGENTS_MAX, WEEK_DAYS, agents_to_show, calendar_of
from leads.agenda.forms import DropForm, MoveForm
from leads.distribution.agents import zone_named

YEARS = (2000, 2100)


@staff_page("clients.log_call")
def follow_up_calendar(request: UserRequest) -> HttpResponse:
    """Show a week, or with `?view=day` a day, of one's own follow-ups; a desk head's `?agent=` shows an agent's."""
    agents = agents_to_show(request.user)
    asked = request.GET.get("agent", "")
    agent = get_object_or_404(agents.select_related("brand"), pk=int(asked)) if is_whole(asked) else request.user
    zone = zone_named(agent.time_zone)
    today = timezone.now().astimezone(zone).date()
    day = _day(request.GET.get("date", ""), today)
    is_day = request.GET.get("view") == "day"
    first = day if is_day else day - dt.timedelta(days=day.weekday())
    days = 1 if is_day else WEEK_DAYS
    with timezone.override(zone):
        context: dict[str, Any] = {
            "calendar": calendar_of(request.user, agent, first, days),
            "agents": list(agents.order_by("first_name", "last_name", "pk")[:AGENTS_MAX]),
            "is_day": is_day,
            "is_own": agent.pk == request.user.pk,
            "zone": agent.time_zone or "UTC",
            "day": day,
            "first": first,
            "last": first + dt.timedelta(days=days - 1),
            "previous": _url(agent, first - dt.timedelta(days=days), is_day, request.user),
            "next": _url(agent, first + dt.timedelta(days=days), is_day, request.user),
            "this": _url(agent, today, is_day, request.user),
            "as_week": _url(agent, day, False, request.user),
            "as_day": _url(
                agent, today if first <= today < first + dt.timedelta(days=days) else day, True, request.user
            ),
            "here": request.get_full_path(),
            "moved": _moved(request),
            "reminders": REMINDERS,
            "reminder": default_reminder(request.user),
        }
        return render(request, "leads/agenda/calendar.html", context)


def _url(agent: User, day: dt.date, is_day: bool, user: User) -> str:
    asked = {"date": day.isoformat(), **({"view": "day"} if is_day else {})}
    if agent.pk != user.pk:
        asked["agent"] = str(agent.pk)
    return f"{reverse('follow_up_calendar')}?{urlencode(asked)}"


def _day(text: str, today: dt.date) -> dt.date:
    """Read the asked day; today for none, and for one that no calendar needs."""
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError:
        return today
    return day if YEARS[0] <= day.year < YEARS[1] else today


def _tasks(request: UserRequest) -> Any:
    return Task.objects.filter(client__in=clients_visible_to(request.user)).select_related("client", "assignee")


def _moved(request: UserRequest) -> Task | None:
    """Find the follow-up that was just moved, while that can be undone."""
    asked = request.GET.get("moved", "")
    found = _tasks(request).filter(pk=int(asked), done_at=None, moved_from__isnull=False) if is_whole(asked) else []
    return next(iter(found), None)


def _back(request: UserRequest, task: Task, *, is_moved: bool) -> str:
    """Return the calendar at the follow-up's day, as it was looked at."""
    day = task.due_at.astimezone(zone_named(task.assignee.time_zone)).date()
    url = _url(task.assignee, day, request.POST.get("view") == "day", request.user)
    return f"{url}&moved={task.pk}" if is_moved else url


@staff_page("clients.log_call")
@require_POST
def follow_up_drop(request: UserRequest) -> HttpResponseBase:
    """Move a follow-up to the slot on which it was dropped; the page says where it is now and offers to undo."""
    form = DropForm(request.POST)
    pk = form.cleaned_data["task"] if form.is_valid() else 0
    task = get_object_or_404(_tasks(request), pk=pk)
    done = run_action(
        request,
        lambda: move_task(
            task_id=task.pk, actor=request.user, to=form.cleaned_data["to"], seen_at=form.cleaned_data["seen"]
        ),
    )
    task.refresh_from_db(fields=["due_at"])
    return redirect(_back(request, task, is_moved=bool(done)))


@staff_page("clients.log_call")
def follow_up_move(request: UserRequest, task_id: int) -> HttpResponseBase:
    """Change a follow-up's time and reminder in a form, in the zone of the person who does it."""
    task = get_object_or_404(_tasks(request), pk=task_id)
    with timezone.override(zone_named(task.assignee.time_zone)):
        form = MoveForm(request.POST or None, task=task)

        def move() -> None:
            data = form.cleaned_data
            move_task(
                task_id=task.pk,
                actor=request.user,
                to=data["due_at"],
                seen_at=task.due_at,
                remind_before_minutes=data["remind_before"],
            )

        return dialogs.run(
            request,
            form,
            move,
            url=_back(request, task, is_moved=False),
            success_message=_("Follow-up changed."),
            submit=_("Change follow-up"),
            title=_("%(task)s: %(client)s (%(zone)s)")
            % {"task": task.title, "client": task.client, "zone": task.assignee.time_zone or "UTC"},
        )


@staff_page("clients.log_call")
@require_POST
def follow_up_undo(request: UserRequest, task_id: int) -> HttpResponseBase:
    """Put a follow-up back to the time that it had before its last move."""
    task = get_object_or_404(_tasks(request), pk=task_id)
    run_action(request, lambda: undo_task_move(task_id=task.pk, actor=request.user), _("Move undone."))
    task.refresh_from_db(fields=["due_at"])
    return redirect(_back(request, task, is_moved=False))


@staff_page("clients.log_call")
@require_POST
def follow_up_reminder(request: UserRequest) -> HttpResponseBase:
    """Keep how long before a follow-up its reminder comes, where the follow-up doesn't say otherwise."""
    asked = request.POST.get("minutes", "")

    def keep() -> None:
        if not is_whole(asked):
            raise DomainError(_("Choose a reminder."))
        set_default_reminder(actor=request.user, minutes=int(asked))

    run_action(request, keep, _("Reminder saved."))
    return redirect("follow_up_calendar")
