"""The raw text form of the MT5 Web API: one TCP socket. See `commands` for the rules that both forms keep.

- a time-out, a broken frame or a foreign packet number closes the socket;
- pings of the server are skipped wherever they stand; they are not a disconnect.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from crm.outside import destinations
from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import NotStarted, OutcomeUnknown, PlatformError, ReadTimedOut
from trading.platforms.mt5 import crypt, retcodes, wire
from trading.platforms.mt5.commands import CRYPT_AES, CRYPT_NONE, IDLE_SECONDS_MAX, Lost, Mt5Commands, Mt5Config

RECEIVE_BYTES: Final = 256 * 1024
PINGS_PIECES_MAX: Final = 4  # a connection that lay idle for an hour holds less than one


@dataclass(slots=True)
class _Link:
    """An authenticated socket with the state that dies with it."""

    sock: socket.socket
    reader: wire.FrameReader = field(default_factory=wire.FrameReader)
    number: int = 0
    outgoing: crypt.BlockRestartOFB | None = None
    incoming: crypt.BlockRestartOFB | None = None
    used_at: float = 0.0
    is_spoilt: bool = False
    version_access: str = ""
    version_trade: str = ""


class Mt5Client(Mt5Commands):
    """Speaks to one access server over a raw socket, plain or encrypted."""

    def __init__(self, config: Mt5Config, gate: Gate | None = None) -> None:
        super().__init__(config, gate)
        self._link: _Link | None = None

    @property
    def idle_seconds(self) -> float | None:
        return None if self._link is None else time.monotonic() - self._link.used_at

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError):
                link.sock.close()

    def connect(self) -> tuple[str, str]:
        with self._lock, self.gate.passing():
            link = self._ready_link()
            return link.version_access, link.version_trade

    # -- one command ----------------------------------------------------------------------------------------------

    def _command(self, name: str, parameters: Mapping[str, object], *, is_write: bool, wait: float) -> wire.Answer:
        link = self._ready_link()
        try:
            self._send(link, wire.encode(wire.command_text(name, parameters)), wait)
            answer = self._receive(link, wait)
            if answer.name != name.upper():
                raise Lost(f"an answer to {answer.name} came instead")
            code = answer.retcode
        except (TimeoutError, OSError, wire.WireError, Lost) as problem:
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
        """Receive the answer to the packet sent last. Raises: TimeoutError, OSError, WireError, Lost."""
        deadline = time.monotonic() + wait
        message = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            link.sock.settimeout(left)
            data = link.sock.recv(RECEIVE_BYTES)
            if not data:
                raise Lost("the server closed it")
            packets = link.reader.feed(data)
            for position, packet in enumerate(packets):
                if not packet.body and packet.number != link.number:
                    continue  # a ping
                if packet.number != link.number:
                    raise Lost(f"packet {packet.number:04x} came, {link.number:04x} was due")
                message += link.incoming.apply(packet.body) if link.incoming else packet.body
                if len(message) > wire.MESSAGE_BYTES_MAX:
                    raise Lost("the answer is larger than anything this client accepts")
                if not packet.more:
                    # A second answer to the same command: this one is good, the connection is not.
                    link.is_spoilt = any(later.body for later in packets[position + 1 :])
                    return wire.decode(bytes(message))

    # -- connection -----------------------------------------------------------------------------------------------

    def _ready_link(self) -> _Link:
        """Check the open link, or open a new one. Raises: NotStarted."""
        link = self._link
        if link is not None and (time.monotonic() - link.used_at > IDLE_SECONDS_MAX or not self._is_quiet(link)):
            self.close()
            link = None
        if link is None:
            link = self._link = self._open()
        return link

    @staticmethod
    def _is_quiet(link: _Link) -> bool:
        """Read away the pings that piled up. False when the server closed, sent something nobody asked for, or does not
        stop sending."""
        try:
            link.sock.setblocking(False)
            for _piece in range(PINGS_PIECES_MAX):
                data = link.sock.recv(RECEIVE_BYTES)
                if not data or any(packet.body for packet in link.reader.feed(data)):
                    return False
        except (BlockingIOError, InterruptedError):
            return True
        except (OSError, wire.WireError):
            return False
        return False

    def _open(self) -> _Link:
        config = self.config
        try:
            sock = destinations.connect((config.host, config.port), config.connect_seconds)
        except OSError as problem:
            message = f"can't reach {config.host}:{config.port} ({problem})"
            raise NotStarted(message, command="CONNECT") from problem
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(sock=sock, used_at=time.monotonic())
        try:
            self._authenticate(link)
        except (TimeoutError, OSError, wire.WireError, Lost, ValueError, KeyError) as problem:
            sock.close()
            raise NotStarted(f"the log-in failed ({problem or 'no answer'})", command="AUTH") from problem
        except PlatformError:
            sock.close()
            raise
        return link

    def _authenticate(self, link: _Link) -> None:
        """Log in: both sides prove that they know the password; neither sends it."""
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
            raise Lost("the server could not prove that it knows the password")
        if config.crypt_method == CRYPT_AES:
            link.outgoing, link.incoming = crypt.ciphers(secret, answer.parameters["CRYPT_RAND"])
        link.version_access = answer.parameters.get("VERSION_ACCESS", "")
        link.version_trade = answer.parameters.get("VERSION_TRADE", "")

    def _exchange(
        self, link: _Link, name: str, parameters: Mapping[str, object], *, prefix: bytes = b""
    ) -> wire.Answer:
        """Send one handshake packet and read its answer, never encrypted. Raises: NotStarted on a refusal."""
        self._send(link, wire.encode(wire.command_text(name, parameters)), self.config.connect_seconds, prefix)
        answer = self._receive(link, self.config.connect_seconds)
        if answer.name != name:
            raise Lost(f"an answer to {answer.name} came instead")
        if answer.retcode not in retcodes.SUCCESS:
            message = retcodes.MESSAGES.get(answer.retcode) or answer.retcode_text
            raise NotStarted(message, command=name, code=answer.retcode)
        return answer


__all__ = ["CRYPT_AES", "CRYPT_NONE", "Mt5Client", "Mt5Config"]
