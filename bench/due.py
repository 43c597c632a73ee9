"""`bench due`: due rows set and swept, in batches, one by one and by two sweepers at once, beside bare updates of as many rows.

The batch handler writes what a reminder writes: one row per due row, with one statement a batch. The yardstick marks the same
rows as done in batches of the same size with bare SQL, in a transaction each: what any queue in PostgreSQL costs at least.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, in_processes, own_database, say
from crm.choices import UserKind
from crm.due import DueItem, DueKind, due_many, sweep
from crm.due.kinds import BATCH
from crm.models import DueRow, Notification, User

# Rows that are due, rows handled one by one, rows that aren't due yet.
SIZES = {"tiny": (1_000, 100, 1_000), "quick": (100_000, 5_000, 100_000), "full": (100_000, 20_000, 1_000_000)}
SWEPT_SECONDS = 60
FOREVER = 3_600.0
SET_AT_ONCE = 1_000
WAITING = """
INSERT INTO crm_duerow (kind, key, at, next_at, payload, revision, state, attempts, error, created_at)
SELECT 'bench.batch', 'later-' || n, now() + make_interval(hours => 1 + n %% 9000), now() + make_interval(hours => 1 + n %% 9000),
  '{}', 1, 'pending', 0, '', now()
FROM generate_series(1, %s) n
"""
BARE = """
UPDATE crm_duerow SET state = 'done', attempts = 1, done_at = now() WHERE id IN (
  SELECT id FROM crm_duerow WHERE kind = 'bench.bare' AND state = 'pending' AND next_at <= now()
  ORDER BY next_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def _write(rows: list[DueRow]) -> None:
    Notification.objects.bulk_create(
        [Notification(user_id=row.payload["user"], kind="bench", title=row.key) for row in rows]
    )


BATCHES = DueKind("bench.batch", "Batches", batch_handler=_write)
SINGLES = DueKind("bench.single", "One by one", lambda row: _write([row]))
BOTH = DueKind("bench.both", "Two sweepers", batch_handler=_write)
UNTOUCHED = DueKind("bench.bare", "Bare", batch_handler=_write)


def set_rows(kind: DueKind, count: int, user_id: int) -> None:
    """Set as many rows as fall due this second, a thousand in a transaction."""
    now = timezone.now()
    for first in range(0, count, SET_AT_ONCE):
        numbers = range(first, min(first + SET_AT_ONCE, count))
        with transaction.atomic():
            due_many(kind, [DueItem(number, now, payload={"user": user_id}) for number in numbers])


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def mark_bare() -> None:
    with connection.cursor() as cursor:
        marked = 1
        while marked:
            cursor.execute(BARE, [BATCH])
            marked = cursor.rowcount


def run(size: str) -> list[Figure]:
    with own_database("due"):
        return measure(size)


def measure(size: str) -> list[Figure]:
    many, few, waiting = SIZES[size]
    user_id = User.objects.create(username="bench", kind=UserKind.STAFF).pk
    say(f"{waiting:,} rows that aren't due yet")
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [waiting])
    say(f"{many:,} due rows, three times")
    setting = seconds(lambda: set_rows(BATCHES, many, user_id))
    for kind in (BOTH, UNTOUCHED):
        set_rows(kind, many, user_id)
    set_rows(SINGLES, few, user_id)
    analyze()
    say("swept in batches, by two sweepers, one by one, and bare")
    bare = seconds(mark_bare)
    batches = seconds(lambda: sweep(kinds=[BATCHES], seconds=FOREVER))
    singles = seconds(lambda: sweep(kinds=[SINGLES], seconds=FOREVER))
    both = in_processes(2, lambda _number: _sweep_both())
    written, left = Notification.objects.filter(kind="bench").count(), _left()
    return [
        Figure(f"{many:,} rows set", setting, "s", bare, "bare updates"),
        at_most(
            Figure(f"{many:,} due rows swept in batches of {BATCH}", batches, "s", bare, "bare updates"), SWEPT_SECONDS
        ),
        Figure(f"{many:,} due rows swept by two sweepers", both, "s", bare, "bare updates"),
        Figure("one row of a handler for single rows", singles / few * 1000, "ms", bare / many * 1000, "a bare update"),
        at_most(Figure("due rows lost or handled twice", abs(2 * many + few - written) + left, "rows"), 0),
    ]


def _sweep_both() -> None:
    sweep(kinds=[BOTH], seconds=FOREVER)


def _left() -> int:
    return DueRow.objects.filter(state="pending", next_at__lte=timezone.now()).count()
