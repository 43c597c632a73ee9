"""Retention: flags of all clients in one night and of one after a deal, and the churn score on departures that it hasn't seen.

Worlds and seeds are other ones than those on which the features were chosen.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from decimal import Decimal

import numpy as np
from django.db import connection
from django.utils import timezone

from bench.figures import unguarded
from bench.harness import Figure, analyze, at_least, at_most, own_database, say
from bench.risk.departures import WORLDS, World, fill, simulate
from clients.models import Client
from crm import events
from crm.models import Book, Brand, Desk
from risk.retention.cases import judge_all, judge_clients
from risk.retention.choices import FlagKind
from risk.retention.churn.scoring import score_all
from risk.retention.churn.training import train
from risk.retention.models import ClientOutlook, RetentionFlag
from trading.models import AccountResult, TradingAccount, TradingServer
from trading.platforms.base import DealData
from trading.sync.deals import take_in

# Seeds of the worlds, clients of each; clients of the night, of whom each has so many trades of a month in deals.
SIZES = {
    "tiny": ((901,), 300, 300, 3),
    "quick": ((901, 902), 1_500, 20_000, 10),
    "full": ((901, 902, 903, 904), 3_000, 100_000, 10),
}
DAYS_OF_NIGHT = 240
SINGLE_RUNS = 20
LOSSES = 3
FIRST_TICKET = 2_000_000_000
DEALS = """
INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots, closed_lots,
  contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw, synced_at)
SELECT now() - make_interval(days => n * 2, mins => (a.id %% 1000)::int), a.server_id, a.id * 100 + n, a.id, a.login, 0, 0, 1,
  'EURUSD', 1, 1, 100000, 1, 1, (hashint8(a.id * 31 + n) %% 100), 0, 0, 0, 0, 0,
  '{"MarketBid": "0.99995", "MarketAsk": "1.00005"}', now()
FROM trading_tradingaccount a CROSS JOIN generate_series(1, %(each)s) n WHERE NOT a.is_demo
"""


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(size: str) -> list[Figure]:
    seeds, clients, night, each = SIZES[size]
    quality: list[tuple[float, float, float]] = []
    for n, seed in enumerate(seeds):
        say(f"departures of world {seed}")
        with own_database("risk_retention"):
            quality.append(_departures(seed, clients, WORLDS[n % len(WORLDS)]))
    auc, yardstick, off = (statistics.mean(column) for column in zip(*quality, strict=True))
    with own_database("risk_retention"):
        speed = _speed(night, each)
    return [
        at_least(Figure("churn AUC on held-back months", auc, "", yardstick, "days since the last trade"), 0.8),
        Figure("calibration: mean distance of tenths", off, "points"),
        *speed,
    ]


def _floor(seed: int, count: int, world: World) -> None:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, desk=Desk.objects.create(brand=brand, name="Desk"), name="Book")
    server = TradingServer.objects.create(name="Bench", host="127.0.0.1", manager_login="1", credentials=b"")
    begin = timezone.now().date() - dt.timedelta(days=world.days - 1)
    fill(simulate(seed, count, world), count=count, brand=brand, book=book, server_id=server.pk, begin=begin)


def _departures(seed: int, count: int, world: World) -> tuple[float, float, float]:
    _floor(seed, count, world)
    row = train()
    if row is None:
        return 0.0, 0.0, 0.0
    off = np.mean([abs(predicted - seen) for _n, predicted, seen in row.calibration])
    return row.auc, row.yardstick_auc, 100 * float(off)


def _speed(count: int, each: int) -> list[Figure]:
    from crm.db.partitions import ensure_months

    say(f"{count:,} clients")
    _floor(905, count, World(days=DAYS_OF_NIGHT))
    ensure_months("trading_deal", timezone.now().date() - dt.timedelta(days=60), timezone.now().date())
    with connection.cursor() as cursor:
        cursor.execute(DEALS, {"each": each})
    analyze()
    say("the night")
    read = seconds(lambda: AccountResult.objects.filter(net_base__lt=0).count())
    nightly = seconds(judge_all)
    flags = RetentionFlag.objects.count()
    again = seconds(judge_all)
    ids = list(RetentionFlag.objects.order_by("pk").values_list("client_id", flat=True)[:SINGLE_RUNS])
    single = statistics.median(seconds(lambda pk=pk: judge_clients([pk])) for pk in ids)  # type: ignore[misc]
    say("flags after a deal")
    deals = _after_deals()
    say("training and scoring")
    training, scoring = seconds(train), seconds(score_all)
    scored = ClientOutlook.objects.count()
    return [
        at_most(
            Figure(f"flags of {count:,} clients, {flags:,} raised", nightly, "s", read, "one scan of their days"), 60
        ),
        at_most(
            Figure(f"flags of {count:,} clients on the next night", again, "s", read, "one scan of their days"), 60
        ),
        at_most(Figure("flags of one client judged", 1000 * single, "ms"), 5_000),
        at_most(
            Figure("from a losing deal to the client's flag, median", 1000 * statistics.median(deals), "ms"), 5_000
        ),
        Figure("the same, longest", 1000 * max(deals), "ms"),
        Figure(f"training on {count:,} clients", training, "s", read, "one scan of their days"),
        Figure(f"scores of {scored:,} clients", scoring, "s", read, "one scan of their days"),
    ]


def _after_deals() -> list[float]:
    """Seconds from the third losing deal of clients in a row to their flag: taken in, published, and delivered to every handler.

    The server is read once a second before, and a worker is woken by the commit; both come on top.
    """
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE crm_outboxevent CASCADE")  # the night's events, which aren't this deal's
    losing = RetentionFlag.objects.filter(kind=FlagKind.LOSSES, ended_at=None).values("client")
    recent = timezone.now() - dt.timedelta(days=30)
    clients = Client.objects.filter(last_trade_at__gte=recent).exclude(pk__in=losing).order_by("pk")[:SINGLE_RUNS]
    accounts = TradingAccount.objects.filter(client__in=list(clients)).select_related("server").order_by("pk")
    spent = []
    for account in accounts:
        deals = [_losing_deal(account, n) for n in range(LOSSES)]
        take_in(account.server, deals[:-1])
        events.drain()
        spent.append(seconds(lambda account=account, deals=deals: _take_in(account, deals[-1:])))  # type: ignore[misc]
        if not RetentionFlag.objects.filter(client=account.client_id, kind=FlagKind.LOSSES, ended_at=None).exists():
            raise RuntimeError("a losing streak raised no flag")
    return spent


def _take_in(account: TradingAccount, deals: list[DealData]) -> None:
    take_in(account.server, deals)
    events.drain()


def _losing_deal(account: TradingAccount, number: int) -> DealData:
    at, zero, one = timezone.now() + dt.timedelta(milliseconds=number), Decimal(0), Decimal(1)
    return DealData(
        ticket=FIRST_TICKET + account.pk * LOSSES + number,
        login=account.login,
        server_msc=int(at.timestamp() * 1000),
        executed_at=at,
        action=0,
        entry=1,
        reason=0,
        symbol="EURUSD",
        lots=one,
        closed_lots=one,
        contract_size=Decimal(100_000),
        price=one,
        price_position=one,
        profit=Decimal(-50),
        commission=zero,
        swap=zero,
        fee=zero,
        position_id=account.pk * LOSSES + number,
        order_id=0,
        comment="",
        raw={},
    )
