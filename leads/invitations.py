"""Registration links: signed, expiring, good for one registration.

    invitation, token = invite(client_id=7, actor=agent)          # writes the row, queues the letter
    look_at(token)                                                 # → RegistrationInvitation, or raises LinkUnusable
    redeem(token, user_id=user.pk)                                 # in the transaction of the registration, once

The token is only in the letter: the table holds its hash, so that a stolen table opens nothing. Its signature tells a
mistyped or forged link from one that was never ours without asking the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies as client_policies
from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.mail import send_mail_to
from clients.models import Client, Message
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.notices.notify import notify
from crm.security import audit, policies
from leads.audit_codes import LeadsAction
from leads.choices import LeadsNotice
from leads.models import RegistrationInvitation
from leads.pipeline import mark_registration_sent
from leads.scores.rescoring import await_rescoring

SALT = "leads.registration"
VALID_FOR = dt.timedelta(days=7)
PATH = "/l/invitation/"


class LinkUnusable(WrongState):
    """The link can't be used. `why`: forged, unknown, expired, used or replaced. `invitation` where there is one."""

    code = "link_unusable"

    def __init__(self, why: str, invitation: RegistrationInvitation | None = None) -> None:
        super().__init__(_TEXTS[why]())
        self.why = why
        self.invitation = invitation


_TEXTS = {
    "forged": lambda: _("This link is incomplete. Open it from the e-mail or copy the whole address."),
    "unknown": lambda: _("This link isn't valid. Open it from the e-mail or request a new one."),
    "expired": lambda: _("This link has expired. Request a new one; it only takes a minute."),
    "used": lambda: _("You've already registered with this link. Sign in instead."),
    "replaced": lambda: _("We've sent you a newer link. Please use that one."),
}


@transaction.atomic
def invite(*, client_id: int, actor: Actor) -> tuple[RegistrationInvitation, str]:
    """Send a lead a link to register; an older open link stops working. Returns the row and the token.

    Who: `leads.send_invitation` in reach; None for the system.
    Raises: NotAllowed; WrongState when they are registered; DomainError without an e-mail address, or within a minute of
    the last one.
    """
    client = lock(Client, client_id, "brand")
    policies.require(client_policies.can(actor, client, "leads.send_invitation"))
    if client.stage != Stage.LEAD:
        raise WrongState(_("%(client)s is already registered.") % {"client": client})
    if not client.email:
        raise DomainError(_("This lead has no e-mail address to send the link to."))
    now = timezone.now()
    open_ones = RegistrationInvitation.objects.filter(client=client, used_at=None, revoked_at=None)
    if open_ones.filter(created_at__gt=now - dt.timedelta(minutes=1)).exists():
        raise DomainError(_("A link has just been sent. Wait a minute before sending another one."))
    open_ones.update(revoked_at=now)
    token = _new_token()
    invitation = RegistrationInvitation.objects.create(
        client=client, token_hash=_hash(token), created_by=actor, created_at=now, expires_at=now + VALID_FOR
    )
    _send(invitation, client, token, actor)
    audit.record(
        actor=actor,
        action=LeadsAction.INVITED,
        target=invitation,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"expires_at": invitation.expires_at},
    )
    mark_registration_sent(client_id=client.pk, actor=actor)
    return invitation, token


def _send(invitation: RegistrationInvitation, client: Client, token: str, actor: Actor) -> Message | None:
    return send_mail_to(
        client_id=client.pk,
        template="leads.registration_link",
        sender=actor,
        dedupe_key=f"invitation:{invitation.pk}",
        context={"link": link(token), "expires": invitation.expires_at.date()},
    )


def link(token: str) -> str:
    """Build the public address of a registration invitation."""
    return f"{settings.BASE_URL}{PATH}{token}/"


def look_at(token: str) -> RegistrationInvitation:
    """Find the invitation of a token, for the registration page to fill in what is known. Raises: LinkUnusable."""
    return _usable(_find(token))


@transaction.atomic
def redeem(token: str, *, user_id: int) -> RegistrationInvitation:
    """Use the link up, in the transaction of the registration. The same user may call again. Raises: LinkUnusable."""
    invitation = lock(RegistrationInvitation, _find(token).pk)
    if invitation.used_by_id == user_id:
        return invitation
    _usable(invitation)
    invitation.used_at, invitation.used_by_id = timezone.now(), user_id
    invitation.save(update_fields=["used_at", "used_by"])
    audit.record(
        actor=None,
        action=LeadsAction.INVITATION_USED,
        target=invitation,
        client_id=invitation.client_id,
        after={"user_id": user_id},
    )
    return invitation


@transaction.atomic
def note_opened(invitation: RegistrationInvitation) -> None:
    """Record that a lead opened the registration link, and notify the owner; only the first time."""
    opened = RegistrationInvitation.objects.filter(pk=invitation.pk, opened_at=None).update(opened_at=timezone.now())
    if not opened:
        return
    await_rescoring([invitation.client_id])
    client = invitation.client
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.LEAD,
        title=phrase("Opened the registration link"),
        dedupe_key=f"invitation-opened:{invitation.pk}",
    )
    if client.owner_id:
        notify(
            [client.owner_id],
            kind=LeadsNotice.LINK_OPENED,
            url=client.get_absolute_url(),
            title=phrase("%(client)s opened the registration link") % {"client": client},
            dedupe_key=f"leads.link_opened:{invitation.pk}",
        )


@transaction.atomic
def ask_for_new(token: str) -> bool:
    """Mail a fresh link to the address on record, from the page of an expired one; at most once a minute.

    Who: whoever holds a token that we signed; the address is never shown. False when there is nothing to renew.
    """
    try:
        invitation = _find(token)
    except LinkUnusable:
        return False
    if invitation.used_at or invitation.client.stage != Stage.LEAD:
        return False
    try:
        invite(client_id=invitation.client_id, actor=None)
    except DomainError:  # sent a moment ago
        return False
    return True


def _new_token() -> str:
    return signing.Signer(salt=SALT).sign(secrets.token_urlsafe(24))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _find(token: str) -> RegistrationInvitation:
    try:
        signing.Signer(salt=SALT).unsign(token)
    except signing.BadSignature:
        raise LinkUnusable("forged") from None
    invitation = (
        RegistrationInvitation.objects.select_related("client__brand", "client__owner")
        .filter(token_hash=_hash(token))
        .first()
    )
    if invitation is None:
        raise LinkUnusable("unknown")
    return invitation


def _usable(invitation: RegistrationInvitation) -> RegistrationInvitation:
    if invitation.used_at:
        raise LinkUnusable("used", invitation)
    if invitation.revoked_at:
        raise LinkUnusable("replaced", invitation)
    if invitation.expires_at <= timezone.now():
        raise LinkUnusable("expired", invitation)
    if invitation.client.stage != Stage.LEAD:
        raise LinkUnusable("used", invitation)
    return invitation
