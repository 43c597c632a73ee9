"""Who may screen, decide, restrict, and read whole trails."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from compliance.choices import HitState
from compliance.models import Hit, Restriction
from crm import work
from crm.approvals.kinds import by_another
from crm.models import Actor, User
from crm.security.policies import Decision, no


def can_screen(user: Actor, client: Client) -> Decision:
    """Decide who may screen a client on demand: `compliance.screen_client` in reach."""
    return can(user, client, "compliance.screen_client")


def can_decide(user: Actor, hit: Hit) -> Decision:
    """Decide who may clear or confirm a match: `compliance.decide_hit` in reach, while no colleague has claimed it."""
    if hit.state != HitState.OPEN:
        return no(_("This match has already been reviewed: %(state)s.") % {"state": hit.get_state_display()})
    if hit.part_of_id is not None:
        return no(_("This match is reviewed together with another entry of the same listed person."))
    allowed = can(user, hit.client, "compliance.decide_hit")
    return work.may_decide(user, hit.work) if allowed and hit.work else allowed


def can_restrict(user: Actor, client: Client) -> Decision:
    """Decide who may restrict a client: `compliance.place_restriction` in reach."""
    return can(user, client, "compliance.place_restriction")


def can_ask_to_lift(user: Actor, restriction: Restriction) -> Decision:
    """Decide who may ask for a restriction to be lifted: `compliance.lift_restriction` in reach."""
    return can(user, restriction.client, "compliance.lift_restriction")


def can_lift(user: Actor, restriction: Restriction) -> Decision:
    """Decide who may lift a restriction: `compliance.lift_restriction` in reach, and not the person who asked."""
    allowed = can(user, restriction.client, "compliance.lift_restriction")
    if not allowed:
        return allowed
    if restriction.lift_requested_by_id is None:
        return no(_("No one has requested to lift this restriction yet."))
    return by_another(user, restriction.lift_requested_by_id)


def can_read_trail(user: User, client: Client) -> Decision:
    """Decide who may read a client's audit log: `crm.view_audit` in reach."""
    return can(user, client, "crm.view_audit")


def can_export_trail(user: Actor, client: Client) -> Decision:
    """Decide who may export a client's audit log as a pack: `crm.export_audit` in reach."""
    return can(user, client, "crm.export_audit")
