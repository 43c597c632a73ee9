"""Roles and reach by four eyes: one administrator asks, another approves. Taking away needs one only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.shortcuts import remove_perm

from crm import approvals
from crm.approvals import Change
from crm.audit_codes import CrmAction
from crm.choices import GrantKind, Role
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText
from crm.models import Actor, Book, Brand, Desk, GrantRequest, User
from crm.notices.kinds import CrmNotice
from crm.security import audit
from crm.security.policies import Decision, require
from crm.staff import policies
from crm.staff.queries import grants_of, team_visible_to
from crm.staff.reach import grant
from crm.staff.roles import give_role


@transaction.atomic
def request_grant(*, actor: User, user: User, what: Role | Brand | Desk | Book, reason: str) -> GrantRequest:
    """Ask for a role, or for reach over a brand, desk or book, for somebody else.

    Who: `crm.manage_staff` within reach; nobody asks for more than they may grant. Raises: NotAllowed, DomainError.
    """
    kind = GrantKind.ROLE if isinstance(what, Role) else GrantKind(str(what._meta.model_name))
    require(policies.can_ask(actor, user, kind, what))
    if _holds(user, what):
        raise WrongState(_("This person already has it."))
    fields: dict[str, Any] = {"role": what.value} if isinstance(what, Role) else {kind.value: what}
    return approvals.propose(GrantRequest(kind=kind, user=user, reason=reason, **fields), actor=actor)


def _holds(user: User, what: Role | Brand | Desk | Book) -> bool:
    if isinstance(what, Role):
        return user.groups.filter(name=what.value).exists()
    return any(held.thing == what for held in grants_of(user))


class GrantApproval(approvals.ApprovalKind[GrantRequest]):
    """The role or reach is given: by one who could have asked for it too, and never for themselves."""

    model = GrantRequest
    code = "grant"
    label = gettext_lazy("Role or access")
    asks = decides = "crm.manage_staff"
    proposed, approved = CrmAction.GRANT_REQUESTED, CrmAction.GRANT_APPROVED
    rejected, withdrawn = CrmAction.GRANT_REJECTED, CrmAction.GRANT_WITHDRAWN
    notice = CrmNotice.GRANT_REQUESTED
    related = ("user", "brand", "desk", "book")
    one_open = ("user", "kind", "role", "brand", "desk", "book")
    is_sensitive = True
    done = gettext_lazy("Granted.")

    def in_reach(self, rows: QuerySet[GrantRequest], user: User) -> QuerySet[GrantRequest]:
        return rows.filter(user__in=team_visible_to(user)).exclude(user=user)

    def brand_id(self, item: GrantRequest) -> int | None:
        return item.user.brand_id

    def not_deciders(self, item: GrantRequest) -> set[int | None]:
        return {item.requested_by_id, item.user_id}

    def reaches(self, user: Actor, item: GrantRequest) -> Decision:
        kind = GrantKind(item.kind)
        return policies.can_ask(user, item.user, kind, item.role if kind == GrantKind.ROLE else item.thing)

    def apply(self, item: GrantRequest, actor: User, **given: Any) -> None:
        if item.kind == GrantKind.ROLE:
            give_role(item.user, Role(item.role), actor=actor)
        else:
            assert item.thing is not None  # a CHECK: a request for reach names a brand, a desk or a book
            grant(item.user, item.thing, actor=actor)

    def title(self, item: GrantRequest) -> LocalizedText:
        return f"{item.what} → {item.user}"

    def url(self, item: GrantRequest) -> str:
        return f"/staff/grants/{item.pk}/"

    def changes(self, item: GrantRequest) -> list[Change]:
        return [Change(_("For"), item.user), Change(_("Role or access"), item.what)]

    def after(self, item: GrantRequest) -> dict[str, Any]:
        return {"user": item.user_id, "what": item.what}


@transaction.atomic
def take_role(*, user: User, role: Role, actor: User, reason: str) -> None:
    """Take a role away, at once. Who: `crm.manage_staff` within reach, not from oneself."""
    require(policies.can_manage_other(actor, user))
    group = Group.objects.get(name=role.value)
    if not user.groups.filter(pk=group.pk).exists():
        raise WrongState(_("This person doesn't have this role."))
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
        raise WrongState(_("This person doesn't have this access."))
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
