"""A process of our own that is killed with -9 in the middle of its work, at a step that the test names.

A step is a word to the database that may change something: a statement, a commit, and the moment after a commit. Death before
something is only read leaves what death before the next step leaves.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connection, connections


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Do `work` in another process, which dies just before its step-th step.

    False when there are fewer steps and it came to its end. An exception in there fails the test.
    """
    return killed_by(lambda: at_step(step), work)


class Rounds:
    """Works that die one step later in each round. One that came to its end before its step has shown all its deaths, and is
    done in our own process from then on."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def killed_at(self, step: int, name: str, work: Callable[[], Any]) -> bool:
        if name in self._shown:
            work()
            return False
        killed = killed_at(step, work)
        if not killed:
            self._shown.add(name)
        return killed


def killed_by(trap: Callable[[], Any], work: Callable[[], Any]) -> bool:
    """The same with a trap of another kind, which is set in the process before it works."""

    def trapped() -> None:
        trap()
        work()

    child = begun(trapped)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        _wait_for_the_end_of_its_sessions(child)
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed before it could be killed; its traceback is above"
    return False


def begun(work: Callable[[], Any]) -> int:
    """Begin `work` in another process, with connections of its own, and name that process. An exception ends it with 3."""
    child = os.fork()
    if child:
        return child
    try:
        _leave_the_parents_connections()
        work()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(3)
    os._exit(0)


def _wait_for_the_end_of_its_sessions(child: int) -> None:
    """The server finds out a moment later that nobody listens any more. Until then a session keeps its locks, and a sweep
    leaves what is locked to whoever has it."""
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while True:
            cursor.execute(LEFT_BEHIND, [_name_of(child)])
            if not cursor.fetchone()[1]:
                return
            assert time.monotonic() < deadline, "the server keeps a session of a process that was killed a minute ago"
            time.sleep(0.005)


# A transaction sees the sessions that there were when it first asked.
LEFT_BEHIND = "SELECT pg_stat_clear_snapshot(), count(pid) FROM pg_stat_activity WHERE application_name = %s"
_parents: list[Any] = []


def _name_of(process: int) -> str:
    return f"keelson-killed-{process}"


def _leave_the_parents_connections() -> None:
    """A connection belongs to one process. Kept, unused, since its end here would end the parent's session. Its own ones
    bear its name."""
    for one in connections.all():
        _parents.append(one.connection)
        one.connection = None
        one.settings_dict["OPTIONS"]["application_name"] = _name_of(os.getpid())


def at_step(step: int) -> None:
    """A trap: dies just before its step-th step."""
    counted = 0

    def take_step() -> None:
        nonlocal counted
        counted += 1
        if counted == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if not _only_reads(sql):
            take_step()
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(statement)
    commit = connection._commit

    def counted_commit() -> None:
        take_step()
        commit()
        take_step()  # committed, and nobody told

    connection._commit = counted_commit


def _only_reads(sql: Any) -> bool:
    """A query that takes no lock and calls none of our functions."""
    words = str(sql).lstrip()
    return words.startswith("SELECT") and not any(mark in words for mark in (" FOR ", "ledger_", "pg_", "nextval"))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_commit(*, after: bool) -> Callable[[], None]:
    """Dies with its last word unsaid, or with it said and the answer not heard."""

    def trap() -> None:
        commit = connection._commit

        def last_word() -> None:
            if not after:
                die()
            commit()
            die()

        connection._commit = last_word

    return trap


def in_the_middle_of_copy() -> None:
    """A trap: the server has half of what a COPY is to bring."""
    from psycopg import Copy

    write = Copy.write

    def half(self: Copy, data: Any) -> None:
        write(self, data[: len(data) // 2])
        self.connection.pgconn.flush()
        die()

    Copy.write = half  # type: ignore[method-assign]


def in_processes(works: list[Callable[[], Any]]) -> None:
    """Each in a process of its own, all at once; an exception in one fails the test."""
    connections.close_all()
    children = [begun(work) for work in works]
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert statuses == [0] * len(works), "a worker failed; its traceback is above"
