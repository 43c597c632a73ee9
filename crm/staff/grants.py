"""Roles and reach by four eyes: one administrator asks, another approves. Taking away needs one only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.shortcuts import remove_perm

from crm.audit_codes import CrmAction
from crm.choices import GrantKind, GrantState, Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.i18n.localized_text import joined
from crm.models import Book, Brand, Desk, GrantRequest, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from crm.staff import policies
from crm.staff.queries import grants_of
from crm.staff.reach import grant
from crm.staff.roles import give_role


@transaction.atomic
def request_grant(*, actor: User, user: User, what: Role | Brand | Desk | Book, reason: str) -> GrantRequest:
    """Ask for a role, or for reach over a brand, desk or book, for somebody else.

    Who: `crm.manage_staff` within reach; nobody asks for more than they may grant. Raises: NotAllowed, DomainError.
    """
    kind = GrantKind.ROLE if isinstance(what, Role) else GrantKind(str(what._meta.model_name))
    require(policies.can_ask(actor, user, kind, what))
    if not reason.strip():
        raise DomainError(_("Say why: whoever approves it decides by your reason."))
    if _holds(user, what):
        raise WrongState(_("This person has it already."))
    fields: dict[str, Any] = {"role": what.value} if isinstance(what, Role) else {kind.value: what}
    try:
        with transaction.atomic():
            request = GrantRequest.objects.create(
                kind=kind, user=user, requested_by=actor, reason=reason.strip()[:300], **fields
            )
    except IntegrityError:
        raise WrongState(_("This was asked for already and waits for approval."))
    audit.record(
        actor=actor,
        action=CrmAction.GRANT_REQUESTED,
        target=request,
        brand_id=user.brand_id,
        reason=reason,
        after={"user": user.pk, "what": request.what},
    )
    others = [pk for pk in people_with("crm.manage_staff", brand_id=user.brand_id) if pk not in (actor.pk, user.pk)]
    notify(
        others,
        kind="staff.grant_requested",
        title=f"{actor}: {request.what} → {user}",
        body=reason[:300],
        url="/staff/grants/",
        dedupe_key=f"grant:{request.pk}",
    )
    return request


def _holds(user: User, what: Role | Brand | Desk | Book) -> bool:
    if isinstance(what, Role):
        return user.groups.filter(name=what.value).exists()
    return any(held.thing == what for held in grants_of(user))


def _lock(request_id: int) -> GrantRequest:
    return (
        GrantRequest.objects.select_for_update(of=("self",))
        .select_related("user", "requested_by", "brand", "desk", "book")
        .get(pk=request_id)
    )


@transaction.atomic
def approve_grant(*, request_id: int, actor: User, reason: str = "") -> GrantRequest:
    """The second administrator grants it. Who: one who could have asked for it, not the asker, not the receiver."""
    request = _lock(request_id)
    _still_open(request)
    require(policies.can_approve(actor, request))
    _decide(request, GrantState.APPROVED, actor, reason)
    if request.kind == GrantKind.ROLE:
        give_role(request.user, Role(request.role), actor=actor)
    else:
        assert request.thing is not None  # a CHECK: a request for reach names a brand, a desk or a book
        grant(request.user, request.thing, actor=actor)
    return request


@transaction.atomic
def reject_grant(*, request_id: int, actor: User, reason: str) -> GrantRequest:
    """Say no, with the reason for the asker."""
    request = _lock(request_id)
    _still_open(request)
    require(policies.can_reject(actor, request))
    if not reason.strip():
        raise DomainError(_("Say why, so that the one who asked knows what to change."))
    return _decide(request, GrantState.REJECTED, actor, reason)


@transaction.atomic
def withdraw_grant(*, request_id: int, actor: User) -> GrantRequest:
    """The asker takes the request back."""
    request = _lock(request_id)
    _still_open(request)
    if request.requested_by_id != actor.pk:
        raise NotAllowed(_("Only the one who asked can withdraw it."))
    return _decide(request, GrantState.WITHDRAWN, actor, "")


def _still_open(request: GrantRequest) -> None:
    if request.state != GrantState.PENDING:
        raise WrongState(_("This request was decided already: %(state)s.") % {"state": request.get_state_display()})


def _decide(request: GrantRequest, state: GrantState, actor: User, reason: str) -> GrantRequest:
    request.state, request.decided_by, request.decided_at = state, actor, timezone.now()
    request.decision_reason = reason.strip()[:300]
    request.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    audit.record(
        actor=actor,
        action=CrmAction.of("grant", state.value),
        target=request,
        brand_id=request.user.brand_id,
        reason=reason,
        after={"user": request.user_id, "what": request.what, "requested_by": request.requested_by_id},
    )
    if state != GrantState.WITHDRAWN:
        notify(
            [request.requested_by_id],
            kind="staff.grant_decided",
            title=f"{request.what} → {request.user}",
            body=joined([state.label, reason], ": "),
            url=f"/staff/{request.user_id}/",
            dedupe_key=f"grant-decided:{request.pk}",
        )
    return request


@transaction.atomic
def take_role(*, user: User, role: Role, actor: User, reason: str) -> None:
    """Take a role away, at once. Who: `crm.manage_staff` within reach, not from oneself."""
    require(policies.can_manage_other(actor, user))
    group = Group.objects.get(name=role.value)
    if not user.groups.filter(pk=group.pk).exists():
        raise WrongState(_("This person does not have that role."))
    user.groups.remove(group)
    audit.record(
        actor=actor,
        action=CrmAction.ROLE_TAKEN,
        target=user,
        brand_id=user.brand_id,
        before={"role": role.value},
        reason=reason,
    )


@transaction.atomic
def take_reach(*, user: User, thing: Brand | Desk | Book, actor: User, reason: str) -> None:
    """Take a grant on a brand, desk or book away, at once."""
    require(policies.can_manage_other(actor, user))
    if not any(held.thing == thing for held in grants_of(user)):
        raise WrongState(_("This person was not granted that."))
    permission = f"access_{thing._meta.model_name}"
    remove_perm(f"crm.{permission}", user, thing)
    user.__dict__.pop("_keelson_reach", None)
    audit.record(
        actor=actor,
        action=CrmAction.ACCESS_TAKEN,
        target=user,
        brand_id=user.brand_id,
        before={permission: thing.pk, "name": str(thing)},
        reason=reason,
    )
