"""The money's part of `bench trading`: every account's equity from the sandbox server over its socket, in batches."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from django.db import connection

from bench.harness import Figure, analyze, at_most, cpu_ms
from bench.ledger import CLIENTS as CLIENT_ROWS
from bench.trading_deals import FIRST_LOGIN, make_accounts
from bench.trading_sandbox import sandbox
from crm.models import Book, Brand
from trading.models import TradingAccount
from trading.platforms import pool
from trading.sync import money

SIZES: Final = {"tiny": 300, "quick": 20_000, "full": 100_000}
SECONDS_MAX: Final = 60  # at full size; smaller ones get their share and two seconds for what does not shrink
TRADING_SHARE: Final = 50  # one account out of so many has an open position


def run(size: str) -> list[Figure]:
    count = SIZES[size]
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder), count, FIRST_LOGIN) as mt5:
        brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
        book = Book.objects.create(brand=brand, name="Bench")
        server = mt5.row()
        with connection.cursor() as cursor:
            cursor.execute(CLIENT_ROWS, [brand.pk, book.pk, count])
        make_accounts(server, balance=0, equity=0, equity_base=0, margin=0)
        analyze()
        for login in range(FIRST_LOGIN, FIRST_LOGIN + count, TRADING_SHARE):
            mt5.post("trade", {"login": login, "symbol": "EURUSD", "lots": "0.10", "side": "buy"})
        started, worked = time.perf_counter(), cpu_ms()
        while TradingAccount.objects.filter(synced_at__isnull=True)[:1].exists():
            if not money.sync_money(server):
                raise RuntimeError(f"accounts could not be read: {server.cursors.get(kind='accounts').error}")
        seconds, work = time.perf_counter() - started, cpu_ms() - worked
        wrong = TradingAccount.objects.filter(equity_base__lt=9000).count()
        pool.close_all()
    limit = SECONDS_MAX * count / SIZES["full"] + (2 if size != "full" else 0)
    return [
        at_most(Figure(f"{count:,} accounts' equity read over a socket and written", seconds, "s"), limit),
        Figure("processor time of an account", work / count, "ms"),
        at_most(Figure("accounts without their equity", wrong, "accounts"), 0),
    ]
