"""The MT4 sandbox: a bridge over HTTP (or TLS), and the old text port for quotes."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.engine.books import Books
from sandbox.engine.faults import Faults
from sandbox.engine.gateway import Gateway
from sandbox.mt4 import endpoints_trades  # noqa: F401 - registers its calls
from sandbox.mt4.accounts import Accounts
from sandbox.mt4.auth import Tokens
from sandbox.mt4.bridge import OWN_FAULTS, Bridge, BridgeListener
from sandbox.mt4.endpoints import RIGHTS, Server
from sandbox.mt4.envelope import OF_BOOKS, RESULTS
from sandbox.mt4.quotes import QuotePort
from sandbox.mt4.records import Records
from sandbox.mt4.sync import Sync
from sandbox.mt4.times import Times


@dataclass(frozen=True)
class Settings:
    """Who may ask, which trade platform this is, and the server's habits."""

    client_id: str
    client_secret: str
    platform_id: str
    token_seconds: float = 3600.0
    code_page: str = "cp1252"
    in_utc: bool = False


class Mt4Server(Gateway):
    """One trade server behind one bridge."""

    name = "MT4 server"
    refusals = {**RESULTS, **{code: RESULTS[ours] for code, ours in OF_BOOKS.items()}}
    all_rights = RIGHTS

    def __init__(self, books: Books, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        super().__init__(books, Faults(OWN_FAULTS))
        records, times = Records(books), Times(books.clock, in_utc=settings.in_utc)
        accounts = Accounts(books, records, times, settings.code_page)
        self.sync = Sync(books, records)
        served = Server(books, records, accounts, times, self.sync, self.rights)
        tokens = Tokens(settings.client_id, settings.client_secret, settings.token_seconds)
        self.bridge = Bridge(served, tokens, settings.platform_id.lower(), "https" if context else "http")
        self.listener = BridgeListener(self, self.bridge, context)
        self.quotes = QuotePort(self, books)

    def restart(self) -> None:
        """Restart; the bridge forgets its tokens and its sync session, too."""
        super().restart()
        self.bridge.tokens.revoke_all()
        self.sync.forget()

    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        ready = {"mt4_port": await self.listener.start(host, ports["mt4_port"] or 0)}
        quote_port = ports.get("quote_port")
        if quote_port is not None:
            ready["quote_port"] = await self.quotes.start(host, quote_port)
        return ready

    async def stop(self) -> None:
        await self.listener.stop()
        await self.quotes.stop()
        await super().stop()
