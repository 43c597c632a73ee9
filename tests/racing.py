"""Two verbs at once, in two connections: the first is held just before it writes, with all that it has read and locked.

So what happens is the same each time. Where the first has its lock, the second waits for it and then reads what the first
made of things; without the lock it goes through while the first stands still, and the first writes what is no longer so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from tests.verbs.calls import WRITES

PATIENCE_SECONDS = 30
BLOCKED = "SELECT cardinality(pg_blocking_pids(%s))"


@dataclass
class Runner:
    """One of the two: its thread, its connection's process, and what came of it."""

    call: Callable[[], Any]
    is_held: bool
    goes_on: threading.Event
    has_stopped: threading.Event = field(default_factory=threading.Event)  # before its first write, or at its end
    is_connected: threading.Event = field(default_factory=threading.Event)
    pid: int = 0
    result: Any = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid = cursor.fetchone()[0]
            self.is_connected.set()
            with connection.execute_wrapper(self._hold):
                self.result = self.call()
        except Exception as error:
            self.result = error
        finally:
            connection.close()
            self.is_connected.set()
            self.has_stopped.set()

    def _hold(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self.is_held and WRITES.match(str(sql)):
            self.has_stopped.set()
            assert self.goes_on.wait(PATIENCE_SECONDS)
            self.is_held = False
        return execute(sql, params, many, context)


@dataclass(frozen=True)
class Race:
    """has_waited: the second stood still until the first had ended."""

    first: Any
    second: Any
    has_waited: bool


def race(first: Callable[[], Any], second: Callable[[], Any]) -> Race:
    """Run `second` while `first` stands before its first write. What one raises is its result."""
    goes_on = threading.Event()
    held, other = Runner(first, True, goes_on), Runner(second, False, goes_on)
    threads = [threading.Thread(target=one.run, daemon=True) for one in (held, other)]
    threads[0].start()
    assert held.has_stopped.wait(PATIENCE_SECONDS)
    threads[1].start()
    has_waited = _is_blocked(other)
    goes_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    return Race(held.result, other.result, has_waited)


def _is_blocked(runner: Runner) -> bool:
    """Wait until it is done (False) or waits for somebody's lock (True)."""
    assert runner.is_connected.wait(PATIENCE_SECONDS)
    with connection.cursor() as cursor:
        while not runner.has_stopped.wait(0.005):
            cursor.execute(BLOCKED, [runner.pid])
            if cursor.fetchone()[0]:
                return True
    return False
