"""Follow-ups: what someone has to do for a client, and when."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice, TimelineKind
from clients.models import Client, Task, TimelineEntry
from clients.models.work import REMIND_BEFORE_MINUTES_MAX
from crm.audit_codes import AuditCode
from crm.db.bulk import copy_models
from crm.db.locking import lock, lock_all
from crm.due import DueItem, DueKind, cancel, declare, due_many
from crm.errors import DomainError, NotAllowed, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, DueRow, User
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from crm.ui.preferences import preference, set_preference

FURTHEST = dt.timedelta(days=3 * 366)
# Where a person's choice is kept, and how many of their coming reminders it moves.
REMINDER: Final = ("follow_ups", "remind_before_minutes")
RESCHEDULED_MAX: Final = 5_000


@transaction.atomic
def add_task(
    *,
    client_id: int,
    actor: Actor,
    title: str,
    due_at: dt.datetime,
    assignee_id: int | None = None,
    remind_before_minutes: int | None = None,
) -> Task:
    """Set a follow-up, for oneself or for a colleague who reaches the client.

    remind_before_minutes: when the reminder comes; None: as the assignee has chosen for all.
    Who: `clients.log_call` in reach; None for the system, which names the assignee.
    Raises: NotAllowed; DomainError without a title, for a time long past or years away, or for a colleague out of reach.
    """
    client = Client.objects.select_related("brand").get(pk=client_id)
    policies.require(policies.can_log(actor, client))
    title = title.strip()
    if not title:
        raise DomainError(_("Enter a task."))
    _check_time(due_at)
    _check_reminder(remind_before_minutes)
    assignee = actor if assignee_id in (None, getattr(actor, "pk", None)) else User.objects.get(pk=assignee_id)
    if assignee is None:
        raise DomainError(_("Choose who the task is assigned to."))
    if client.book_id not in reach_of(assignee).books:
        raise DomainError(_("%(person)s doesn't have access to this client.") % {"person": assignee})
    task = Task.objects.create(
        client=client,
        assignee=assignee,
        title=title[:160],
        due_at=due_at,
        created_by=actor,
        remind_before_minutes=remind_before_minutes,
    )
    _record(
        task, ClientsAction.TASK_ADDED, actor, after={"title": task.title, "due_at": due_at, "assignee": str(assignee)}
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TASK,
        actor=actor,
        title=task.title,
        dedupe_key=f"task:{task.pk}",
        data={"task_id": task.pk, "due_at": due_at.isoformat(), "assignee": str(assignee)},
    )
    if actor is None or assignee.pk != actor.pk:
        notify(
            [assignee.pk],
            kind=ClientsNotice.TASK,
            title=task.title,
            body=str(client),
            url=client.get_absolute_url(),
            dedupe_key=f"clients.task:{task.pk}",
        )
    _schedule(task)
    return task


@dataclass(frozen=True, slots=True)
class NewTask:
    """A follow-up that the system sets. `client` has its brand; `assignee` reaches them: the caller has checked."""

    client: Client
    assignee: User
    title: str
    due_at: dt.datetime


@transaction.atomic
def add_tasks(tasks: Sequence[NewTask]) -> None:
    """Set follow-ups for many clients in a few statements; each assignee gets one notification of theirs.

    Who: the system.
    """
    rows = [
        Task(client=new.client, assignee=new.assignee, title=new.title[:160], due_at=new.due_at, created_by=None)
        for new in tasks
    ]
    if not rows:
        return
    copy_models(rows)
    audit.record_many(
        {
            "actor": None,
            "action": ClientsAction.TASK_ADDED,
            "target": task,
            "client_id": task.client_id,
            "brand_id": task.client.brand_id,
            "after": {"title": task.title, "due_at": task.due_at, "assignee": str(task.assignee)},
        }
        for task in rows
    )
    copy_models(
        [
            TimelineEntry(
                client_id=task.client_id,
                kind=TimelineKind.TASK,
                at=task.created_at,
                dedupe_key=f"task:{task.pk}",
                **timeline.entry_texts(
                    title=task.title,
                    data={"task_id": task.pk, "due_at": task.due_at.isoformat(), "assignee": str(task.assignee)},
                ),
            )
            for task in rows
        ]
    )
    _notify_of(rows)
    later = [task for task in rows if task.due_at > timezone.now()]
    due_many(FOLLOW_UP, [_reminder(task) for task in later])


def _notify_of(tasks: Sequence[Task]) -> None:
    by_assignee: dict[int, list[Task]] = defaultdict(list)
    for task in tasks:
        by_assignee[task.assignee_id].append(task)
    for assignee_id, theirs in by_assignee.items():
        first, is_one = theirs[0], len(theirs) == 1
        notify(
            [assignee_id],
            kind=ClientsNotice.TASK,
            title=first.title if is_one else phrase("%(count)d new follow-ups") % {"count": len(theirs)},
            body=str(first.client) if is_one else first.title,
            url=first.client.get_absolute_url() if is_one else "",
            dedupe_key=f"clients.task:{first.pk}",
        )


@transaction.atomic
def complete_task(*, task_id: int, actor: User) -> Task:
    """Mark a follow-up as done.

    Who: its assignee, or whoever may move the client (a desk head). Raises: NotAllowed, WrongState.
    """
    task = _locked(task_id, actor)
    if task.done_at:
        raise WrongState(_("This task is already done."))
    task.done_at, task.done_by = timezone.now(), actor
    task.save(update_fields=["done_at", "done_by"])
    cancel(FOLLOW_UP, task.pk)
    _record(task, ClientsAction.TASK_COMPLETED, actor)
    return task


@transaction.atomic
def reopen_task(*, task_id: int, actor: User) -> Task:
    """Reopen a follow-up that wasn't done after all. Who: as for completing. Raises: NotAllowed, WrongState."""
    task = _locked(task_id, actor)
    if not task.done_at:
        raise WrongState(_("This task is already open."))
    task.done_at = task.done_by = None
    task.save(update_fields=["done_at", "done_by"])
    _schedule(task)
    _record(task, ClientsAction.TASK_REOPENED, actor)
    return task


@transaction.atomic
def snooze_task(*, task_id: int, actor: User, until: dt.datetime) -> Task:
    """Postpone a follow-up.

    Who: as for completing. Raises: NotAllowed; WrongState when done; DomainError for a past time.
    """
    task = _locked(task_id, actor)
    if task.done_at:
        raise WrongState(_("This task is already done."))
    if until <= timezone.now():
        raise DomainError(_("Choose a time in the future."))
    _check_time(until)
    before, task.due_at = task.due_at, until
    task.times_snoozed, task.moved_from = min(task.times_snoozed + 1, 32_767), None
    task.save(update_fields=["due_at", "times_snoozed", "moved_from"])
    _schedule(task)
    _record(task, ClientsAction.TASK_SNOOZED, actor, before={"due_at": before}, after={"due_at": until})
    return task


@transaction.atomic
def move_task(
    *,
    task_id: int,
    actor: User,
    to: dt.datetime,
    seen_at: dt.datetime,
    remind_before_minutes: int | EllipsisType | None = ...,
) -> Task:
    """Move a follow-up to another time, earlier or later, and change its reminder where one is given.

    seen_at: when it was due on the page from which it is moved. Who: as for completing.
    Raises: NotAllowed; WrongState when done, or moved by somebody else meanwhile; DomainError for a past time.
    """
    task = _locked(task_id, actor)
    if task.done_at:
        raise WrongState(_("This task is already done."))
    if task.due_at != seen_at:
        raise WrongState(_("This follow-up was moved meanwhile. Reload the page."))
    before = {"due_at": task.due_at, "remind_before_minutes": task.remind_before_minutes}
    if to != task.due_at:
        if to <= timezone.now():
            raise DomainError(_("Choose a time in the future."))
        _check_time(to)
        task.moved_from, task.due_at = task.due_at, to
    if not isinstance(remind_before_minutes, EllipsisType):
        _check_reminder(remind_before_minutes)
        task.remind_before_minutes = remind_before_minutes
    after = {"due_at": task.due_at, "remind_before_minutes": task.remind_before_minutes}
    if after == before:
        return task
    task.save(update_fields=["due_at", "moved_from", "remind_before_minutes"])
    _schedule(task)
    _record(task, ClientsAction.TASK_MOVED, actor, before=before, after=after)
    return task


@transaction.atomic
def undo_task_move(*, task_id: int, actor: User) -> Task:
    """Put a follow-up back to when it was due before its last move, which may be past.

    Who: as for completing. Raises: NotAllowed; WrongState when done, postponed since or undone already.
    """
    task = _locked(task_id, actor)
    if task.done_at:
        raise WrongState(_("This task is already done."))
    if task.moved_from is None:
        raise WrongState(_("There is no move to undo."))
    before, task.due_at, task.moved_from = task.due_at, task.moved_from, None
    task.save(update_fields=["due_at", "moved_from"])
    _schedule(task)
    _record(task, ClientsAction.TASK_MOVE_UNDONE, actor, before={"due_at": before}, after={"due_at": task.due_at})
    return task


def default_reminder(user: User) -> int:
    """Return how many minutes before a follow-up a person is reminded, where the follow-up doesn't say."""
    minutes = preference(user, *REMINDER)
    return minutes if isinstance(minutes, int) else 0


@transaction.atomic
def set_default_reminder(*, actor: User, minutes: int) -> int:
    """Choose when one's own follow-ups remind that don't say otherwise; returns how many reminders that moves.

    Who: `clients.log_call`, for themselves. Raises: NotAllowed; DomainError for more than a week.
    """
    require_permission(actor, "clients.log_call")
    _check_reminder(minutes)
    before = default_reminder(actor)
    set_preference(user=actor, section=REMINDER[0], key=REMINDER[1], value=minutes)
    audit.record(
        actor=actor,
        action=ClientsAction.REMINDER_CHANGED,
        target=actor,
        before={"remind_before_minutes": before},
        after={"remind_before_minutes": minutes},
    )
    coming = Task.objects.filter(assignee=actor, done_at=None, due_at__gt=timezone.now(), remind_before_minutes=None)
    tasks = list(coming.select_related("client", "assignee").order_by("due_at", "pk")[:RESCHEDULED_MAX])
    due_many(FOLLOW_UP, [_reminder(task) for task in tasks])
    return len(tasks)


@transaction.atomic
def hand_over_tasks(*, from_id: int, actor: User) -> int:
    """Hand a leaver's open follow-ups over to their clients' owners; returns how many.

    Those of clients without another, active owner stay until the clients are moved. The caller has decided that the actor may.
    """
    mine = Task.objects.filter(assignee_id=from_id, done_at__isnull=True)
    owned = mine.filter(client__owner__is_active=True).exclude(client__owner_id=from_id)
    tasks = list(lock_all(owned, "client__owner", "client__brand"))
    if not tasks:
        return 0
    audit.record_many(
        {
            "actor": actor,
            "action": ClientsAction.TASK_HANDED_OVER,
            "target": task,
            "client_id": task.client_id,
            "brand_id": task.client.brand_id,
            "before": {"assignee": from_id},
            "after": {"assignee": task.client.owner_id},
        }
        for task in tasks
    )
    for task in tasks:
        assert task.client.owner is not None
        task.assignee = task.client.owner
    Task.objects.bulk_update(tasks, ["assignee"], batch_size=1000)
    _notify_of(tasks)
    return len(tasks)


def _remind(row: DueRow) -> None:
    """Remind the assignee that a follow-up is due, or will be."""
    open_tasks = Task.objects.filter(done_at=None, assignee__is_active=True).select_related("client", "assignee")
    task = open_tasks.filter(pk=row.key).first()
    now = timezone.now()
    if task is None or _chosen_time(task) > now:
        return
    coming = phrase("%(client)s · due %(at)s") % {"client": task.client, "at": task.due_at}
    notify(
        [task.assignee_id],
        kind=ClientsNotice.TASK_DUE,
        title=task.title,
        body=coming if task.due_at > now else str(task.client),
        url=task.client.get_absolute_url(),
        dedupe_key=f"clients.task_due:{task.pk}:{task.times_snoozed}:{task.due_at.isoformat()}",
    )


FOLLOW_UP = declare(DueKind("clients.follow_up", gettext_lazy("Follow-up reminder"), _remind))


def _schedule(task: Task) -> None:
    """Set the reminder; one that is due already needs none: somebody is looking at it."""
    if task.due_at > timezone.now():
        due_many(FOLLOW_UP, [_reminder(task)])
    else:
        cancel(FOLLOW_UP, task.pk)


def _reminder(task: Task) -> DueItem:
    return DueItem(task.pk, _reminds_at(task), task.client_id, task.client.brand_id)


def _reminds_at(task: Task) -> dt.datetime:
    """Return when a follow-up's reminder comes: when it is due, where it is too late for one before."""
    chosen = _chosen_time(task)
    return chosen if chosen > timezone.now() else task.due_at


def _chosen_time(task: Task) -> dt.datetime:
    minutes = task.remind_before_minutes
    if minutes is None:
        minutes = default_reminder(task.assignee)
    return task.due_at - dt.timedelta(minutes=minutes)


def _locked(task_id: int, actor: User) -> Task:
    task = lock(Task, task_id, "client__brand")
    policies.require(policies.can_log(actor, task.client))
    if task.assignee_id != actor.pk and not policies.can_move(actor, task.client):
        raise NotAllowed(_("This task is assigned to %(person)s.") % {"person": task.assignee})
    return task


def _check_time(at: dt.datetime) -> None:
    now = timezone.now()
    if at < now - dt.timedelta(days=1):
        raise DomainError(_("Choose a time in the future."))
    if at > now + FURTHEST:
        raise DomainError(_("Choose a time within the next three years."))


def _check_reminder(minutes: int | None) -> None:
    if minutes is not None and not 0 <= minutes <= REMIND_BEFORE_MINUTES_MAX:
        raise DomainError(_("A reminder comes a week before at most."))


def _record(task: Task, action: AuditCode, actor: Actor, **details: Any) -> None:
    audit.record(
        actor=actor, action=action, target=task, client_id=task.client_id, brand_id=task.client.brand_id, **details
    )
