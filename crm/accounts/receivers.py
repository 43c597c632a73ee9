"""What follows a change in allauth: audit rows, sessions that end, an e-mail to the owner.

These are allauth's own hooks, the only way in; domain logic elsewhere never hangs on signals.
"""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_removed, authenticator_reset, authenticator_used
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts import attempts, second_factor
from crm.accounts.adapters import note_failure
from crm.accounts.passwords import client_id_of
from crm.accounts.sessions import end_sessions
from crm.audit_codes import CrmAction
from crm.i18n import formats
from crm.models import User
from crm.notices import mail
from crm.notices.mail import Letter, Recipient
from crm.security import audit
from crm.security.request_context import current

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@receiver(password_changed)
def after_password_change(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """End the owner's other sessions after a change of password, record it and e-mail them."""
    end_sessions(user=user, actor=user, except_key=request.session.session_key)
    audit.record(
        actor=user, action=CrmAction.PASSWORD_CHANGED, target=user, client_id=client_id_of(user), brand_id=user.brand_id
    )
    email_owner(user, "password_changed", lambda: _("Your password was changed"))


def after_factor_added(*, request: HttpRequest, user: User, kind: str) -> None:
    """Record a new second factor and notify its owner.

    Our views call it in the transaction of the change: allauth's signal for an authenticator app comes after the
    commit.
    """
    audit.record(
        actor=user,
        action=CrmAction.SECOND_FACTOR_ADDED,
        target=user,
        client_id=client_id_of(user),
        brand_id=user.brand_id,
        after={"factor": kind},
    )
    second_factor.mark_passed(request, user)  # setting it up showed it
    email_owner(user, "second_factor_added", lambda: _("A second factor was added to your account"))


@receiver(authenticator_reset)
def after_new_recovery_codes(sender: Any, user: User, **kwargs: Any) -> None:
    """Record that a person made new recovery codes."""
    audit.record(
        actor=user,
        action=CrmAction.RECOVERY_CODES_RENEWED,
        target=user,
        client_id=client_id_of(user),
        brand_id=user.brand_id,
    )


@receiver(authenticator_removed)
def after_factor_removed(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kw: Any
) -> None:
    """Record a removed second factor, and e-mail its owner unless it was only the recovery codes."""
    audit.record(
        actor=user,
        action=CrmAction.SECOND_FACTOR_REMOVED,
        target=user,
        client_id=client_id_of(user),
        brand_id=user.brand_id,
        before={"factor": authenticator.type},
    )
    if authenticator.type in FACTORS:
        email_owner(user, "second_factor_removed", lambda: _("A second factor was removed from your account"))


@receiver(authenticator_used)
def after_factor_used(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Remember that this session has shown its second factor, when its own person did."""
    if request.user.is_authenticated and request.user.pk == user.pk:
        second_factor.mark_passed(request, user)


@receiver(authentication_failed)
def after_wrong_code(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Log and count a wrong code like any other failed sign-in."""
    note_failure(user=user, reason="second factor")
    attempts.note_failed(request, user=user, login=user.username)


def email_owner(user: User, kind: str, subject: Any) -> None:
    """E-mail the owner of a login about a change of it, so that a stranger's change doesn't go unnoticed."""
    address, now = current().ip, timezone.localtime()
    mail.send(
        kind=f"accounts.{kind}",
        to=Recipient.of(user),
        letter=lambda: Letter(
            subject=subject(),
            greeting=_("Hello %(name)s,") % {"name": user.first_name or user.email},
            paragraphs=(
                subject() + ".",
                _("When: %(when)s") % {"when": formats.moment(now, zone=True)}
                + (("\n" + _("From: %(address)s") % {"address": address}) if address else ""),
            ),
            closing=(_("If this wasn't you, change your password now and contact us."),),
        ),
    )
