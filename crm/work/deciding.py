"""Deciding an item, undoing that for a while, and making it final."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import WorkAct, WorkState
from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, NotAllowed, NotFound
from crm.models import Actor, DueRow, User, WorkItem
from crm.security.policies import Decision, no, require
from crm.work.entries import add_entry
from crm.work.items import may_decide, may_second
from crm.work.kinds import WorkKind, kind_of


def decide(subject: Any, *, actor: User, outcome: str, reason: str = "") -> WorkItem:
    """Decide the item of a subject that the caller has locked, changed and saved, in the same transaction.

    Without a time to undo it, it takes effect at once. What was proposed is decided so, by another person.
    Raises: NotAllowed when a colleague has the claim, it is missing or a second person is, DomainError without a reason
    where the outcome needs one.
    """
    item = lock(WorkItem, subject.work_id, "claimed_by", "brand")
    kind = kind_of(item)
    if item.proposed_outcome == outcome:
        require(may_second(actor, item))
    else:
        require(may_decide(actor, item))
        if kind.outcomes[outcome].needs_second_person(subject):
            raise NotAllowed(_("This outcome needs a second person's approval."))
    require_reason(kind, outcome, reason)
    now = timezone.now()
    if item.claimed_at is not None and item.claimed_by_id == actor.pk:
        item.handling_seconds = round((now - item.claimed_at).total_seconds())
    item.move_to(WorkState.DECIDED)
    item.outcome, item.decided_by, item.decided_at = outcome, actor, now
    item.final_at = now + dt.timedelta(seconds=kind.undo_seconds.of(item.brand) if kind.undo_seconds else 0)
    item.claimed_by = item.claimed_at = item.claimed_until = None
    item.save()
    add_entry(item, WorkAct.DECIDED, actor, text=reason.strip())
    if item.final_at <= now:
        _make_final(kind, item, subject)
    else:
        due(SETTLING, key=item.pk, at=item.final_at, client_id=item.client_id, brand_id=item.brand_id)
    return item


def require_reason(kind: WorkKind[Any], outcome: str, reason: str) -> None:
    """Refuse an outcome without the reason that it needs. Raises: DomainError."""
    if kind.outcomes[outcome].needs_reason and not reason.strip():
        raise DomainError(_("Enter a reason."))


def may_undo(user: Actor, item: WorkItem, subject: Any) -> Decision:
    """Decide who may undo a decision: the person who made it, while it isn't final."""
    if item.state != WorkState.DECIDED:
        return no(_("The decision has taken effect and can't be undone."))
    if user is None or item.decided_by_id != user.pk:
        return no(_("Only the person who made the decision can undo it."))
    return kind_of(item).may_work(user, subject)


@transaction.atomic
def undo(*, item_id: int, actor: User) -> WorkItem:
    """Take a decision back while nothing has followed from it; whoever decided holds the claim again.

    Who: the person who decided. Raises: NotAllowed when it is final, or it was someone else's decision.
    """
    kind, subject, item = _locked(item_id)
    require(may_undo(actor, item, subject))
    now = timezone.now()
    item.move_to(WorkState.OPEN)
    item.outcome, item.decided_by, item.decided_at, item.final_at, item.handling_seconds = "", None, None, None, None
    item.proposed_outcome, item.proposed_by, item.proposed_at = "", None, None
    item.claimed_by, item.claimed_at = actor, now
    item.claimed_until = now + dt.timedelta(minutes=kind.lease_minutes)
    item.save()
    cancel(SETTLING, item.pk)
    add_entry(item, WorkAct.UNDONE, actor)
    kind.reopen(subject, actor)
    return item


@transaction.atomic
def settle(*, item_id: int) -> int:
    """Make one decision final, once. 0 when it was undone, or is final already."""
    kind, subject, item = _locked(item_id)
    if item.state != WorkState.DECIDED or item.final_at is None or item.final_at > timezone.now():
        return 0
    _make_final(kind, item, subject)
    return 1


def _settle(row: DueRow) -> None:
    settle(item_id=int(row.key))


SETTLING = declare(DueKind("crm.work_decision", gettext_lazy("Decision takes effect"), _settle))


def _make_final(kind: WorkKind[Any], item: WorkItem, subject: Any) -> None:
    item.move_to(WorkState.FINAL)
    item.save(update_fields=["state"])
    kind.take_effect(subject)


def _locked(item_id: int) -> tuple[WorkKind[Any], Any, WorkItem]:
    """Lock an item and, before it, its subject."""
    item = WorkItem.objects.filter(pk=item_id).first()
    if item is None:
        raise NotFound(_("This record no longer exists. Reload the page."))
    kind = kind_of(item)
    subject = kind.lock(kind.subject(item).pk)
    return kind, subject, lock(WorkItem, item_id, "decided_by", "brand")
