"""Opening and closing items, and who holds one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.approvals.kinds import by_another
from crm.choices import WorkPriority, WorkState
from crm.db.locking import lock_all
from crm.models import Actor, Brand, User, WorkItem
from crm.security.policies import YES, Decision, no
from crm.work.hours import hours_of
from crm.work.kinds import WorkKind, all_kinds, kind_of


def new_item(
    kind: WorkKind[Any],
    *,
    brand: Brand,
    opened_at: dt.datetime,
    client_id: int | None = None,
    priority: int = WorkPriority.NORMAL,
    assigned_to: User | None = None,
) -> WorkItem:
    """Make an item that isn't saved yet, due after its kind's working hours; for verbs that write many."""
    due_at = hours_of(brand).after(opened_at, dt.timedelta(hours=kind.hours_for(brand, priority)))
    return WorkItem(
        kind=kind.code,
        brand=brand,
        client_id=client_id,
        opened_at=opened_at,
        due_at=due_at,
        priority=priority,
        assigned_to=assigned_to,
    )


def open_item(kind: WorkKind[Any], **fields: Any) -> WorkItem:
    """Put a subject into its queue, in the caller's transaction; see `new_item`."""
    item = new_item(kind, **fields)
    item.save()
    return item


def close_items(item_ids: Iterable[int | None]) -> None:
    """Take items out of the queue that nobody has to decide any more; decided ones stay as they are."""
    waiting = WorkItem.objects.filter(state=WorkState.OPEN)
    for item in lock_all(waiting, pks=[pk for pk in item_ids if pk is not None]):
        item.move_to(WorkState.CLOSED)
        item.claimed_by = item.claimed_at = item.claimed_until = None
        item.save(update_fields=["state", "claimed_by", "claimed_at", "claimed_until"])


def items_visible_to(user: User, kind: WorkKind[Any]) -> QuerySet[WorkItem]:
    """Select the items of a kind whose subjects a person may see. One kind at a time: a semi-join, never all subjects."""
    seen = kind.visible_to(user).filter(work__isnull=False).order_by()
    return WorkItem.objects.filter(kind=kind.code, pk__in=seen.values("work"))


def among_visible_to(user: User, item_ids: Iterable[int]) -> list[int]:
    """Find which of these open items a person may see."""
    rows = WorkItem.objects.filter(pk__in=list(item_ids), state=WorkState.OPEN)
    by_kind: dict[str, list[int]] = {}
    for code, pk in rows.order_by().values_list("kind", "pk"):
        by_kind.setdefault(code, []).append(pk)
    return [
        pk
        for kind in all_kinds()
        if (ids := by_kind.get(kind.code))
        for pk in items_visible_to(user, kind).filter(pk__in=ids).order_by().values_list("pk", flat=True)
    ]


def is_free(user: Actor, now: dt.datetime, *, path: str = "") -> Q:
    """Match items that nobody else holds; `path` leads to the item, as in `work__`."""
    until = f"{path}claimed_until"
    return Q(**{f"{until}__isnull": True}) | Q(**{f"{until}__lte": now}) | Q(**{f"{path}claimed_by": user})


def is_held(item: WorkItem, now: dt.datetime | None = None) -> bool:
    """Check whether a claim is in force."""
    return item.claimed_until is not None and item.claimed_until > (now or timezone.now())


def is_held_by_other(user: Actor, item: WorkItem, now: dt.datetime | None = None) -> bool:
    """Check whether somebody else's claim is in force."""
    return is_held(item, now) and item.claimed_by_id != getattr(user, "pk", None)


def may_second(user: Actor, item: WorkItem) -> Decision:
    """Decide whether a person may decide on what was proposed: not who proposed it, and nobody else has claimed it."""
    if not item.awaits_second:
        return no(_("This isn't open any more: it was decided or closed."))
    allowed = by_another(user, item.proposed_by_id)
    if allowed and is_held_by_other(user, item):
        return no(_("%(name)s is working on this.") % {"name": item.claimed_by})
    return allowed


def may_decide(user: Actor, item: WorkItem) -> Decision:
    """Decide whether the claim lets a person decide: they hold it, or the kind needs no claim and nobody else does."""
    if item.state != WorkState.OPEN:
        return no(_("This has already been decided or closed."))
    if item.awaits_second:
        return no(_("A decision was proposed and is awaiting second approval."))
    if is_held_by_other(user, item):
        return no(_("%(name)s is working on this.") % {"name": item.claimed_by})
    if kind_of(item).needs_claim and not is_held(item):
        return no(_("Claim this first. An earlier claim may have expired."))
    return YES
