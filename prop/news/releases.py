"""The releases that an account is judged by, and those that changed after their time."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import F, Q, QuerySet

from prop.choices import StageState
from prop.judge.days import to_msc
from prop.judge.inputs import NewsEvent
from prop.models import NewsRelease, PhaseAccount

# Longer than the longest time around a release that rules may close.
WITHIN: Final = dt.timedelta(hours=4)
COMING: Final = dt.timedelta(days=7)
COMING_MAX: Final = 30


def news_of(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> tuple[NewsEvent, ...]:
    """Read the releases that concern what was traded in a time; none where the phase has no news rule."""
    if row.phase.news_minutes is None:
        return ()
    releases = _around(row, since, until).filter(removed_at__isnull=True)
    return tuple(NewsEvent(to_msc(at), (currency,)) for at, currency in releases.values_list("at", "currency"))


def coming_releases(row: PhaseAccount, now: dt.datetime) -> list[NewsRelease]:
    """List the releases of the next days around which a running account's trader must not trade; none without a news rule."""
    minutes = row.phase.news_minutes
    if minutes is None or row.state != StageState.RUNNING:
        return []
    since = now - dt.timedelta(minutes=minutes)
    rows = NewsRelease.objects.filter(
        brand_id=row.challenge.brand_id, removed_at=None, at__gte=since, at__lte=now + COMING
    )
    return list(rows[:COMING_MAX])


def first_changed_release(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> dt.datetime | None:
    """Find the first release that was entered or removed when its time had begun already; None where there is none."""
    return changed_releases(row, since, until).values_list("at", flat=True).first()


def changed_releases(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> QuerySet[NewsRelease]:
    """List the releases that were entered or removed when their time had begun already; none without a news rule."""
    if row.phase.news_minutes is None:
        return NewsRelease.objects.none()
    begins = F("at") - WITHIN
    return _around(row, since, until).filter(Q(created_at__gt=begins) | Q(removed_at__gt=begins))


def _around(row: PhaseAccount, since: dt.datetime, until: dt.datetime) -> QuerySet[NewsRelease]:
    brand_id = row.challenge.brand_id
    return NewsRelease.objects.filter(brand_id=brand_id, at__gte=since - WITHIN, at__lte=until + WITHIN)
