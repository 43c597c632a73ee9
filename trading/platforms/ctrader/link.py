"""One signed-in connection to the Manager API: a thread that reads, writes and keeps the heartbeat, and callers who wait.

Rules, as public connectors keep them: the server says hello, we sign in; both sides send a heartbeat; a server that is silent
for 40 s is gone. Answers are told apart by `clientMsgId`, so that a late one is nobody's and events come between.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from crm.outside import destinations
from trading.platforms.ctrader import codes
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.ctrader.frames import FrameError, FrameReader, Outgoing, encode, read
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.errors import NotStarted, PlatformError
from trading.platforms.web import NotSent, tls_context

HEARTBEAT_SECONDS: Final = 10.0
SILENCE_SECONDS_MAX: Final = 40.0
RECEIVE_BYTES: Final = 256 * 1024
BACKLOG_MAX: Final = 10_000
HELLO, ERROR, HEARTBEAT = 990, 50, 51
AUTH: Final = "MANAGER_AUTH"

T = TypeVar("T")
OnEvent = Callable[[pb.ProtoMessage], None]


class Lost(Exception):
    """The connection ended while an answer was due."""


@dataclass(slots=True)
class Wait:
    """Somebody who waits for an answer. `reply` is its envelope; None once `is_over`: the connection ended."""

    is_over: threading.Event = field(default_factory=threading.Event)
    reply: pb.ProtoMessage | None = None
    why: str = ""
    is_sent: bool = False


class ManagerLink:
    """Opened by the one who needs it, run by its own thread until it is closed or lost."""

    def __init__(self, config: CtraderConfig, on_event: OnEvent, *, heartbeat: float, silence: float) -> None:
        self.config, self.on_event = config, on_event
        self.heartbeat, self.silence = heartbeat, silence
        self._reader, self._lock = FrameReader(), threading.Lock()
        self._waiting: dict[str, Wait] = {}
        self._out: list[tuple[bytes, Wait | None]] = []
        self._number = 0
        self._backlog: list[pb.ProtoMessage] = []
        self.sock = _connect(config)
        self.is_open = True
        self.permissions: frozenset[int] = frozenset()
        try:
            self._sign_in()
        except (OSError, FrameError, Lost) as problem:
            self.sock.close()
            why = "no answer" if isinstance(problem, TimeoutError) else str(problem)
            raise NotStarted(f"the log-in to the Manager API failed ({why})", command=AUTH) from None
        except PlatformError:
            self.sock.close()
            raise
        self._wake_in, self._wake_out = socket.socketpair()
        self.sock.setblocking(False)
        self._wake_in.setblocking(False)
        threading.Thread(target=self._run, name="ctrader-manager", daemon=True).start()

    # -- for callers --------------------------------------------------------------------------------------------------

    def ask(self, message: Outgoing) -> Wait:
        """Put a request on its way. The answer comes into what is returned."""
        wait = Wait()
        with self._lock:
            self._number += 1
            identity = str(self._number)
            if not self.is_open:
                wait.why = "the connection is closed"
                wait.is_over.set()
                return wait
            self._waiting[identity] = wait
            self._out.append((encode(message, identity), wait))
        self._wake()
        return wait

    def forget(self, wait: Wait) -> None:
        """Stop waiting: an answer that comes later is dropped."""
        with self._lock:
            self._waiting = {identity: waiting for identity, waiting in self._waiting.items() if waiting is not wait}

    def close(self) -> None:
        """End it at once, without a word."""
        self.is_open = False
        self._wake()

    def let_go_in_child(self) -> None:
        """Close a fork's copies of the sockets without a byte on the wire: the thread stayed behind."""
        self.is_open = False
        for sock in (self.sock, self._wake_in, self._wake_out):
            with contextlib.suppress(OSError):
                os.close(sock.detach())

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_out.send(b"!")

    # -- signing in, before the thread ----------------------------------------------------------------------------------

    def _sign_in(self) -> None:
        """Sign the manager in. Raises: NotStarted for a refusal, OSError, FrameError, Lost."""
        deadline = time.monotonic() + self.config.connect_seconds
        self._next(deadline, HELLO)
        request = pb.ProtoManagerAuthReq(
            plantId=self.config.plant,
            environmentName=self.config.environment,
            login=self.config.login,
            passwordHash=self.config.password_hash,
        )
        self.sock.sendall(encode(request, "0"))
        answer = pb.ProtoManagerAuthRes()
        read(answer, self._next(deadline, answer.payloadType).payload, "the log-in's answer")
        self.permissions = frozenset(answer.permission)

    def _next(self, deadline: float, payload_type: int) -> pb.ProtoMessage:
        while True:
            while self._backlog:
                message = self._backlog.pop(0)
                if message.payloadType == payload_type:
                    return message
                if message.payloadType == ERROR:
                    raise error_of(message, command=AUTH, is_write=False)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            data = self.sock.recv(RECEIVE_BYTES)
            if not data:
                raise Lost("the server closed it")
            self._backlog += self._reader.feed(data)
            if len(self._backlog) > BACKLOG_MAX:
                raise Lost("the server sends events without end before it answers the log-in")

    # -- the thread -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        why = "the connection was closed"
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake_in, selectors.EVENT_READ)
                self._turn(selector)
        except (OSError, FrameError, Lost) as problem:
            why = f"the connection was lost before the answer came ({problem})"
        finally:
            self._end(why)

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for message in self._backlog:
            self._take(message)
        self._backlog.clear()
        rest, heard_at = b"", time.monotonic()
        beat_at = heard_at + self.heartbeat
        selector.register(self.sock, selectors.EVENT_READ)
        while self.is_open:
            now = time.monotonic()
            if now - heard_at > self.silence:
                raise Lost(f"silence for {self.silence:g} s")
            if now >= beat_at:
                beat_at = now + self.heartbeat
                with self._lock:
                    self._out.append((encode(pb.ProtoHeartbeatEvent()), None))
            rest = self._send(rest)
            interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if rest else 0)
            selector.modify(self.sock, interest)
            selector.select(max(0.0, min(beat_at, heard_at + self.silence) - time.monotonic()))
            self._drain_wakes()
            if self._receive():
                heard_at = time.monotonic()

    def _send(self, rest: bytes) -> bytes:
        """Send what waits to be sent, and hand back the bytes that could not be sent yet."""
        with self._lock:
            for data, wait in self._out:
                rest += data
                if wait is not None:
                    wait.is_sent = True
            self._out.clear()
        while rest:
            try:
                rest = rest[self.sock.send(rest) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError, BlockingIOError):
                break
        return rest

    def _receive(self) -> bool:
        """Read what is there. Raises: Lost when the server closed, FrameError."""
        heard = False
        while True:
            try:
                data = self.sock.recv(RECEIVE_BYTES)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                return heard
            if not data:
                raise Lost("the server closed it")
            heard = True
            for message in self._reader.feed(data):
                self._take(message)

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_in.recv(4096):
                pass

    def _take(self, message: pb.ProtoMessage) -> None:
        """Pass an answer to whoever waits for it and drop one that nobody waits for; everything else is an event."""
        if message.payloadType == HEARTBEAT:
            return
        if message.clientMsgId:
            with self._lock:
                wait = self._waiting.pop(message.clientMsgId, None)
            if wait is not None:
                wait.reply = message
                wait.is_over.set()
            return
        self.on_event(message)

    def _end(self, why: str) -> None:
        with self._lock:
            self.is_open = False
            left, self._waiting = list(self._waiting.values()), {}
        for sock in (self.sock, self._wake_in, self._wake_out):
            with contextlib.suppress(OSError):
                sock.close()
        for wait in left:
            wait.why = why
            wait.is_over.set()


def _connect(config: CtraderConfig) -> ssl.SSLSocket:
    where = config.manager
    assert where is not None
    plain = None
    try:
        context = tls_context(where.certificate, where.certificate_file)
        plain = destinations.connect((where.host, where.port), config.connect_seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return context.wrap_socket(plain, server_hostname=where.host)
    except NotSent as problem:
        raise NotStarted(str(problem), command="CONNECT") from None
    except (OSError, OverflowError) as problem:
        if plain is not None:
            plain.close()
        if isinstance(problem, ssl.SSLCertVerificationError):
            message = f"the certificate of {where.host} is not believed ({problem.verify_message})"
            raise NotStarted(message, command="CONNECT") from None
        raise NotStarted(f"can't reach the Manager API at {where} ({problem})", command="CONNECT") from None


def error_of(message: pb.ProtoMessage, *, command: str, is_write: bool) -> PlatformError:
    """Translate an error answer into one of the five kinds. Raises: FrameError when it can't be read."""
    refused = pb.ProtoErrorRes()
    read(refused, message.payload, "an error")
    return codes.error_for(
        refused.errorCode,
        command=command,
        is_write=is_write,
        description=refused.description,
        maintenance_end_msc=refused.maintenanceEndTimestamp,
    )
