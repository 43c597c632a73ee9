"""What every command passes on its way to a server: a circuit breaker and a rate limit. No Django here.

The breaker watches whether the server answers at all, not what it says: a refusal is an answer. After some silences in a
row commands are refused at once with `NotStarted`, until one command is let through to try. The limit keeps us below the
rate at which a server answers "too frequent"; when it says so anyway, we slow down by half and recover step by step.

Both are for one server and one purpose: backfill that exhausts its own rate takes none from money. The breaker is the
process's own; the rate is shared by all processes where a counter for all is given.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from trading.platforms.errors import NotStarted, PlatformBusy, PlatformError

FAILURES_MAX: Final = 5
REST_SECONDS: Final = (2.0, 5.0, 10.0, 30.0)
SLOWEST_SHARE: Final = 1 / 16
RECOVERY_PER_COMMAND: Final = 0.02  # of the full rate, with each command that was not too frequent

Clock = Callable[[], float]
Turn = Callable[[float, int, float], float | None]
"""Rate, burst, longest wait → seconds until the turn that was taken; None: nobody counts for all processes."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Commands per second, how many may go at once after a pause, and how long a command waits for its turn."""

    per_second: float
    burst: int
    wait_seconds: float


class Breaker:
    """Closed, open, and half open: one command tries whether the server is back."""

    def __init__(self, *, failures_max: int = FAILURES_MAX, clock: Clock = time.monotonic) -> None:
        self.failures_max, self.clock = failures_max, clock
        self.failures = self.openings = 0
        self.closed_until_failure = True
        self.open_until = 0.0
        self._is_trying = False

    @property
    def is_open(self) -> bool:
        return not self.closed_until_failure and (self._is_trying or self.clock() < self.open_until)

    def enter(self) -> None:
        """Let a command pass. Raises: NotStarted while the server is left alone."""
        if self.closed_until_failure:
            return
        left = self.open_until - self.clock()
        if left > 0 or self._is_trying:
            raise NotStarted(
                f"the server did not answer {self.failures} times in a row; it is asked again in {max(left, 1):.0f} s",
                command="BREAKER",
            )
        self._is_trying = True

    def answered(self) -> None:
        self.failures = self.openings = 0
        self.closed_until_failure, self._is_trying = True, False

    def silent(self) -> None:
        self.failures += 1
        if self._is_trying or self.failures >= self.failures_max:
            rest = REST_SECONDS[min(self.openings, len(REST_SECONDS) - 1)]
            self.openings += 1
            self.open_until = self.clock() + rest
            self.closed_until_failure = False
        self._is_trying = False


class Limit:
    """A token bucket whose rate gives way when the server asks for patience."""

    def __init__(
        self,
        rate: Rate,
        *,
        shared: Turn | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate, self.shared, self.clock, self.sleep = rate, shared, clock, sleep
        self.share = 1.0
        self._tokens, self._at = float(rate.burst), clock()

    @property
    def per_second(self) -> float:
        return self.rate.per_second * self.share

    def enter(self) -> None:
        """Wait for a turn. Raises: PlatformBusy when that would take too long; nothing was sent then."""
        burst = max(1, int(self.rate.burst * self.share))
        wait = self.shared(self.per_second, burst, self.rate.wait_seconds) if self.shared else None
        if wait is None:
            wait = self._own_turn(burst)
        if wait > self.rate.wait_seconds:
            raise PlatformBusy(f"our own limit of {self.per_second:g} commands a second is used up", command="LIMIT")
        if wait > 0:
            self.sleep(wait)

    def _own_turn(self, burst: int) -> float:
        """Take this process's next turn, in seconds from now, unless it is too far away."""
        now = self.clock()
        self._tokens = min(float(burst), self._tokens + (now - self._at) * self.per_second)
        self._at = now
        wait = max(0.0, (1 - self._tokens) / self.per_second)
        if wait <= self.rate.wait_seconds:
            self._tokens -= 1
        return wait

    def too_frequent(self) -> None:
        self.share = max(SLOWEST_SHARE, self.share / 2)

    def went_well(self) -> None:
        self.share = min(1.0, self.share + RECOVERY_PER_COMMAND)


@dataclass
class Gate:
    """Breaker and limit of one connection. Either may be missing."""

    breaker: Breaker | None = None
    limit: Limit | None = None
    watcher: Callable[[Gate], None] | None = field(default=None, repr=False)  # is shown the gate after each command
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Let one command pass. Raises: NotStarted, PlatformBusy before it, and whatever it raises."""
        with self._lock:
            if self.limit:
                self.limit.enter()
            if self.breaker:
                self.breaker.enter()
        try:
            yield
        except PlatformError as problem:
            self._ended(problem)
            raise
        except BaseException:
            self._ended(NotStarted("given up"))  # nobody knows: it must not leave the breaker half open
            raise
        else:
            self._ended(None)

    def _ended(self, problem: PlatformError | None) -> None:
        """Count how a command ended: a problem without an answer code is silence; every code is an answer."""
        with self._lock:
            is_busy = isinstance(problem, PlatformBusy)
            if self.limit:
                self.limit.too_frequent() if is_busy else self.limit.went_well()
            if self.breaker:
                was_answered = problem is None or problem.code is not None or is_busy
                self.breaker.answered() if was_answered else self.breaker.silent()
        if self.watcher:
            self.watcher(self)

    def renew_after_fork(self) -> None:
        """Renew the lock in a child: one that another thread of the parent held would never be released here."""
        self._lock = threading.Lock()
