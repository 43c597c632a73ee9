"""Reads of monitoring. Every one starts from whose days the user may see, and leaves a trace in the access log."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404

from crm.models import AccessEvent, User
from crm.money.numbers import is_whole
from crm.security import confidential
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from monitoring.models import Alert

EVIDENCE_PAGE = 40


def agents_visible_to(user: User) -> QuerySet[User]:
    """Select the staff of desks the user reaches as a whole, and of whole brands; never the user."""
    if not user or not user.is_authenticated or not user.is_team:
        return User.objects.none()
    reach = reach_of(user)
    desks = desks_reached_as_a_whole(user)
    seen = Q(desk_id__in=desks) | Q(brand_id__in=reach.whole_brands)
    return User.objects.filter(seen, kind="staff").exclude(pk=user.pk)


def desks_reached_as_a_whole(user: User) -> set[int]:
    """Return the desks granted as such (a grant on one book of a desk is not a grant on its people)."""
    from guardian.models import UserObjectPermission

    held = UserObjectPermission.objects.filter(
        user_id=user.pk, permission__codename="access_desk", content_type__app_label="crm"
    )
    return {int(pk) for pk in held.values_list("object_pk", flat=True)}


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
