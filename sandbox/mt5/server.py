"""The TCP side: handshake, packets, pings, and the faults that were switched on."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from sandbox.engine.books import Books
from sandbox.engine.faults import DONE_KINDS, Fault, Faults
from sandbox.engine.gateway import Gateway, Hangup
from sandbox.mt5 import commands, commands_house, commands_market, commands_orders, protocol

VERSION = 3815
AUTH_SECONDS = 10
IDLE_SECONDS = 180
HANDLED_IN = (commands, commands_house, commands_market, commands_orders)  # importing one registers its commands
MESSAGE_MAX = 16 * 1024 * 1024


# A manager's rights as in the administrator's Permissions tab, and the commands that need them.
RIGHTS: dict[str, tuple[str, ...]] = {
    "accountant": ("TRADE_BALANCE", "KEELSON_BALANCE"),
    "access to accounts": ("USER_",),
    "modify accounts": ("USER_ADD", "USER_UPDATE", "USER_PASS_CHANGE"),
    "access to trade orders": ("DEAL_", "POSITION_", "ORDER_", "HISTORY_"),
    "delete accounts": ("USER_DELETE", "USER_ARCHIVE_ADD"),
    "send mail and news": ("MAIL_", "NEWS_"),
    "delete deals and orders": ("DEAL_DELETE", "ORDER_DELETE"),
}


# Switches that only this wire has.
OWN_FAULTS = {
    "parts": "cuts the answer into packets of `value` bytes",
    "ping_storm": "sends `value` pings between the parts of the answer",
    "foreign_number": "does the command, answers under another packet number",
    "forbidden": "does nothing and ends the session: HTTP 403 in the REST form, a closed connection in the raw form",
    "proxy_403": "does the command; a proxy in front answers HTTP 403 with a page of its own (raw form: closes)",
}


@dataclass
class Manager:
    """Who may connect."""

    login: int
    password: str


@dataclass
class Settings:
    manager: Manager
    ping_seconds: float = 20.0
    packet_bytes: int = protocol.BODY_MAX
    only_encrypted: bool = False


class Listener(Protocol):
    """Another form of the same commands."""

    async def start(self, server: Mt5Server, host: str, port: int) -> int: ...

    async def stop(self) -> None: ...


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
        """Read the next command's packet number and joined, decrypted body. Pings restart the clock."""
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
        """Check who the manager is. Raises Hangup where they aren't who they claim to be.

        The two packets are never encrypted.
        """
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
        proof = answer.get("SRV_RAND_ANSWER").lower()
        if answer.name != "AUTH_ANSWER" or not secrets.compare_digest(
            proof.encode(), protocol.proof(self.secret, challenge).encode()
        ):
            await self._send(protocol.answer("AUTH_ANSWER", 1001, {"VERSION_ACCESS": VERSION}), number)
            raise Hangup
        random = secrets.token_bytes(256)
        parameters: dict[str, object] = {
            "VERSION_ACCESS": VERSION,
            "VERSION_TRADE": VERSION,
            "CLI_RAND_ANSWER": protocol.proof(self.secret, answer.get("CLI_RAND")),
            "CRYPT_RAND": random.hex(),  # in a plain session too, where nobody needs it
        }
        encrypted = start.get("CRYPT_METHOD").upper() == "AES256OFB"
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
    if not server.may(request.name):
        return 8, ({}, None)
    code, answer = commands.run(books, request)
    if "book_twice" in faults:
        code, answer = commands.run(books, request)
    if "retcode_after" in faults:
        return int(faults["retcode_after"].value), ({}, None)
    return code, answer


class Mt5Server(Gateway):
    """Accepts managers over raw TCP, and over TLS where that is wanted (`rest`)."""

    name = "MT5 server"
    refusals = protocol.RETCODE_TEXTS
    all_rights = tuple(RIGHTS)

    def __init__(self, books: Books, settings: Settings, faults: Faults, rest: Listener | None = None) -> None:
        super().__init__(books, faults)
        self.settings, self.rest = settings, rest
        self._server: asyncio.Server | None = None

    def may(self, command: str) -> bool:
        return all(right in self.rights for right, prefixes in RIGHTS.items() if command.startswith(prefixes))

    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        self._server = await asyncio.start_server(self._accept, host, ports["mt5_port"])
        ready = {"mt5_port": int(self._server.sockets[0].getsockname()[1])}
        rest_port = ports.get("rest_port")
        if self.rest and rest_port is not None:
            ready["rest_port"] = await self.rest.start(self, host, rest_port)
        return ready

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        if self.rest:
            await self.rest.stop()
        await super().stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        await self.hold(session.serve(), writer, session.keep_pinging())
