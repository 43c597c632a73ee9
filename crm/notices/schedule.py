"""When a person's e-mails go out: quiet hours, a pause and the daily summary, all by the clock on their wall."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from crm.choices import EmailChannel
from crm.models import NotificationSchedule

DAY = dt.timedelta(days=1)
# What is read on the page meanwhile isn't e-mailed.
READ_WITHIN = dt.timedelta(minutes=5)


def email_due_at(channel: str, now: dt.datetime, zone: str, summary_at: dt.time) -> dt.datetime | None:
    """Return when something that happens now is due by e-mail; None without one."""
    if channel == EmailChannel.AT_ONCE:
        return now + READ_WITHIN
    return next_time(summary_at, now, ZoneInfo(zone)) if channel == EmailChannel.DAILY else None


def held_until(schedule: NotificationSchedule, now: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """Return when e-mails may go out again; None where they may now.

    Where the clocks change, the hours are those on the wall: a night may be an hour shorter or longer, and an end that is
    skipped in spring is the moment right after the gap.
    """
    local = now.astimezone(zone)
    if schedule.paused_until and local.date() < schedule.paused_until:
        return _at(schedule.paused_until, dt.time(0), zone)
    start, end = schedule.quiet_from, schedule.quiet_to
    if start is None or end is None:
        return None
    wall = local.time()
    is_quiet = start <= wall < end if start < end else wall >= start or wall < end
    return next_time(end, now, zone, folds=(0, local.fold)) if is_quiet else None


def next_time(at: dt.time, now: dt.datetime, zone: ZoneInfo, *, folds: tuple[int, ...] = (0,)) -> dt.datetime:
    """Return the next moment at which a clock in the zone shows this time: the first one where it shows it twice."""
    today = now.astimezone(zone).date()
    moments = (_at(today + n * DAY, at.replace(fold=fold), zone) for n in range(3) for fold in folds)
    return min(moment for moment in moments if moment > now)


def _at(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, time, tzinfo=zone).astimezone(dt.UTC)
