"""Start the sandbox server: `python -m sandbox.mt5 --port 8443 --state var/sandbox/mt5.sqlite --http-port 8445`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox.mt5 import world
from sandbox.mt5.books import Books
from sandbox.mt5.clock import ServerClock
from sandbox.mt5.control import Control
from sandbox.mt5.exporter import Exporter
from sandbox.mt5.faults import Faults
from sandbox.mt5.importer import WatchedFile
from sandbox.mt5.market import Market
from sandbox.mt5.orders import Orders
from sandbox.mt5.rest import RestListener
from sandbox.mt5.server import Manager, Mt5Server, Settings
from sandbox.mt5.store import Store
from sandbox.mt5.tls import Identity
from sandbox.mt5.traders import Traders

FIRST_LOGIN, FIRST_DEAL, FIRST_ORDER = 500_001, 1_000_001, 2_000_001


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m sandbox.mt5", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443, help="raw Web API port (0: any free one)")
    parser.add_argument("--rest-port", type=int, help="HTTPS form of the Web API (0: any free one); none: not served")
    parser.add_argument("--crypt", action="store_true", help="accept only encrypted sessions on the raw port")
    parser.add_argument("--http-port", type=int, help="state page and switches, on the loopback address")
    parser.add_argument("--state", default=":memory:", help="SQLite file with users, deals and positions")
    parser.add_argument("--seed", type=int, default=1, help="seed of market and traders")
    parser.add_argument("--login", type=int, default=int(env("SANDBOX_MT5_LOGIN", "1000")), help="manager login")
    parser.add_argument("--password", default=env("SANDBOX_MT5_PASSWORD", "Sandbox-1000!"), help="manager API password")
    parser.add_argument("--zone", default="EET", help="the server's time zone")
    parser.add_argument("--rhythm", type=float, default=12.0, help="positions opened per minute by simulated traders")
    parser.add_argument("--pace", type=float, default=60.0, help="market seconds per real second")
    parser.add_argument("--world", choices=["empty", "seeded"], default="empty", help="what a new server starts with")
    parser.add_argument("--calendar", choices=["always", "real", "closed"], default="always", help="trading hours")
    parser.add_argument("--tick-seconds", type=float, default=1.0)
    parser.add_argument("--ping-seconds", type=float, default=20.0)
    parser.add_argument("--export", type=Path, help="SQLite file that is kept as a broker's SQL export")
    parser.add_argument("--import", dest="import_file", type=Path, help="JSON lines to load when the file appears")
    return parser.parse_args(argv)


class Process:
    """Everything the process holds, and its clockwork."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.store = Store(options.state)
        for kind, first in (("login", FIRST_LOGIN), ("deal", FIRST_DEAL), ("order", FIRST_ORDER)):
            if not self.store.get(f"next_{kind}"):
                self.store.put(f"next_{kind}", first)
        self.market = Market(options.seed, options.pace)
        self.market.calendar = options.calendar
        self.market.restore(json.loads(self.store.get("prices", "{}")))
        self.clock = ServerClock(options.zone)
        self.books = Books(self.store, self.market, self.clock)
        self.market.anchor(json.loads(self.store.get("levels", "{}")))
        self.orders = Orders(self.books)
        self.traders = Traders(self.books, options.seed, options.rhythm)
        if options.world == "seeded":
            world.build(self.books, self.traders, options.seed)
        manager = Manager(options.login, options.password)
        settings = Settings(manager, options.ping_seconds, only_encrypted=options.crypt)
        self.server = Mt5Server(self.books, settings, Faults())
        self.rest: RestListener | None = None
        certificate = ""
        if options.rest_port is not None:
            identity = Identity(options.state)
            self.rest, certificate = RestListener(self.server, identity.context()), identity.certificate
        self.control = Control(self.server, self.traders, certificate)
        self.exporter = Exporter(self.books, options.export) if options.export else None
        self.watched = WatchedFile(self.books, options.import_file) if options.import_file else None

    async def tick(self) -> None:
        last, saved_at = time.monotonic(), 0.0
        while True:
            await asyncio.sleep(self.options.tick_seconds)
            now = time.monotonic()
            self.market.step(now - last, self.clock.now())
            self._night()
            self.traders.step(now - last)
            self.orders.step()
            if self.exporter:
                self.exporter.step()
            last = now
            if now - saved_at > 5:
                saved_at = now
                self.save_prices()
                self._import()

    def _night(self) -> None:
        """At midnight of the server's day swaps are charged, three nights' worth on Wednesday."""
        day = self.clock.now() // 86_400
        last = int(self.store.get("day", str(day)))
        if day > last:
            weekday = (last + 3) % 7  # day 0, 1 January 1970, was a Thursday
            self.books.rollover(3 if weekday == 2 else 1)
        self.store.put("day", day)

    def _import(self) -> None:
        if self.watched:
            try:
                added = self.watched.look()
            except (ValueError, KeyError) as problem:
                print(f"can't load {self.options.import_file}: {problem!r}", file=sys.stderr, flush=True)
            else:
                if added:
                    print(f"loaded {self.options.import_file}: {added}", flush=True)

    def save_prices(self) -> None:
        self.store.put("prices", json.dumps(self.market.middle))
        self.store.put("levels", json.dumps(self.market.level))


async def run(options: argparse.Namespace) -> None:
    process = Process(options)
    process._import()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    port = await process.server.start(options.host, options.port)
    if process.exporter:
        process.exporter.step()
    ready = {"mt5_port": port}
    if process.rest:
        ready["rest_port"] = await process.rest.start(options.host, options.rest_port)
    if options.http_port is not None:
        ready["http_port"] = await process.control.start("127.0.0.1", options.http_port)
    print(f"ready {json.dumps(ready)}", flush=True)
    ticking = asyncio.create_task(process.tick())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({ticking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if ticking.done():
        ticking.result()
    ticking.cancel()
    await process.control.stop()
    if process.rest:
        await process.rest.stop()
    await process.server.stop()
    process.save_prices()
    process.store.db.close()


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments(argv)
    try:
        asyncio.run(run(options))
    except OSError as problem:
        print(f"can't listen on {options.host}:{options.port}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
