"""The deals' part of `bench trading`: ingest beside COPY, history in flat memory, the account page among all of it."""

from __future__ import annotations

import datetime as dt
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from bench.harness import (
    Figure,
    analyze,
    at_least,
    at_most,
    cpu_ms,
    in_a_process,
    interleaved,
    own_pages,
    p95,
    say,
    work_of,
)
from bench.ledger import CLIENTS as CLIENT_ROWS
from bench.web import make_user, signed_in
from clients.models import Client
from crm.choices import Role
from crm.db.bulk import copy_models
from crm.db.partitions import ensure_months
from crm.models import Book, Brand, Desk
from trading.demo.rows import DEFAULTS
from trading.models import Deal, TradingAccount, TradingServer
from trading.platforms.base import DealData
from trading.platforms.mt5.deal import deal_from
from trading.platforms.mt5.export import SqlExport
from trading.sync import results
from trading.sync.deals import take_in
from trading.sync.ingest import COPY, Owner, _line

# Deals a batch and batches for the rate; deals of history; accounts.
SIZES: Final = {
    "tiny": (300, 2, 3_000, 100),
    "quick": (5_000, 8, 200_000, 2_000),
    "full": (5_000, 20, 10_000_000, 10_000),
}
PAGE_ROUNDS: Final = {"tiny": 2, "quick": 40, "full": 60}
MONTHS: Final = 24
FIRST_LOGIN: Final = 700_001
PACE_MS: Final = 2  # between two deals: 500 a second, as in the lag's part
WARM: Final = 100  # deals before any clock starts: a worker has its modules, connections and plans
FIRST_FRESH: Final = 900_000_000  # tickets above are today's, those below are history
PER_SECOND_MIN: Final = 10_000
SHARE_OF_COPY_MIN: Final = 0.3
GROWTH_MB_MAX: Final = 48
PAGE_MS_MAX: Final = 50
SYMBOLS: Final = ("EURUSD", "GBPUSD", "XAUUSD", "USDJPY", "US500", "BTCUSD", "DE40", "AUDUSD")
# The same columns, keys, indexes and references as the real table: the least that keeps such rows.
PLAIN: Final = """
CREATE TABLE bench_deal (LIKE trading_deal INCLUDING ALL) PARTITION BY RANGE (executed_at);
ALTER TABLE bench_deal ADD FOREIGN KEY (server_id) REFERENCES trading_tradingserver (id),
  ADD FOREIGN KEY (account_id) REFERENCES trading_tradingaccount (id);
CREATE TABLE bench_deal_default PARTITION OF bench_deal DEFAULT;
"""
POINTS: Final = """
INSERT INTO trading_equitypoint (account_id, at, balance, equity)
SELECT a.id, h, 5000 + extract(hour FROM h), 5000 + extract(hour FROM h) * 3
FROM (SELECT id FROM trading_tradingaccount ORDER BY id LIMIT %s) a,
  generate_series(date_trunc('hour', now()) - interval '92 days', date_trunc('hour', now()), interval '1 hour') h
"""
POSITIONS: Final = """
INSERT INTO trading_position (server_id, account_id, ticket, symbol, action, lots, contract_size, price_open, price_current,
  profit, swap, opened_at, server_msc, comment, synced_at)
SELECT a.server_id, a.id, a.id * 10 + n, (ARRAY['EURUSD','GBPUSD','XAUUSD'])[1 + n % 3], n % 2, 0.1, 100000, 1.08, 1.09, 3.2,
  -0.1, now() - interval '1 hour', 0, '', now() FROM trading_tradingaccount a, generate_series(1, 5) n WHERE a.id % 20 = 0
"""
# A broker's export: `n` deals in pairs (in, out) over two years, ten per cent of them of one busy account.
EXPORT: Final = """
CREATE TABLE mt5_deals ("Deal" INTEGER PRIMARY KEY, "Timestamp" INTEGER NOT NULL, "Login" INTEGER, "Order" INTEGER,
  "Action" INTEGER, "Entry" INTEGER, "Reason" INTEGER, "Digits" INTEGER, "ContractSize" TEXT, "Time" INTEGER, "TimeMsc" INTEGER,
  "Symbol" TEXT, "Price" TEXT, "PricePosition" TEXT, "VolumeExt" INTEGER, "VolumeClosedExt" INTEGER, "Profit" TEXT,
  "Storage" TEXT, "Commission" TEXT, "Fee" TEXT, "RateProfit" TEXT, "ExpertID" INTEGER, "PositionID" INTEGER, "Comment" TEXT,
  "ProfitRaw" TEXT, "MarketBid" TEXT, "MarketAsk" TEXT);
CREATE TABLE mt5_users ("Login" INTEGER PRIMARY KEY, "Group" TEXT);
"""
EXPORT_ROWS: Final = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
INSERT INTO mt5_deals SELECT 1000001 + i, (:start + i * :step + 11644473600) * 10000000,
  CASE WHEN (i / 2) % 10 = 0 THEN :login ELSE :login + ((i / 2) * 7919) % :accounts END, 2000001 + i,
  (i / 2 + i) % 2, i % 2, 0, 5, '100000.00000000', :start + i * :step, (:start + i * :step) * 1000 + i % 1000,
  CASE (i / 2) % 8 WHEN 0 THEN 'EURUSD' WHEN 1 THEN 'GBPUSD' WHEN 2 THEN 'XAUUSD' WHEN 3 THEN 'USDJPY' WHEN 4 THEN 'US500'
    WHEN 5 THEN 'BTCUSD' WHEN 6 THEN 'DE40' ELSE 'AUDUSD' END,
  printf('1.%05d', (i * 37) % 100000), printf('1.%05d', (i * 31) % 100000), 10000000, (i % 2) * 10000000,
  CASE WHEN i % 2 = 0 THEN '0.00' ELSE printf('%.2f', ((i * 53) % 20001 - 9900) / 100.0) END, '0.00', '-0.35', '0.00',
  '1.00000000', 0, 3000001 + i / 2, '', '0.00000000', '1.08000', '1.08010'
FROM n
"""


def run(size: str) -> list[Figure]:
    batch, batches, history, accounts = SIZES[size]
    brand, server = house(accounts)
    say("ingest")
    figures = ingest_beside_copy(server, batch, batches, accounts)
    say(f"{history:,} deals of history")
    with tempfile.TemporaryDirectory() as folder:
        figures += backfill(server, Path(folder), history, accounts)
    say("sums")
    figures += sums(history)
    say("the account page")
    figures += pages(brand, size, history)
    return figures


def house(accounts: int) -> tuple[Brand, TradingServer]:
    """A brand whose clients have an account each on one server. They are active: nobody's first trade is told."""
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    desk = Desk.objects.create(brand=brand, name="Bench")
    book = Book.objects.create(brand=brand, desk=desk, name="Bench")
    server = TradingServer(name="Bench", host="127.0.0.1", port=1, manager_login="1000", time_zone="UTC")
    server.set_password("none")
    server.save()
    with connection.cursor() as cursor:
        cursor.execute(CLIENT_ROWS, [brand.pk, book.pk, accounts])
        cursor.execute("UPDATE clients_client SET stage = 'active'")
    make_accounts(server)
    analyze()
    return brand, server


def make_accounts(server: TradingServer, **fields: Any) -> None:
    """An open account for every client, with logins in the order of their ids."""
    now, values = timezone.now(), {"balance": 5000, "equity": 5012, "equity_base": 5012, "margin": 400, **fields}
    copy_models(
        [
            TradingAccount(
                client_id=client_id,
                server=server,
                login=str(FIRST_LOGIN + number),
                group="real\\standard-EUR",
                currency="EUR",
                leverage=30,
                state="open",
                request_key=f"bench:{client_id}",
                opened_at=now - dt.timedelta(days=900),
                requested_at=now,
                **values,
            )
            for number, client_id in enumerate(Client.objects.order_by("pk").values_list("pk", flat=True))
        ]
    )


def made_deals(first_ticket: int, count: int, accounts: int, at: dt.datetime) -> list[DealData]:
    """Deals as the Web API shows them, with every field; one out of two closes."""
    found = []
    for number in range(first_ticket, first_ticket + count):
        when = at + dt.timedelta(milliseconds=number * PACE_MS)
        msc = int(when.timestamp() * 1000)
        is_out = number % 2
        raw: dict[str, Any] = {
            **DEFAULTS,
            "Deal": str(number),
            "Login": str(FIRST_LOGIN + number * 7919 % accounts),
            "Order": str(number + 1),
            "Action": str(number // 2 % 2),
            "Entry": str(is_out),
            "Digits": "5",
            "ContractSize": "100000.00000000",
            "Time": str(msc // 1000),
            "TimeMsc": str(msc),
            "Symbol": SYMBOLS[number % len(SYMBOLS)],
            "Price": f"1.{number % 100_000:05}",
            "Volume": "1000",
            "VolumeExt": "10000000",
            "VolumeClosedExt": str(is_out * 10_000_000),
            "Profit": f"{number % 9000 / 100 - 44:.2f}" if is_out else "0.00",
            "Commission": "-0.35",
            "PositionID": str(number // 2),
            "MarketBid": "1.08000",
            "MarketAsk": "1.08010",
        }
        found.append(deal_from(raw, executed_at=when))
    return found


def ingest_beside_copy(server: TradingServer, batch: int, batches: int, accounts: int) -> list[Figure]:
    """The same deals by the ingest path and by a plain COPY, in turns. Row text for COPY is ready before its clock starts."""
    start = timezone.now() - dt.timedelta(milliseconds=PACE_MS * (FIRST_FRESH + batch * batches))
    fresh = timezone.now().date()
    ensure_months("trading_deal", fresh - dt.timedelta(days=2), fresh)
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
    take_in(server, made_deals(FIRST_FRESH + batch * batches, WARM, accounts, start))
    spent: dict[str, list[float]] = {"ours": [], "plain": []}
    work: dict[str, list[float]] = {"ours": [], "plain": []}
    for number in range(batches):
        deals = made_deals(FIRST_FRESH + number * batch, batch, accounts, start)
        owner = Owner(*TradingAccount.objects.values_list("pk", "client_id", "is_demo")[0])
        text = "".join(_line(n, server.pk, deal, owner) for n, deal in enumerate(deals, number * batch))

        def ours(deals: list[DealData] = deals) -> None:
            take_in(server, deals)

        def plain(text: str = text) -> None:
            with connection.cursor() as cursor, cursor.copy(COPY.replace("trading_deal", "bench_deal", 1)) as copy:
                copy.write(text)

        for name, act in (("ours", ours), ("plain", plain)):
            before, started = cpu_ms(), time.perf_counter()
            act()
            spent[name].append(time.perf_counter() - started)
            work[name].append(cpu_ms() - before)
    if Deal.objects.filter(server=server).count() != batch * batches + WARM:
        raise RuntimeError("deals are missing after the ingest")
    rate = {name: batch * batches / sum(values) for name, values in spent.items()}
    cpu = {name: statistics.fmean(values) / batch for name, values in work.items()}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_deal")
    again = _again(server, batch, batches, accounts, start)
    return [
        at_least(Figure(f"deals ingested a second, batches of {batch:,}", rate["ours"], "1/s"), PER_SECOND_MIN),
        at_least(
            Figure(
                "deals ingested beside COPY of the same rows",
                rate["ours"],
                "1/s",
                yardstick=rate["plain"],
                yardstick_name="plain COPY, same partitions and indexes",
            ),
            SHARE_OF_COPY_MIN,
            by_ratio=True,
        ),
        Figure("processor time of a deal", cpu["ours"], "ms", yardstick=cpu["plain"], yardstick_name="plain COPY"),
        Figure("known deals read again a second", again, "1/s"),
    ]


def _again(server: TradingServer, batch: int, batches: int, accounts: int, start: dt.datetime) -> float:
    """What the overlap of every reading costs: deals that are there already and have not changed."""
    deals = made_deals(FIRST_FRESH + (batches - 1) * batch, batch, accounts, start)
    started = time.perf_counter()
    done = take_in(server, deals)
    spent = time.perf_counter() - started
    if done.new or done.changed:
        raise RuntimeError("known deals were taken for new ones")
    return batch / spent


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def backfill(server: TradingServer, folder: Path, count: int, accounts: int) -> list[Figure]:
    """A tenth of the history by one process and all of it by another: memory must not know the difference."""
    figures, seconds, grown = [], 0.0, []
    for number, rows in enumerate((count // 10, count)):
        path = folder / f"export{number}.sqlite"
        export_file(path, rows, accounts)
        # The small one is another server's: its tickets are its own.
        other = another_server() if number == 0 else server
        seconds, bytes_ = in_a_process(lambda: read_export(other, path))  # noqa: B023 - called at once
        grown.append(bytes_)
        path.unlink()
        stored = Deal.objects.filter(server=other, ticket__lt=FIRST_FRESH).count()
        figures = [at_most(Figure("deals that are missing", rows - stored, "deals"), 0)]
    growth = max(grown[1] - grown[0], 0) / 1024**2
    return [
        Figure(f"{count:,} deals read from an export and ingested", seconds, "s"),
        at_least(Figure("deals read and ingested a second", count / seconds, "1/s"), PER_SECOND_MIN / 2),
        at_most(Figure("memory beyond that of a tenth of the deals", growth, "MB"), GROWTH_MB_MAX),
        *figures,
    ]


def another_server() -> TradingServer:
    other = TradingServer(name="Bench, a tenth", host="127.0.0.1", port=2, manager_login="1", time_zone="UTC")
    other.set_password("none")
    other.save()
    return other


def export_file(path: Path, count: int, accounts: int) -> None:
    """SQLite makes the rows itself: deals over two years up to a week ago."""
    seconds = MONTHS * 30 * 86_400
    end = int(timezone.now().timestamp()) - 7 * 86_400
    values = {
        "count": count,
        "start": end - seconds,
        "step": max(seconds // count, 1),
        "login": FIRST_LOGIN,
        "accounts": accounts,
    }
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA journal_mode=OFF")
    database.executescript(EXPORT)
    database.execute(EXPORT_ROWS, values)
    database.execute('CREATE INDEX deals_by_stamp ON mt5_deals ("Timestamp", "Deal")')
    database.commit()
    database.close()


def read_export(server: TradingServer, path: Path) -> None:
    """Page by page through the real reader into the real table, from the beginning of the export."""
    export = SqlExport(f"sqlite://{path}", server.zone)
    cursor, has_more = 1, True
    while has_more:
        page = export.deals_since(cursor, mask="*", overlap=dt.timedelta(0))
        take_in(server, page.deals)
        cursor, has_more = page.cursor, page.has_more
    export.close()


def sums(count: int) -> list[Figure]:
    """Results by day, week and month of everything at once, and of the deals of one busy moment."""
    started = time.perf_counter()
    days = results.refresh_all()
    spent = time.perf_counter() - started
    return [
        Figure(f"results of {days:,} days of accounts summed", spent, "s"),
        Figure("deals summed a second", count / spent, "1/s"),
    ]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def pages(brand: Brand, size: str, history: int) -> list[Figure]:
    """Server time of the account page and of its deals, for the busiest account and for usual ones."""
    with connection.cursor() as cursor:
        cursor.execute(POINTS, [200])
        cursor.execute(POSITIONS)
    analyze()
    busy = TradingAccount.objects.get(server__name="Bench", login=str(FIRST_LOGIN))
    usual = list(TradingAccount.objects.exclude(pk=busy.pk).order_by("pk")[:40])
    turns: Iterator[TradingAccount] = iter(usual * 1000)
    with own_pages():
        desk = Desk.objects.get(brand=brand)
        head = make_user("head", Role.DESK_HEAD, desk)
        assign_perm("crm.access_desk", head, desk)
        browser = signed_in(head)

        def page(account: TradingAccount) -> None:
            _get(browser, reverse("trading_account", args=[account.pk]))

        def fared(account: TradingAccount) -> None:
            _get(browser, reverse("trading_account_results", args=[account.pk]))

        def deals(account: TradingAccount) -> None:
            _get(browser, reverse("trading_account_deals", args=[account.pk]))

        runs: dict[str, Callable[[], object]] = {
            "account page, busiest account": lambda: page(busy),
            "account page, other accounts": lambda: page(next(turns)),
            "its results, busiest account": lambda: fared(busy),
            "its results, other accounts": lambda: fared(next(turns)),
            "its deals, busiest account": lambda: deals(busy),
            "its deals, other accounts": lambda: deals(next(turns)),
        }
        samples = interleaved(runs, times=PAGE_ROUNDS[size])
        work = work_of(runs, times=max(PAGE_ROUNDS[size] // 3, 2))
    total = Deal.objects.count() if history < 1_000_000 else history
    found = [
        at_most(Figure(f"{name}, {total:,} deals, p95", p95(values), "ms"), PAGE_MS_MAX)
        for name, values in samples.items()
    ]
    return found + [Figure(f"processor time of {name}", value, "ms") for name, value in work.items()]


def _get(browser: Browser, address: str) -> None:
    answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
