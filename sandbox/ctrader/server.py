"""The server: WebServices over HTTPS, the Manager API over TLS, and what it pushes to every manager who is signed in."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.ctrader import names, protocol, view
from sandbox.ctrader.commands import Commands
from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from sandbox.ctrader.rest import WebServices
from sandbox.ctrader.state import State
from sandbox.ctrader.traders import CODES, Denied
from sandbox.engine.books import Books
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.faults import DONE_KINDS, Fault, Faults
from sandbox.engine.gateway import Gateway, Hangup, pushing_goes_on
from sandbox.engine.http import HttpListener

AUTH_SECONDS = 10
PUMP_SECONDS = 0.03
MAINTENANCE_SECONDS = 600
PERMISSIONS = (1, 2, 3, 5, 6, 9, 20, 130, 140, 150)
# A manager's permissions, and the commands that need them.
RIGHTS: dict[str, tuple[str, ...]] = {
    "trader read": ("TRADERS", "TRADER_GET", "TRADER_LIST", "LIGHT_TRADER_LIST", "TRADER_BY_ID"),
    "trader create": ("TRADER_ADD",),
    "trader edit": ("TRADER_PATCH", "CRUD_TRADER"),
    "trader cashier": ("CHANGEBALANCE", "CHANGE_BALANCE"),
    "bonus cashier": ("CHANGE_BONUS",),
    "trading history": ("DEAL_LIST", "GET_DEAL", "BALANCE_HISTORY_LIST", "BONUS_HISTORY_LIST", "CLOSED_POSITIONS"),
    "positions": ("POSITION_LIST", "OPEN_POSITIONS"),
}
OWN_FAULTS = {
    "session_ends": "REST: does nothing, the token is over: 401 with the platform's code",
    "proxy_401": "REST: does the command; a proxy in front answers 401 with a page of its own",
    "maintenance": "does nothing, says that it is under maintenance for `value` seconds more (600)",
    "foreign_id": "Manager API: does the command, answers under another clientMsgId",
    "silent": "Manager API: this connection says nothing more, no heartbeat either",
    "concurrent": "Manager API: before a change somebody else changes the account",
    "event_dropped": "Manager API: the next event (command EVENT) is not pushed",
    "event_doubled": "Manager API: the next event (command EVENT) is pushed twice",
}


@dataclass
class Settings:
    """Who may connect, and the server's habits."""

    login: int
    password_hash: str
    plant: str
    environment: str
    broker: str
    token_seconds: float = 1800
    chunk: int = 500
    heartbeat_seconds: float = 10
    connections_max: int = 0
    silence_seconds: float = 40


class Session:
    """One manager's connection."""

    def __init__(self, server: CtraderServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sending = asyncio.Lock()
        self.is_in = self.is_silent = False
        self.spots: set[int] = set()
        self.late: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve a session until it ends; a wrong frame ends it, after an error that names the reason.

        Behind a wrong frame there is no way to find where the next one begins.
        """
        try:
            await self._serve()
        except protocol.WrongFrame as wrong:
            self.server.count("wrong frame")
            await self.say(protocol.frame(protocol.error(wrong.code, wrong.why), wrong.message_id))
            raise Hangup from None

    async def _serve(self) -> None:
        await self.say(protocol.frame(pb.ProtoHelloEvent()))
        await self._authenticate()
        self.is_in = True
        while True:
            message = await protocol.read_frame(self.reader, self.server.settings.silence_seconds)
            if message.payloadType == protocol.HEARTBEAT:
                continue
            if message.payloadType == protocol.PING:
                ping = protocol.parse(pb.ProtoPingReq, message.payload, message.clientMsgId)
                await self.say(protocol.frame(pb.ProtoPingRes(timestamp=ping.timestamp), message.clientMsgId))
                continue
            await self._command(message)

    async def _authenticate(self) -> None:
        """Check who the manager is. Raises Hangup where they aren't who they claim to be."""
        message = await protocol.read_frame(self.reader, AUTH_SECONDS)
        if message.payloadType != protocol.AUTH:
            raise protocol.WrongFrame("INVALID_REQUEST", "the first message must sign in", message.clientMsgId)
        server = self.server
        request = protocol.parse(pb.ProtoManagerAuthReq, message.payload, message.clientMsgId)
        server.count("AUTH")
        faults, settings = server.faults.take("AUTH"), server.settings
        refused: Any = None
        right = (settings.plant, settings.environment, settings.login, settings.password_hash)
        if "maintenance" in faults:
            refused = server.maintenance(faults["maintenance"])
        elif "retcode" in faults:
            refused = protocol.error(CODES.get(int(faults["retcode"].value), "UNKNOWN_ERROR"))
        elif (request.plantId, request.environmentName, request.login, request.passwordHash) != right:
            refused = protocol.error("AUTHENTICATION_FAILED")
        elif settings.connections_max and len(server.managers()) >= settings.connections_max:
            refused = protocol.error("CONNECTIONS_LIMIT_EXCEEDED")
        if "never_before" in faults:
            await asyncio.sleep(settings.silence_seconds)
        if "drop_before" in faults:
            raise Hangup
        if refused is not None:
            await self.say(protocol.frame(refused, message.clientMsgId))
            raise Hangup
        await self.say(protocol.frame(pb.ProtoManagerAuthRes(permission=PERMISSIONS), message.clientMsgId), faults)

    async def _command(self, message: Any) -> None:
        if message.payloadType not in protocol.COMMANDS:
            self.server.count("unknown")
            await self.say(protocol.frame(protocol.error("UNSUPPORTED_MESSAGE"), message.clientMsgId))
            return
        name, kind = protocol.COMMANDS[message.payloadType]
        self.server.count(name)
        faults = self.server.faults.take(name)
        answer = self.server.perform(name, protocol.parse(kind, message.payload, message.clientMsgId), faults, self)
        if "slow" in faults:  # other requests are answered meanwhile
            task = asyncio.create_task(self._later(faults["slow"].value or 5, answer, message.clientMsgId))
            self.late.add(task)
            task.add_done_callback(self.late.discard)
            return
        await self._answer(answer, message.clientMsgId, faults)

    async def _later(self, seconds: float, answer: Any, identity: str) -> None:
        await asyncio.sleep(seconds)
        await self.say(protocol.frame(answer, identity))

    async def _answer(self, answer: Any, identity: str, faults: dict[str, Fault]) -> None:
        if "silent" in faults:
            self.is_silent = True
        if faults.keys() & {"drop_before", "drop_after"}:
            raise Hangup
        if faults.keys() & {"never_before", "never_after"}:
            return
        if "garbage" in faults:
            await self.say(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
            return
        data = protocol.frame(answer, f"{identity}0" if "foreign_id" in faults else identity)
        if "cut_off" in faults:
            await self.say(data[: min(int(faults["cut_off"].value), len(data) - 1)])
            raise Hangup
        await self.say(data, faults)
        if "duplicate" in faults:
            await self.say(data, faults)
        if "restart" in faults:
            self.server.restart()

    async def say(self, data: bytes, faults: Mapping[str, Fault] | None = None) -> None:
        faults = faults or {}
        if self.is_silent:
            return
        pause = faults["drip"].value if "drip" in faults else 0.001
        piece = 1 if "drip" in faults else int(faults["split"].value) if "split" in faults else 0
        async with self.sending:
            for start in range(0, len(data), piece or len(data)):
                self.writer.write(data[start : start + (piece or len(data))])
                await self.writer.drain()
                if piece:
                    await asyncio.sleep(pause)

    async def keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self.server.settings.heartbeat_seconds)
            await self.say(protocol.frame(pb.ProtoHeartbeatEvent()))

    def subscribe(self, symbols: Iterable[int]) -> None:
        self.spots.update(symbols)
        task = asyncio.create_task(self.quote(symbols))
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    async def quote(self, symbols: Iterable[int]) -> None:
        for number in symbols:
            if (name := names.SYMBOLS_BY_ID.get(number)) is not None:
                bid, ask = (int(price.scaleb(5)) for price in self.server.books.market.quote(SYMBOLS[name]))
                await self.say(protocol.frame(pb.ProtoSpotEvent(symbolId=number, bid=bid, ask=ask)))


class CtraderServer(Gateway):
    """Both interfaces over one set of books."""

    name = "cTrader server"
    refusals = {
        13: "account not found",
        3: "bad parameters",
        10019: "not enough money",
        10014: "bad volume",
        10017: "trading is disabled",
        10018: "market closed",
        10015: "bad price",
        3008: "open positions",
    }
    all_rights = tuple(RIGHTS)

    def __init__(self, books: Books, settings: Settings, faults: Faults, context: ssl.SSLContext) -> None:
        super().__init__(books, faults)
        self.settings, self.context = settings, context
        self.state = State(books)
        self.commands = Commands(self.state, settings.chunk)
        self.login, self.password_hash = settings.login, settings.password_hash
        self.broker, self.environment, self.token_seconds = (
            settings.broker,
            settings.environment,
            settings.token_seconds,
        )
        self.rest = HttpListener(self, WebServices(self), context)
        self.signed_in: set[Session] = set()
        self._listener: asyncio.Server | None = None
        self._pump: asyncio.Task[None] | None = None

    def may(self, command: str) -> bool:
        return all(right in self.rights for right, commands in RIGHTS.items() if command in commands)

    def managers(self) -> list[Session]:
        return [session for session in self.signed_in if session.is_in]

    def maintenance(self, fault: Fault) -> Any:
        end = self.books.clock.utc() + (fault.value or MAINTENANCE_SECONDS)
        return protocol.error("SERVER_IS_UNDER_MAINTENANCE", maintenance_end_msc=int(end * 1000))

    def perform(self, name: str, request: Any, faults: dict[str, Fault], session: Session) -> Any:
        """Answer a request, or refuse it, as the faults demand."""
        if "maintenance" in faults:
            return self.maintenance(faults["maintenance"])
        for kind in DONE_KINDS & faults.keys():
            code = CODES.get(int(faults[kind].value), "UNKNOWN_ERROR")
            return protocol.error("REQUEST_FREQUENCY_EXCEEDED" if kind == "too_frequent" else code)
        if self.is_too_frequent():
            return protocol.error("REQUEST_FREQUENCY_EXCEEDED")
        if not self.may(name):
            return protocol.error("NOT_ENOUGH_RIGHTS")
        if "concurrent" in faults:
            self.state.raise_version(names.login_of(request.trader.traderId))
        try:
            answer = self.commands.run(name, request, session.subscribe)
            if "book_twice" in faults:
                answer = self.commands.run(name, request, session.subscribe)
        except Denied as denied:
            return protocol.error(denied.code, denied.description)
        if "retcode_after" in faults:
            return protocol.error(CODES.get(int(faults["retcode_after"].value), "UNKNOWN_ERROR"))
        return answer

    # -- listening ----------------------------------------------------------------------------------------------------

    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        ready = {"ctrader_port": await self.rest.start(host, ports["ctrader_port"] or 0)}
        self._listener = await asyncio.start_server(self._accept, host, ports["manager_port"], ssl=self.context)
        ready["manager_port"] = int(self._listener.sockets[0].getsockname()[1])
        self.books.store.take_touched()
        self.books.store.take_changed_users()
        self._pump = asyncio.create_task(self._keep_pushing())
        return ready

    async def stop(self) -> None:
        if self._pump:
            self._pump.cancel()
        if self._listener:
            self._listener.close()
        await self.rest.stop()
        await super().stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.signed_in.add(session)
        try:
            await self.hold(session.serve(), writer, session.keep_beating())
        finally:
            self.signed_in.discard(session)
            for task in session.late:
                task.cancel()

    # -- pushing ------------------------------------------------------------------------------------------------------

    async def _keep_pushing(self) -> None:
        """Push what the books did to every manager, a moment later; quotes with each tick. An edit of a deal is not pushed."""
        last, ticks = self._newest(), self.books.market.ticks
        while True:
            await asyncio.sleep(PUMP_SECONDS)
            rows, _gone = self.books.store.take_touched()
            for _stamp, data in rows:
                row = view.row_of(data)
                if int(row["Deal"]) > last:
                    last = int(row["Deal"])
                    if time.time() * 1000 - int(row["TimeMsc"]) < 3_600_000:  # imported history is not news
                        with pushing_goes_on(f"deal {last}"):
                            await self._push(view.event(self.state, row))
            for login in self.books.store.take_changed_users():
                if (user := self.books.store.users.get(login)) is not None:
                    with pushing_goes_on(f"trader {login}"):
                        changed = pb.ProtoTraderChangedEvent(
                            trader=view.trader(self.state, user), operation=pb.PROTO_UPDATE
                        )
                        await self._broadcast(protocol.frame(changed))
            if ticks != self.books.market.ticks:
                ticks = self.books.market.ticks
                for session in self.managers():
                    await self._safely(session, session.quote(list(session.spots)))

    def _newest(self) -> int:
        deals = self.books.store.newest_deals(1)
        return int(deals[0]["Deal"]) if deals else 0

    async def _push(self, event: Any) -> None:
        faults = self.faults.take("EVENT")
        if "event_dropped" in faults:
            return
        for _time in range(2 if "event_doubled" in faults else 1):
            await self._broadcast(protocol.frame(event))

    async def _broadcast(self, data: bytes) -> None:
        for session in self.managers():
            await self._safely(session, session.say(data))

    @staticmethod
    async def _safely(session: Session, saying: Any) -> None:
        try:
            await asyncio.wait_for(saying, 5)
        except (OSError, TimeoutError):  # TLS that ends in mid-word, too
            session.is_silent = True  # it hangs up by itself
