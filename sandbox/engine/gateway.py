"""What stands between the books and any wire: armed faults, counts, a limit of requests, sessions that can be hung up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine, Iterator, Mapping

from sandbox.engine.books import Books
from sandbox.engine.faults import Faults

log = logging.getLogger("sandbox.gateway")


@contextlib.contextmanager
def pushing_goes_on(what: str) -> Iterator[None]:
    """One thing that can't be pushed is logged, and the next one is pushed: a server whose pushing died looks like a quiet
    market, and whoever is tested with it looks in vain for a fault of their own."""
    try:
        yield
    except Exception:
        log.exception("%s could not be pushed", what)


class Hangup(Exception):
    """End the connection without another word."""


class Gateway(ABC):
    """One sandbox server. `counts` says how often each command came since the start."""

    name = "trading server"
    refusals: Mapping[int, str] = {}
    """The books' codes (`books.Refused`) in this platform's words."""
    all_rights: tuple[str, ...] = ()

    def __init__(self, books: Books, faults: Faults) -> None:
        self.books, self.faults = books, faults
        self.counts: dict[str, int] = {}
        self.sessions: set[asyncio.Task[None]] = set()
        self.started_at = time.time()
        self.per_second_max = 0  # commands in a second before the server asks for patience; 0: no limit
        self.rights: set[str] = set(self.all_rights)
        self.certificate = ""  # PEM, where the server speaks TLS
        self._recent: deque[float] = deque()

    @abstractmethod
    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        """Listen; the port of each listener by its name, as printed in the line that says "ready"."""

    async def stop(self) -> None:
        """Take nobody in any more, and end what there is."""
        self.hang_up_all()
        if self.sessions:
            await asyncio.wait(self.sessions, timeout=2)

    def is_too_frequent(self) -> bool:
        """Count this command; True when the last second brought more than the server takes."""
        if not self.per_second_max:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] < now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.per_second_max:
            return True
        self._recent.append(now)
        return False

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def hang_up_all(self) -> None:
        for task in list(self.sessions):
            task.cancel()

    def restart(self) -> None:
        """Every connection ends; idle accounts are not in the account list until they trade again."""
        self.hang_up_all()
        self.books.active = {position.login for position in self.books.store.positions.values()}

    async def hold(
        self,
        serving: Coroutine[None, None, None],
        writer: asyncio.StreamWriter,
        beside: Coroutine[None, None, None] | None = None,
    ) -> None:
        """Run one session to its end, and what runs beside it."""
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        helper = asyncio.create_task(beside) if beside else None
        try:
            await serving
        except (
            Hangup,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            TimeoutError,
            ValueError,
            KeyError,
        ):
            pass  # a bad packet, a lost or silent client: the real server closes without a word, too
        except asyncio.CancelledError:
            pass  # the server restarts or stops
        finally:
            self.sessions.discard(task)
            if helper:
                helper.cancel()
                await asyncio.gather(helper, return_exceptions=True)
            writer.close()
