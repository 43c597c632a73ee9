"""A process of our own that is killed with -9 in the middle of its work, at a step that the test names."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connection, connections


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Do `work` in another process, which dies just before its step-th word to the database (a statement, or a commit).

    False when there are fewer steps and it came to its end. An exception in there fails the test.
    """
    return killed_by(lambda: at_step(step), work)


def killed_by(trap: Callable[[], Any], work: Callable[[], Any]) -> bool:
    """The same with a trap of another kind, which is set in the process before it works."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            trap()
            work()
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
            os._exit(3)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed before it could be killed; its traceback is above"
    return False


def at_step(step: int) -> None:
    """A trap: dies just before its step-th word to the database."""
    counted = 0

    def take_step() -> None:
        nonlocal counted
        counted += 1
        if counted == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        take_step()
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(statement)
    commit = connection._commit

    def counted_commit() -> None:
        take_step()
        commit()
        take_step()  # committed, and nobody told

    connection._commit = counted_commit


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
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            try:
                work()
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
                os._exit(3)
            os._exit(0)
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert statuses == [0] * len(works), "a worker failed; its traceback is above"
