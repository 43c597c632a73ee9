"""Reads of monitoring. Every one starts from whose days the user may see, and leaves a trace in the access log."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.aggregates import BoolOr
from django.db import connection
from django.db.models import BigIntegerField, CharField, Count, F, Func, Max, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.models import UserObjectPermission

from clients.queries import clients_visible_to
from crm.choices import AccessKind, StaffLimitKind
from crm.models import AccessEvent, User
from crm.money.numbers import is_whole
from crm.security import confidential
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from crm.web.requests import UserRequest
from monitoring.choices import Verdict
from monitoring.models import Alert, Decision

UNMASKED = "monitoring_unmasked"
EVIDENCE_PAGE = 40
CLIENTS_MAX = 60
REFUSED_DAYS = 30


def agents_visible_to(user: User) -> QuerySet[User]:
    """Select the staff of desks the user reaches as a whole, and of whole brands; never the user."""
    if not user or not user.is_authenticated or not user.is_team:
        return User.objects.none()
    # In the same statement: of it, the menu's count of approvals is made, which is kept.
    desks = _desk_grants(user).values(desk=Cast("object_pk", BigIntegerField()))
    seen = Q(desk_id__in=desks) | Q(brand_id__in=reach_of(user).whole_brands)
    return User.objects.filter(seen, kind="staff").exclude(pk=user.pk)


def desks_reached_as_a_whole(user: User) -> set[int]:
    """Return the desks granted as such (a grant on one book of a desk is not a grant on its people).

    Read once per user object, so once per request: several counts of the menu ask for it.
    """
    known: set[int] | None = getattr(user, "_keelson_desks", None)
    if known is not None:
        return known
    desks = {int(pk) for pk in _desk_grants(user).values_list("object_pk", flat=True)}
    user._keelson_desks = desks
    return desks


def _desk_grants(user: User) -> QuerySet[UserObjectPermission]:
    return UserObjectPermission.objects.filter(
        user_id=user.pk, permission__codename="access_desk", content_type__app_label="crm"
    )


def alerts_visible_to(user: User) -> QuerySet[Alert]:
    """Select the alerts about agents the user may see, never about the user."""
    return Alert.objects.filter(agent__in=agents_visible_to(user))


def get_alert(user: User, alert_id: int) -> Alert:
    """Find one alert, or 404 when it isn't visible (one's own is not), 403 without the permission."""
    alert = (
        alerts_visible_to(user)
        .select_related("agent", "agent__desk", "brand", "desk", "reviewer")
        .filter(pk=alert_id)
        .first()
    )
    if alert is None:
        raise Http404
    require_permission(user, "monitoring.view_alert")
    return alert


def agent_name(user: User, agent: User) -> str:
    """Return the agent's name, or a pseudonym for those who only check the process."""
    return str(agent) if user.has_perm("monitoring.see_agent_names") else pseudonym(agent.pk)


def shown_name(request: UserRequest, agent: User) -> str:
    """Return the name as this session may see it: in full also where its user said why they need it."""
    if agent.pk in request.session.get(UNMASKED, []):
        return str(agent)
    return agent_name(request.user, agent)


def pseudonym(agent_id: int) -> str:
    """Return a name that doesn't identify the agent, the same for the same person on this installation."""
    digest = hashlib.sha256(f"{settings.SECRET_KEY}/agent/{agent_id}".encode()).hexdigest()
    return f"Agent {digest[:4].upper()}"


def day_bounds(agent: User, day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the instants (UTC) between which a day lies in the agent's own time zone."""
    zone = ZoneInfo(agent.time_zone or "UTC")
    start = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


@dataclass(frozen=True)
class Evidence:
    """A page of an agent's rows of a day; `next` continues it."""

    rows: list[AccessEvent]
    next: str


def evidence(
    agent: User, day: dt.date, *, reader: User, kind: str = "", outside: bool = False, after: str = ""
) -> Evidence:
    """List what the access log holds of an agent's day for a reader, newest first, a page at a time."""
    start, end = day_bounds(agent, day)
    rows = confidential.access_for(reader, AccessEvent.objects.filter(user_id=agent.pk, at__gte=start, at__lt=end))
    if kind:
        rows = rows.filter(kind=kind)
    if outside:
        rows = rows.filter(in_book=False)
    at, _colon, number = after.rpartition("~")
    if at and is_whole(number):
        try:
            moment = dt.datetime.fromisoformat(at)
        except ValueError:
            moment = end
        rows = rows.filter(Q(at__lt=moment) | Q(at=moment, id__lt=int(number)))
    events = list(rows.order_by("-at", "-id")[: EVIDENCE_PAGE + 1])
    more = len(events) > EVIDENCE_PAGE
    events = events[:EVIDENCE_PAGE]
    return Evidence(events, f"{events[-1].at.isoformat()}~{events[-1].id}" if more else "")


@dataclass(frozen=True)
class ClientSeen:
    """What an agent did with one client in the days that an alert is about; `name` only where the reader sees the client."""

    client_id: int | None
    views: int
    reveals: int
    calls: int
    is_outside: bool
    last_at: dt.datetime
    name: str = ""


def clients_seen(alert: Alert, *, reader: User) -> tuple[list[ClientSeen], int]:
    """List the clients an alert is about, those outside the own book and without a call first; and over how many days.

    The days are those of the longest window that its reasons name, to the case's last day. At most CLIENTS_MAX.
    """
    days = max((reason.get("days", 1) for reason in alert.reasons), default=1)
    start, _end = day_bounds(alert.agent, alert.day - dt.timedelta(days=days - 1))
    _start, end = day_bounds(alert.agent, alert.last_day or alert.day)
    done = AccessEvent.objects.filter(user_id=alert.agent_id, at__gte=start, at__lt=end, client_id__isnull=False)
    rows = list(
        confidential.access_for(reader, done.filter(kind__in=[AccessKind.VIEW, AccessKind.REVEAL, AccessKind.CALL]))
        .order_by()
        .values("client_id")
        .annotate(
            views=Count("id", filter=Q(kind=AccessKind.VIEW)),
            reveals=Count("id", filter=Q(kind=AccessKind.REVEAL)),
            calls=Count("id", filter=Q(kind=AccessKind.CALL)),
            is_outside=BoolOr(Q(in_book=False)),
            last_at=Max("at"),
        )
        .order_by("-is_outside", "calls", "-views", "client_id")[:CLIENTS_MAX]
    )
    ids = [row["client_id"] for row in rows if row["client_id"]]
    names: dict[int | None, str] = {client.pk: str(client) for client in clients_visible_to(reader).filter(pk__in=ids)}
    span = ((alert.last_day or alert.day) - alert.day).days + days
    return [ClientSeen(**row, name=names.get(row["client_id"], "")) for row in rows], span


def outcomes_of_similar(alert: Alert, *, reader: User) -> list[tuple[str, int]]:
    """Count how earlier alerts with the same first reason ended, among those the reader sees: (verdict, how many)."""
    if not alert.reasons:
        return []
    first = alert.reasons[0]
    same = {"rule": first["rule"]} if first["code"] == "rule" else {"feature": first["feature"]}
    ended = (
        Decision.objects.filter(alert__in=alerts_visible_to(reader), alert__reasons__contains=[same])
        .exclude(alert=alert)
        .order_by()
        .values_list("verdict")
        .annotate(n=Count("alert", distinct=True))
    )
    labels = dict(Verdict.choices)
    return sorted(((str(labels[verdict]), n) for verdict, n in ended), key=lambda entry: -entry[1])


@dataclass(frozen=True)
class RefusedAttempt:
    """Exports or reveals that one limit on access refused: how many, and when last."""

    what: str
    limit: str
    count: int
    last_at: dt.datetime


def refused_of(agent: User) -> list[RefusedAttempt]:
    """List what limits on access refused an agent in REFUSED_DAYS, by what was tried and by limit."""
    since = timezone.now() - dt.timedelta(days=REFUSED_DAYS)
    rows = (
        AccessEvent.objects.filter(user=agent, kind=AccessKind.REFUSED, at__gte=since)
        .order_by()
        .values_list(
            Func(F("target"), Value(":"), Value(1), function="split_part", output_field=CharField()),
            Func(F("reason"), Value(":"), Value(1), function="split_part", output_field=CharField()),
        )
        .annotate(count=Count("id"), last=Max("at"))
        .order_by("-last")
    )
    kinds, limits = dict(AccessKind.choices), dict(StaffLimitKind.choices)
    return [
        RefusedAttempt(str(kinds.get(what, what)), str(limits.get(limit, _("Notice given"))), count, last)
        for what, limit, count, last in rows
    ]


BUSY_WINDOW = """
SELECT percentile_disc(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY at) FROM crm_accessevent
WHERE user_id = %s AND at >= %s AND at < %s AND kind = 'view' AND client_id IS NOT NULL
"""


def busy_window(agent: User, day: dt.date) -> tuple[str, str] | None:
    """Find the clock times of the agent's day between which the middle four fifths of the records were opened."""
    with connection.cursor() as cursor:
        cursor.execute(BUSY_WINDOW, [agent.pk, *day_bounds(agent, day)])
        window = cursor.fetchone()[0]
    if not window or window[0] is None:
        return None
    zone = ZoneInfo(agent.time_zone or "UTC")
    first, last = (moment.astimezone(zone) for moment in window)
    return f"{first:%H:%M}", f"{last:%H:%M}"
