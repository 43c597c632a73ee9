"""Who takes leads: agents with their languages, their hours and absences in their own zone, and how much they have had."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from crm.models import Brand
from leads.brand_policies import WITHOUT_SHIFTS, WithoutShifts

# The shift after an absence is looked for so many days ahead.
AHEAD_DAYS = 60


@dataclass(slots=True)
class AgentState:
    """An agent who may take leads, and how much they have had. Counters move with each decision.

    `languages`: the first two letters of each, the one spoken best first. `absences`: first and last day, both away.
    """

    pk: int
    name: str
    book_id: int
    desk_id: int | None
    languages: tuple[str, ...]
    zone: zoneinfo.ZoneInfo
    capacity: int
    shifts: tuple[tuple[int, dt.time, dt.time], ...]
    absences: tuple[tuple[dt.date, dt.date], ...] = ()
    is_on_without_shifts: bool = True
    today: int = 0
    waiting: int = 0

    def day(self, now: dt.datetime) -> dt.date:
        """Return the agent's own day, by which the capacity counts."""
        return now.astimezone(self.zone).date()

    def is_away(self, day: dt.date) -> bool:
        return any(first <= day <= last for first, last in self.absences)

    def is_on_shift(self, now: dt.datetime) -> bool:
        local = now.astimezone(self.zone)
        if self.is_away(local.date()):
            return False
        if not self.shifts:
            return self.is_on_without_shifts
        return any(day == local.weekday() and start <= local.time() < end for day, start, end in self.shifts)

    def at_work_from(self, now: dt.datetime) -> dt.datetime:
        """Now, when on shift or without shifts; else when the next shift begins."""
        if not self.shifts or self.is_on_shift(now):
            return now
        today = self.day(now)
        for ahead in range(AHEAD_DAYS):
            day = today + dt.timedelta(days=ahead)
            starts = sorted(start for weekday, start, _end in self.shifts if weekday == day.weekday())
            begins = [dt.datetime.combine(day, start, self.zone) for start in starts if not self.is_away(day)]
            later = [at for at in begins if at > now]
            if later:
                return later[0]
        return now


# Who takes leads: an active agent whose role says so, who is accepting, and who owns a book of the brand.
AGENTS = """
SELECT DISTINCT ON (u.id) u.id, u.first_name, u.last_name, b.id, u.desk_id, u.languages, u.time_zone, u.lead_capacity_per_day,
  ARRAY(SELECT s.weekday || ' ' || s.starts || ' ' || s.ends FROM leads_shift s WHERE s.agent_id = u.id
        ORDER BY s.weekday, s.starts),
  ARRAY(SELECT a.starts_on || ' ' || a.ends_on FROM leads_absence a
        WHERE a.agent_id = u.id AND a.ends_on >= %(since)s ORDER BY a.starts_on)
FROM crm_user u
JOIN crm_book b ON b.owner_id = u.id AND b.brand_id = %(brand)s AND NOT b.is_pool
JOIN crm_user_groups m ON m.user_id = u.id
JOIN auth_group_permissions gp ON gp.group_id = m.group_id
JOIN auth_permission p ON p.id = gp.permission_id AND p.codename = 'receive_lead'
JOIN django_content_type ct ON ct.id = p.content_type_id AND ct.app_label = 'leads'
WHERE u.is_active AND u.kind = 'staff' AND u.is_accepting_leads
ORDER BY u.id, b.id
"""


def agents_of(brand: Brand, now: dt.datetime) -> list[AgentState]:
    """Read who may take leads of a brand, without what they have had (see `leads.distribution.turns`)."""
    with connection.cursor() as cursor:
        cursor.execute(AGENTS, {"brand": brand.pk, "since": now.date() - dt.timedelta(days=1)})
        rows = cursor.fetchall()
    is_on = WITHOUT_SHIFTS.of(brand) == WithoutShifts.ALWAYS
    return [
        AgentState(
            pk,
            f"{first} {last}".strip(),
            book_id,
            desk_id,
            tuple(dict.fromkeys(code[:2] for code in languages)),
            zone_named(zone),
            capacity,
            tuple(map(_shift, shifts)),
            tuple(map(_absence, absences)),
            is_on,
        )
        for pk, first, last, book_id, desk_id, languages, zone, capacity, shifts, absences in rows
    ]


@lru_cache(maxsize=512)
def _shift(text: str) -> tuple[int, dt.time, dt.time]:
    weekday, starts, ends = text.split()
    return int(weekday), dt.time.fromisoformat(starts), dt.time.fromisoformat(ends)


@lru_cache(maxsize=512)
def _absence(text: str) -> tuple[dt.date, dt.date]:
    first, last = text.split()
    return dt.date.fromisoformat(first), dt.date.fromisoformat(last)


@lru_cache(maxsize=256)
def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone by its name; UTC for one that doesn't exist."""
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
