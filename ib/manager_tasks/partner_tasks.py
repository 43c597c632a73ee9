"""Setting, changing and completing tasks about partners, and the reminder on the day that one is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.due.kinds import DueKind, declare
from crm.due.rows import DueItem, cancel, due_many
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, DueRow, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import YES, Decision
from ib.audit_codes import IbAction
from ib.choices import IbNotice
from ib.models import Partner, PartnerTask
from ib.policies import can_manage_partners
from ib.queries import partners_visible_to

TITLE_CHARS: Final = 160
RESULT_CHARS: Final = 300
AHEAD_DAYS_MAX: Final = 3 * 366
PARTNERS_MAX: Final = 200  # one task each
REMINDER_AT: Final = dt.time(8)


def tasks_visible_to(user: User) -> QuerySet[PartnerTask]:
    """Select the tasks about partners that a member of staff sees; partners see none."""
    if not user or not user.is_authenticated or not user.is_team:
        return PartnerTask.objects.none()
    return PartnerTask.objects.filter(partner__in=partners_visible_to(user))


def assignees_of(brand_id: int) -> QuerySet[User]:
    """Select the staff whom a task about a brand's partner may be assigned to: who sees its partners."""
    return User.objects.filter(pk__in=people_with("ib.view_partner", brand_id=brand_id)).order_by("first_name", "pk")


def can_work(user: Actor, task: PartnerTask) -> Decision:
    """Decide who may complete or change a task: its assignee, and `ib.manage_partners` at the brand."""
    if user is not None and user.pk == task.assignee_id and partners_visible_to(user).contains(task.partner):
        return YES
    return can_manage_partners(user, task.partner.brand_id)


@transaction.atomic
def add_tasks(
    *, partner_ids: Sequence[int], title: str, due_on: dt.date, assignee_id: int, actor: Actor
) -> list[PartnerTask]:
    """Set the same task for each of some partners; somebody else's is notified once, and reminded on the day.

    Who: `ib.manage_partners` at each partner's brand. Raises: NotAllowed, NotFound; DomainError without a title, for a day past
    or years away, for too many partners, or for somebody who doesn't see the partner.
    """
    partners = list(Partner.objects.select_related("brand").filter(pk__in=partner_ids).order_by("pk"))
    if not partners or len(partners) < len(set(partner_ids)):
        raise NotFound(_("This record no longer exists. Reload the page."))
    if len(partners) > PARTNERS_MAX:
        raise DomainError(_("Choose at most %(count)s partners.") % {"count": PARTNERS_MAX})
    for brand in {partner.brand for partner in partners}:
        policies.require(can_manage_partners(actor, brand.pk))
        _check_day(due_on, today(brand))
        _check_assignee(assignee_id, brand.pk)
    title = title.strip()[:TITLE_CHARS]
    if not title:
        raise DomainError(_("Enter a task."))
    tasks = PartnerTask.objects.bulk_create(
        PartnerTask(partner=partner, assignee_id=assignee_id, title=title, due_on=due_on, created_by=actor)
        for partner in partners
    )
    audit.record_many(
        {
            "actor": actor,
            "action": IbAction.TASK_ADDED,
            "target": task.partner,
            "brand_id": task.partner.brand_id,
            "after": {"task": task.pk, "due_on": due_on.isoformat(), "assignee": assignee_id},
            "reason": title,
        }
        for task in tasks
    )
    _schedule(tasks)
    _notify_assignee(tasks, actor)
    return tasks


@transaction.atomic
def change_task(*, task_id: int, due_on: dt.date, assignee_id: int, actor: Actor) -> PartnerTask:
    """Move an open task to another day or to a colleague.

    Who: its assignee, `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState when it is done, DomainError.
    """
    task = lock(PartnerTask, task_id, "partner__brand")
    policies.require(can_work(actor, task))
    _require_open(task)
    brand = task.partner.brand
    _check_day(due_on, today(brand))
    _check_assignee(assignee_id, brand.pk)
    before, is_other = (task.due_on, task.assignee_id), task.assignee_id != assignee_id
    task.due_on, task.assignee_id = due_on, assignee_id
    task.save(update_fields=["due_on", "assignee_id"])
    audit.record(
        actor=actor,
        action=IbAction.TASK_CHANGED,
        target=task.partner,
        brand_id=brand.pk,
        before={"due_on": before[0].isoformat(), "assignee": before[1]},
        after={"task": task.pk, "due_on": due_on.isoformat(), "assignee": assignee_id},
        reason=task.title,
    )
    cancel(REMINDER, task.pk)
    _schedule([task])
    if is_other:
        _notify_assignee([task], actor)
    return task


@transaction.atomic
def complete_task(*, task_id: int, result: str = "", actor: User) -> PartnerTask:
    """Complete a task, with its result where there is one to keep.

    Who: its assignee, `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState when it is done already.
    """
    task = lock(PartnerTask, task_id, "partner__brand")
    policies.require(can_work(actor, task))
    _require_open(task)
    task.done_at, task.done_by, task.result = timezone.now(), actor, result.strip()[:RESULT_CHARS]
    task.save(update_fields=["done_at", "done_by", "result"])
    cancel(REMINDER, task.pk)
    audit.record(
        actor=actor,
        action=IbAction.TASK_COMPLETED,
        target=task.partner,
        brand_id=task.partner.brand_id,
        after={"task": task.pk, "result": task.result},
        reason=task.title,
    )
    return task


def _require_open(task: PartnerTask) -> None:
    if task.done_at is not None:
        raise WrongState(_("This task is done already."))


def _check_day(day: dt.date, now: dt.date) -> None:
    if not now <= day <= now + dt.timedelta(days=AHEAD_DAYS_MAX):
        raise DomainError(_("Enter a day from today on, within three years."))


def _check_assignee(assignee_id: int, brand_id: int) -> None:
    if assignee_id not in people_with("ib.view_partner", brand_id=brand_id):
        raise DomainError(_("Choose somebody who sees this brand’s partners."))


def _notify_assignee(tasks: Sequence[PartnerTask], actor: Actor) -> None:
    """Notify the assignee of tasks that somebody else has set, once for all of them."""
    first = tasks[0]
    if actor is not None and actor.pk == first.assignee_id:
        return
    notify(
        [first.assignee_id],
        kind=IbNotice.PARTNER_TASK,
        title=phrase("Task for %(partner)s") % {"partner": first.partner.name}
        if len(tasks) == 1
        else phrase("Tasks for %(count)s partners") % {"count": len(tasks)},
        body=first.title,
        url=first.get_absolute_url() if len(tasks) == 1 else "/ib/tasks/?of=mine",
        dedupe_key=f"ib.partner_task:{first.pk}:{first.assignee_id}",
    )


def _schedule(tasks: Sequence[PartnerTask]) -> None:
    """Set the reminders in the morning of the brand's day; one that is over already isn't due any more."""
    now = timezone.now()
    items = []
    for task in tasks:
        brand = task.partner.brand
        at = dt.datetime.combine(task.due_on, REMINDER_AT, tzinfo=ZoneInfo(brand.time_zone))
        if at > now:
            items.append(DueItem(task.pk, at, brand_id=brand.pk))
    due_many(REMINDER, items)


def _remind(row: DueRow) -> None:
    task = PartnerTask.objects.select_related("partner").get(pk=int(row.key))
    if task.done_at is not None:
        return
    notify(
        [task.assignee_id],
        kind=IbNotice.PARTNER_TASK,
        title=phrase("Due today: task for %(partner)s") % {"partner": task.partner.name},
        body=task.title,
        url=task.get_absolute_url(),
        dedupe_key=f"ib.partner_task:{task.pk}:{task.due_on}",
    )


REMINDER: Final = declare(DueKind("ib.partner_task", gettext_lazy("Reminder of a partner task"), _remind))
