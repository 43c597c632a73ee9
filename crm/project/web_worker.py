"""The web server's worker: a thread is given to requests that have arrived, never to connections that may send one.

gunicorn's `gthread` reads from the network in the threads that make pages, without a limit of time: as many half-sent requests as
there are threads stop the site. Here the main loop collects a request's head, and a body up to `SMALL_BYTES_MAX`, without a thread.
Larger bodies are read in a thread, in half of the threads at most, and each has a deadline that follows from its length.

It speaks plain HTTP: what ends TLS stands in front (docs/operations.md).
"""

from __future__ import annotations

import errno
import gc
import ipaddress
import re
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from crm.project.logs import names_of, safe_atoms, safe_path

# From the first byte of a request to its last, where it is small.
REQUEST_SECONDS = 15
HEAD_BYTES_MAX = 64 * 1024
SMALL_BYTES_MAX = 64 * 1024
# A larger body may take so long in all, and so long between two pieces.
LARGE_SECONDS = 15
LARGE_BYTES_PER_SECOND_MIN = 32 * 1024
STALL_SECONDS = 10
# How long a larger one waits for one of the threads that read them.
LARGE_WAIT_SECONDS = 60
SEND_SECONDS = 60
LINGER_SECONDS = 2
READ_BYTES = 64 * 1024
# Of one public address, per worker. Private ones may be a proxy that speaks for everybody.
CONNECTIONS_PER_ADDRESS_MAX = 100
# Between two full collections of garbage.
REQUESTS_PER_COLLECTION = 1_000

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
WAITS_FOR_WORD = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
TOO_SLOW = b"408 Request Timeout"
HEAD_TOO_LARGE = b"431 Request Header Fields Too Large"
BUSY = b"503 Service Unavailable"


class Connection(TConn):
    """A connection with what has arrived of its next request."""

    def __init__(self, *arguments: Any, on_close: Callable[[Connection, bool], None]) -> None:
        super().__init__(*arguments)
        self._on_close = on_close
        self.is_closed = False
        self.is_large = False
        self.expires_at = 0.0
        self._forget_request()

    def _forget_request(self) -> None:
        self.received = bytearray()
        self.head_bytes = 0
        self.length = 0

    def add(self, data: bytes) -> None:
        """Take in what arrived, and see whether the head is whole."""
        searched = max(0, len(self.received) - 3)
        self.received += data
        if not self.head_bytes:
            end = self.received.find(b"\r\n\r\n", searched)
            if end >= 0:
                self.head_bytes = end + 4
                head = bytes(self.received[: self.head_bytes])
                match = LENGTH.search(head)
                self.length = int(match[1]) if match else 0
                self.is_large = self.length > SMALL_BYTES_MAX or bool(WAITS_FOR_WORD.search(head))

    @property
    def is_whole(self) -> bool:
        return bool(self.head_bytes) and len(self.received) >= self.head_bytes + self.length

    def init(self) -> None:
        """In a thread: hand what has arrived to gunicorn's parser; what is still to come has a deadline."""
        super().init()
        unreader = self.parser.unreader
        unreader.unread(bytes(self.received))
        unreader.chunk = self._chunk
        self.expires_at = time.monotonic() + LARGE_SECONDS + self.length / LARGE_BYTES_PER_SECOND_MIN
        self.sock.settimeout(SEND_SECONDS)
        self._forget_request()

    def _chunk(self, size_hint: int | None = None) -> bytes:
        left = self.expires_at - time.monotonic()
        if left <= 0:
            raise ConnectionResetError(errno.ECONNRESET, "the body took too long")
        self.sock.settimeout(min(left, STALL_SECONDS))
        try:
            piece: bytes = SocketUnreader.chunk(self.parser.unreader, size_hint)
            return piece
        except TimeoutError:
            raise ConnectionResetError(errno.ECONNRESET, "the body stalled") from None
        finally:
            self.sock.settimeout(SEND_SECONDS)

    def close(self, graceful: bool = False) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._on_close(self, graceful)


class BoundedWorker(ThreadWorker):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.receiving: set[Connection] = set()
        self.lingering: dict[socket.socket, float] = {}
        self.large_waiting: deque[Connection] = deque()
        self.large_running = 0
        self.large_max = max(1, self.cfg.threads // 2)
        self.by_address: Counter[str] = Counter()
        self._looked_at = 0.0
        self._collected_at = 0

    def init_process(self) -> None:
        """Of an access log, whichever class of it was chosen, no line holds a token of a link or a search."""
        atoms_of = self.log.atoms
        self.log.atoms = lambda *arguments: safe_atoms(atoms_of(*arguments))
        super().init_process()

    def handle_error(self, req: Any, *arguments: Any) -> None:
        if getattr(req, "uri", None):
            req.uri = safe_path(req.path or "") + names_of(req.query or "")
        super().handle_error(req, *arguments)

    # --- arriving ---

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        host = _public_host(address)
        if host and self.by_address[host] >= CONNECTIONS_PER_ADDRESS_MAX:
            client.close()
            return
        if host:
            self.by_address[host] += 1
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname(), on_close=self._on_close)
        self._receive(conn)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Read the next request of a kept connection."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._receive(conn)

    def _receive(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        conn.expires_at = time.monotonic() + self.cfg.keepalive
        self.receiving.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._on_bytes, conn))
        if conn.received:
            self._consider(conn)

    def _on_bytes(self, conn: Connection, _client: object) -> None:
        try:
            data = conn.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        if not conn.received:
            conn.expires_at = time.monotonic() + REQUEST_SECONDS
        conn.add(data)
        self._consider(conn)

    def _consider(self, conn: Connection) -> None:
        """Give a thread to a request that is whole; a larger one waits for a thread that reads it."""
        if not conn.head_bytes:
            if len(conn.received) > HEAD_BYTES_MAX:
                self._drop(conn, HEAD_TOO_LARGE)
        elif conn.is_large and not conn.is_whole:
            self._stop_receiving(conn)
            conn.expires_at = time.monotonic() + LARGE_WAIT_SECONDS
            self.large_waiting.append(conn)
            self._start_large()
        elif conn.is_whole:
            conn.is_large = False
            self._stop_receiving(conn)
            self._start(conn)

    def _stop_receiving(self, conn: Connection) -> None:
        self.receiving.discard(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _start(self, conn: Connection) -> None:
        conn.data_ready = True
        self.enqueue_req(conn)

    def _start_large(self) -> None:
        while self.large_waiting and self.large_running < self.large_max:
            self.large_running += 1
            self._start(self.large_waiting.popleft())

    # --- leaving ---

    def finish_request(self, conn: Connection, fs: Any) -> None:
        if conn.is_large:
            conn.is_large = False
            self.large_running -= 1
            self._start_large()
        following = conn.parser.unreader.take_buffered() if conn.parser else b""
        super().finish_request(conn, fs)
        if following and not conn.is_closed:  # the next request arrived with this one
            conn.add(following)
            self.on_client_socket_readable(conn, conn.sock)

    def murder_pending(self) -> None:
        """Once a second: end what has taken too long, and free what is left of requests."""
        super().murder_pending()
        now = time.monotonic()
        if now - self._looked_at < 1:
            return
        self._looked_at = now
        self._collect_garbage()
        for conn in [conn for conn in self.receiving if conn.expires_at < now]:
            self._drop(conn, TOO_SLOW if conn.received else b"")
        while self.large_waiting and self.large_waiting[0].expires_at < now:
            self._drop(self.large_waiting.popleft(), BUSY)
        for client in [client for client, until in self.lingering.items() if until < now]:
            self._stop_lingering(client)

    def _collect_garbage(self) -> None:
        """Free the requests that young collections left behind.

        Django's request refers to itself (its lazy user, its messages), so only a collection frees it, with all rows that its
        page read. A collection of the middle generation makes those under way old, and the oldest generation is collected after
        so many of these (`crm.project.memory`) that a process never came to it. What the first thousand requests loaded for good is
        left out of later collections, which would otherwise hold up everybody's page for a tenth of a second.
        """
        if self.nr - self._collected_at < REQUESTS_PER_COLLECTION:
            return
        gc.collect()
        if not self._collected_at:
            gc.freeze()
        self._collected_at = self.nr

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for conn in self.receiving:
            conn.expires_at = min(conn.expires_at, deadline)

    def _drop(self, conn: Connection, status: bytes = b"") -> None:
        self._stop_receiving(conn)
        if status:
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.nr_conns -= 1
        conn.close(graceful=bool(status))

    def _on_close(self, conn: Connection, graceful: bool) -> None:
        host = _public_host(conn.client)
        if host:
            self.by_address[host] -= 1
            if self.by_address[host] <= 0:
                del self.by_address[host]
        if graceful and self.alive:
            self._linger(conn.sock)
        else:
            with suppress(OSError):
                conn.sock.close()

    def _linger(self, client: socket.socket) -> None:
        """Wait for the other side to read the answer and close (RFC 9112, 9.6), in the poller instead of in a thread."""
        try:
            client.setblocking(False)
            client.shutdown(socket.SHUT_WR)
            self.poller.register(client, EVENT_READ, self._on_lingering)
        except (OSError, KeyError, ValueError):
            with suppress(OSError):
                client.close()
            return
        self.lingering[client] = time.monotonic() + LINGER_SECONDS

    def _on_lingering(self, client: socket.socket) -> None:
        try:
            if client.recv(READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._stop_lingering(client)

    def _stop_lingering(self, client: socket.socket) -> None:
        self.lingering.pop(client, None)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(client)
        with suppress(OSError):
            client.close()


def _public_host(address: Any) -> str:
    """Return the peer's address where only one person or network can have it; "" for private ones and Unix sockets."""
    if not isinstance(address, tuple):
        return ""
    try:
        return address[0] if ipaddress.ip_address(address[0]).is_global else ""
    except ValueError:
        return ""
