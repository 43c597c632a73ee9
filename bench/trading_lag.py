"""The lag's part of `bench trading`: from a deal on the platform to an open page that shows it.

The sandbox server trades at a steady rate; a process reads it every second over its socket, as the worker does; the live
process tells the open pages over HTTP; each page waits as the browser does and asks for its account's deals. The lag of a deal is
the time from the platform's own clock to the answer that holds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import httpx
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse
from guardian.shortcuts import assign_perm

from bench.harness import Figure, analyze, at_least, at_most, own_pages, p95, say
from bench.ledger import CLIENTS as CLIENT_ROWS
from bench.trading_deals import FIRST_LOGIN, make_accounts
from bench.trading_sandbox import Sandbox, sandbox
from bench.web import make_user, signed_in
from crm.choices import Role
from crm.db.partitions import ensure_upcoming
from crm.models import Book, Brand, Desk, User
from trading.models import Deal, TradingAccount, TradingServer
from trading.platforms import pool
from trading.sync import deals

# Accounts, deals a second, seconds, open pages.
SIZES: Final = {"tiny": (20, 20, 3, 2), "quick": (1_000, 500, 20, 4), "full": (5_000, 500, 60, 6)}
LAG_MS_MAX: Final = 2_000
BURSTS_PER_SECOND: Final = 5
PAGE_WAITS: Final = 0.3  # the page's own delay after an event
READS_EVERY: Final = 1.0


def run(size: str) -> list[Figure]:
    accounts, rate, seconds, pages = SIZES[size]
    ensure_upcoming()
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder), accounts, FIRST_LOGIN) as mt5, own_pages():
        server, agents = house(mt5, accounts, pages)
        with live_process() as address, reader(server):
            watches = [Watch(agent, account, address) for agent, account in agents]
            for watch in watches:
                watch.start()
            for watch in watches:
                watch.ready.wait(30)
            say("trading")
            first, made = time.time(), load(mt5, accounts, rate, seconds, [w.login for w in watches])
            time.sleep(4)
            for watch in watches:
                watch.stop()
        connections.close_all()
        stored = Deal.objects.filter(server=server).count()
        pool.close_all()
    lags = [lag for watch in watches for lag in watch.lags if watch.first_seen]
    if not lags:
        raise RuntimeError("no page was told of a deal")
    spent = made[1] - first
    return [
        at_most(Figure(f"lag from platform to page at {rate} deals a second, p95", p95(lags), "ms"), LAG_MS_MAX),
        Figure("the same, median", sorted(lags)[len(lags) // 2], "ms"),
        Figure("the same, longest", max(lags), "ms"),
        Figure("deals shown on open pages", len(lags), "deals"),
        at_least(
            Figure("deals a second that the platform made", made[0] / spent, "1/s", rate, "wanted"), 0.9, by_ratio=True
        ),
        at_most(Figure("deals that did not arrive", made[0] - stored, "deals"), 0),
    ]


def house(mt5: Sandbox, accounts: int, pages: int) -> tuple[TradingServer, list[tuple[User, TradingAccount]]]:
    """Clients with an account each; some belong to agents who have one client's page open."""
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    desk = Desk.objects.create(brand=brand, name="Bench")
    book = Book.objects.create(brand=brand, desk=desk, name="Bench")
    server = mt5.row()
    with connection.cursor() as cursor:
        cursor.execute(CLIENT_ROWS, [brand.pk, book.pk, accounts])
        cursor.execute("UPDATE clients_client SET stage = 'active'")
    make_accounts(server)
    agents = []
    for number, account in enumerate(TradingAccount.objects.select_related("client").order_by("pk")[:pages]):
        agent = make_user(f"agent{number}", Role.DESK_HEAD, desk)
        assign_perm("crm.access_desk", agent, desk)
        account.client.owner = agent
        account.client.save(update_fields=["owner"])
        agents.append((agent, account))
    analyze()
    return server, agents


class Watch(threading.Thread):
    """An open page: hears of its client, waits, asks for the account's deals, and notes how old the new ones are."""

    def __init__(self, agent: User, account: TradingAccount, address: str) -> None:
        super().__init__(daemon=True)
        self.account, self.address, self.login = account, address, account.login
        self.browser = signed_in(agent)
        self.path = reverse("trading_account_deals", args=[account.pk])
        self.ready, self.ends = threading.Event(), threading.Event()
        self.known: set[int] = set()
        self.lags: list[float] = []
        self.first_seen = False

    def stop(self) -> None:
        self.ends.set()
        self.join(10)

    def run(self) -> None:
        try:
            cookie = self.browser.cookies[settings.SESSION_COOKIE_NAME].value
            headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
            with httpx.Client(timeout=httpx.Timeout(5, read=3)) as client:
                while not self.ends.is_set():
                    with contextlib.suppress(httpx.TimeoutException):
                        self._listen(client, headers)
        finally:
            connection.close()

    def _listen(self, client: httpx.Client, headers: dict[str, str]) -> None:
        with client.stream("GET", self.address, headers=headers) as stream:
            for line in stream.iter_lines():
                if line.startswith(": listening"):
                    self.ready.set()
                if self.ends.is_set():
                    return
                if not line.startswith("data: "):
                    continue
                told = json.loads(line.removeprefix("data: "))
                if told["event"] == "deals" and told["data"].get("id") == self.account.client_id:
                    time.sleep(PAGE_WAITS)
                    self._look()

    def _look(self) -> None:
        """The page's own request; which deals are new in it is read from the table at the moment of the answer."""
        answer = self.browser.get(self.path, headers={"HX-Request": "true"})
        now = time.time()
        text = answer.content.decode()
        rows = Deal.objects.filter(account_id=self.account.pk).order_by("-executed_at", "-id")
        for ticket, at in rows.values_list("ticket", "executed_at")[:50]:
            if ticket not in self.known and str(ticket) in text:
                self.known.add(ticket)
                self.first_seen = True
                self.lags.append((now - at.timestamp()) * 1000)


def load(mt5: Sandbox, accounts: int, rate: int, seconds: int, watched: list[str]) -> tuple[int, float]:
    """Deals at a steady rate, two per trade, some of them always on the accounts whose pages are open."""
    made, started, number = 0, time.monotonic(), 0
    trades = max(rate // 2 // BURSTS_PER_SECOND, 1)
    for burst in range(seconds * BURSTS_PER_SECOND):
        logins = [watched[burst % len(watched)]]
        while len(logins) < trades:
            number += 1
            logins.append(str(FIRST_LOGIN + number % accounts))
        made += len(mt5.post("trades", {"logins": logins, "symbol": "EURUSD", "lots": "0.01"})["deals"])
        time.sleep(max(0.0, started + (burst + 1) / BURSTS_PER_SECOND - time.monotonic()))
    return made, time.time()


@contextlib.contextmanager
def reader(server: TradingServer) -> Iterator[None]:
    """A process that reads the server's deals every second."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            due = time.monotonic()
            while os.getppid() != 1:
                deals.follow_deals(server)
                due = max(due + READS_EVERY, time.monotonic())
                time.sleep(max(0.0, due - time.monotonic()))
            code = 0
        finally:
            os._exit(code)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextlib.contextmanager
def live_process() -> Iterator[str]:
    """The process that serves /live/, on this benchmark's database; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database_url(), "PYTHONPATH": str(settings.BASE_DIR)}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "crm.asgi:application",
            "--port",
            str(port),
            "--lifespan",
            "off",
            "--log-level",
            "error",
            "--no-access-log",
        ],
        cwd=str(settings.BASE_DIR),
        env=environment,
    )
    try:
        for _attempt in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/live/"
    finally:
        process.terminate()
        process.wait(20)


def database_url() -> str:
    """The connection's own database as an address."""
    values = connection.settings_dict
    secret = f":{quote(str(values['PASSWORD']), safe='')}" if values["PASSWORD"] else ""
    who = f"{quote(str(values['USER'] or ''), safe='')}{secret}@" if values["USER"] else ""
    where = {"host": values["HOST"], "port": values["PORT"]}
    return f"postgresql://{who}/{values['NAME']}?{urlencode({k: v for k, v in where.items() if v})}"
