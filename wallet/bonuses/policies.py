"""Who may set up, grant and take away bonuses."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Actor, User
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.choices.bonuses import BonusState
from wallet.core.policies import by_another
from wallet.models import BonusGrant, BonusProposal


def can_manage_bonus(user: Actor, brand_id: int) -> Decision:
    """Finance writes the brand's plans."""
    allowed = has_permission(user, "wallet.manage_bonus")
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_grant_bonus(user: Actor, client: Client) -> Decision:
    """Who keeps clients, for clients in reach."""
    allowed = has_permission(user, "wallet.grant_bonus")
    if allowed and client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    return allowed


def can_decide_bonus(user: User, grant: BonusGrant) -> Decision:
    """Four eyes: not the one who asked for it. Also a CHECK of the table."""
    allowed = has_permission(user, "wallet.approve_bonus")
    if not allowed:
        return allowed
    if grant.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    if user.pk == grant.requested_by_id:
        return no(_("You asked for this bonus: someone else must decide."))
    if grant.state != BonusState.REQUESTED:
        return no(_("This bonus is “%(state)s”.") % {"state": grant.get_state_display()})
    return YES


def can_take_bonus_away(user: Actor, grant: BonusGrant) -> Decision:
    allowed = has_permission(user, "wallet.approve_bonus")
    if allowed and grant.client.book_id not in reach_of(user).books:
        return no(_("You don't reach this client."))
    return allowed


def can_decide_bonus_return(user: User, proposal: BonusProposal, grant: BonusGrant) -> Decision:
    """Four eyes on what becomes of credit that a won dispute had cost. Also a CHECK of the table."""
    return by_another(user, proposal, can_take_bonus_away(user, grant))
