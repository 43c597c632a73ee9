"""What both forms of the MT5 Web API share: who may speak when, what is repeated, and what never is.

Rules that protect money:
- one connection carries one command at a time; a time-out closes it, so that a late answer is never read as the answer
  to the next command;
- a command that changes something is sent once; when its answer is lost the caller gets `OutcomeUnknown`;
- a connection that was idle for a while is asked whether it is still there before it carries a change;
- a read is repeated once, and only when a connection that was kept turned out to be dead;
- a connection belongs to the process that opened it: a child of a fork closes its copy and opens its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.mt5 import wire

CRYPT_NONE: Final = "NONE"
CRYPT_AES: Final = "AES256OFB"
# The server forgets a silent client after 180 s; a connection that was idle longer than this is replaced before use.
IDLE_SECONDS_MAX: Final = 150.0

PROBE_AFTER_SECONDS: Final = 10.0

_clients: weakref.WeakSet[Mt5Commands] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Mt5Config:
    """How to reach one access server as one manager. `crypt_method` is for the raw form, the last two for REST.

    `certificate`: PEM text of an authority, or of the server's own certificate, that is believed besides the system's.
    `certificate_file`: where it stands, when it is made by a server that may start later; read at each connection.
    """

    host: str
    port: int
    login: int
    password: str = field(repr=False)
    crypt_method: str = CRYPT_AES
    agent: str = "Keelson"
    version: int = 3211
    connect_seconds: float = 5.0
    read_seconds: float = 20.0
    write_seconds: float = 15.0
    certificate: str = field(default="", repr=False)
    certificate_file: str = ""
    path_prefix: str = "/api"


class Lost(Exception):
    """The connection ended or became unusable while an answer was due."""


class Mt5Commands(ABC):
    """Sends commands to one MT5 access server as one manager. Thread-safe, strictly sequential."""

    def __init__(self, config: Mt5Config, gate: Gate | None = None) -> None:
        self.config, self.gate = config, gate or Gate()
        self._lock = threading.RLock()
        _clients.add(self)

    def read(
        self, name: str, parameters: Mapping[str, object] | None = None, *, seconds: float | None = None
    ) -> wire.Answer:
        """Ask for something. Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy."""
        wait = seconds or self.config.read_seconds
        with self._lock, self.gate.passing():
            was_kept = self.idle_seconds is not None
            try:
                return self._command(name, parameters or {}, is_write=False, wait=wait)
            except ReadTimedOut as problem:
                if not (was_kept and isinstance(problem.__cause__, Lost | ConnectionError)):
                    raise
                return self._command(name, parameters or {}, is_write=False, wait=wait)

    def write(
        self, name: str, parameters: Mapping[str, object] | None = None, *, seconds: float | None = None
    ) -> wire.Answer:
        """Change something. Sent once, whatever happens. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy."""
        with self._lock, self.gate.passing():
            self._wake()
            return self._command(name, parameters or {}, is_write=True, wait=seconds or self.config.write_seconds)

    def _wake(self) -> None:
        """Ask a connection that was idle whether it is still there: on a dead one a write's outcome would be unknown.

        What is gone is dropped, and the write opens another. Raises: NotStarted, PlatformBusy: nothing was sent then.
        """
        idle = self.idle_seconds
        if idle is None or idle <= PROBE_AFTER_SECONDS:
            return
        try:
            self._command("TEST_ACCESS", {}, is_write=False, wait=self.config.connect_seconds)
        except ReadTimedOut:
            self.close()
        except FinalError:
            pass  # this server does not know the question: it answers, so it is there

    @property
    @abstractmethod
    def idle_seconds(self) -> float | None:
        """Since when the authenticated connection brought nothing; None when none is kept."""

    @abstractmethod
    def connect(self) -> tuple[str, str]:
        """Open and authenticate now; returns the versions of access and trade server. Raises: NotStarted."""

    @abstractmethod
    def close(self) -> None:
        """Drop the connection at once, without a word: what was on its way is not waited for."""

    @abstractmethod
    def _command(self, name: str, parameters: Mapping[str, object], *, is_write: bool, wait: float) -> wire.Answer: ...

    @abstractmethod
    def _forget(self) -> None:
        """Close a child's copy of the parent's socket without a byte on the wire."""

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self.gate.renew_after_fork()
        self._forget()


def _in_child() -> None:
    for client in list(_clients):
        client.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)
