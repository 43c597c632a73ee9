"""Open sessions: listed for their owner, ended one by one or all at once, timed out when nobody works in them."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from crm.accounts import network
from crm.accounts.access_policies import PORTAL_IDLE, STAFF_IDLE
from crm.audit_codes import CrmAction
from crm.db.locking import lock_all, lock_or_none
from crm.models import User
from crm.security import audit

SEEN = "seen_at"
TOUCH_EVERY_SECONDS = 60
LISTED = 50


@dataclass(frozen=True)
class OpenSession:
    pk: int
    device: str
    ip: str
    created_at: dt.datetime
    last_seen_at: dt.datetime
    is_current: bool


def open_sessions(user: User, *, current_key: str | None) -> list[OpenSession]:
    """List a person's sessions that are still valid, newest activity first, and delete the rows of expired ones."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at")[:LISTED])
    alive = [row for row in rows if row.session_key == current_key or not row.purge()]
    return [
        OpenSession(
            pk=row.pk,
            device=device_of(row.user_agent),
            ip=row.ip,
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current_key,
        )
        for row in alive
    ]


def device_of(user_agent: str) -> str:
    """Name a device, “Firefox on Windows”, from the browser's self-description; the raw text where it is unknown."""
    browsers = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]
    systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]
    browser = next((name for mark, name in browsers if mark in user_agent), "")
    system = next((name for mark, name in systems if mark in user_agent), "")
    if browser and system:
        return f"{browser} · {system}"
    return browser or system or user_agent[:60] or "?"


@transaction.atomic
def end_session(*, user: User, session_id: int) -> bool:
    """End one of the person's own sessions. False when it was gone already."""
    row = lock_or_none(UserSession.objects.filter(user=user), session_id)
    if row is None:
        return False
    row.end()
    audit.record(
        actor=user, action=CrmAction.SESSION_ENDED, target=user, brand_id=user.brand_id, evidence={"ip": row.ip}
    )
    return True


@transaction.atomic
def end_sessions(*, user: User, actor: User | None, except_key: str | None = None) -> int:
    """End all sessions of a person, except perhaps the one they are in. Returns how many."""
    rows = lock_all(UserSession.objects.filter(user=user).exclude(session_key=except_key or ""))
    for row in rows:
        row.end()
    if rows:
        audit.record(
            actor=actor,
            action=CrmAction.SESSIONS_ENDED,
            target=user,
            brand_id=user.brand_id,
            evidence={"count": len(rows)},
        )
    return len(rows)


def idle_seconds_allowed(user: User) -> int:
    """Return how long a session may be idle: the brand's policy, else the installation's setting."""
    policy = STAFF_IDLE if user.is_team else PORTAL_IDLE
    fallback = settings.STAFF_IDLE_SECONDS if user.is_team else settings.PORTAL_IDLE_SECONDS
    return int((policy.of(user.brand) if user.brand else 0) or fallback)


def is_idle_too_long(request: HttpRequest, user: User) -> bool:
    """Check whether the session's last activity is longer ago than this user's role allows."""
    seen = request.session.get(SEEN)
    return seen is not None and time.time() - seen > idle_seconds_allowed(user)


def touch(request: HttpRequest, user: User) -> None:
    """Remember that somebody works here; written once a minute, not with every request."""
    now = time.time()
    if now - request.session.get(SEEN, 0) < TOUCH_EVERY_SECONDS:
        return
    request.session[SEEN] = now
    if request.session.session_key is None:
        request.session.save()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": network.client_ip(request) or "0.0.0.0",  # noqa: S104
            "user_agent": request.headers.get("user-agent", "")[:200],
            "last_seen_at": timezone.now(),
        },
    )
