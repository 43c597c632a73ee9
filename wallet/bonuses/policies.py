"""Who may set up, grant and take away bonuses."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from crm.approvals.kinds import by_another
from crm.models import Actor, User
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.choices.bonuses import BonusState
from wallet.models import BonusGrant


def can_manage_bonus(user: Actor, brand_id: int) -> Decision:
    """Allow finance to write the brand's plans."""
    allowed = has_permission(user, "wallet.manage_bonus")
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed


def can_grant_bonus(user: Actor, client: Client) -> Decision:
    """Allow granting bonuses to clients in reach."""
    allowed = has_permission(user, "wallet.grant_bonus")
    if allowed and client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    return allowed


def can_decide_bonus(user: User, grant: BonusGrant) -> Decision:
    """Allow approvers, but not the requester (four eyes). Also a CHECK of the table."""
    allowed = has_permission(user, "wallet.approve_bonus")
    if not allowed:
        return allowed
    if grant.client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    allowed = by_another(user, grant.requested_by_id)
    if not allowed:
        return allowed
    if grant.state != BonusState.PENDING:
        return no(_("This bonus is “%(state)s”.") % {"state": grant.get_state_display()})
    return YES


def can_take_bonus_away(user: Actor, grant: BonusGrant) -> Decision:
    """Allow approvers of bonuses, for clients in reach."""
    return can(user, grant.client, "wallet.approve_bonus")
