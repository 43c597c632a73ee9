"""Assigning items to a colleague and setting their priority, one or many, with a preview."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import WorkAct, WorkPriority, WorkState
from crm.db.locking import lock_all
from crm.errors import DomainError, NotFound
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User, WorkItem
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require_permission
from crm.work.claims import may_claim
from crm.work.entries import add_entry
from crm.work.items import among_visible_to
from crm.work.kinds import kind_of

AT_ONCE_MAX = 200
RIGHT = "crm.manage_work"


@dataclass(frozen=True)
class Line:
    """One item of a preview, or why it can't be assigned to this person."""

    item: WorkItem
    subject: Any
    problem: str = ""

    @property
    def title(self) -> LocalizedText:
        return kind_of(self.item).title(self.subject)


def assignees(items: Sequence[WorkItem]) -> QuerySet[User]:
    """Select who holds the right to do all of these items, in their brands."""
    users = User.objects.filter(kind="staff", is_active=True)
    for right, brand_id in {(kind_of(item).right, item.brand_id) for item in items}:
        users = users.filter(pk__in=people_with(right, brand_id=brand_id))
    return users.order_by("first_name", "last_name", "pk")


def plan(*, item_ids: Iterable[int], user: User, to: User | None = None) -> list[Line]:
    """Say for each open item that a person sees whether `to` could do it. Nothing is changed."""
    items = WorkItem.objects.filter(pk__in=among_visible_to(user, list(item_ids)[:AT_ONCE_MAX]))
    return _lines(list(items.select_related("assigned_to", "claimed_by")), to)


def _lines(items: list[WorkItem], to: User | None) -> list[Line]:
    subjects: dict[int, Any] = {}
    for code in {item.kind for item in items}:
        same = [item for item in items if item.kind == code]
        subjects |= kind_of(same[0]).subjects(same)
    lines = []
    for item in items:
        may = may_claim(kind_of(item), subjects[item.pk], item, to) if to is not None else None
        lines.append(Line(item, subjects[item.pk], may.reason if may is not None else ""))
    return lines


@transaction.atomic
def assign(*, item_ids: Iterable[int], to_id: int | None, actor: User) -> list[WorkItem]:
    """Assign open items to a colleague, or to nobody; what they can't do (own uploads, out of reach) is left out.

    They are notified once. Who: `crm.manage_work`, for what they see. Raises: NotAllowed, DomainError when nothing is left.
    """
    require_permission(actor, RIGHT)
    to = None
    if to_id is not None:
        to = User.objects.filter(pk=to_id, kind="staff", is_active=True).first()
        if to is None:
            raise DomainError(_("Choose a colleague."))
    lines = [line for line in _lines(_locked(item_ids, actor), to) if not line.problem]
    if not lines:
        raise DomainError(_("None of these items can be assigned to this person."))
    for line in lines:
        before, line.item.assigned_to = line.item.assigned_to_id, to
        line.item.save(update_fields=["assigned_to"])
        entry = add_entry(line.item, WorkAct.ASSIGNED, actor, other=to)
        _record(CrmAction.WORK_ASSIGNED, line.item, actor, {"assigned_to": before}, {"assigned_to": to_id})
    if to is not None and to.pk != actor.pk:
        notify(
            [to],
            kind=CrmNotice.WORK_ASSIGNED,
            title=phrase("%(name)s assigned you work: %(count)s") % {"name": str(actor), "count": len(lines)},
            body=lines[0].title,
            url=kind_of(lines[0].item).url(lines[0].subject),
            dedupe_key=f"work.assigned:{entry.pk}",
        )
    return [line.item for line in lines]


@transaction.atomic
def set_priority(*, item_ids: Iterable[int], priority: int, actor: User) -> list[WorkItem]:
    """Set the priority of open items. Who: `crm.manage_work`, for what they see. Raises: NotAllowed, DomainError."""
    require_permission(actor, RIGHT)
    level = WorkPriority(priority)
    _hold_subjects(seen := among_visible_to(actor, list(item_ids)[:AT_ONCE_MAX]))
    items = [item for item in _locked(seen, actor) if item.priority != level]
    before = {item.pk: item.priority for item in items}
    for item in items:
        item.priority = level
        item.save(update_fields=["priority"])
        add_entry(item, WorkAct.PRIORITY, actor, text=str(level.value))
        _record(CrmAction.WORK_PRIORITY_CHANGED, item, actor, {"priority": before[item.pk]}, {"priority": level.value})
    for kind in {kind_of(item) for item in items}:
        kind.reprioritized([item.pk for item in items if item.kind == kind.code], before)
    return items


def _hold_subjects(item_ids: list[int]) -> None:
    items = list(WorkItem.objects.filter(pk__in=item_ids))
    for kind in {kind_of(item) for item in items}:
        kind.hold_subjects([item.pk for item in items if item.kind == kind.code])


def _locked(item_ids: Iterable[int], actor: User) -> list[WorkItem]:
    seen = among_visible_to(actor, list(item_ids)[:AT_ONCE_MAX])
    if not seen:
        raise NotFound(_("None of these items is open any more. Reload the page."))
    return lock_all(WorkItem.objects.filter(state=WorkState.OPEN), "assigned_to", pks=seen)


def _record(action: CrmAction, item: WorkItem, actor: User, before: dict[str, Any], after: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=item,
        client_id=item.client_id,
        brand_id=item.brand_id,
        before=before,
        after=after,
    )
