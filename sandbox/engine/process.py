"""A sandbox server as a process: its options, its clockwork, and the line that says it is ready."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.engine import world
from sandbox.engine.books import Books
from sandbox.engine.clock import ServerClock
from sandbox.engine.control import Control
from sandbox.engine.gateway import Gateway
from sandbox.engine.importer import WatchedFile
from sandbox.engine.market import Market
from sandbox.engine.orders import Orders
from sandbox.engine.store import Store
from sandbox.engine.traders import Traders

FIRST_LOGIN, FIRST_DEAL, FIRST_ORDER = 500_001, 1_000_001, 2_000_001
MakeGateway = Callable[[Books, argparse.Namespace], Gateway]


def common_options(parser: argparse.ArgumentParser, *, zone: str = "UTC") -> None:
    """Add what every server takes. Its listeners' ports are its own options, all called `--…-port` or `--port`."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--http-port", type=int, help="state page and switches, on the loopback address")
    parser.add_argument("--state", default=":memory:", help="SQLite file with users, deals and positions")
    parser.add_argument("--seed", type=int, default=1, help="seed of market and traders")
    parser.add_argument("--zone", default=zone, help="the server's time zone")
    parser.add_argument("--rhythm", type=float, default=12.0, help="positions opened per minute by simulated traders")
    parser.add_argument("--pace", type=float, default=60.0, help="market seconds per real second")
    parser.add_argument("--world", choices=["empty", "seeded"], default="empty", help="what a new server starts with")
    parser.add_argument("--calendar", choices=["always", "real", "closed"], default="always", help="trading hours")
    parser.add_argument("--tick-seconds", type=float, default=1.0)
    parser.add_argument("--import", dest="import_file", type=Path, help="JSON lines to load when the file appears")


class Process:
    """Everything the process holds, and its clockwork. `first_order`: where order and position numbers start."""

    def __init__(
        self, options: argparse.Namespace, make_gateway: MakeGateway, *, first_order: int = FIRST_ORDER
    ) -> None:
        self.options = options
        self.store = Store(options.state)
        for kind, first in (("login", FIRST_LOGIN), ("deal", FIRST_DEAL), ("order", first_order)):
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
        self.server = make_gateway(self.books, options)
        self.control = Control(self.server, self.traders)
        self.watched = WatchedFile(self.books, options.import_file) if options.import_file else None
        self.every_tick: list[Callable[[], object]] = [self.orders.step]

    async def tick(self) -> None:
        last, saved_at = time.monotonic(), 0.0
        while True:
            await asyncio.sleep(self.options.tick_seconds)
            now = time.monotonic()
            self.market.step(now - last, self.clock.now())
            self._night()
            self.traders.step(now - last)
            for step in self.every_tick:
                step()
            last = now
            if now - saved_at > 5:
                saved_at = now
                self.save_prices()
                self.look_for_import()

    def _night(self) -> None:
        """At midnight of the server's day swaps are charged, three nights' worth on Wednesday."""
        day = self.clock.now() // 86_400
        last = int(self.store.get("day", str(day)))
        if day > last:
            weekday = (last + 3) % 7  # day 0, 1 January 1970, was a Thursday
            self.books.rollover(3 if weekday == 2 else 1)
        self.store.put("day", day)

    def look_for_import(self) -> None:
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


async def serve(process: Process) -> None:
    """Until a signal comes. Prints `ready {…}` with the port of each listener."""
    options = process.options
    process.look_for_import()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    ports = {name: port for name, port in vars(options).items() if name.endswith("port")}
    ready = await process.server.start(options.host, ports)
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
    await process.server.stop()
    process.save_prices()
    process.store.db.close()


def main(options: argparse.Namespace, make: Callable[[argparse.Namespace], Process]) -> int:
    """Run a server until it is told to stop; the exit code. `make` builds its process."""

    async def run() -> None:
        await serve(make(options))

    try:
        asyncio.run(run())
    except OSError as problem:
        print(f"can't listen on {options.host}: {problem}", file=sys.stderr)
        return 1
    return 0
