"""Judging deals as they come: the next ten thousand beside a million of the last weeks, with quotes around them.

Deals and quotes are written by set-based statements from one price curve, so that fills are fair; which account trades when
follows from hashes with fixed seeds. Measured is the worker's own step: pairs counted, books loaded, detectors, episodes raised.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.figures import unguarded
from bench.harness import Figure, analyze, at_most, cpu_ms, own_database, say
from bench.ledger import CLIENTS
from bench.risk.departures import ACCOUNTS
from clients.models import Client
from crm.db.partitions import ensure_months
from crm.models import Book, Brand, Desk
from risk.abuse import scoring
from risk.abuse.loading import WINDOW
from risk.abuse.models import AbuseEpisode, ScoredTo
from trading.models import Deal, TradingServer

# Accounts, round trips of each in the past, fresh deals at once, how often, seconds between two quotes of a symbol.
SIZES = {"tiny": (100, 5, 200, 1, 600), "quick": (2_000, 25, 10_000, 2, 30), "full": (20_000, 25, 10_000, 5, 10)}
PAST_DAYS = 27
SECONDS_MAX = 5
PRICE = "(1.1 * (1 + 0.004 * sin(extract(epoch FROM {at})::float8 / (3000 + hashtext({symbol}) %% 1000))))"
SYMBOLS = "ARRAY['EURUSD', 'GBPUSD', 'USDJPY', 'AUDUSD', 'XAUUSD', 'US500', 'DE40', 'BTCUSD']"
# A round trip of an account: when it opens, for how long it is held, on what and on which side.
DEALS = f"""
INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots, closed_lots,
  contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw, synced_at)
SELECT t.at, a.server_id, %(first)s + 2 * g.n + e.entry, a.id, a.login, 0, (g.side + e.entry) %% 2, e.entry, g.symbol, g.lots,
  g.lots * e.entry, 100000, p.mid + 0.00005 * CASE WHEN (g.side + e.entry) %% 2 = 0 THEN 1 ELSE -1 END, p.mid,
  e.entry * ((g.h3 %% 2001) - 1010) / 20.0, -1, 0, 0, %(first)s + g.n, 0, '{{}}', %(synced)s
FROM (
  SELECT n, 1 + (h1 %% %(accounts)s) AS account, %(since)s::timestamptz + make_interval(secs => (h2 %% %(span)s)::float8
    + (h1 %% 1000) / 1000.0) AS at, 30 + h3 %% 7200 AS held, (h3 / 7 %% 2)::int AS side,
    ({SYMBOLS})[1 + (h2 %% 8)::int] AS symbol, (1 + h1 %% 20) / 10.0 AS lots, h3
  FROM generate_series(1, %(trades)s) n CROSS JOIN LATERAL (
    SELECT hashint8extended(n, %(seed)s) & 2147483647 AS h1, hashint8extended(n, %(seed)s + 1) & 2147483647 AS h2,
      hashint8extended(n, %(seed)s + 2) & 2147483647 AS h3) h
) g
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM trading_tradingaccount) a ON a.place = g.account
CROSS JOIN (VALUES (0), (1)) e (entry)
CROSS JOIN LATERAL (SELECT g.at + e.entry * make_interval(secs => g.held::float8) AS at) t
CROSS JOIN LATERAL (SELECT round({PRICE.format(at="t.at", symbol="g.symbol")}::numeric, 5) AS mid) p
"""
TICKS = f"""
INSERT INTO risk_tick (server_id, symbol, at_ms, at, bid, ask)
SELECT %(server)s, s, (extract(epoch FROM t) * 1000)::bigint, t, p.mid - 0.00005, p.mid + 0.00005
FROM unnest({SYMBOLS}) s CROSS JOIN generate_series(%(since)s, %(until)s, make_interval(secs => %(every)s)) t
CROSS JOIN LATERAL (SELECT round({PRICE.format(at="t", symbol="s")}::numeric, 5) AS mid) p
"""
# What no scoring can do without: the deals of the accounts that traded, within the window.
READ = """
SELECT count(*), sum(profit) FROM trading_deal WHERE executed_at >= %(since)s AND account_id IN (
  SELECT account_id FROM trading_deal WHERE id > %(after)s)
"""


def run(size: str) -> list[Figure]:
    accounts, each, fresh, times, tick_seconds = SIZES[size]
    with own_database("risk_deals"):
        say(f"{2 * accounts * each:,} deals")
        now, server = timezone.now(), _house(accounts)
        _history(server, now, accounts, accounts * each, tick_seconds)
        return _measure(now, accounts, fresh, times)


def _house(accounts: int) -> TradingServer:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, desk=Desk.objects.create(brand=brand, name="Desk"), name="Book")
    server = TradingServer.objects.create(name="Bench", host="127.0.0.1", manager_login="1", credentials=b"")
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(CLIENTS, [brand.pk, book.pk, accounts])
        clients = list(Client.objects.order_by("pk").values_list("pk", flat=True))
        begin = timezone.now().date() - dt.timedelta(days=400)
        cursor.execute(ACCOUNTS, {"server": server.pk, "clients": clients, "begin": begin})
    return server


def _history(server: TradingServer, now: dt.datetime, accounts: int, trades: int, tick_seconds: int) -> None:
    """Deals and quotes of the past weeks, counted as judged: pairs of accounts are known from them."""
    since = now - dt.timedelta(days=PAST_DAYS)
    for table in ("trading_deal", "risk_tick"):
        ensure_months(table, since.date(), now.date())
    _deals(accounts, trades, since=since, span=(PAST_DAYS - 2) * 86_400, synced=now - dt.timedelta(days=1), seed=901)
    say("quotes")
    with connection.cursor() as cursor:
        cursor.execute(TICKS, {"server": server.pk, "since": since, "until": now, "every": tick_seconds})
    analyze()
    last = Deal.every.order_by("-pk").values_list("pk", flat=True)[0]
    ScoredTo.objects.create(pk=1, deal_id=last)
    say("pairs of accounts")
    near, neighbours = dt.timedelta(seconds=scoring.PAIR_SECONDS), scoring.NEIGHBOURS_MAX
    with connection.cursor() as cursor:
        cursor.execute(
            scoring.COUNT_PAIRS, {"after": 0, "to": last, "since": since, "near": near, "neighbours": neighbours}
        )
    analyze()


def _deals(accounts: int, trades: int, **given: Any) -> None:
    first = 10 * given["seed"] * 10_000_000
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(DEALS, {"accounts": accounts, "trades": trades, "first": first, **given})


def _measure(now: dt.datetime, accounts: int, fresh: int, times: int) -> list[Figure]:
    spent, work, read, beside = [], [], [], Deal.every.count()
    for turn in range(times):
        say(f"the next {fresh:,} deals, {turn + 1} of {times}")
        after = ScoredTo.objects.get().deal_id
        since = now - dt.timedelta(hours=20 - 2 * turn)
        _deals(accounts, fresh // 2, since=since, span=7200, synced=now - dt.timedelta(hours=1), seed=902 + turn)
        with connection.cursor() as cursor:
            started = time.perf_counter()
            cursor.execute(READ, {"after": after, "since": now - WINDOW})
            cursor.fetchone()
            read.append(time.perf_counter() - started)
        started, used = time.perf_counter(), cpu_ms()
        count, _raised = scoring.score_next(most=fresh)
        spent.append((time.perf_counter() - started) * 10_000 / count)
        work.append((cpu_ms() - used) / 1000 * 10_000 / count)
        if count != fresh:
            raise RuntimeError(f"{count} of {fresh} deals were judged")
    name = f"judge the next 10,000 deals beside {beside:,}, {AbuseEpisode.objects.count():,} episodes raised"
    figure = Figure(name, statistics.median(spent), "s", statistics.median(read), "reading their accounts' deals")
    return [
        at_most(figure, SECONDS_MAX),
        Figure("the same, processor time", statistics.median(work), "s"),
        Figure("the same, longest: a worker’s first, which imports", max(spent), "s"),
    ]
