"""What the clients app itself adds to the top of a client's page: what to do next, and what can be created."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies
from clients.choices import Stage
from clients.models import Client, Task
from crm.db.prepared import ByKey
from crm.i18n import formats
from crm.models import User
from crm.ui.kpis import once_per_page
from crm.ui.records import Creation, NextStep
from crm.web.requests import UserRequest

SILENT_DAYS = 30
MOST_TASKS = 5
OVERDUE, NEVER_CALLED, SILENT, SCHEDULED = 10, 40, 70, 90


_OPEN_TASKS: Final = ByKey(
    lambda: Task.objects.filter(done_at=None).select_related("assignee").order_by("due_at", "id"),
    "client_id",
    most=MOST_TASKS,
)


def next_tasks(client: Client, user: User) -> list[Task]:
    """List the client's open follow-ups, the next one first; read once for all parts of the page."""
    tasks: list[Task] = once_per_page(user, f"clients.tasks:{client.pk}", lambda: _OPEN_TASKS.all(client_id=client.pk))
    return tasks


def next_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Suggest the due follow-up, the first call, or a call after a month of silence."""
    if client.stage == Stage.CLOSED or not policies.can_log(request.user, client):
        return []
    now, call_url = timezone.now(), reverse("client_call", args=[client.pk])
    steps = []
    task = next(iter(next_tasks(client, request.user)), None)
    if task is not None:
        is_due = task.due_at <= now + dt.timedelta(hours=1)
        note = _("Due %(ago)s") % {"ago": formats.ago(task.due_at, now)}
        steps.append(
            NextStep(
                OVERDUE if is_due else SCHEDULED,
                task.title,
                _("Log call"),
                call_url,
                note,
                "calendar-clock",
                "danger" if task.due_at < now else "info",
                is_dialog=True,
            )
        )
    if client.last_contact_at is None:
        title, note = _("Call for the first time"), _("No contact yet")
        steps.append(NextStep(NEVER_CALLED, title, _("Log call"), call_url, note, "phone-call", is_dialog=True))
    elif task is None and client.stage != Stage.LEAD and client.last_contact_at < now - dt.timedelta(days=SILENT_DAYS):
        note = _("Last contact %(ago)s") % {"ago": formats.ago(client.last_contact_at, now)}
        steps.append(
            NextStep(SILENT, _("Get back in touch"), _("Log call"), call_url, note, "phone-call", is_dialog=True)
        )
    return steps


def creations(request: UserRequest, client: Client) -> list[Creation]:
    """Offer a follow-up, an e-mail and a note to those who work with clients."""
    if not policies.can_log(request.user, client):
        return []
    return [
        Creation(_("Follow-up"), reverse("client_task", args=[client.pk]), "calendar-clock"),
        Creation(_("Note"), reverse("client_note", args=[client.pk]), "message-square"),
        Creation(_("E-mail"), reverse("client_mail", args=[client.pk]), "mail"),
    ]
