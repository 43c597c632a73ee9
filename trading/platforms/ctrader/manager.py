"""The Manager API as its callers see it: a request and its answer, over a connection that is opened when it is needed."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.ctrader.frames import FrameError, Outgoing, read
from trading.platforms.ctrader.link import ERROR, HEARTBEAT_SECONDS, SILENCE_SECONDS_MAX, ManagerLink, OnEvent, error_of
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, ReadTimedOut

logger = logging.getLogger(__name__)
NEEDED: Final = "this needs the Manager API, which is not set up for this server"
Answer = TypeVar("Answer", bound=Message)
_clients: weakref.WeakSet[CtraderManager] = weakref.WeakSet()


class CtraderManager:
    """One manager's connection. Thread-safe; several requests may be under way. `listener` gets every event."""

    heartbeat_seconds = HEARTBEAT_SECONDS
    silence_seconds = SILENCE_SECONDS_MAX

    def __init__(self, config: CtraderConfig, gate: Gate) -> None:
        self.config, self.gate = config, gate
        self.listener: OnEvent | None = None
        self.opened: Callable[[], None] | None = None
        """Called on each new connection, before its first event is handed on."""
        self._lock = threading.RLock()
        self._link: ManagerLink | None = None
        _clients.add(self)

    @property
    def is_there(self) -> bool:
        """Whether the server has a Manager API that we may use."""
        return self.config.manager is not None

    @property
    def is_connected(self) -> bool:
        return self._link is not None and self._link.is_open

    def close(self) -> None:
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self.gate.renew_after_fork()
        link, self._link = self._link, None
        if link is not None:
            link.let_go_in_child()

    def permissions(self) -> frozenset[int]:
        """Read which permissions the server named at the log-in. Raises: NotStarted, PlatformBusy."""
        with self.gate.passing():
            return self._ready_link().permissions

    def read(self, request: Outgoing, answer: type[Answer]) -> Answer:
        """Ask a read. Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy."""
        return self._call(request, answer, is_write=False)

    def write(self, request: Outgoing, answer: type[Answer]) -> Answer:
        """Send a change once, whatever happens. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy."""
        return self._call(request, answer, is_write=True)

    def _call(self, request: Outgoing, answer: type[Answer], *, is_write: bool) -> Answer:
        command = type(request).__name__.removeprefix("Proto").removesuffix("Req")
        if not self.is_there:
            raise FinalError(NEEDED, command=command)
        kind = OutcomeUnknown if is_write else ReadTimedOut
        seconds = self.config.write_seconds if is_write else self.config.read_seconds
        with self.gate.passing():
            link = self._ready_link()
            wait = link.ask(request)
            if not wait.is_over.wait(seconds):
                link.forget(wait)
                raise kind(f"no answer within {seconds:g} s", command=command)
            if wait.reply is None:
                if not wait.is_sent:
                    raise NotStarted(f"the connection was lost before anything was sent ({wait.why})", command=command)
                raise kind(wait.why, command=command)
            parsed = answer()
            try:
                if wait.reply.payloadType == ERROR:
                    raise error_of(wait.reply, command=command, is_write=is_write)
                if wait.reply.payloadType != parsed.payloadType:  # type: ignore[attr-defined]
                    raise FrameError(f"message {wait.reply.payloadType} came as the answer")
                read(parsed, wait.reply.payload, command)
            except FrameError as problem:
                raise kind(str(problem), command=command) from None
            return parsed

    def _ready_link(self) -> ManagerLink:
        """Open a connection unless one is open. Raises: NotStarted."""
        with self._lock:
            if self._link is None or not self._link.is_open:
                if self.opened is not None:
                    self.opened()
                self._link = ManagerLink(
                    self.config, self._heard, heartbeat=self.heartbeat_seconds, silence=self.silence_seconds
                )
            return self._link

    def _heard(self, message: Any) -> None:
        if self.listener is not None:
            self.listener(message)

    def pages(
        self,
        ask: Callable[[int, int], Any],
        answer: type[Any],
        rows: str,
        at: Callable[[Any], int],
        identity: Callable[[Any], int],
        from_msc: int,
        to_msc: int,
    ) -> Iterator[Any]:
        """Yield every row between two times: newest first, chunk after chunk of the server's own size.

        The next chunk ends where the last one began; rows of the same millisecond may come twice and are yielded once.
        """
        seen: set[int] = set()
        end = to_msc
        while end >= from_msc:
            chunk = self.read(ask(from_msc, end), answer)
            page: Iterable[Any] = getattr(chunk, rows)
            fresh = [row for row in page if identity(row) not in seen]
            seen.update(identity(row) for row in fresh)
            yield from fresh
            times = [at(row) for row in page]
            if not chunk.hasMore or not times:
                return
            oldest = min(times)
            if fresh and oldest < end:
                end = oldest
                continue
            if oldest == max(times):
                logger.warning("%s: a whole answer is of one millisecond, more of it can't be asked for", rows)
            end = min(oldest, end) - 1


def _in_child() -> None:
    for client in list(_clients):
        client.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)
