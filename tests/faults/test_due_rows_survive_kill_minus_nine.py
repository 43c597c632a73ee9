"""Sweepers are killed again and again, between any two statements; each due row takes effect exactly once."""

import os
import signal
import time
from typing import NoReturn

import pytest
from django.db import transaction
from django.utils import timezone

from crm.due import DueItem, DueKind, due_many, sweep
from crm.models import DueRow, Notification
from tests.faults.killing import Rounds, begun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROWS = 60


def leave_notes(rows: list[DueRow]) -> None:
    """A handler that is slow enough to be killed in the middle of it."""
    for row in rows:
        Notification.objects.create(user_id=row.payload["user"], kind="killed", title=row.key)
        time.sleep(0.01)


ONE_BY_ONE = DueKind("test.single", "One by one", lambda row: leave_notes([row]))
IN_BATCHES = DueKind("test.batch", "In batches", batch_handler=leave_notes, batch=5)


def sweep_for_ever(kind: DueKind) -> NoReturn:
    while True:
        if not sweep(kinds=[kind]):
            time.sleep(0.02)


def set_rows(kind: DueKind, user_id: int, count: int) -> None:
    with transaction.atomic():
        due_many(kind, [DueItem(number, timezone.now(), payload={"user": user_id}) for number in range(count)])


def notes() -> list[int]:
    return sorted(int(title) for title in Notification.objects.filter(kind="killed").values_list("title", flat=True))


@pytest.mark.parametrize("kind", [ONE_BY_ONE, IN_BATCHES], ids=lambda kind: kind.code)
def test_each_row_is_handled_exactly_once_however_often_a_sweeper_dies(cast, kind):
    """Two at a time, so that one meets what the other holds."""
    set_rows(kind, cast.agent.pk, ROWS)
    kills, deadline = 0, time.monotonic() + 300
    while DueRow.objects.filter(state="pending").exists():
        assert time.monotonic() < deadline, "the rows were not swept in time"
        sweepers = [begun(lambda: sweep_for_ever(kind)) for _number in range(2)]
        time.sleep(0.12 + 0.05 * (kills % 3))
        for sweeper in sweepers:
            os.kill(sweeper, signal.SIGKILL)
            _pid, status = os.waitpid(sweeper, 0)
            assert os.WIFSIGNALED(status), "the sweeper ended by itself; its traceback is above"
        kills += 1
    assert kills > 1
    assert notes() == list(range(ROWS))
    assert set(DueRow.objects.values_list("state", "attempts")) == {("done", 1)}


def test_death_before_any_statement_or_commit_loses_nothing_and_does_nothing_twice(cast):
    rounds = Rounds()
    for step in range(1, 30):
        Notification.objects.all().delete()
        DueRow.objects.all().delete()
        set_rows(IN_BATCHES, cast.agent.pk, 3)
        killed = rounds.killed_at(step, "sweep", lambda: sweep(kinds=[IN_BATCHES]))
        sweep(kinds=[IN_BATCHES])
        assert notes() == [0, 1, 2], f"killed at step {step}"
        if not killed:
            return
    pytest.fail("the sweep has more steps than expected")
