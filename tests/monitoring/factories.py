"""Rows of the access log and counted days for tests of monitoring."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from django.db import connection

from crm.models import User
from monitoring.models import AgentDay, Alert

DAY = dt.date(2026, 9, 10)  # a Thursday
# What an ordinary person does of each an hour.
HOURLY = {
    "views": 3.5,
    "clients": 3.0,
    "busiest_hour": 5.0,
    "searches": 1.2,
    "lists": 0.3,
    "outside_views": 0.3,
    "outside_clients": 0.25,
    "outside_silent": 0.2,
    "silent_clients": 2.5,
    "new_clients": 0.2,
    "one_owner": 0.2,
    "dormant_views": 0.2,
    "reveals": 1.0,
    "revealed_clients": 0.8,
    "reveals_without_call": 0.3,
    "exports": 0.02,
    "downloads": 0.3,
    "off_hours": 0.05,
    "odd_hours": 0.03,
    "steps": 3.0,
    "steady_pace": 0.4,
    "sequential": 0.5,
}
# What is part of something else is a share of it, or an ordinary day would look odd.
PARTS = {
    "silent_clients": ("clients", 1.0),
    "outside_silent": ("outside_clients", 1.0),
    "steps": ("views", 0.95),
    "steady_pace": ("steps", 0.2),
    "sequential": ("steps", 0.1),
    "revealed_clients": ("reveals", 0.9),
    "reveals_without_call": ("reveals", 0.4),
}
COLUMNS = "(at, user_id, kind, client_id, target, rows, in_book, ip)"


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.UTC)


def look(
    user: User,
    moment: dt.datetime,
    kind: str = "view",
    *,
    client: int | None = None,
    rows: int = 1,
    in_book: bool | None = True,
    ip: str = "10.0.0.1",
    target: str = "clients.client",
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO crm_accessevent {COLUMNS} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [moment, user.pk, kind, client, target, rows, in_book, ip],
        )


def look_often(user: User, day: dt.date, count: int, *, from_hour: int = 13, outside: int = 0, first: int = 0) -> None:
    """`count` different records opened in the afternoon, the first `outside` of them outside the own book."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO crm_accessevent {COLUMNS} VALUES (%s, %s, 'view', %s, 'clients.client', 1, %s, '10.0.0.1')",
            [
                (
                    at(from_hour, 0, day) + dt.timedelta(seconds=90 * n + n * n * 29 % 61),
                    user.pk,
                    10_000 + first + 7 * n % 9973,
                    n >= outside,
                )
                for n in range(count)
            ],
        )


def ordinary_history(people: list[User], until: dt.date, days: int = 45, seed: int = 5) -> None:
    """Counted working days with habits of their own, overdispersed, before `until`."""
    random = np.random.default_rng(seed)
    base = np.array(list(HOURLY.values()))
    habit = random.lognormal(0, 0.3, (len(people), len(HOURLY)))
    rows = []
    for back in range(days, 0, -1):
        day = until - dt.timedelta(days=back)
        shared = random.lognormal(0, 0.25)
        for n, person in enumerate(people):
            hours = int(random.integers(6, 9))
            mean = base * habit[n] * hours * shared
            counts = random.negative_binomial(4.0, 4.0 / (4.0 + mean))
            fields = {name: int(count) for name, count in zip(HOURLY, counts, strict=True)}
            for part, (whole, share) in PARTS.items():
                fields[part] = round(fields[whole] * share)
            rows.append(AgentDay(agent=person, day=day, active_hours=hours, **fields))
    AgentDay.objects.bulk_create(rows)


def make_alert(agent: User, *, day: dt.date = DAY, **fields: Any) -> Alert:
    """An open alert about a day, without the weeks of history that would raise it."""
    values: dict[str, Any] = {"severity": "high", "probability": 0.00005, "raised_at": at(23), "updated_at": at(23)}
    assert agent.brand_id is not None
    return Alert.objects.create(
        agent=agent, brand_id=agent.brand_id, desk_id=agent.desk_id, day=day, **{**values, **fields}
    )
