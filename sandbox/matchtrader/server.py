"""The server: REST and streams over the same books, one API key, a limit of requests in a minute."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from sandbox.engine.books import Books
from sandbox.engine.faults import Fault, Faults
from sandbox.engine.gateway import Gateway
from sandbox.engine.http import HttpListener
from sandbox.engine.tls import Identity
from sandbox.matchtrader import streams
from sandbox.matchtrader.accounts import Accounts
from sandbox.matchtrader.site import WORDS, Site
from sandbox.matchtrader.streams import Streams
from sandbox.matchtrader.views import Views

PER_MINUTE: Final = 500
REST_FAULTS: Final = {
    "version_raced": "somebody else changes the account between its reading and this update (ACCOUNT_PATCH)",
    "wrong_path": "answers 404 with a page that is not the platform's",
    "proxy_403": "does the command; a proxy in front answers HTTP 403 with a page of its own",
    "limit_now": "the minute's requests are used up: 429 for `value` seconds",
}
OWN_FAULTS: Final = {**REST_FAULTS, **streams.FAULTS}


class Switches(Faults):
    """Those of streams are for streams; what hit the last request is there for its handler, which runs at once."""

    def __init__(self) -> None:
        super().__init__(OWN_FAULTS)
        self.last: dict[str, Fault] = {}

    def take(self, command: str) -> dict[str, Fault]:
        for_streams = [fault for fault in self.armed if fault.kind in streams.FAULTS]
        self.armed = [fault for fault in self.armed if fault.kind not in streams.FAULTS]
        try:
            self.last = super().take(command)
        finally:
            self.armed += for_streams
        return self.last


class MatchTraderServer(Gateway):
    """One broker (brokerID) with one API key."""

    name = "Match-Trader server"
    refusals = WORDS

    def __init__(
        self,
        books: Books,
        key: str,
        *,
        broker_id: int = 0,
        per_minute: int = PER_MINUTE,
        heartbeat_seconds: float = 30.0,
        identity: Identity | None = None,
    ) -> None:
        self.switches = Switches()
        super().__init__(books, self.switches)
        self.key, self.per_minute_max = key, per_minute
        self.accounts = Accounts(books)
        self.views = Views(books, self.accounts, broker_id)
        self.streams = Streams(self, heartbeat_seconds)
        self.identity = identity
        self.certificate = identity.certificate if identity else ""
        self._http = HttpListener(self, Site(self), identity.context() if identity else None)
        self._minute: deque[float] = deque()
        self._used_up_until = 0.0

    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        ready = {"matchtrader_port": await self._http.start(host, ports["matchtrader_port"] or 0)}
        grpc_port = ports.get("grpc_port")
        if grpc_port is not None:
            pair = (self.identity.certificate.encode(), self.identity.key.encode()) if self.identity else None
            ready["grpc_port"] = await self.streams.start(f"{host}:{grpc_port}", pair)
        return ready

    async def stop(self) -> None:
        await self._http.stop()
        await self.streams.stop()
        await super().stop()

    def hang_up_all(self) -> None:
        super().hang_up_all()
        self.streams.cut()

    def is_too_frequent(self) -> bool:
        """Count against the limit of a minute, beside the engine's of a second."""
        now = time.monotonic()
        if super().is_too_frequent() or now < self._used_up_until:
            return True
        if not self.per_minute_max:
            return False
        while self._minute and self._minute[0] < now - 60:
            self._minute.popleft()
        if len(self._minute) >= self.per_minute_max:
            return True
        self._minute.append(now)
        return False

    def use_up(self, seconds: float = 1.0) -> None:
        self._used_up_until = time.monotonic() + seconds

    @staticmethod
    def parse(data: str) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(data)
        return message
