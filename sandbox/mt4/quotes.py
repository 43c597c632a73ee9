"""The server's old text port: one query per connection, `WQUOTES-EURUSD.m,\\nQUIT\\n`, answered line by line to `end`.

Quotes are built in. The commands of the WebRegistration plugin (NEWACCOUNT and the like) are not: this server has no plugin.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sandbox.engine.books import Books
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.gateway import Gateway
from sandbox.mt4 import names

QUERY_MAX, QUERY_SECONDS = 4096, 10


class QuotePort:
    """Plain text, without a log-in: that is how it was."""

    def __init__(self, gateway: Gateway, books: Books) -> None:
        self.gateway, self.books = gateway, books
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        self._listener = await asyncio.start_server(self._accept, host, port, limit=QUERY_MAX)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._listener:
            self._listener.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.gateway.hold(self._serve(reader, writer), writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await asyncio.wait_for(reader.readuntil(b"\n"), QUERY_SECONDS)).decode("latin-1").strip()
        if not line.startswith("W"):
            return
        kind, _, names = line[1:].partition("-")
        self.gateway.count(f"W{kind}")
        faults = self.gateway.faults.take(f"W{kind}")
        if "drop_before" in faults:
            return
        lines = self._quotes(names) if kind == "QUOTES" else ["ERROR", "unknown command"]
        writer.write("".join(f"{text_line}\r\n" for text_line in [*lines, "end"]).encode("ascii", "replace"))
        await writer.drain()

    def _quotes(self, wanted: str) -> list[str]:
        """Symbols that are not there are left out. `up` or `down`: against the tick before."""
        at = datetime.fromtimestamp(self.books.clock.now(), UTC).strftime("%Y.%m.%d %H:%M:%S")
        lines = []
        for wire in filter(None, wanted.split(",")):
            name = names.ENGINE_SYMBOLS.get(wire.strip())
            if name is None:
                continue
            market = self.books.market
            bid, ask = market.quote(SYMBOLS[name])
            way = "up" if market.middle[name] >= market.before[name] else "down"
            lines.append(f"{way} {wire.strip()} {bid} {ask} {at}")
        return lines
