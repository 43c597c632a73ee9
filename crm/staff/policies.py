"""Who may change whose login, and who may ask for and approve which grant."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm.choices import GrantKind, Role
from crm.models import Brand, User
from crm.security import rights
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.roles import CATALOGUE
from crm.security.scope import reach_of
from crm.staff.queries import reaches_staff
from crm.staff.reach import can_grant


def can_manage(actor: User | None, user: User) -> Decision:
    """Change somebody's record. Who: `crm.manage_staff` within reach; a superuser's only by a superuser."""
    if actor is None:
        return YES
    allowed = has_permission(actor, "crm.manage_staff")
    if not allowed:
        return allowed
    if user.is_superuser and not actor.is_superuser:
        return no(_("Only a superuser can change a superuser's account."))
    if not reaches_staff(actor, user):
        return no(_("This person works for a brand you don't have access to."))
    return YES


def can_invite(actor: User | None, brand: Brand) -> Decision:
    """Create a login at a brand. Who: `crm.manage_staff`, reaching the brand; a superuser everywhere."""
    allowed = has_permission(actor, "crm.manage_staff")
    if not allowed or actor is None or actor.is_superuser:
        return allowed
    return YES if brand.pk in reach_of(actor).brands else no(_("You don't have access to this brand."))


def can_manage_other(actor: User | None, user: User) -> Decision:
    """Decide as can_manage, and never about oneself: switching off, factors, roles and reach take somebody else."""
    if actor is not None and actor.pk == user.pk:
        return no(_("You can't do this to your own account. Ask another administrator."))
    return can_manage(actor, user)


def can_give_role(actor: User | None, role: Role) -> Decision:
    """Decide whether the actor may give a role: none with permissions they lack, but administrators may give any."""
    if actor is None or actor.is_superuser:
        return YES
    allowed = has_permission(actor, "crm.manage_staff")
    if not allowed:
        return allowed
    if actor.groups.filter(name=Role.ADMINISTRATOR).exists():
        return YES
    lacking = sorted(rights.name_of(name) for name in CATALOGUE[role] if not actor.has_perm(name))
    if lacking:
        return no(
            _("You can't grant a role with permissions you don't have: %(rights)s") % {"rights": "; ".join(lacking)}
        )
    return YES


def can_ask(actor: User | None, user: User, kind: GrantKind, what: Any) -> Decision:
    """Ask for a role or a reach for somebody else."""
    allowed = can_manage_other(actor, user)
    if not allowed:
        return allowed
    if not user.is_team:
        return no(_("Roles and access are for staff only."))
    return can_give_role(actor, Role(what)) if kind == GrantKind.ROLE else can_grant(actor, what)
