"""API tokens of partners: who in a team has some, who sees them, and who ends them."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm.api.scopes import Scope, scopes_of
from crm.api.tokens import PartnerRules, revoke_token
from crm.models import ApiToken, User
from crm.security.policies import YES, Decision, no
from ib.choices import PartnerRight
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


def revoke_all(*, user: User, actor: User) -> None:
    """End all tokens of somebody whose access ends."""
    for token in ApiToken.objects.filter(user=user, revoked_at=None).order_by("pk"):
        revoke_token(token_id=token.pk, actor=actor)


def _logins(access: Access) -> QuerySet[User]:
    return User.objects.filter(Q(pk=access.partner.user_id) | Q(partner_membership__partner=access.partner))


def _has(actor: User) -> Decision:
    return YES if has_right(PartnerRight.USE_API, actor) else no(_("Your role in the team doesn't allow this."))


def _ends(actor: User, user: User) -> Decision:
    return YES if team_of(actor).filter(pk=user.pk).exists() else no(_("Your role in the team doesn't allow this."))


RULES = PartnerRules(has=_has, ends=_ends, sees=team_of)
