"""The gRPC side: one asyncio server beside REST, whose streams tell every change of the books within a few hundredths.

A subscriber hears a heartbeat at once, then what changes, and a heartbeat whenever that takes too long. Nothing is told
twice or kept for who comes later: a stream that broke has a gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from sandbox.engine.books import Refused
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.deals import IN, REASON_STOP_OUT
from sandbox.engine.gateway import pushing_goes_on
from sandbox.engine.store import User
from sandbox.matchtrader import messages
from sandbox.matchtrader.names import OFFERED

if TYPE_CHECKING:
    from sandbox.engine.faults import Fault
    from sandbox.matchtrader.server import MatchTraderServer

PACKAGE: Final = "com.matchtrade.mtr.broker_api.grpc"
PUSH_SECONDS: Final = 0.03
QUOTES: Final = "QUOTES_STREAM"
SYMBOLS_FIELD: Final = 1
# By method: the stream's name for faults and counts, and the fields of the request that hold groups and logins.
METHODS: Final = {
    f"/{PACKAGE}.EquityServiceExternal/getEquityStream": ("EQUITY_STREAM", 1, 2),
    f"/{PACKAGE}.LedgerServiceExternal/getLedgersStream": ("LEDGERS_STREAM", 3, 2),
    f"/{PACKAGE}.PositionsServiceExternal/getOpenPositionsStream": ("POSITIONS_STREAM", 1, 2),
    f"/{PACKAGE}.TradingEventsServiceExternal/getTradingEventsStream": ("EVENTS_STREAM", 2, 1),
    f"/{PACKAGE}.QuotationsServiceExternal/getQuotationsWithMarkupStream": (QUOTES, 2, 0),
}
FAULTS: Final = {
    "stream_cut": "ends all streams of the kind (EQUITY_STREAM, LEDGERS_STREAM, POSITIONS_STREAM, EVENTS_STREAM, "
    "QUOTES_STREAM, or all)",
    "stream_silent": "streams of the kind stay open and say nothing any more, not even a heartbeat",
    "stream_repeat": "tells the next entry of the kind twice",
    "stream_lose": "does not tell the next entry of the kind",
}


@dataclass(eq=False)
class Subscriber:
    """One open stream. None in its queue ends it."""

    kind: str
    groups: set[str]
    logins: set[str]
    symbols: set[str] = field(default_factory=set)
    queue: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    is_silent: bool = False

    def wants(self, login: str, group: str) -> bool:
        return login in self.logins or group in self.groups or not (self.logins or self.groups)


class Streams(grpc.GenericRpcHandler):
    """Who listens, and what they hear."""

    def __init__(self, server: MatchTraderServer, heartbeat_seconds: float) -> None:
        self.server, self.heartbeat_seconds = server, heartbeat_seconds
        self.subscribers: set[Subscriber] = set()
        self._grpc: grpc.aio.Server | None = None
        self._pushing: asyncio.Task[None] | None = None
        self._equity: dict[int, tuple[Decimal, ...]] = {}
        self._called: set[int] = set()
        self._prices: dict[str, float] = {}

    async def start(self, address: str, identity: tuple[bytes, bytes] | None) -> int:
        self._grpc = grpc.aio.server()
        self._grpc.add_generic_rpc_handlers((self,))
        if identity:
            certificate, key = identity
            port: int = self._grpc.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
        else:
            port = self._grpc.add_insecure_port(address)
        self.server.books.store.take_touched()  # what is there already is no news
        self.server.books.store.take_changed_users()
        await self._grpc.start()
        self._pushing = asyncio.create_task(self._push())
        return port

    async def stop(self) -> None:
        self.cut()
        if self._pushing:
            self._pushing.cancel()
        if self._grpc:
            await self._grpc.stop(0.2)

    def cut(self, kind: str = "*") -> None:
        for subscriber in list(self.subscribers):
            if kind in ("*", subscriber.kind):
                subscriber.queue.put_nowait(None)

    # -- gRPC

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        known = METHODS.get(details.method)
        if known is None:
            return None
        metadata = {key.lower(): value for key, value in details.invocation_metadata}
        is_known = metadata.get("authorization") == f"Bearer {self.server.key}"

        async def serve(request: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
            if not is_known:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "The key is not known")
            async for message in self._serve(known, request):
                yield message

        return grpc.unary_stream_rpc_method_handler(serve)

    async def _serve(self, known: tuple[str, int, int], request: bytes) -> AsyncIterator[bytes]:
        kind, groups, logins = known
        fields = messages.fields_of(request)

        def texts(number: int) -> set[str]:
            return {value.decode() for value in fields.get(number, []) if isinstance(value, bytes)}

        subscriber = Subscriber(kind, texts(groups), texts(logins))
        if kind == QUOTES:
            subscriber.symbols = texts(SYMBOLS_FIELD) & SYMBOLS.keys()
        self.server.count(kind)
        self.subscribers.add(subscriber)
        try:
            yield messages.heartbeat()
            for symbol in sorted(subscriber.symbols):
                yield self._quote(subscriber, symbol)
            if kind == "EQUITY_STREAM":
                for user in self.server.accounts.listed():
                    if subscriber.wants(str(user.login), self.server.views.account_group(user)):
                        yield messages.equity({"login": str(user.login), **self.server.views.finance(user.login)})
            while True:
                try:
                    message = await asyncio.wait_for(subscriber.queue.get(), self.heartbeat_seconds)
                except TimeoutError:
                    if not subscriber.is_silent:
                        yield messages.heartbeat()
                    continue
                if message is None:
                    return
                if not subscriber.is_silent:
                    yield message
        finally:
            self.subscribers.discard(subscriber)

    # -- telling

    async def _push(self) -> None:
        while True:
            await asyncio.sleep(PUSH_SECONDS)
            self._do_faults()
            store = self.server.books.store
            rows, _gone = store.take_touched()
            changed = store.take_changed_users()
            if not self.subscribers:
                continue
            for _stamp, data in rows:
                with pushing_goes_on("a deal"):
                    self._tell_deal(self.server.parse(data))
            moved = self._moved()
            with pushing_goes_on("quotes"):
                self._tell_quotes(moved)
            if any(subscriber.kind in ("EQUITY_STREAM", "EVENTS_STREAM") for subscriber in self.subscribers):
                with pushing_goes_on("what accounts are worth"):
                    holders = {login for login, held in store.by_login.items() if held} if moved else set()
                    self._tell_equity(changed | holders)

    def _moved(self) -> set[str]:
        """Symbols whose prices moved since the last time."""
        middle = self.server.books.market.middle
        moved = {name for name, price in middle.items() if self._prices.get(name) != price}
        self._prices = dict(middle)
        return moved

    def _quote(self, subscriber: Subscriber, symbol: str) -> bytes:
        """Encode a quote, with the markup of the subscriber's group where it names one."""
        books = self.server.books
        group = next((OFFERED[name] for name in subscriber.groups if name in OFFERED), None)
        bid, ask = books.market.quote(SYMBOLS[symbol], group)
        return messages.quotation(symbol, bid, ask, books.clock.now_msc())

    def _tell_quotes(self, moved: set[str]) -> None:
        for subscriber in self.subscribers:
            for symbol in sorted(subscriber.symbols & moved):
                subscriber.queue.put_nowait(self._quote(subscriber, symbol))

    def _do_faults(self) -> None:
        for fault in self.server.faults.armed.copy():
            if fault.kind in ("stream_cut", "stream_silent"):
                self._use(fault)
                if fault.kind == "stream_cut":
                    self.cut(fault.command)
                    continue
                for subscriber in self.subscribers:
                    subscriber.is_silent = subscriber.is_silent or fault.command in ("*", subscriber.kind)

    def _use(self, fault: Fault) -> None:
        fault.hits, fault.times = fault.hits + 1, fault.times - 1
        if fault.times <= 0:
            self.server.faults.armed.remove(fault)

    def _tell(self, kind: str, login: str, group: str, message: Callable[[], bytes]) -> None:
        hearing = [
            subscriber for subscriber in self.subscribers if subscriber.kind == kind and subscriber.wants(login, group)
        ]
        if not hearing:
            return
        times = 1
        for fault in self.server.faults.armed.copy():
            if fault.kind in ("stream_repeat", "stream_lose") and fault.command in ("*", kind):
                self._use(fault)
                times = 2 if fault.kind == "stream_repeat" else 0
        data = message()
        for subscriber in hearing:
            for _time in range(times):
                subscriber.queue.put_nowait(data)

    def _tell_deal(self, deal: dict[str, Any]) -> None:
        views, user = self.server.views, self.server.books.store.users.get(int(deal["Login"]))
        if user is None:
            return
        login, group = str(user.login), views.account_group(user)
        entries = [{**row, "login": login, "group": group} for row in views.entries(deal)]
        if entries:
            self._tell("LEDGERS_STREAM", login, group, lambda: messages.ledgers(entries))
        if deal["Symbol"]:
            self._tell(
                "POSITIONS_STREAM", login, group, lambda: messages.positions(login, group, self._changes(user, deal))
            )
            if int(deal["Reason"]) == REASON_STOP_OUT:
                row = views.closed_position(deal)
                self._tell("EVENTS_STREAM", login, group, lambda: messages.stop_out(login, group, row))

    def _changes(self, user: User, deal: dict[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
        held = self.server.books.store.positions.get(int(deal["PositionID"]))
        views = self.server.views
        if int(deal["Entry"]) == IN:
            if held is not None:
                row = next(row for row in views.open_positions(user.login) if row["id"] == deal["PositionID"])
                yield "NEW", row
        else:
            row = views.closed_position(deal)
            yield ("CLOSED" if held is None else "PARTIALLY_CLOSED"), {**row, "currentPrice": row["closePrice"]}

    def _tell_equity(self, logins: Iterable[int]) -> None:
        views, names = self.server.views, ("equity", "balance", "credit", "margin")
        for login in logins:
            user = self.server.books.store.users.get(login)
            if user is None:
                continue
            try:
                row = views.finance(login)
            except Refused:
                continue
            figures = tuple(row[name] for name in names)
            if self._equity.get(login) == figures:
                continue
            self._equity[login] = figures
            name, group = str(login), views.account_group(user)
            self._tell("EQUITY_STREAM", name, group, partial(messages.equity, {"login": name, **row}))
            self._margin_call(login, name, group, row)

    def _margin_call(self, login: int, name: str, group: str, row: dict[str, Any]) -> None:
        """Told once, until the level is above the group's again."""
        limit = self.server.books.account(login).group.margin_call
        if not row["margin"] or row["marginLevel"] > limit:
            self._called.discard(login)
        elif login not in self._called:
            self._called.add(login)
            self._tell("EVENTS_STREAM", name, group, lambda: messages.margin_call(name, group, row["marginLevel"]))
