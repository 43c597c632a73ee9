"""What each role of a partner's team may see and do. The pages and the verbs ask here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.db.prepared import ByKey
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no
from ib.choices import PartnerRight, TeamRole
from ib.models import Partner, PartnerMember

READS: Final = frozenset(
    {PartnerRight.SEE_CLIENTS, PartnerRight.SEE_LINKS, PartnerRight.SEE_MONEY, PartnerRight.SEE_NETWORK}
)
RIGHTS: Final[Mapping[TeamRole, frozenset[PartnerRight]]] = {
    TeamRole.OWNER: frozenset(PartnerRight),
    TeamRole.FINANCE: READS | {PartnerRight.DISPUTE, PartnerRight.PAY_OUT, PartnerRight.USE_API},
    TeamRole.MARKETING: frozenset(
        {PartnerRight.SEE_CLIENTS, PartnerRight.SEE_LINKS, PartnerRight.MANAGE_LINKS, PartnerRight.USE_API}
    ),
    TeamRole.READ_ONLY: READS,
}


@dataclass(frozen=True)
class Access:
    """For which partner a person acts, and in which role."""

    partner: Partner
    role: TeamRole
    is_founder: bool  # the partner's first login, whose role nobody changes

    @property
    def rights(self) -> frozenset[PartnerRight]:
        return RIGHTS[self.role]

    @property
    def can(self) -> dict[str, bool]:
        """The rights by name, for templates."""
        return {right.value: right in self.rights for right in PartnerRight}


def _partners() -> QuerySet[Partner]:
    return Partner.objects.select_related("brand", "client", "manager")


# Every request of a partner's team asks.
_BY_LOGIN: Final = ByKey(_partners, "user_id")
_BY_NUMBER: Final = ByKey(_partners)


def access_of(user: Actor) -> Access | None:
    """Find for whom a partner's login acts; None for everyone else, and for a member who was removed."""
    if user is None or not user.is_authenticated or not user.is_active or not user.is_partner:
        return None
    known: Access | None = getattr(user, "_partner_access", None)
    if known is not None:
        return known
    partner = _BY_LOGIN.find(user_id=user.pk)
    if partner is not None:
        return Access(partner, TeamRole.OWNER, is_founder=True)
    member = PartnerMember.objects.filter(user_id=user.pk, removed_at__isnull=True).first()
    if member is None:
        return None
    partner = _BY_NUMBER.get(member.partner_id)
    assert partner is not None, "a member's partner is there as long as the member is"
    return Access(partner, TeamRole(member.role), is_founder=False)


def remember_access(user: User) -> Access | None:
    """Find for whom a login acts and keep the answer on this object, which lives as long as its request."""
    access = access_of(user)
    if access is not None:
        user._partner_access = access  # type: ignore[attr-defined]
    return access


def has_right(right: PartnerRight, user: Actor) -> bool:
    """Whether a login's role has a right for the partner that it acts for."""
    access = access_of(user)
    return access is not None and right in access.rights


def is_of_team(user: Actor, partner: Partner) -> bool:
    """Whether somebody acts for this partner in whatever role, rather than for the broker."""
    if user is None or user.pk == partner.user_id:
        return user is not None
    access = access_of(user)
    return access is not None and access.partner.pk == partner.pk


def can_act_for(user: Actor, partner: Partner, right: PartnerRight) -> Decision:
    """Decide whether somebody may do something for a partner: its owner, or a team member whose role has the right."""
    if user is not None and user.pk == partner.user_id:
        return YES
    access = access_of(user)
    if access is None or access.partner.pk != partner.pk:
        return no(_("Only the partner's own team can do this."))
    return YES if right in access.rights else no(_("Your role in the team doesn't allow this."))


def team_with(partner: Partner, right: PartnerRight) -> list[int]:
    """List the logins to notify of something: the partner's first one, and the team members whose role has the right."""
    roles = [role for role, rights in RIGHTS.items() if right in rights]
    members = PartnerMember.objects.filter(partner=partner, role__in=roles, removed_at__isnull=True)
    return [partner.user_id, *members.values_list("user_id", flat=True)]
