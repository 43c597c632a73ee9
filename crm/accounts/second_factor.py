"""The second factor: who has one, and whether this session has shown it.

Having one is not enough. A session counts only when its own sign-in went through the factor (a code, a security key, a
passkey with its PIN or fingerprint), or when the person proved it in this session by setting it up.
"""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from crm.accounts import home_url
from crm.models import User

SESSION_KEY = "second_factor_of"


def factors_of(user: User) -> QuerySet[Authenticator]:
    """Select a person's authenticator apps, security keys and passkeys. Recovery codes are only the spare."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(
        user_id=user.pk, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    )
    return factors


def has_authenticator_app(user: User) -> bool:
    """Check whether a code can be typed (an app or a recovery code), and not only a key be touched."""
    has_code: bool = Authenticator.objects.filter(user_id=user.pk).exclude(type=Authenticator.Type.WEBAUTHN).exists()
    return has_code


def has_passed(request: HttpRequest) -> bool:
    """Check whether this session has shown the second factor of the person it belongs to."""
    return request.user.is_authenticated and request.session.get(SESSION_KEY) == request.user.pk


def address_to_show(user: User) -> str:
    """Return where a session that hasn't shown the user's second factor shows it, or sets up the first one."""
    if not factors_of(user).exists():
        return reverse("second_factor_setup")
    target = "mfa_reauthenticate" if has_authenticator_app(user) else "mfa_reauthenticate_webauthn"
    return f"{reverse(target)}?{urlencode({'next': home_url(user)})}"


def mark_passed(request: HttpRequest, user: User) -> None:
    """Remember that this session has shown the user's second factor."""
    request.session[SESSION_KEY] = user.pk


def use_up(authenticator: Authenticator, code: str) -> bool:
    """Note that a right code was used; False for one that was used already, or is older than one that was.

    An app's code belongs to a step of half a minute; steps only go forward (RFC 6238, 5.2). Recovery codes mark themselves as used.
    """
    if authenticator.type != Authenticator.Type.TOTP:
        return True
    secret = decrypt(authenticator.data["secret"])
    steps = [
        at
        for at in yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, at)))
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_secondfactorstep (user_id, step) VALUES (%s, %s) ON CONFLICT (user_id)"
            " DO UPDATE SET step = EXCLUDED.step WHERE crm_secondfactorstep.step < EXCLUDED.step",
            [authenticator.user_id, max(steps, default=0)],
        )
        is_later: bool = cursor.rowcount == 1
        return is_later


def end_session_row(request: HttpRequest) -> None:
    """Delete the row of this request's session from the list of open sessions."""
    from allauth.usersessions.models import UserSession

    UserSession.objects.filter(session_key=request.session.session_key).delete()
