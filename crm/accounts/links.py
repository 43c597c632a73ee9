"""Links in e-mails: signed, good once, for a limited time, and dead as soon as the login's address changes.

link, token = issue(kind=LinkKind.INVITATION, user=user, actor=administrator)
…
link = peek(token, kind=LinkKind.INVITATION)     # for the page; raises LinkProblem with words for its reader
link = use(token, kind=LinkKind.INVITATION)      # in the transaction of what the link is for
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import LinkKind
from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError
from crm.models import AccessLink, User

LIFETIMES = {
    LinkKind.INVITATION: dt.timedelta(hours=72),
    LinkKind.PASSWORD_RESET: dt.timedelta(hours=2),
    LinkKind.VERIFY_EMAIL: dt.timedelta(hours=48),
}
SECRET_BYTES = 24


class LinkProblem(DomainError):
    """The link opens nothing any more. `code`: link_broken, link_expired, link_used, link_replaced."""

    code = "link_broken"


def _signer(kind: LinkKind) -> signing.Signer:
    return signing.Signer(salt=f"keelson.link.{kind}")


@transaction.atomic
def issue(*, kind: LinkKind, user: User, actor: User | None = None) -> tuple[AccessLink, str]:
    """Issue a link that opens one thing for a person, and revoke the one before. Returns the row and its token."""
    now = timezone.now()
    lock(User, user.pk)
    AccessLink.objects.filter(user=user, kind=kind, used_at=None, revoked_at=None).update(revoked_at=now)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link = AccessLink.objects.create(
        kind=kind,
        user=user,
        email=user.email,
        secret_hash=_hash(secret),
        created_by=actor,
        expires_at=now + LIFETIMES[kind],
    )
    return link, _signer(kind).sign(f"{link.pk}.{secret}")


def revoke(*, user: User, kind: LinkKind) -> None:
    """Close a person's open link of this kind."""
    AccessLink.objects.filter(user=user, kind=kind, used_at=None, revoked_at=None).update(revoked_at=timezone.now())


def peek(token: str, *, kind: LinkKind) -> AccessLink:
    """Find the link of a token that can still be used. Raises: LinkProblem."""
    return _checked(_find(token, kind=kind, is_locked=False))


@transaction.atomic
def use(token: str, *, kind: LinkKind) -> AccessLink:
    """Use up the link: of two at once only one gets through. Raises: LinkProblem."""
    link = _checked(_find(token, kind=kind, is_locked=True))
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    return link


def owner_of(token: str, *, kind: LinkKind) -> User | None:
    """Find the owner of a link, even a used one, so that a page can lead on from there; None for a forged one."""
    try:
        return _find(token, kind=kind, is_locked=False).user
    except LinkProblem:
        return None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _find(token: str, *, kind: LinkKind, is_locked: bool) -> AccessLink:
    broken = LinkProblem(_("This link is incomplete. Copy it from the e-mail again, or request a new one."))
    try:
        number, _dot, secret = _signer(kind).unsign(token).partition(".")
    except signing.BadSignature:
        raise broken
    rows = AccessLink.objects.filter(kind=kind).select_related("user", "user__brand")
    link = lock_or_none(rows, number) if is_locked else rows.filter(pk=number).first()
    if link is None or not secrets.compare_digest(bytes(link.secret_hash), _hash(secret)):
        raise broken
    return link


def _checked(link: AccessLink) -> AccessLink:
    if link.used_at is not None:
        raise LinkProblem(_("This link was already used. Each link works once."), code="link_used")
    if link.revoked_at is not None:
        raise LinkProblem(
            _("A newer link has been sent. Please use the one in the latest e-mail."), code="link_replaced"
        )
    if link.expires_at <= timezone.now():
        raise LinkProblem(_("This link has expired. Request a new one."), code="link_expired")
    if link.email != link.user.email or not link.user.is_active:
        raise LinkProblem(_("This link no longer belongs to an active account."), code="link_broken")
    return link
