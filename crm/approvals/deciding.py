"""Propose, approve, reject, withdraw: each in one transaction, lock → may they → possible → effect → save → audit → notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.approvals.kinds import ApprovalKind, ListedApproval, kind_of, require_waiting, require_withdrawable
from crm.audit_codes import AuditCode
from crm.errors import DomainError, NotAllowed, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require

T = TypeVar("T", bound=models.Model)


@transaction.atomic
def propose(item: T, *, actor: User, save_parts: Callable[[], object] | None = None) -> T:
    """Write a proposal down and notify those who may decide it. The caller has locked its subject, and checked what it says.

    save_parts: writes the rows that belong to it, such as a journal's lines, before it is recorded.

    Raises: NotAllowed, DomainError (no reason), WrongState (one is open already).
    """
    kind: ApprovalKind[T] = kind_of(type(item))
    require(kind.can_propose(actor, item))
    require_text(getattr(item, kind.reason))
    subject = {name: getattr(item, name) for name in kind.one_open}
    has_one_open = any(value is not None for value in subject.values())
    if has_one_open and kind.awaiting(kind.model._default_manager.filter(**subject)).exists():
        raise _is_open()
    values = {kind.reason: getattr(item, kind.reason), kind.maker: actor, kind.asked_at: timezone.now()}
    _write(item, **values)
    try:
        with transaction.atomic():
            item.save(force_insert=True)
    except IntegrityError as problem:
        if has_one_open and kind.awaiting(kind.model._default_manager.filter(**subject)).exists():
            raise _is_open() from problem
        raise
    if save_parts is not None:
        save_parts()
    _record(kind, item, kind.proposed, actor, getattr(item, kind.reason))
    notify_deciders(kind, item)
    return item


def approve(model: type[T], pk: int, *, actor: Actor, note: str = "", **given: Any) -> T:
    """Approve a proposal as the second person; it takes effect. given: what the effect needs beside it, e.g. secrets.

    Raises: NotAllowed (no right, not in reach, one's own), WrongState (decided already), DomainError (not possible now).
    """
    kind, person = kind_of(model), _person(actor)
    if isinstance(kind, ListedApproval):
        item: T = kind.approve(pk, person, note)
        return item
    return _approve(kind, pk, person, note, **given)


def reject(model: type[T], pk: int, *, actor: Actor, note: str) -> T:
    """Reject a proposal as the second person, with a reason for its maker. Nothing takes effect. Raises: as approve."""
    kind, person = kind_of(model), _person(actor)
    return kind.reject(pk, person, note) if isinstance(kind, ListedApproval) else _reject(kind, pk, person, note)


def withdraw(model: type[T], pk: int, *, actor: Actor, note: str = "") -> T:
    """Withdraw one's own proposal while nobody has decided. Raises: NotAllowed, WrongState."""
    kind, person = kind_of(model), _person(actor)
    return kind.withdraw(pk, person, note) if isinstance(kind, ListedApproval) else _withdraw(kind, pk, person, note)


def _approve(kind: ApprovalKind[T], pk: int, actor: User, note: str, **given: Any) -> T:
    item = kind.rows().get(pk=pk)
    require_decider(kind, item, actor)
    kind.ask_outside(item, **given)
    with transaction.atomic():
        item = kind.lock(pk)
        require_decider(kind, item, actor)
        before = kind.before(item)
        _decide(kind, item, "APPROVED", actor, note)
        kind.apply(item, actor, **given)
        item.save()
        _record(kind, item, kind.approval_code(item), actor, note or getattr(item, kind.reason), before=before)
        notify_maker(kind, item)
    return item


@transaction.atomic
def _reject(kind: ApprovalKind[T], pk: int, actor: User, note: str) -> T:
    item = kind.lock(pk)
    require_decider(kind, item, actor)
    require_text(note)
    _decide(kind, item, "REJECTED", actor, note)
    kind.give_back(item, actor)
    item.save()
    _record(kind, item, kind.rejected, actor, note)
    notify_maker(kind, item)
    return item


@transaction.atomic
def _withdraw(kind: ApprovalKind[T], pk: int, actor: User, note: str) -> T:
    item = kind.lock(pk)
    require_withdrawable(kind, item, actor)
    _decide(kind, item, "WITHDRAWN", actor, note)
    kind.give_back(item, actor)
    item.save()
    _record(kind, item, kind.withdrawn, actor, note)
    return item


def require_text(reason: str) -> None:
    """Refuse a decision without a reason. Raises: DomainError."""
    if not reason.strip():
        raise DomainError(_("Enter a reason."))


def _person(actor: Actor) -> User:
    """Return the person who decides. Raises: NotAllowed for the system itself."""
    if actor is None:
        raise NotAllowed(_("This must be decided by a person."))
    return actor


def _is_open() -> WrongState:
    return WrongState(_("A proposal for this is already awaiting second approval."))


def require_decider(kind: ApprovalKind[T], item: T, actor: User) -> None:
    """Right and reach before the state: who may not decide learns nothing of it."""
    require(kind.may_decide(actor, item))
    require_waiting(kind, item)
    require(kind.can_decide(actor, item))


def _decide(kind: ApprovalKind[T], item: T, state: str, actor: User, note: str) -> None:
    item.move_to(kind.states[state])  # type: ignore[attr-defined]
    _write(item, decided_by=actor, decided_at=timezone.now(), **{kind.note: note})


def _write(item: models.Model, **values: Any) -> None:
    """Set fields; text is cut to what its column holds."""
    for name, value in values.items():
        length = getattr(item._meta.get_field(name), "max_length", None)
        setattr(item, name, value.strip()[:length] if type(value) is str else value)


def _record(
    kind: ApprovalKind[T],
    item: T,
    action: AuditCode | None,
    actor: User,
    reason: str,
    *,
    before: dict[str, Any] | None = None,
) -> None:
    if action is None:
        return
    audit.record(
        actor=actor,
        action=action,
        target=kind.target(item),
        client_id=kind.client_id(item),
        brand_id=kind.brand_id(item),
        reason=reason,
        before=before,
        after={**kind.after(item), "state": item.state, "requested_by": kind.maker_id(item)},  # type: ignore[attr-defined]
    )


def notify_deciders(kind: ApprovalKind[T], item: T) -> None:
    """Notify everybody who may decide it."""
    assert kind.notice is not None, f"{kind.code} notifies nobody"
    not_theirs = kind.not_deciders(item)
    notify(
        [pk for pk in people_with(kind.decided_by_right(item), brand_id=kind.brand_id(item)) if pk not in not_theirs],
        kind=kind.notice,
        title=phrase("%(what)s: awaiting second approval") % {"what": kind.title(item)},
        body=getattr(item, kind.reason),
        url=kind.url(item),
        dedupe_key=f"{kind.code}:{item.pk}",
    )


def notify_maker(kind: ApprovalKind[T], item: T) -> None:
    """Notify the maker of the decision."""
    notify(
        [pk for pk in [kind.maker_id(item)] if pk is not None],
        kind=CrmNotice.PROPOSAL_DECIDED,
        title=kind.answer_title(item),
        body=getattr(item, kind.note),
        url=kind.maker_url(item),
        dedupe_key=f"{kind.code}:{item.pk}:decided",
    )
