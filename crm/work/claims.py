"""Who is working on what. A claim runs out where its holder leaves it."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.approvals.kinds import by_another
from crm.audit_codes import CrmAction
from crm.choices import WorkAct, WorkState
from crm.db.locking import lock_all
from crm.errors import DomainError, NotFound, WrongState, outcome_of
from crm.i18n.localized_text import phrase
from crm.models import Actor, User, WorkItem
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import Decision, require
from crm.work.entries import add_entry
from crm.work.items import is_free, is_held_by_other
from crm.work.kinds import WorkKind, kind_of

CANDIDATES = 5


@transaction.atomic
def claim(*, item_id: int, actor: User) -> list[WorkItem]:
    """Claim an item, or extend one's own claim; where its kind says so, with all open items of the client.

    Who: whoever `may_work` on it. Raises: NotAllowed; WrongState when it isn't open or a colleague has it.
    """
    return _claim(item_id, actor)


@transaction.atomic
def take_over(*, item_id: int, actor: User, reason: str) -> list[WorkItem]:
    """Take a claim over from a colleague, who is notified and reads why.

    Who: whoever `may_work` on it. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    if not reason.strip():
        raise DomainError(_("Enter a reason: your colleague will read it."))
    return _claim(item_id, actor, take_over_reason=reason.strip())


def _claim(item_id: int, actor: User, *, take_over_reason: str = "") -> list[WorkItem]:
    kind, waiting = _locked_group(item_id)
    item = next((row for row in waiting if row.pk == item_id), None)
    if item is None:
        raise WrongState(_("This isn't open any more: it was decided or closed."))
    subjects, now = kind.subjects(waiting), timezone.now()
    require(may_claim(kind, subjects[item.pk], item, actor))
    held = [row for row in waiting if is_held_by_other(actor, row, now)]
    if held and not take_over_reason:
        until = timezone.localtime(held[0].claimed_until).strftime("%H:%M")
        raise WrongState(_("%(name)s is working on this until %(time)s.") % {"name": held[0].claimed_by, "time": until})
    if held:
        _note_take_over(kind, item, subjects[item.pk], held, actor, take_over_reason)
    mine = [row for row in waiting if may_claim(kind, subjects[row.pk], row, actor)]
    for row in mine:
        row.claimed_at = row.claimed_at if row.claimed_by_id == actor.pk else now
        row.claimed_by, row.claimed_until = actor, now + dt.timedelta(minutes=kind.lease_minutes)
        row.save(update_fields=["claimed_by", "claimed_at", "claimed_until"])
    return mine


def may_claim(kind: WorkKind[Any], subject: Any, item: WorkItem, user: Actor) -> Decision:
    """Decide whether a person may claim an item: whoever may work on it, but not on what they proposed themselves."""
    allowed = kind.may_work(user, subject)
    return by_another(user, item.proposed_by_id) if allowed and item.awaits_second else allowed


def _note_take_over(
    kind: WorkKind[Any], item: WorkItem, subject: Any, held: list[WorkItem], actor: User, reason: str
) -> None:
    for row in held:
        entry = add_entry(row, WorkAct.TAKEN_OVER, actor, text=reason, other=row.claimed_by)
    audit.record(
        actor=actor,
        action=CrmAction.WORK_TAKEN_OVER,
        target=item,
        client_id=item.client_id,
        brand_id=item.brand_id,
        before={"claimed_by": held[0].claimed_by_id, "items": [row.pk for row in held]},
        after={"claimed_by": actor.pk},
        reason=reason,
    )
    notify(
        [row.claimed_by for row in held[:1] if row.claimed_by],
        kind=CrmNotice.WORK_ASSIGNED,
        title=phrase("%(name)s claimed from you: %(title)s") % {"name": str(actor), "title": kind.title(subject)},
        body=reason,
        url=kind.url(subject),
        dedupe_key=f"work.taken_over:{entry.pk}",
    )


def claim_next(kind: WorkKind[Any], *, actor: User, after: WorkItem | None = None) -> WorkItem | None:
    """Claim what is next: assigned to oneself, then by the kind's order. None: nothing is free.

    after: prefer another item of the client one has just worked on. What is assigned to a colleague is left to them.
    """
    workable = kind.offered(actor).filter(work__state=WorkState.OPEN)
    free = WorkItem.objects.filter(is_free(actor, timezone.now()), pk__in=workable.values("work"))
    mine, nobodys = free.filter(assigned_to=actor), free.filter(assigned_to=None)
    lists = [mine, nobodys]
    if after is not None and after.client_id is not None:
        lists.insert(0, free.filter(client_id=after.client_id))
    for rows in lists:
        for item in rows.order_by(*kind.order)[:CANDIDATES]:
            # A colleague was quicker, or it is one's own upload.
            take = functools.partial(claim, item_id=item.pk, actor=actor)
            if may_claim(kind, kind.subject(item), item, actor) and outcome_of(take, only=WrongState):
                return item
    return None


def extend(*, item_id: int, actor: User) -> bool:
    """Extend the holder's claim while the page is open; False where it was lost meanwhile."""
    now, item = timezone.now(), _item(item_id)
    held = _group(item).filter(claimed_by=actor, claimed_until__gt=now)
    return bool(held.update(claimed_until=now + dt.timedelta(minutes=kind_of(item).lease_minutes)))


@transaction.atomic
def release(*, item_id: int, actor: User) -> None:
    """Return what one holds to the queue. Releasing what somebody doesn't hold does nothing."""
    _kind, waiting = _locked_group(item_id)
    mine = [row.pk for row in waiting if row.claimed_by_id == actor.pk]
    WorkItem.objects.filter(pk__in=mine).update(claimed_by=None, claimed_at=None, claimed_until=None)


def _item(item_id: int) -> WorkItem:
    item = WorkItem.objects.filter(pk=item_id).first()
    if item is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    return item


def _group(item: WorkItem) -> QuerySet[WorkItem]:
    rows = WorkItem.objects.filter(kind=item.kind, state=WorkState.OPEN)
    return rows.filter(client_id=item.client_id) if kind_of(item).by_client else rows.filter(pk=item.pk)


def _locked_group(item_id: int) -> tuple[WorkKind[Any], list[WorkItem]]:
    item = _item(item_id)
    return kind_of(item), lock_all(_group(item), "claimed_by")
