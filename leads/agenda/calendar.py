"""An agent's calendar: half-hour slots of local days, as long as those really are where clocks change."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from clients.models import Task
from clients.queries import clients_visible_to
from crm.models import User
from crm.security.policies import has_permission
from crm.security.scope import reach_of
from crm.staff.queries import staff_visible_to
from crm.work.hours import WorkingHours, hours_of
from leads.brand_policies import WITHOUT_SHIFTS, WithoutShifts
from leads.distribution.agents import AgentState, zone_named
from leads.models import Absence, Shift

SLOT: Final = dt.timedelta(minutes=30)
WEEK_DAYS: Final = 7
# What a calendar shows of one week, and how many agents the choice lists.
TASKS_MAX: Final = 400
AGENTS_MAX: Final = 300
FIRST_HOUR, LAST_HOUR = 8, 18


@dataclass(slots=True)
class Slot:
    """Half an hour from an instant on. `is_open`: the agent works then."""

    at: dt.datetime
    is_open: bool
    is_past: bool
    tasks: list[Task] = field(default_factory=list)


@dataclass(slots=True)
class Day:
    """A local day. `hours`: its slots by the hour on the clock; none in a skipped hour, twice as many in a repeated one."""

    date: dt.date
    is_today: bool
    is_absent: bool
    is_holiday: bool
    slots: list[Slot]
    hours: dict[int, list[Slot]]

    @property
    def tasks(self) -> int:
        return sum(len(slot.tasks) for slot in self.slots)

    @property
    def has_clock_change(self) -> bool:
        return len(self.slots) != dt.timedelta(days=1) // SLOT


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a day. `slots`: none where the clocks skip it."""

    slots: list[Slot]

    @property
    def is_closed(self) -> bool:
        return not any(slot.is_open for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Calendar:
    """`rows`: an hour on the clock, with its cell of each day."""

    agent: User
    days: list[Day]
    rows: list[tuple[int, list[Cell]]]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """When an agent works: their shifts and absences, without shifts the brand's working hours, never on its holidays."""

    agent: AgentState
    brand: WorkingHours | None

    def is_holiday(self, day: dt.date) -> bool:
        return self.brand is not None and day in self.brand.holidays

    def is_open(self, at: dt.datetime) -> bool:
        day = self.agent.day(at)
        if self.agent.is_away(day) or self.is_holiday(day):
            return False
        if self.agent.shifts or not self.agent.is_on_without_shifts or self.brand is None:
            return self.agent.is_on_shift(at)
        return self.brand.between(at, at + SLOT) > dt.timedelta(0)


def agents_to_show(user: User) -> QuerySet[User]:
    """Select whose calendars a person may open: their own, and as a desk head those of their desks' people."""
    staff = staff_visible_to(user)
    if not has_permission(user, "leads.assign_lead"):
        return staff.filter(pk=user.pk)
    return staff.filter(is_active=True, desk_id__in=reach_of(user).desks) | staff.filter(pk=user.pk)


def calendar_of(user: User, agent: User, first: dt.date, days: int) -> Calendar:
    """Read the open follow-ups of an agent over some days of their zone; only those of clients that the reader reaches."""
    zone, now = zone_named(agent.time_zone), timezone.now()
    begins, ends = _midnight(first, zone), _midnight(first + dt.timedelta(days=days), zone)
    tasks = list(
        Task.objects.filter(assignee=agent, done_at=None, due_at__gte=begins, due_at__lt=ends)
        .filter(client__in=clients_visible_to(user))
        .select_related("client")
        .defer("client__search_text")
        .order_by("due_at", "pk")[: TASKS_MAX + 1]
    )
    hours = hours_of_agent(agent, first, first + dt.timedelta(days=days))
    made = [_day(first + dt.timedelta(days=ahead), hours, zone, now) for ahead in range(days)]
    slots = [slot for day in made for slot in day.slots]
    starts = [slot.at for slot in slots]
    for task in tasks[:TASKS_MAX]:
        slots[bisect_right(starts, task.due_at) - 1].tasks.append(task)
    return Calendar(agent, made, _rows(made), is_cut=len(tasks) > TASKS_MAX)


def hours_of_agent(agent: User, first: dt.date, last: dt.date) -> Hours:
    """Read an agent's shifts, and the absences between two days."""
    shifts = Shift.objects.filter(agent=agent).values_list("weekday", "starts", "ends")
    absences = Absence.objects.filter(agent=agent, starts_on__lte=last, ends_on__gte=first)
    is_on = agent.brand is None or WITHOUT_SHIFTS.of(agent.brand) == WithoutShifts.ALWAYS
    state = AgentState(
        pk=agent.pk,
        name=str(agent),
        book_id=0,
        desk_id=agent.desk_id,
        languages=(),
        zone=zone_named(agent.time_zone),
        capacity=0,
        shifts=tuple(shifts),
        absences=tuple(absences.values_list("starts_on", "ends_on")),
        is_on_without_shifts=is_on,
    )
    return Hours(state, hours_of(agent.brand) if agent.brand else None)


def _midnight(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, zone).astimezone(dt.UTC)


def _day(date: dt.date, hours: Hours, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> Day:
    """Cut a local day into slots: a day with a clock change has one hour more or less."""
    at, end = _midnight(date, zone), _midnight(date + dt.timedelta(days=1), zone)
    slots: list[Slot] = []
    by_hour: dict[int, list[Slot]] = {}
    while at < end:
        slot = Slot(at, hours.is_open(at), is_past=at + SLOT <= now)
        slots.append(slot)
        by_hour.setdefault(at.astimezone(zone).hour, []).append(slot)
        at += SLOT
    return Day(
        date,
        is_today=now.astimezone(zone).date() == date,
        is_absent=hours.agent.is_away(date),
        is_holiday=hours.is_holiday(date),
        slots=slots,
        hours=by_hour,
    )


def _rows(days: list[Day]) -> list[tuple[int, list[Cell]]]:
    """List the hours from the first to the last in which somebody works or has to do something."""
    used = {
        hour for day in days for hour, slots in day.hours.items() if any(slot.tasks or slot.is_open for slot in slots)
    }
    first, last = _span(used)
    return [(hour, [Cell(day.hours.get(hour, [])) for day in days]) for hour in range(first, last + 1)]


def _span(used: Iterable[int]) -> tuple[int, int]:
    hours = sorted(used)
    if not hours or ((hours[0], hours[-1]) == (0, 23) and len(hours) == 24):
        return (0, 23) if hours else (FIRST_HOUR, LAST_HOUR)
    return min(FIRST_HOUR, hours[0]), max(LAST_HOUR, hours[-1])
