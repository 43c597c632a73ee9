"""Failed attempts to sign in: each login is slowed down per device and address, so that a stranger doesn't lock its owner out.

A device that signed in before carries a signed cookie and has a counter of its own. Everybody else is counted per login and
address, and, over all addresses together, per login: when that is used up, only known devices may try. Whoever then comes with
a new device resets the password by e-mail; choosing a new one makes the device known. Counts are in the cache.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.conf import settings
from django.core import signing
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts import network
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices import mail
from crm.notices.kinds import CrmNotice
from crm.notices.mail import Letter, Recipient
from crm.notices.notify import notify

APP = "allauth.account"
COOKIE = "known-device"
COOKIE_SECONDS = 400 * 86_400
LOGINS_MAX = 8
# Sent with user, device, ip and at, when somebody has signed in: what is above learns who uses which device.
device_seen = Signal()


class TooManyAttempts(Exception):
    """This device or address has to wait. `code` names the message (`AccountAdapter.error_messages`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Attempt:
    """One attempt that was let through, and what it used up."""

    usages: tuple[RateLimitUsage, ...] = ()

    def take_back(self) -> None:
        """Withdraw the attempt from the counters: it was right, so it is no failure."""
        for usage in self.usages:
            usage.rollback()


def begin(request: HttpRequest, *, login: str, step: str = "password") -> Attempt:
    """Count one attempt at a login's password, or at another step of signing in. Raises TooManyAttempts."""
    login = login.strip().lower()
    used = [_used(request, "login_failed", "", "too_many_login_attempts")]
    device = device_of(request, login)
    if device:
        used.append(_used(request, "failed_known_device", f"{step}|{login}|{device}", "too_many_login_attempts"))
    else:
        address = ratelimit.get_ip(request)
        used.append(_used(request, "failed_address", f"{step}|{login}|{address}", "too_many_login_attempts"))
        used.append(_used(request, "failed_new_devices", f"{step}|{login}", "only_known_devices"))
    return Attempt(tuple(used))


def _used(request: HttpRequest, action: str, key: str, code: str) -> RateLimitUsage:
    usage = ratelimit.consume(request, app=APP, action=action, key=key)
    if not usage:
        raise TooManyAttempts(code)
    return usage


def may_send_link(request: HttpRequest, *, login: str) -> bool:
    """Check whether one more link may go to this login's e-mail address: bounded, whoever asks and from wherever."""
    return bool(ratelimit.consume(request, app=APP, action="links_to_login", key=login.strip().lower()))


def link_key(request: HttpRequest, login: str) -> str:
    """Return the key under which requests for a link are counted, so that a stranger doesn't use up the owner's."""
    return f"{login.strip().lower()}|{device_of(request, login) or ratelimit.get_ip(request)}"


# --- known devices ---


def _mark(login: str) -> str:
    return hashlib.sha256(login.strip().lower().encode()).hexdigest()[:16]


def _cookie(request: HttpRequest) -> dict[str, Any]:
    try:
        content = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
    except signing.BadSignature:
        return {}
    return content if isinstance(content, dict) else {}


def device_of(request: HttpRequest, login: str) -> str:
    """Return the id of the device when this login has signed in on it before, else ""."""
    cookie = _cookie(request)
    return str(cookie["device"]) if _mark(login) in cookie.get("logins", ()) else ""


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Remember this device for the login from now on; the cookie holds no name."""
    cookie = _cookie(request)
    mark = _mark(user.username)
    logins = [*(login_mark for login_mark in cookie.get("logins", ()) if login_mark != mark), mark][-LOGINS_MAX:]
    content = {"device": cookie.get("device") or secrets.token_hex(12), "logins": logins}
    device_seen.send(sender=None, user=user, device=content["device"], ip=network.client_ip(request), at=timezone.now())
    response.set_cookie(
        COOKIE,
        signing.dumps(content, salt=COOKIE),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE) or request.is_secure(),
    )


# --- the owner hears of it ---


def note_failed(request: HttpRequest, *, user: User | None, login: str) -> None:
    """E-mail the owner, once a day, when many attempts failed."""
    if ratelimit.consume(request, app=APP, action="failed_unnoticed", key=login.strip().lower()) or user is None:
        return
    today = timezone.now().date()
    key = f"failed-attempts:{user.pk}:{today}"
    sent = mail.send(
        kind="accounts.failed_attempts",
        to=Recipient.of(user),
        dedupe_key=key,
        letter=lambda: Letter(
            subject=_("Failed sign-in attempts on your account"),
            greeting=_("Hello %(name)s,") % {"name": user.first_name or user.email},
            paragraphs=(
                _("Someone tried and failed to sign in to your account several times today."),
                _(
                    "Your account is protected: you can still sign in on devices you've used before. Other "
                    "devices must wait."
                ),
            ),
            closing=(_("If this wasn't you and your password isn't long and unique, change it now."),),
        ),
    )
    if sent is not None:
        notify(
            [user],
            kind=CrmNotice.FAILED_ATTEMPTS,
            title=phrase("Several failed sign-in attempts on your account today"),
            body=phrase("If this wasn't you and your password isn't long and unique, change it now."),
            dedupe_key=key,
        )
