"""The life of a staff login: invited, changed, switched off and on again. Each step is audited."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.accounts import links, username_for
from crm.accounts.passwords import absolute
from crm.accounts.sessions import end_sessions
from crm.audit_codes import CrmAction
from crm.choices import LinkKind, UserKind
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Actor, Brand, Desk, User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import audit
from crm.security.policies import require
from crm.staff import policies

CHANGEABLE = (
    "first_name",
    "last_name",
    "desk",
    "languages",
    "countries",
    "language",
    "time_zone",
    "is_accepting_leads",
    "lead_capacity_per_day",
)


@transaction.atomic
def invite_staff(
    *,
    actor: User | None,
    email: str,
    first_name: str,
    last_name: str,
    brand: Brand,
    desk: Desk | None = None,
    **fields: Any,
) -> User:
    """Create a login without a password and send its owner a link, good once and for 72 hours.

    The login can do nothing until roles and reach are granted. Who: `crm.manage_staff` on the brand.
    Raises: NotAllowed; DomainError when the e-mail has a login already.
    """
    require(policies.can_invite(actor, brand))
    user = create_login(
        actor=actor, email=email, first_name=first_name, last_name=last_name, brand=brand, desk=desk, **fields
    )
    send_invitation(user, actor)
    return user


def create_login(
    *,
    actor: User | None,
    email: str,
    first_name: str,
    last_name: str,
    brand: Brand | None,
    desk: Desk | None = None,
    **fields: Any,
) -> User:
    """Create a staff login without a password, recorded. The caller has decided that it may be; in its transaction.

    Raises: DomainError when the e-mail has a login already.
    """
    email = email.strip().lower()
    user = User(
        username=username_for(brand=None, email=email),
        email=email,
        first_name=first_name.strip(),
        last_name=last_name.strip(),
        kind=UserKind.STAFF,
        brand=brand,
        desk=desk,
        **fields,
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise DomainError(_("An account with this e-mail already exists."), code="duplicate")
    audit.record(
        actor=actor,
        action=CrmAction.STAFF_INVITED,
        target=user,
        brand_id=user.brand_id,
        after={"email": email, "name": user.get_full_name(), "desk": str(desk) if desk else ""},
    )
    return user


def send_invitation(user: User, actor: User | None) -> str:
    """Send a new login its link, good once and for 72 hours, and return the link's token. In the caller's transaction."""
    _link, token = links.issue(kind=LinkKind.INVITATION, user=user, actor=actor)
    address = absolute(reverse("account_accept_invitation", args=[token]))
    mail.send(
        kind="accounts.invitation",
        to=Recipient.of(user),
        is_secret=True,
        letter=lambda: Letter(
            subject=_("Your account at %(brand)s") % {"brand": user.brand.name if user.brand else "Keelson"},
            greeting=_("Hello %(name)s,") % {"name": user.first_name or user.email},
            paragraphs=(
                _("%(who)s has created an account for you.") % {"who": str(actor) if actor else "Keelson"},
                _(
                    "The link below works once and expires in 72 hours. You choose a password and set up a "
                    "second factor."
                ),
            ),
            button=(_("Accept invitation"), address),
        ),
    )
    return token


@transaction.atomic
def invite_again(*, user: User, actor: User) -> None:
    """Send a new link to somebody who hasn't accepted yet; the old one stops working."""
    require(policies.can_manage(actor, user))
    if user.has_usable_password():
        raise WrongState(
            _("This invitation was already accepted. If you've forgotten your password, reset it on the sign-in page.")
        )
    send_invitation(user, actor)
    audit.record(actor=actor, action=CrmAction.STAFF_INVITED_AGAIN, target=user, brand_id=user.brand_id)


@transaction.atomic
def change_staff(*, user_id: int, actor: User, **fields: Any) -> User:
    """Change a member's details (CHANGEABLE). Who: `crm.manage_staff` within reach."""
    user = lock(User, user_id, "brand", "desk")
    require(policies.can_manage(actor, user))
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"not changeable here: {sorted(unknown)}")
    changed = {name: value for name, value in fields.items() if getattr(user, name) != value}
    if not changed:
        return user
    before = {name: _plain(getattr(user, name)) for name in changed}
    for name, value in changed.items():
        setattr(user, name, value)
    user.save(update_fields=list(changed))
    audit.record(
        actor=actor,
        action=CrmAction.STAFF_CHANGED,
        target=user,
        brand_id=user.brand_id,
        before=before,
        after={name: _plain(value) for name, value in changed.items()},
    )
    return user


def _plain(value: Any) -> Any:
    return str(value) if hasattr(value, "pk") else value


@transaction.atomic
def switch_off(*, user_id: int, actor: Actor, reason: str) -> User:
    """Lock a person out immediately: sessions end, links are revoked, no new sign-in. Their clients stay theirs.

    Who: `crm.manage_staff` within reach, never oneself; None for the system, after a leaver's last day.
    """
    user = lock(User, user_id)
    require(policies.can_manage_other(actor, user))
    if not user.is_active:
        raise WrongState(_("This account is already deactivated."))
    if not reason.strip():
        raise DomainError(_("Enter a reason. It's kept in the audit log."))
    user.is_active = False
    user.is_accepting_leads = False
    user.save(update_fields=["is_active", "is_accepting_leads"])
    ended = end_sessions(user=user, actor=actor)
    for kind in LinkKind:
        links.revoke(user=user, kind=kind)
    audit.record(
        actor=actor,
        action=CrmAction.STAFF_SWITCHED_OFF,
        target=user,
        brand_id=user.brand_id,
        reason=reason,
        before={"is_active": True},
        after={"is_active": False},
        evidence={"sessions_ended": ended},
    )
    return user


@transaction.atomic
def switch_on(*, user_id: int, actor: User, reason: str) -> User:
    """Let somebody in again, with the roles and reach they had."""
    user = lock(User, user_id)
    require(policies.can_manage_other(actor, user))
    if user.is_active:
        raise WrongState(_("This account is already active."))
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=CrmAction.STAFF_SWITCHED_ON,
        target=user,
        brand_id=user.brand_id,
        reason=reason,
        before={"is_active": False},
        after={"is_active": True},
    )
    return user


@transaction.atomic
def end_all_sessions(*, user: User, actor: User) -> int:
    """End every session of somebody, e.g. after a lost laptop."""
    require(policies.can_manage(actor, user))
    return end_sessions(user=user, actor=actor)


@transaction.atomic
def reset_second_factor(*, user: User, actor: User | None, reason: str) -> None:
    """Take a lost factor away: the person sets up a new one at the next sign-in, and all sessions end.

    Who: `crm.manage_staff` within reach, never for oneself (a stolen session must not get rid of the factor).
    """
    if actor is not None and actor.pk == user.pk:
        raise NotAllowed(_("Another administrator must reset your second factor."))
    require(policies.can_manage(actor, user))
    kinds = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    Authenticator.objects.filter(user=user).delete()
    ended = end_sessions(user=user, actor=actor)
    audit.record(
        actor=actor,
        action=CrmAction.SECOND_FACTOR_RESET,
        target=user,
        brand_id=user.brand_id,
        before={"factors": kinds},
        after={"factors": []},
        reason=reason,
        evidence={"sessions_ended": ended},
    )
