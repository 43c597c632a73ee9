"""A client for the raw MT5 Web API: one socket, one command at a time.

Rules that protect money:
- a time-out, a broken frame or a foreign packet number closes the socket, so that a late answer is never read as the
  answer to the next command;
- a command that changes something is sent once; when its answer is lost the caller gets `OutcomeUnknown`;
- pings of the server are skipped wherever they stand; they are not a disconnect.

A client belongs to the process that made it: after a fork it opens its own socket.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from trading.platforms.errors import NotStarted, OutcomeUnknown, PlatformError, ReadTimedOut
from trading.platforms.mt5 import crypt, retcodes, wire

CRYPT_NONE: Final = "NONE"
CRYPT_AES: Final = "AES256OFB"
# The server forgets a silent client after 180 s; a socket that was idle longer than this is replaced before use.
IDLE_SECONDS_MAX: Final = 150.0
RECEIVE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Mt5Config:
    """How to reach one access server as one manager."""

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


@dataclass(slots=True)
class _Link:
    """An authenticated socket with the state that dies with it."""

    sock: socket.socket
    pid: int
    reader: wire.FrameReader = field(default_factory=wire.FrameReader)
    number: int = 0
    outgoing: crypt.BlockRestartOFB | None = None
    incoming: crypt.BlockRestartOFB | None = None
    used_at: float = 0.0
    is_spoilt: bool = False
    version_access: str = ""
    version_trade: str = ""


class _Lost(Exception):
    """The connection ended or became unusable while an answer was due."""


class Mt5Client:
    """Sends commands to one MT5 access server. Thread-safe, strictly sequential."""

    def __init__(self, config: Mt5Config) -> None:
        self.config = config
        self._link: _Link | None = None
        self._lock = threading.RLock()

    # -- public ---------------------------------------------------------------------------------------------------

    def read(
        self, name: str, parameters: Mapping[str, object] | None = None, *, seconds: float | None = None
    ) -> wire.Answer:
        """Ask for something. Repeated once on a fresh socket when a kept one turned out to be dead.

        Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy.
        """
        with self._lock:
            was_kept = self._link is not None
            try:
                return self._command(name, parameters or {}, "", is_write=False, seconds=seconds)
            except ReadTimedOut as problem:
                if not (was_kept and isinstance(problem.__cause__, _Lost | ConnectionError)):
                    raise
                return self._command(name, parameters or {}, "", is_write=False, seconds=seconds)

    def write(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        *,
        body: str = "",
        seconds: float | None = None,
    ) -> wire.Answer:
        """Change something. Sent once, whatever happens.

        Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy.
        """
        with self._lock:
            return self._command(name, parameters or {}, body, is_write=True, seconds=seconds)

    def close(self) -> None:
        """Drop the socket at once, without a word: what was on its way is not waited for."""
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                with contextlib.suppress(OSError):
                    link.sock.close()

    def connect(self) -> tuple[str, str]:
        """Open and authenticate now; returns the versions of access and trade server. Raises: NotStarted."""
        with self._lock:
            link = self._ready_link()
            return link.version_access, link.version_trade

    # -- one command ----------------------------------------------------------------------------------------------

    def _command(
        self, name: str, parameters: Mapping[str, object], body: str, *, is_write: bool, seconds: float | None
    ) -> wire.Answer:
        link = self._ready_link()
        wait = seconds or (self.config.write_seconds if is_write else self.config.read_seconds)
        try:
            self._send(link, wire.encode(wire.command_text(name, parameters, body)), wait)
            answer = self._receive(link, wait)
            if answer.name != name.upper():
                raise _Lost(f"an answer to {answer.name} came instead")
            code = answer.retcode
        except (TimeoutError, OSError, wire.WireError, _Lost) as problem:
            self.close()
            kind = OutcomeUnknown if is_write else ReadTimedOut
            raise kind(self._why(problem, wait), command=name) from problem
        link.used_at = time.monotonic()
        if link.is_spoilt:
            self.close()
        if code not in retcodes.SUCCESS:
            raise retcodes.error_for(code, text=answer.retcode_text, command=name, is_write=is_write)
        return answer

    @staticmethod
    def _why(problem: Exception, wait: float) -> str:
        if isinstance(problem, TimeoutError):
            return f"no answer within {wait:g} s"
        return f"the connection was lost before the answer came ({problem})"

    @staticmethod
    def _send(link: _Link, data: bytes, wait: float, prefix: bytes = b"") -> None:
        link.number = wire.next_number(link.number)
        link.sock.settimeout(wait)
        frames = bytearray(prefix)
        for part, more in wire.parts(data):
            frames += wire.header(len(part), link.number, more=more)
            frames += link.outgoing.apply(part) if link.outgoing else part
        link.sock.sendall(frames)

    def _receive(self, link: _Link, wait: float) -> wire.Answer:
        """The answer to the packet sent last. Raises: TimeoutError, OSError, WireError, _Lost."""
        deadline = time.monotonic() + wait
        message = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            link.sock.settimeout(left)
            data = link.sock.recv(RECEIVE_BYTES)
            if not data:
                raise _Lost("the server closed it")
            packets = link.reader.feed(data)
            for position, packet in enumerate(packets):
                if not packet.body and packet.number != link.number:
                    continue  # a ping
                if packet.number != link.number:
                    raise _Lost(f"packet {packet.number:04x} came, {link.number:04x} was due")
                message += link.incoming.apply(packet.body) if link.incoming else packet.body
                if len(message) > wire.MESSAGE_BYTES_MAX:
                    raise _Lost("the answer is larger than anything this client accepts")
                if not packet.more:
                    # A second answer to the same command: this one is good, the connection is not.
                    link.is_spoilt = any(later.body for later in packets[position + 1 :])
                    return wire.decode(bytes(message))

    # -- connection -----------------------------------------------------------------------------------------------

    def _ready_link(self) -> _Link:
        """The open link, checked, or a new one. Raises: NotStarted."""
        link = self._link
        if link is not None and link.pid != os.getpid():
            # Inherited over a fork: it belongs to the parent. Forget it without touching the connection.
            self._link = link = None
        if link is not None and (time.monotonic() - link.used_at > IDLE_SECONDS_MAX or not self._is_quiet(link)):
            self.close()
            link = None
        if link is None:
            link = self._link = self._open()
        return link

    @staticmethod
    def _is_quiet(link: _Link) -> bool:
        """Read away the pings that piled up. False when the server closed, or sent something nobody asked for."""
        try:
            link.sock.setblocking(False)
            while True:
                data = link.sock.recv(RECEIVE_BYTES)
                if not data or any(packet.body for packet in link.reader.feed(data)):
                    return False
        except (BlockingIOError, InterruptedError):
            return True
        except (OSError, wire.WireError):
            return False

    def _open(self) -> _Link:
        config = self.config
        try:
            sock = socket.create_connection((config.host, config.port), timeout=config.connect_seconds)
        except OSError as problem:
            message = f"can't reach {config.host}:{config.port} ({problem})"
            raise NotStarted(message, command="CONNECT") from problem
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(sock=sock, pid=os.getpid(), used_at=time.monotonic())
        try:
            self._authenticate(link)
        except (TimeoutError, OSError, wire.WireError, _Lost, ValueError, KeyError) as problem:
            sock.close()
            raise NotStarted(f"the log-in failed ({problem or 'no answer'})", command="AUTH") from problem
        except PlatformError:
            sock.close()
            raise
        return link

    def _authenticate(self, link: _Link) -> None:
        """Both sides prove that they know the password; neither sends it."""
        config = self.config
        secret = crypt.password_hash(config.password)
        start = self._exchange(
            link,
            "AUTH_START",
            {
                "VERSION": config.version,
                "AGENT": config.agent,
                "LOGIN": config.login,
                "TYPE": "MANAGER",
                "CRYPT_METHOD": config.crypt_method,
            },
            prefix=wire.FIRST_PACKET_PREFIX,
        )
        challenge = secrets.token_hex(16)
        proof = crypt.answer_to(secret, start.parameters["SRV_RAND"])
        answer = self._exchange(link, "AUTH_ANSWER", {"SRV_RAND_ANSWER": proof, "CLI_RAND": challenge})
        if not crypt.is_same(answer.parameters.get("CLI_RAND_ANSWER", ""), crypt.answer_to(secret, challenge)):
            raise _Lost("the server could not prove that it knows the password")
        if config.crypt_method == CRYPT_AES:
            link.outgoing, link.incoming = crypt.ciphers(secret, answer.parameters["CRYPT_RAND"])
        link.version_access = answer.parameters.get("VERSION_ACCESS", "")
        link.version_trade = answer.parameters.get("VERSION_TRADE", "")

    def _exchange(
        self, link: _Link, name: str, parameters: Mapping[str, object], *, prefix: bytes = b""
    ) -> wire.Answer:
        """One handshake packet and its answer, never encrypted. Raises: NotStarted on a refusal."""
        self._send(link, wire.encode(wire.command_text(name, parameters)), self.config.connect_seconds, prefix)
        answer = self._receive(link, self.config.connect_seconds)
        if answer.name != name:
            raise _Lost(f"an answer to {answer.name} came instead")
        if answer.retcode not in retcodes.SUCCESS:
            message = retcodes.MESSAGES.get(answer.retcode) or answer.retcode_text
            raise NotStarted(message, command=name, code=answer.retcode)
        return answer
