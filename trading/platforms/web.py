"""One HTTP/1.1 connection to a platform, plain or TLS, kept open: the rules of the wire that every REST platform shares.

- one request at a time, and its whole answer within one deadline: a server that drips bytes holds nobody for long;
- nothing is retried and no redirect is followed: what may be sent again is for the platform's adapter to know;
- `NotSent` says that not a byte left us, `AnswerLost` that the request may have been read;
- a connection that the server closed while it was idle is noticed before it carries a request;
- it belongs to the process that opened it: a child of a fork closes its copy and opens its own.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import os
import socket
import ssl
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crm.outside import destinations

CHUNK: Final = 256 * 1024
ANSWER_BYTES_MAX: Final = 256 * 1024 * 1024
IDLE_SECONDS_MAX: Final = 60.0  # proxies forget an idle connection soon

_connections: weakref.WeakSet[WebConnection] = weakref.WeakSet()


class NotSent(Exception):
    """The other side was not reached; the request never left us."""


class AnswerLost(Exception):
    """The request may have been read, and no usable answer came. `was_kept`: over a connection that had been idle."""

    def __init__(self, why: str, *, was_kept: bool = False, is_timeout: bool = False) -> None:
        super().__init__(why)
        self.was_kept, self.is_timeout = was_kept, is_timeout


@dataclass(frozen=True, slots=True)
class Address:
    """Where, and whom to believe. `certificate`: PEM text believed besides the system's; `certificate_file`: where it
    stands when a server that may start later makes it."""

    host: str
    port: int
    is_tls: bool = True
    certificate: str = field(default="", repr=False)
    certificate_file: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class WebConnection:
    """Not thread-safe: whoever holds it lets one request at a time through."""

    def __init__(self, address: Address, *, connect_seconds: float = 5.0) -> None:
        self.address, self.connect_seconds = address, connect_seconds
        self._http: http.client.HTTPConnection | None = None
        self._timed: TimedSocket | None = None
        self._used_at = 0.0
        _connections.add(self)

    def exchange(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None = None, wait: float
    ) -> Reply:
        """Send one request and read its answer within `wait` seconds. Raises: NotSent, AnswerLost."""
        was_kept = self._is_ready()
        if not was_kept:
            self._open()
        assert self._http is not None and self._timed is not None
        self._timed.deadline = time.monotonic() + wait
        self._timed.sock.settimeout(wait)
        try:
            self._http.request(method, target, body=body, headers={"Connection": "keep-alive", **headers})
            response = self._http.getresponse()
            content = _read_all(response)
        except TimeoutError as problem:
            self.close()
            raise AnswerLost(f"no answer within {wait:g} s", is_timeout=True) from problem
        except (OSError, http.client.HTTPException, ValueError) as problem:
            self.close()
            why = f"the connection was lost before the answer came ({type(problem).__name__})"
            raise AnswerLost(why, was_kept=was_kept) from problem
        self._used_at = time.monotonic()
        if response.will_close:
            self.close()
        return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def close(self) -> None:
        connection, self._http, self._timed = self._http, None, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _is_ready(self) -> bool:
        """Tell whether the kept connection is still there."""
        if self._timed is None:
            return False
        if time.monotonic() - self._used_at > IDLE_SECONDS_MAX or not _is_quiet(self._timed.sock):
            self.close()
            return False
        return True

    def _open(self) -> None:
        where, context = self.address, None
        connection: http.client.HTTPConnection
        if where.is_tls:
            context = tls_context(where.certificate, where.certificate_file)
            connection = http.client.HTTPSConnection(
                where.host, where.port, timeout=self.connect_seconds, context=context
            )
        else:
            connection = http.client.HTTPConnection(where.host, where.port, timeout=self.connect_seconds)
        connection._create_connection = destinations.connect  # type: ignore[attr-defined]
        connection.auto_open = 0  # a lost connection stays lost
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as problem:
            raise NotSent(f"the certificate of {where.host} is not believed ({problem.verify_message})") from problem
        except OSError as problem:
            raise NotSent(f"can't reach {where} ({problem})") from problem
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timed = TimedSocket(connection.sock)
        connection.sock = self._timed
        self._http, self._used_at = connection, time.monotonic()


class TimedSocket:
    """A socket whose answers are read against one deadline: a server that drips bytes can't hold a command for long."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.deadline = sock, 0.0

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


class TimedReader(io.RawIOBase):
    def __init__(self, timed: TimedSocket) -> None:
        self.timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.timed.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.timed.sock.settimeout(left)
        return self.timed.sock.recv_into(buffer)


def _read_all(response: http.client.HTTPResponse) -> bytes:
    content = bytearray()
    while chunk := response.read(CHUNK):
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is larger than anything this client accepts")
    if response.length:  # less came than was announced
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)


def _is_quiet(sock: socket.socket) -> bool:
    """Tell whether an idle connection is still open and the server sent nothing that nobody asked for."""
    try:
        sock.setblocking(False)
        sock.recv(1)
    except (ssl.SSLWantReadError, BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    return False


def tls_context(certificate: str, file: str = "") -> ssl.SSLContext:
    """Make a context that checks certificates; `certificate` (PEM) or that in `file` is trusted besides the system's.

    Raises: NotSent.
    """
    if file and not certificate.strip():
        try:
            certificate = Path(file).read_text()
        except OSError as problem:
            raise NotSent(f"the server's certificate is not there yet ({problem})") from problem
    try:
        return _believing(certificate.strip())
    except (ssl.SSLError, ValueError) as problem:
        raise NotSent(f"the server's certificate can't be read ({problem})") from problem


@functools.lru_cache(maxsize=64)
def _believing(certificate: str) -> ssl.SSLContext:
    """Cache the context: reading the system's certificates takes twenty milliseconds of processor time."""
    context = ssl.create_default_context()
    if certificate:
        context.load_verify_locations(cadata=certificate)
    return context


def _in_child() -> None:
    """Close a forked child's copies of the parent's sockets without a byte on the wire: the sockets are the parent's."""
    for connection in list(_connections):
        sock = connection._timed.sock if connection._timed else None
        connection._http = connection._timed = None
        if sock is not None:
            with contextlib.suppress(OSError):
                os.close(sock.detach())


os.register_at_fork(after_in_child=_in_child)
