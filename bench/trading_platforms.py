"""The platforms' part of `bench trading`: all sandbox servers at once, and how long a trade on each needs into the table.

Every account of a platform trades once, the platforms in turn; one thread for each server reads new deals every second, as the
worker does. The lag is the time from the moment at which the platform confirmed the trade to the moment at which its row was
written. From there to an open page it is the same way for all platforms, which the part "lag" measures.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, connections
from django.test.utils import override_settings
from django.utils import timezone

from bench.harness import Figure, at_most, p95, say
from bench.ledger import CLIENTS as CLIENT_ROWS
from clients.models import Client
from crm.db.partitions import ensure_upcoming
from crm.models import Book, Brand, Desk
from launcher.supervisor.sandboxes import SandboxServer, named
from trading.demo.others import OTHERS, Other
from trading.models import Deal, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import SANDBOX_HOST
from trading.sync import deals

# Accounts of each platform; trades a second over all of them.
SIZES: Final = {"tiny": (2, 10.0), "quick": (12, 5.0), "full": (40, 8.0)}
SIRIX_ACCOUNTS_MAX: Final = 12  # what its pause between accounts lets through in its goal
LAG_MS_MAX: Final = {"mt4": 2_000, "ctrader": 2_000, "matchtrader": 2_000, "sirix": 5_000}
FIRST_LOGIN: Final = 970_001
READS_EVERY: Final = 1.0
LAST_SECONDS: Final = 12.0


@dataclass
class Running:
    """One platform: its server's row, its sandbox's control page, its accounts."""

    other: Other
    server: TradingServer
    control: str
    logins: list[int]

    def trade(self, login: int) -> float:
        """Buy at the market; when the platform confirmed it."""
        body = json.dumps({"login": login, "symbol": "EURUSD", "lots": "0.01"}).encode()
        request = urllib.request.Request(f"{self.control}/control/trade", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        return time.time()


def run(size: str) -> list[Figure]:
    accounts, rate = SIZES[size]
    ensure_upcoming()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        platforms = dict(settings.SANDBOX_PLATFORMS)
        certificate = str(Path(folder) / "ctrader.sqlite.crt")
        stack.enter_context(override_settings(SANDBOX_PLATFORMS=platforms, SANDBOX_CTRADER_CERTIFICATE=certificate))
        running = _house(stack, Path(folder), accounts, platforms)
        stack.callback(pool.close_all)
        ends = threading.Event()
        readers = [threading.Thread(target=_read, args=(one.server, ends), daemon=True) for one in running]
        for reader in readers:
            reader.start()
        time.sleep(3)
        say("trading on four platforms")
        told = _trade(running, rate)
        time.sleep(LAST_SECONDS if size != "tiny" else 3)
        ends.set()
        for reader in readers:
            reader.join(20)
    return [figure for one in running for figure in _figures(one, told[one.other.kind.value])]


def _house(stack: contextlib.ExitStack, folder: Path, accounts: int, platforms: dict[str, str]) -> list[Running]:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    desk = Desk.objects.create(brand=brand, name="Bench")
    book = Book.objects.create(brand=brand, desk=desk, name="Bench")
    with connection.cursor() as cursor:
        cursor.execute(CLIENT_ROWS, [brand.pk, book.pk, accounts])
    clients = list(Client.objects.order_by("pk"))
    found = []
    for other in OTHERS:
        count = min(accounts, SIRIX_ACCOUNTS_MAX) if other.kind == "sirix" else accounts
        logins = [FIRST_LOGIN + number for number in range(count)]
        table = named(other.kind.value)
        ports = stack.enter_context(_started(table, folder, logins))
        for listener in table.listeners:
            short = f"{table.name}_port" if listener.flag == "--port" else listener.flag.strip("-").replace("-", "_")
            platforms[listener.name] = f"127.0.0.1:{ports[short]}"
        server = TradingServer(
            name=other.name,
            kind=other.kind,
            host=SANDBOX_HOST,
            manager_login=other.manager,
            options=other.options,
            time_zone=other.zone,
            group_mask=other.group_mask,
        )
        server.set_password(other.secret)
        server.save()
        TradingAccount.objects.bulk_create(
            TradingAccount(
                client=client,
                server=server,
                login=str(login),
                group=other.types[0][1],
                currency="EUR",
                leverage=30,
                state="open",
                request_key=f"bench:{other.kind}:{login}",
                opened_at=timezone.now(),
            )
            for client, login in zip(clients, logins, strict=False)
        )
        found.append(Running(other, server, f"http://127.0.0.1:{ports['http_port']}", logins))
    return found


@contextlib.contextmanager
def _started(table: SandboxServer, folder: Path, logins: list[int]) -> Iterator[dict[str, int]]:
    lines = (
        json.dumps({"kind": "user", "login": login, "group": "real\\standard-EUR", "balance": "10000.00"})
        for login in logins
    )
    people = folder / f"{table.name}.jsonl"
    people.write_text("\n".join(lines), encoding="utf-8")
    flags = [word for listener in table.all_listeners for word in (listener.flag, "0")]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            f"sandbox.{table.name}",
            *flags,
            "--state",
            str(folder / f"{table.name}.sqlite"),
            "--rhythm",
            "0",
            "--import",
            str(people),
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = next((line for line in process.stdout if line.startswith("ready ")), "")
        if not ready:
            raise RuntimeError(f"the sandbox {table.name} server did not start (exit {process.wait(5)})")
        yield json.loads(ready.removeprefix("ready "))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


def _read(server: TradingServer, ends: threading.Event) -> None:
    """What the worker's thread of a server does."""
    try:
        due = time.monotonic()
        while not ends.is_set():
            deals.follow_deals(server)
            due = max(due + READS_EVERY, time.monotonic())
            ends.wait(max(0.0, due - time.monotonic()))
    finally:
        connections.close_all()


def _trade(running: list[Running], rate: float) -> dict[str, dict[str, float]]:
    """Each account once, the platforms in turn, at a steady rate; when each trade was confirmed, by kind and login."""
    told: dict[str, dict[str, float]] = {one.other.kind.value: {} for one in running}
    wishes: list[tuple[Running, int]] = []
    for number in range(max(len(one.logins) for one in running)):
        wishes += [(one, one.logins[number]) for one in running if number < len(one.logins)]
    started = time.monotonic()
    for number, (one, login) in enumerate(wishes):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        told[one.other.kind.value][str(login)] = one.trade(login)
    return told


def _figures(one: Running, told: dict[str, float]) -> list[Figure]:
    rows: dict[str, Any] = dict(
        Deal.objects.filter(server=one.server, entry=0, action=0).values_list("login", "synced_at")
    )
    lags = [max(0.0, (rows[login].timestamp() - at) * 1000) for login, at in told.items() if login in rows]
    name, kind = one.server.get_kind_display(), one.other.kind.value
    missing = Figure(f"{name}: trades that did not arrive", len(told) - len(lags), "trades")
    if not lags:
        return [at_most(missing, 0)]
    return [
        at_most(Figure(f"{name}: lag from platform to table, p95", p95(lags), "ms"), LAG_MS_MAX[kind]),
        Figure(f"{name}: the same, median", sorted(lags)[len(lags) // 2], "ms"),
        at_most(missing, 0),
    ]
