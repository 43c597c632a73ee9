"""`bench reconcile_read`: a PSP's settlement report of a million rows, read, proved and stored, in flat memory.

Part of `bench reconcile`. The report is Stripe's payout reconciliation with nineteen columns, made here and kept encrypted as an
upload is. It is read and stored by a process of its own, so that its memory can be told, and a tenth of it by another, so that it
can be told whether memory grows with the rows. The yardstick is the same rows put from table to table by INSERT … SELECT, with the
same indexes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from django.db import connection, transaction
from django.test.utils import override_settings

from bench.harness import Figure, at_most, in_a_process, own_database, say
from crm.models import Brand
from wallet.models import Psp, SettlementImport, SettlementRow
from wallet.reconciliation.settlement_import import keep, store

SIZES = {"tiny": 5_000, "quick": 100_000, "full": 1_000_000}
SECONDS_MAX = 60  # at full size; smaller ones get their share and two seconds for what does not shrink
GROWTH_MB_MAX = 24
PER_PAYOUT = 5_000
HEADER = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,"
    "net,reporting_category,source_id,description,customer_facing_amount,customer_facing_currency,charge_id,payment_intent_id,"
    "payment_method_type,payment_metadata[reference],refund_metadata[reference]\n"
)


def run(size: str) -> list[Figure]:
    count = SIZES[size]
    with tempfile.TemporaryDirectory() as folder, override_settings(PRIVATE_DIR=Path(folder)), own_database("read"):
        psp = _psp()
        say("a report is made")
        large, small = (_report(Path(folder) / f"{rows}.csv", rows) for rows in (count, count // 10))
        say("read and stored")
        _seconds, small_bytes = in_a_process(lambda: _take_in(psp, small))
        seconds, peak_bytes = in_a_process(lambda: _take_in(psp, large))
        stored = SettlementRow.objects.filter(report=SettlementImport.objects.latest("id")).count()
        plain = _yardstick()
    limit = SECONDS_MAX * count / SIZES["full"] + (2 if size != "full" else 0)
    name = f"{count:,} rows of a report read, proved and stored"
    growth = (peak_bytes - small_bytes) / 1024**2
    return [
        at_most(Figure(name, seconds, "s", yardstick=plain, yardstick_name="plain INSERT … SELECT"), limit),
        Figure("rows of a report read a second", count / seconds, "1/s"),
        at_most(Figure("memory beyond that of a tenth of the rows", max(growth, 0), "MB"), GROWTH_MB_MAX),
        at_most(Figure("rows that are missing", count + -(-count // PER_PAYOUT) - stored, "rows"), 0),
    ]


def _psp() -> Psp:
    brand = Brand.objects.create(code="read", name="Read", base_currency="EUR")
    psp = Psp(brand=brand, code="stripe", name="Stripe", kind="card", adapter="stripe")
    psp.seal_credentials({})
    psp.save()
    return psp


def _report(path: Path, rows: int) -> Path:
    with path.open("w", encoding="utf-8") as out:
        out.write(HEADER)
        for number in range(rows):
            cents = 1_000 + number * 37 % 900_000
            net = f"{(cents - 175) // 100}.{(cents - 175) % 100:02d}"
            out.write(
                f"po_{number // PER_PAYOUT:06d},2026-11-16 00:00:00,txn_{number:012d},2026-11-10 12:{number % 60:02d}:07,"
                f"2026-11-16 00:00:00,eur,{cents // 100}.{cents % 100:02d},1.75,{net},charge,ch_{number:012d},Deposit,,,"
                f"ch_{number:012d},pi_{number:012d},card,D-{number:012d},\n"
            )
    return path


def _take_in(psp: Psp, path: Path) -> None:
    kept = keep(path)
    with transaction.atomic():
        store(psp, path.name, kept, None)


def _yardstick() -> float:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rows (LIKE wallet_settlementrow INCLUDING ALL)")
        started = time.perf_counter()
        cursor.execute(
            "INSERT INTO bench_rows SELECT r.* FROM wallet_settlementrow r "
            "WHERE r.report_id = (SELECT max(id) FROM wallet_settlementimport)"
        )
        return time.perf_counter() - started
