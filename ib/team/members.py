"""Inviting people into a partner's team, changing their role, and taking their access away."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts import links, partner_username, sessions
from crm.accounts.passwords import absolute
from crm.api.tokens import revoke_token
from crm.choices import LinkKind
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Actor, ApiToken
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import audit, policies
from ib.audit_codes import IbAction
from ib.choices import TeamRole
from ib.models import Partner, PartnerMember
from ib.partners import create_login
from ib.policies import can_manage_team

MEMBERS_MAX: Final = 50


@transaction.atomic
def add_member(*, partner_id: int, name: str, email: str, role: str, actor: Actor) -> PartnerMember:
    """Give somebody a login of their own for a partner's pages, within a role, and e-mail them the way in.

    Who: an owner of the partner, or `ib.manage_partners` at the brand. Somebody who was removed from this team gets their
    access back. Raises: NotAllowed; DomainError where the address has a login already or the team is full.
    """
    partner = lock(Partner, partner_id, "brand")
    policies.require(can_manage_team(actor, partner))
    role = _role(role)
    if partner.members.filter(removed_at__isnull=True).count() >= MEMBERS_MAX:
        raise DomainError(_("A team has at most %(count)s members. Remove one first.") % {"count": MEMBERS_MAX})
    username = partner_username(brand=partner.brand, email=email)
    member = PartnerMember.objects.filter(partner=partner, user__username=username, removed_at__isnull=False).first()
    if member is None:
        user = create_login(partner.brand, name=name, email=email)
        member = PartnerMember(partner=partner, user=user)
    else:
        member.user.is_active, member.user.first_name = True, name.strip()[:150]
        member.user.save(update_fields=["is_active", "first_name"])
    member.role, member.added_by, member.added_at = role, actor, timezone.now()
    member.removed_by, member.removed_at = None, None
    member.save()
    _record(IbAction.MEMBER_ADDED, member, actor, after={"role": role})
    _send_invitation(member, actor)
    return member


@transaction.atomic
def invite_again(*, member_id: int, actor: Actor) -> PartnerMember:
    """Send a team member a new link to choose a password; the one before stops working.

    Who: as for adding one. Raises: NotAllowed, WrongState where they were removed.
    """
    member = _locked(member_id, actor)
    _record(IbAction.MEMBER_INVITED, member, actor)
    _send_invitation(member, actor)
    return member


@transaction.atomic
def change_role(*, member_id: int, role: str, actor: Actor) -> PartnerMember:
    """Give a team member another role, which counts from their next page on.

    Who: as for adding one, but not for oneself. Raises: NotAllowed, WrongState where they were removed.
    """
    member = _locked(member_id, actor)
    _refuse_oneself(member, actor)
    before, member.role = member.role, _role(role)
    member.save(update_fields=["role"])
    _record(IbAction.MEMBER_ROLE_CHANGED, member, actor, before={"role": before}, after={"role": member.role})
    return member


@transaction.atomic
def remove_member(*, member_id: int, actor: Actor) -> PartnerMember:
    """Take a team member's access away now: their sessions end and their links stop working.

    Who: as for adding one, but not for oneself. Raises: NotAllowed, WrongState where they were removed.
    """
    member = _locked(member_id, actor)
    _refuse_oneself(member, actor)
    member.removed_by, member.removed_at = actor, timezone.now()
    member.save(update_fields=["removed_by", "removed_at"])
    member.user.is_active = False
    member.user.save(update_fields=["is_active"])
    sessions.end_sessions(user=member.user, actor=actor)
    for token in ApiToken.objects.filter(user=member.user, revoked_at=None).order_by("pk"):
        revoke_token(token_id=token.pk, actor=actor or member.user)
    for kind in LinkKind:
        links.revoke(user=member.user, kind=kind)
    _record(IbAction.MEMBER_REMOVED, member, actor, before={"role": member.role})
    return member


def _locked(member_id: int, actor: Actor) -> PartnerMember:
    member = lock(PartnerMember, member_id, "partner__brand", "user")
    policies.require(can_manage_team(actor, member.partner))
    if member.removed_at is not None:
        raise WrongState(_("This person isn't in the team any more."))
    return member


def _refuse_oneself(member: PartnerMember, actor: Actor) -> None:
    if actor is not None and actor.pk == member.user_id:
        raise NotAllowed(_("You can't do this to your own account."))


def _role(role: str) -> TeamRole:
    if role not in TeamRole.values:
        raise DomainError(_("Choose a role."))
    return TeamRole(role)


def _record(
    action: IbAction,
    member: PartnerMember,
    actor: Actor,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    partner = member.partner
    audit.record(
        actor=actor,
        action=action,
        target=partner,
        brand_id=partner.brand_id,
        evidence={"member": member.pk, "user": member.user_id},
        before=before,
        after=after,
    )


def _send_invitation(member: PartnerMember, actor: Actor) -> None:
    partner, user = member.partner, member.user
    _link, token = links.issue(kind=LinkKind.INVITATION, user=user, actor=actor)
    address = absolute(reverse("partner_welcome", kwargs={"token": token}))
    mail.send(
        kind="ib.member_invitation",
        to=Recipient(user.email, user.language, partner.brand),
        is_secret=True,
        letter=lambda: Letter(
            subject=_("Join the team of %(partner)s at %(brand)s") % {"partner": partner.name, "brand": partner.brand},
            greeting=_("Hello %(name)s,") % {"name": user.first_name},
            paragraphs=(
                _("%(partner)s invites you to its partner portal at %(brand)s. Your role: %(role)s.")
                % {"partner": partner.name, "brand": partner.brand, "role": TeamRole(member.role).label},
                _(
                    "Choose a password and set up two-factor authentication to open it. The link can be used once and "
                    "expires after three days."
                ),
            ),
            button=(_("Choose a password"), address),
        ),
    )
