"""When a partner's cycle ends: midnights in the brand's time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

from crm.models import Brand
from ib.choices import Cycle
from ib.models import SettlementTerms
from ib.periods import month_of


def last_cut(cycle: Cycle, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return when the latest cycle ended; a continuous one ends now, a month by the calendar."""
    local = now.astimezone(zone)
    midnight = dt.datetime(local.year, local.month, local.day, tzinfo=zone)
    match cycle:
        case Cycle.INSTANT:
            return now
        case Cycle.DAILY:
            return midnight.astimezone(dt.UTC)
        case Cycle.WEEKLY:
            return _days_before(midnight, local.weekday())
        case Cycle.MONTHLY:
            return month_of(now, zone)[0]


def next_cut(cycle: Cycle, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return when the running cycle ends; a continuous one, now."""
    local = now.astimezone(zone)
    midnight = dt.datetime(local.year, local.month, local.day, tzinfo=zone)
    match cycle:
        case Cycle.INSTANT:
            return now
        case Cycle.DAILY:
            return _days_before(midnight, -1)
        case Cycle.WEEKLY:
            return _days_before(midnight, local.weekday() - 7)
        case Cycle.MONTHLY:
            return month_of(now, zone)[1]


def next_settlement(terms: SettlementTerms, brand: Brand, closed_at: dt.datetime | None = None) -> dt.datetime:
    """Return when a partner is settled next; with closed_at: when a trade closed then is, its hold over."""
    due = timezone.now()
    if closed_at is not None:
        due = max(due, closed_at + dt.timedelta(days=terms.hold_days))
    return next_cut(Cycle(terms.cycle), due, ZoneInfo(brand.time_zone))


def name_of(cycle: Cycle, cut_at: dt.datetime, zone: ZoneInfo) -> str:
    """Name what a cut ends, as periods are named: 2026-11, 2026-W47, 2026-11-20, or the minute of a continuous cycle."""
    last = cut_at.astimezone(zone) - dt.timedelta(seconds=1)
    match cycle:
        case Cycle.INSTANT:
            return f"{cut_at.astimezone(zone):%Y-%m-%d %H:%M}"
        case Cycle.DAILY:
            return f"{last:%Y-%m-%d}"
        case Cycle.WEEKLY:
            return f"{last:%G-W%V}"
        case Cycle.MONTHLY:
            return f"{last:%Y-%m}"


def _days_before(midnight: dt.datetime, days: int) -> dt.datetime:
    """Return another midnight by the calendar: days on which clocks change aren't 24 hours long."""
    day = midnight.date() - dt.timedelta(days=days)
    return dt.datetime(day.year, day.month, day.day, tzinfo=midnight.tzinfo).astimezone(dt.UTC)
