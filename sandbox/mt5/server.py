"""The TCP side: handshake, packets, pings, and the faults that were switched on."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace

from sandbox.mt5 import commands, commands_market, commands_orders, protocol
from sandbox.mt5.books import Books
from sandbox.mt5.faults import DONE_KINDS, Fault, Faults

VERSION = 3815
AUTH_SECONDS = 10
IDLE_SECONDS = 180
HANDLED_IN = (commands, commands_market, commands_orders)  # importing one registers its commands
MESSAGE_MAX = 16 * 1024 * 1024


# A manager's rights as in the administrator's Permissions tab, and the commands that need them.
RIGHTS: dict[str, tuple[str, ...]] = {
    "accountant": ("TRADE_BALANCE", "KEELSON_BALANCE"),
    "access to accounts": ("USER_",),
    "modify accounts": ("USER_ADD", "USER_UPDATE", "USER_PASS_CHANGE"),
    "access to trade orders": ("DEAL_", "POSITION_", "ORDER_", "HISTORY_"),
    "delete accounts": ("USER_DELETE", "USER_ARCHIVE_ADD"),
}


@dataclass
class Manager:
    """Who may connect, and with which of `RIGHTS`."""

    login: int
    password: str
    rights: set[str] = field(default_factory=lambda: set(RIGHTS))

    def may(self, command: str) -> bool:
        return all(right in self.rights for right, prefixes in RIGHTS.items() if command.startswith(prefixes))


@dataclass
class Settings:
    manager: Manager
    ping_seconds: float = 20.0
    packet_bytes: int = protocol.BODY_MAX
    only_encrypted: bool = False


class Hangup(Exception):
    """End the connection without another word."""


class Session:
    """One manager's connection."""

    def __init__(self, server: Mt5Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.books, self.settings = server.books, server.settings
        self.secret = protocol.secret_of(self.settings.manager.password)
        self.incoming: protocol.PacketCipher | None = None
        self.outgoing: protocol.PacketCipher | None = None
        self.sending = asyncio.Lock()
        self.pings = itertools.cycle(range(protocol.PING_FIRST, protocol.PING_LAST + 1))

    # -- reading

    async def _message(self, seconds: float) -> tuple[int, bytes]:
        """The next command's packet number and joined, decrypted body. Pings restart the clock."""
        body, number = bytearray(), 0
        while True:
            head = await asyncio.wait_for(self.reader.readexactly(protocol.HEADER), seconds)
            length, number, more = protocol.read_header(head)
            part = await asyncio.wait_for(self.reader.readexactly(length), seconds) if length else b""
            if not part and not more and not body:
                continue
            body += self.incoming.apply(part) if self.incoming else part
            if len(body) > MESSAGE_MAX:
                raise Hangup
            if not more:
                return number, bytes(body)

    # -- writing

    async def _send(self, data: bytes, number: int, faults: dict[str, Fault] | None = None) -> None:
        faults = faults or {}
        storm = int(faults["ping_storm"].value or 50) if "ping_storm" in faults else 0
        size = int(faults["parts"].value) if "parts" in faults else (64 if storm else self.settings.packet_bytes)
        out = bytearray()
        for part, more in protocol.cut(data, size):
            if storm:
                count = min(storm, 3)
                storm -= count
                out += b"".join(protocol.frame(b"", next(self.pings)) for _ in range(count))
            out += protocol.frame(self.outgoing.apply(part) if self.outgoing else part, number, more)
        out += b"".join(protocol.frame(b"", next(self.pings)) for _ in range(storm))
        async with self.sending:
            pause = faults["drip"].value if "drip" in faults else 0.001
            piece = 1 if "drip" in faults else int(faults["split"].value) if "split" in faults else 0
            await self._write(bytes(out), piece, pause)

    async def _write(self, data: bytes, piece: int, pause: float = 0.001) -> None:
        for start in range(0, len(data), piece or len(data)):
            self.writer.write(data[start : start + (piece or len(data))])
            await self.writer.drain()
            if piece:
                await asyncio.sleep(pause)

    async def keep_pinging(self) -> None:
        while True:
            await asyncio.sleep(self.settings.ping_seconds)
            async with self.sending:
                await self._write(protocol.frame(b"", next(self.pings)), 0)

    # -- handshake

    async def authenticate(self) -> None:
        """Raises Hangup when the manager is not who they say. The two packets are never encrypted."""
        prefix = await asyncio.wait_for(self.reader.readexactly(len(protocol.PREFIX)), AUTH_SECONDS)
        if prefix != protocol.PREFIX:
            raise Hangup
        number, body = await self._message(AUTH_SECONDS)
        start = protocol.parse(body)
        agent, version = start.get("AGENT"), start.integer("VERSION", 0) or 0
        if start.name != "AUTH_START":
            raise Hangup
        code = 0
        if version < 484:
            code = 1010
        elif start.get("TYPE").upper() != "MANAGER" or not agent or " " in agent:
            code = 1000
        elif start.integer("LOGIN") != self.settings.manager.login:
            code = 1001
        elif self.settings.only_encrypted and start.get("CRYPT_METHOD").upper() != "AES256OFB":
            code = 1000
        if code:
            await self._send(protocol.answer("AUTH_START", code, {"VERSION_ACCESS": VERSION}), number)
            raise Hangup
        challenge = secrets.token_hex(16)
        await self._send(protocol.answer("AUTH_START", 0, {"VERSION_ACCESS": VERSION, "SRV_RAND": challenge}), number)
        number, body = await self._message(AUTH_SECONDS)
        answer = protocol.parse(body)
        given = answer.get("SRV_RAND_ANSWER").lower()
        if answer.name != "AUTH_ANSWER" or not secrets.compare_digest(
            given.encode(), protocol.proof(self.secret, challenge).encode()
        ):
            await self._send(protocol.answer("AUTH_ANSWER", 1001, {"VERSION_ACCESS": VERSION}), number)
            raise Hangup
        random = secrets.token_bytes(256)
        parameters: dict[str, object] = {
            "VERSION_ACCESS": VERSION,
            "VERSION_TRADE": VERSION,
            "CLI_RAND_ANSWER": protocol.proof(self.secret, answer.get("CLI_RAND")),
        }
        encrypted = start.get("CRYPT_METHOD").upper() == "AES256OFB"
        if encrypted:
            parameters["CRYPT_RAND"] = random.hex()
        await self._send(protocol.answer("AUTH_ANSWER", 0, parameters), number)
        if encrypted:
            self.incoming, self.outgoing = protocol.session_ciphers(self.secret, random)

    # -- commands

    async def serve(self) -> None:
        await self.authenticate()
        while True:
            number, body = await self._message(IDLE_SECONDS)
            request = protocol.parse(body)
            self.server.count(request.name if request.name in commands.HANDLERS else "unknown")
            if request.name == "QUIT":
                await self._send(protocol.answer("QUIT", 0), number)
                return
            await self._answer(request, number)

    async def _answer(self, request: protocol.Request, number: int) -> None:
        faults = self.server.faults.take(request.name)
        data = self._do(request, faults)
        if "slow" in faults:
            await asyncio.sleep(faults["slow"].value or 5)
        if faults.keys() & {"drop_before", "drop_after", "forbidden", "proxy_403"}:
            raise Hangup
        if "never_before" in faults or "never_after" in faults:
            return
        if "garbage" in faults:
            async with self.sending:
                await self._write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 0)
            return
        if "foreign_number" in faults:
            number = number % 0x3FFF + 1
        if "cut_off" in faults:
            whole = protocol.frame(self.outgoing.apply(data) if self.outgoing else data, number)
            async with self.sending:
                await self._write(whole[: int(faults["cut_off"].value)], 0)
            raise Hangup
        await self._send(data, number, faults)
        if "duplicate" in faults:
            await self._send(data, number, faults)
        if "restart" in faults:
            self.server.restart()

    def _do(self, request: protocol.Request, faults: dict[str, Fault]) -> bytes:
        if "forbidden" in faults:
            return b""
        code, (parameters, data) = perform(self.books, self.server, request, faults)
        return protocol.answer(request.name, code, parameters, data)


def perform(
    books: Books, server: Mt5Server, request: protocol.Request, faults: dict[str, Fault]
) -> tuple[int, commands.Answer]:
    """Run the command (or not), as the faults say: retcode and answer, in either form of the API."""
    if "cut_comment" in faults:
        units = str(int(faults["cut_comment"].value))
        request = replace(request, parameters={**request.parameters, "_COMMENT_UNITS": units})
    for kind in DONE_KINDS & faults.keys():
        return (12 if kind == "too_frequent" else int(faults[kind].value)), ({}, None)
    if server.is_too_frequent():
        return 12, ({}, None)
    if not server.settings.manager.may(request.name):
        return 8, ({}, None)
    code, answer = commands.run(books, request)
    if "book_twice" in faults:
        code, answer = commands.run(books, request)
    if "retcode_after" in faults:
        return int(faults["retcode_after"].value), ({}, None)
    return code, answer


class Mt5Server:
    """Accepts managers. `counts` says how often each command came since the start."""

    def __init__(self, books: Books, settings: Settings, faults: Faults) -> None:
        self.books, self.settings, self.faults = books, settings, faults
        self.counts: dict[str, int] = {}
        self.sessions: set[asyncio.Task[None]] = set()
        self.started_at = time.time()
        self.per_second_max = 0  # commands in a second before "too frequent"; 0: no limit
        self._recent: deque[float] = deque()
        self._server: asyncio.Server | None = None

    def is_too_frequent(self) -> bool:
        """Counts this command; True when the last second brought more than the server takes."""
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

    async def start(self, host: str, port: int) -> int:
        self._server = await asyncio.start_server(self._accept, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self.hang_up_all()
        if self.sessions:
            await asyncio.wait(self.sessions, timeout=2)

    def hang_up_all(self) -> None:
        for task in list(self.sessions):
            task.cancel()

    def restart(self) -> None:
        """Every connection ends; idle accounts are not in the account list until they trade again."""
        self.hang_up_all()
        self.books.active = {position.login for position in self.books.store.positions.values()}

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        await self.hold(session.serve(), writer, session.keep_pinging())

    async def hold(
        self, serving: Coroutine[None, None, None], writer: asyncio.StreamWriter,
        beside: Coroutine[None, None, None] | None = None,
    ) -> None:  # fmt: skip
        """Run one session to its end, and what runs beside it."""
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        helper = asyncio.create_task(beside) if beside else None
        try:
            await serving
        except (Hangup, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, TimeoutError, ValueError,
                KeyError):  # fmt: skip
            pass  # a bad packet, a lost or silent client: the real server closes without a word, too
        except asyncio.CancelledError:
            pass  # the server restarts or stops
        finally:
            self.sessions.discard(task)
            if helper:
                helper.cancel()
                await asyncio.gather(helper, return_exceptions=True)
            writer.close()
