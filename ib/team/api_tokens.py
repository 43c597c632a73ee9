"""API tokens of partners: who in a team has some, who sees them, and who ends them."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm.api.scopes import Scope, scopes_of
from crm.api.tokens import PartnerRules
from crm.models import User
from crm.security.policies import YES, Decision, no
from ib.choices import PartnerRight
from ib.models import Partner
from ib.policies import can_manage_partners
from ib.team.rights import Access, access_of, has_right

NEEDS = {
    "own_clients:read": PartnerRight.SEE_CLIENTS,
    "own_earnings:read": PartnerRight.SEE_MONEY,
    "own_links:read": PartnerRight.SEE_LINKS,
}


def scopes_for(user: User) -> list[Scope]:
    """List the scopes that a role in the team can use; the API asks for the role again at every call."""
    return [scope for scope in scopes_of(is_partner=True) if has_right(NEEDS[scope.code], user)]


def team_of(user: User) -> QuerySet[User]:
    """Select the logins whose tokens somebody sees: for those who manage the team all of it, removed members included."""
    access = access_of(user)
    if access is None or PartnerRight.MANAGE_TEAM not in access.rights:
        return User.objects.none()
    return _logins(access)


def _logins(access: Access) -> QuerySet[User]:
    return User.objects.filter(Q(pk=access.partner.user_id) | Q(partner_membership__partner=access.partner))


def _has(actor: User) -> Decision:
    return YES if has_right(PartnerRight.USE_API, actor) else no(_("Your role in the team doesn't allow this."))


def _ends(actor: User, user: User) -> Decision:
    """Those who manage the partner's team, and the broker's partner managers, who may remove its members, too."""
    if actor.is_partner:
        return YES if team_of(actor).filter(pk=user.pk).exists() else no(_("Your role in the team doesn't allow this."))
    partner = Partner.objects.filter(Q(user=user) | Q(members__user=user)).first()
    return (
        can_manage_partners(actor, partner.brand_id) if partner else no(_("Only the partner's own team can do this."))
    )


RULES = PartnerRules(has=_has, ends=_ends, sees=team_of)
