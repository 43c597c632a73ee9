"""Who looked at what: three months of access rows with a rhythm of each agent's own, and one afternoon that stands out."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import connection

from clients.choices import CallOutcome
from clients.demo import activity
from clients.demo.journeys import Journey
from crm.choices import AccessKind as Kind
from crm.choices import Role, UserKind
from crm.db.bulk import copy_rows
from crm.db.partitions import ensure_months
from crm.demo import Demo
from crm.models import User

COLUMNS = (
    "at",
    "user_id",
    "kind",
    "client_id",
    "brand_id",
    "target",
    "rows",
    "in_book",
    "reason",
    "ip",
    "session",
    "request_id",
)
OUTLIER_RECORDS = 150
LAST_LOGINS = """
UPDATE crm_user u SET last_login = a.at
FROM (SELECT user_id, max(at) AS at FROM crm_accessevent WHERE kind = 'login' GROUP BY user_id) a WHERE a.user_id = u.id
"""
# Roles that look at clients without selling, and how many a day.
OTHERS = {
    Role.DESK_HEAD: 22,
    Role.KYC_OFFICER: 30,
    Role.FINANCE: 26,
    Role.SUPPORT: 34,
    Role.MLRO: 8,
    Role.IB_MANAGER: 9,
}


def write_access(demo: Demo, journeys: list[Journey]) -> None:
    ensure_months("crm_accessevent", demo.since.date(), demo.now.date())
    copy_rows("crm_accessevent", COLUMNS, (row for row in _rows(demo, journeys) if row[0] <= demo.now))
    sign_ins = list(_sign_ins(demo))  # it reads people, which a COPY that is under way would wait for
    copy_rows("crm_accessevent", COLUMNS, (row for row in sign_ins if row[0] <= demo.now))
    with connection.cursor() as cursor:
        cursor.execute(LAST_LOGINS)


def _rows(demo: Demo, journeys: list[Journey]) -> Iterator[tuple[Any, ...]]:
    by_agent: dict[int, list[Journey]] = defaultdict(list)
    calls: dict[tuple[int, dt.date], list[tuple[Journey, Any]]] = defaultdict(list)
    for journey in journeys:
        if journey.agent:
            by_agent[journey.agent.pk].append(journey)
        for call in journey.calls:
            calls[call.agent.pk, call.at.astimezone(activity.zone(journey.desk.time_zone)).date()].append(
                (journey, call)
            )
    days = activity.workdays(demo.since.date(), demo.now.date())
    for number, agent in enumerate(demo.agents):
        habits = _Habits(demo, agent, number)
        for day in days:
            if demo.rng.random() > 0.035:  # a day off now and then
                yield from habits.day(day, by_agent[agent.pk], calls[agent.pk, day])
    for role, daily in OTHERS.items():
        for number, person in enumerate(demo.by_role.get(role.value, [])):
            habits = _Habits(demo, person, 100 + number, views=daily)
            for day in days:
                yield from habits.day(day, journeys, [])
    if demo.outlier:
        yield from _outlier(demo, by_agent[demo.outlier.pk])


def _sign_ins(demo: Demo) -> Iterator[tuple[Any, ...]]:
    """Sign-ins of clients and partners, and those that failed; drawn apart, so that the rest of the demo stays as it is."""
    rng = random.Random("sign-ins")
    people = list(User.objects.exclude(kind=UserKind.STAFF).order_by("pk").values_list("pk", "brand_id", "date_joined"))
    for number in range((demo.now - demo.since).days + 1):
        day = (demo.since + dt.timedelta(days=number)).replace(hour=7, minute=0)
        for user_id, brand_id, joined in rng.sample(people, min(len(people), rng.randrange(len(people) // 12 + 2))):
            kind = Kind.LOGIN_FAILED if rng.random() < 0.08 else Kind.LOGIN
            at = day + dt.timedelta(minutes=rng.randrange(14 * 60))
            if at >= joined:
                yield (at, user_id, kind.value, None, brand_id, f"user:{user_id}", 1, None, "", "198.51.100.7", "", "")


class _Habits:
    """How one person works: so many records a day, searches, a reveal before most calls, an address and hours."""

    def __init__(self, demo: Demo, person: User, number: int, views: int = 0) -> None:
        self.demo, self.rng, self.person = demo, demo.rng, person
        self.views = views or demo.rng.uniform(9, 24)
        self.searches = demo.rng.uniform(2, 7)
        self.reveals = demo.rng.uniform(0.6, 0.95)
        self.ip = f"203.0.113.{10 + number % 240}"
        self.zone = person.time_zone or "UTC"
        self.sells = not views

    def row(
        self, at: dt.datetime, kind: Kind, session: str, journey: Journey | None = None, **fields: Any
    ) -> tuple[Any, ...]:
        in_book = (journey.agent == self.person) if journey else None
        return (
            at,
            self.person.pk,
            kind.value,
            journey.client_id if journey else None,
            journey.brand.pk if journey else None,
            fields.get("target", ""),
            fields.get("rows", 1),
            in_book,
            fields.get("reason", ""),
            self.ip,
            session,
            "",
        )

    def day(
        self, day: dt.date, reachable: list[Journey], calls: list[tuple[Journey, Any]]
    ) -> Iterator[tuple[Any, ...]]:
        rng, session = self.rng, f"{self.rng.getrandbits(64):016x}"
        start = dt.datetime.combine(day, dt.time(8, rng.randrange(40, 60)), activity.zone(self.zone))
        yield self.row(start, Kind.LOGIN, session, target=f"user:{self.person.pk}")
        seen = rng.choices(reachable, k=self._count(self.views)) if reachable else []
        midnight = dt.datetime.combine(day, dt.time(0), activity.zone(self.zone))
        for journey in seen:
            if journey.captured_at < midnight:
                at = activity.during(rng, day, self.zone)
                yield self.row(at, Kind.VIEW, session, journey, target="clients.client")
        for journey, call in calls:
            yield self.row(
                call.at - dt.timedelta(seconds=rng.randrange(30, 200)),
                Kind.VIEW,
                session,
                journey,
                target="clients.client",
            )
            if rng.random() < self.reveals:
                yield self.row(
                    call.at - dt.timedelta(seconds=rng.randrange(3, 25)),
                    Kind.REVEAL,
                    session,
                    journey,
                    target="clients.contact",
                )
            yield self.row(
                call.at, Kind.CALL, session, journey, target="clients.call", reason=CallOutcome(call.outcome).value
            )
        for _ in range(self._count(self.searches)):
            yield self.row(
                activity.during(rng, day, self.zone),
                Kind.SEARCH,
                session,
                target="table:clients",
                rows=rng.randrange(0, 30),
            )
        if not self.sells and rng.random() < 0.06:
            yield self.row(
                activity.during(rng, day, self.zone),
                Kind.EXPORT,
                session,
                target="table:clients.csv",
                rows=rng.randrange(20, 400),
            )
        end = dt.datetime.combine(day, dt.time(18, rng.randrange(0, 45)), activity.zone(self.zone))
        yield self.row(end, Kind.LOGOUT, session, target=f"user:{self.person.pk}")

    def _count(self, mean: float) -> int:
        """A day's number: overdispersed, as people's days are."""
        return min(200, round(self.rng.gammavariate(4, mean / 4)))


def outlier_day(demo: Demo) -> dt.date:
    """The last working day that is over."""
    zone = demo.outlier.time_zone if demo.outlier else "UTC"
    day = demo.now.astimezone(activity.zone(zone)).date() - dt.timedelta(days=1)
    while day.weekday() >= 5:
        day -= dt.timedelta(days=1)
    return day


def _outlier(demo: Demo, book: list[Journey]) -> Iterator[tuple[Any, ...]]:
    """One afternoon: a hundred and fifty records in four hours, contact after contact revealed, hardly a call."""
    assert demo.outlier is not None
    rng, day = demo.rng, outlier_day(demo)
    habits = _Habits(demo, demo.outlier, 7)
    session = f"{rng.getrandbits(64):016x}"
    wanted = demo.count(OUTLIER_RECORDS) if demo.scale < 1 else OUTLIER_RECORDS
    start = dt.datetime.combine(day, dt.time(13, 20), activity.zone(habits.zone))
    known = [journey for journey in book if journey.captured_at < start]
    chosen = rng.sample(known, min(wanted, len(known)))
    while known and len(chosen) < wanted:  # a small book is gone through twice
        chosen.append(rng.choice(known))
    step = dt.timedelta(hours=4, minutes=10) / max(1, len(chosen))
    for number, journey in enumerate(chosen):
        at = start + number * step + dt.timedelta(seconds=rng.randrange(0, 40))
        yield habits.row(at, Kind.VIEW, session, journey, target="clients.client")
        if rng.random() < 0.7:
            yield habits.row(
                at + dt.timedelta(seconds=rng.randrange(4, 20)), Kind.REVEAL, session, journey, target="clients.contact"
            )
