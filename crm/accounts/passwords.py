"""Passwords: chosen through a link, changed, forgotten. A new password ends every other session."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.accounts import links
from crm.accounts.sessions import end_sessions
from crm.audit_codes import CrmAction
from crm.choices import LinkKind
from crm.db.locking import lock
from crm.models import User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import audit


def absolute(path: str) -> str:
    """Make a path of this site an absolute address, for e-mails."""
    from django.conf import settings

    address: str = settings.BASE_URL.rstrip("/") + path
    return address


@transaction.atomic
def choose_password(*, token: str, kind: LinkKind, password: str) -> User:
    """Set the password of the link's owner and spend the link. All their sessions end.

    Raises: LinkProblem; ValidationError when the password is too weak (nothing is spent then).
    """
    link = links.use(token, kind=kind)
    user = lock(User, link.user_id, "brand")
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user=user, actor=user)
    audit.record(
        actor=user,
        action=CrmAction.PASSWORD_RESET if kind == LinkKind.PASSWORD_RESET else CrmAction.PASSWORD_CHOSEN,
        target=user,
        client_id=client_id_of(user),
        brand_id=user.brand_id,
        evidence={"by": kind.value, "link": link.pk},
    )
    return user


def client_id_of(user: User) -> int | None:
    """Return the client behind a portal login, whose trail also holds what happens to the login; None for others."""
    client = getattr(user, "client", None) if user.is_client else None
    return client.pk if client is not None else None


@transaction.atomic
def send_reset_link(*, user: User, url_name: str, url_kwargs: dict[str, str] | None = None) -> None:
    """Send a link with which the person chooses a new password. Callers say the same whether the login exists or not."""
    _link, token = links.issue(kind=LinkKind.PASSWORD_RESET, user=user)
    address = absolute(reverse(url_name, kwargs={**(url_kwargs or {}), "token": token}))
    audit.record(
        actor=None,
        action=CrmAction.PASSWORD_RESET_SENT,
        target=user,
        client_id=client_id_of(user),
        brand_id=user.brand_id,
    )
    mail.send(
        kind="accounts.password_reset",
        to=Recipient.of(user),
        is_secret=True,
        letter=lambda: Letter(
            subject=_("Choose a new password"),
            greeting=_("Hello %(name)s,") % {"name": user.first_name or user.email},
            paragraphs=(
                _("Someone, probably you, requested a new password for this account."),
                _("The link works once and expires in two hours."),
            ),
            button=(_("Choose a new password"), address),
            closing=(_("If this wasn't you, ignore this e-mail. Your password won't change."),),
        ),
    )
