"""Reach given to people: a brand, a desk or a book."""

from __future__ import annotations

from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm

from crm.audit_codes import CrmAction
from crm.models import Book, Brand, Desk, User
from crm.security import audit
from crm.security.policies import YES, Decision, has_permission, no, require
from crm.security.scope import reach_of


def grant(user: User, thing: Brand | Desk | Book, *, actor: User | None) -> None:
    """Let a user reach a brand, desk or book. Who: `crm.manage_staff`, and nobody grants what they don't reach."""
    require(can_grant(actor, thing))
    give(user, thing, actor=actor)


def give(user: User, thing: Brand | Desk | Book, *, actor: User | None) -> None:
    """Let a user reach a thing, recorded; the caller has decided that they may."""
    permission = f"access_{thing._meta.model_name}"
    assign_perm(f"crm.{permission}", user, thing)
    user.__dict__.pop("_keelson_reach", None)
    audit.record(
        actor=actor, action=CrmAction.ACCESS_GRANTED, target=user, after={permission: thing.pk, "name": str(thing)}
    )


def can_grant(actor: User | None, thing: Brand | Desk | Book) -> Decision:
    """Decide whether the actor may grant reach: with the permission, over what they reach themselves."""
    if actor is None:
        return YES
    allowed = has_permission(actor, "crm.manage_staff")
    if not allowed:
        return allowed
    reach = reach_of(actor)
    held = {"brand": reach.whole_brands, "desk": reach.desks, "book": reach.books}[str(thing._meta.model_name)]
    return YES if thing.pk in held else no(_("You can't grant access that you don't have yourself."))
