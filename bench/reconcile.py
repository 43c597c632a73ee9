"""`bench reconcile`: a month of six PSPs, a million movements against a million rows, judged by the truth they came from.

The yardstick is the least that PostgreSQL needs to keep as many pairs: a plain INSERT … SELECT of two numbers into a table
with the same unique indexes. Beside the time stand the numbers that must be zero: matches that are not true, planted breaks
that were not named, breaks that nobody planted, cents that nothing explains.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from django.db import connection, transaction
from django.test.utils import override_settings

from bench import reconcile_documents, reconcile_read
from bench import reconcile_truth as truth
from bench.harness import Figure, analyze, at_least, at_most, in_processes, own_database, say
from bench.ledger import CLIENTS as CLIENT_ROWS
from crm.models import Book, Brand
from wallet.models import SettlementImport
from wallet.reconciliation import match_report

SIZES = {"tiny": 4_000, "quick": 60_000, "full": 1_000_000}
# Of one run at full size; smaller ones get their share and a second for what does not shrink.
SECONDS_MAX = 15
FALSE_MATCHES = """
WITH sides AS (
  SELECT x.row_id, m.movement_id FROM wallet_match x JOIN wallet_match m ON m.id = x.id WHERE x.group_id IS NULL
  UNION ALL
  SELECT x.row_id, m.movement_id FROM wallet_match x JOIN wallet_match m ON m.group_id = x.group_id
    AND m.movement_id IS NOT NULL WHERE x.row_id IS NOT NULL
)
SELECT count(*) FROM sides s JOIN wallet_settlementrow r ON r.id = s.row_id JOIN wallet_settlementimport i ON i.id = r.report_id
JOIN bench_row b ON b.psp = i.psp_id AND b.line = r.line
WHERE b.truth IS NULL OR NOT s.movement_id = ANY(b.truth)
"""
MATCHED = "SELECT count(*), count(*) FILTER (WHERE rule = 'psp_reference') FROM wallet_match WHERE row_id IS NOT NULL"
TO_MATCH = "SELECT count(*) FROM bench_row WHERE truth IS NOT NULL"
PLANTED = f"""
CREATE TEMP TABLE bench_planted AS
SELECT r.id AS row_id, NULL::bigint AS movement_id, b.expected AS kind FROM bench_row b
JOIN wallet_settlementimport i ON i.psp_id = b.psp JOIN wallet_settlementrow r ON r.report_id = i.id AND r.line = b.line
WHERE b.expected IS NOT NULL
UNION ALL
SELECT r.id, NULL, 'fee' FROM bench_row b JOIN wallet_settlementimport i ON i.psp_id = b.psp
JOIN wallet_settlementrow r ON r.report_id = i.id AND r.line = b.line WHERE b.category = 'fee'
UNION ALL SELECT NULL, n, kind FROM ({truth.EXPECTED_MOVEMENTS}) e (n, kind)
"""
FOUND = "(b.row_id = p.row_id OR (b.row_id IS NULL AND p.row_id IS NULL AND b.movement_id = p.movement_id)) AND b.kind = p.kind"
NOT_NAMED = f"""
SELECT p.kind, count(*) FROM bench_planted p WHERE NOT EXISTS (SELECT 1 FROM wallet_break b WHERE {FOUND}) GROUP BY 1
"""
NOT_PLANTED = f"""
SELECT b.kind, count(*) FROM wallet_break b WHERE NOT EXISTS (SELECT 1 FROM bench_planted p WHERE {FOUND}) GROUP BY 1
"""
# Per PSP and currency: rows less movements is what open breaks and conversions say, to the cent.
UNEXPLAINED = """
SELECT count(*) FROM (
  SELECT psp, currency, sum(amount) FROM (
    SELECT i.psp_id AS psp, r.currency, r.gross_minor AS amount FROM wallet_settlementrow r
    JOIN wallet_settlementimport i ON i.id = r.report_id
    UNION ALL SELECT psp_id, currency, -amount_minor FROM wallet_pspmovement
    UNION ALL SELECT i.psp_id, r.currency, -r.gross_minor FROM wallet_break b JOIN wallet_settlementrow r ON r.id = b.row_id
    JOIN wallet_settlementimport i ON i.id = r.report_id WHERE b.kind <> 'fee'
    UNION ALL SELECT m.psp_id, m.currency, m.amount_minor FROM wallet_break b JOIN wallet_pspmovement m ON m.id = b.movement_id
    WHERE b.kind IN ('amount', 'currency', 'wrong_client', 'missing_there', 'timing')
    UNION ALL SELECT m.psp_id, r.currency, -r.gross_minor FROM wallet_match x JOIN wallet_settlementrow r ON r.id = x.row_id
    JOIN wallet_pspmovement m ON m.id = x.movement_id WHERE x.rule = 'fx'
    UNION ALL SELECT m.psp_id, m.currency, m.amount_minor FROM wallet_match x
    JOIN wallet_pspmovement m ON m.id = x.movement_id WHERE x.rule = 'fx'
  ) lines GROUP BY 1, 2 HAVING sum(amount) <> 0
) f
"""
PLAIN = """
CREATE TABLE bench_plain (id bigserial PRIMARY KEY, leg text NOT NULL, row_id bigint, movement_id bigint, rule text NOT NULL);
CREATE UNIQUE INDEX ON bench_plain (row_id); CREATE UNIQUE INDEX ON bench_plain (movement_id);
"""


def run(size: str) -> list[Figure]:
    count = SIZES[size]
    figures: list[Figure] = []
    with own_database("reconcile"):
        say("the truth")
        reports = prepared(count)
        say("matching")
        figures += matching(reports, count)
        say("judging")
        figures += judged()
    say("reading")
    figures += reconcile_read.run(size)
    say("documents")
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(PRIVATE_DIR=Path(folder)),
        own_database("documents"),
    ):
        figures += reconcile_documents.run(size)
    return figures


def prepared(count: int) -> list[SettlementImport]:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, name="Bench")
    with connection.cursor() as cursor:
        cursor.execute(CLIENT_ROWS, [brand.pk, book.pk, truth.CLIENTS])
    truth.psps(brand.pk)
    reports = truth.generate(brand.pk, count)
    analyze()
    return reports


def matching(reports: list[SettlementImport], count: int) -> list[Figure]:
    """All six reports, each in its own transaction as imports do, by a worker per core: PSPs do not wait for each other."""
    rows = sum(report.row_count for report in reports)
    workers = os.cpu_count() or 1

    def work(number: int) -> None:
        for report in reports[number::workers]:
            with transaction.atomic():
                match_report(report)
                report.save()

    seconds = in_processes(workers, work)
    plain = yardstick(count)
    limit = SECONDS_MAX * count / SIZES["full"] + (3 if count < SIZES["full"] else 0)
    name = f"{rows:,} rows of six PSPs against {count:,} movements, {workers} workers"
    figure = Figure(name, seconds, "s", yardstick=plain, yardstick_name="plain INSERT … SELECT")
    return [at_most(figure, limit), Figure("rows matched a second", rows / seconds, "1/s")]


def yardstick(count: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
        started = time.perf_counter()
        cursor.execute(
            "INSERT INTO bench_plain (leg, row_id, movement_id, rule) SELECT 'psp', n, n, 'plain' FROM generate_series(1, %s) n",
            [count],
        )
        return time.perf_counter() - started


def judged() -> list[Figure]:
    with connection.cursor() as cursor:
        cursor.execute(MATCHED)
        matched, by_psp = cursor.fetchone()
        cursor.execute(TO_MATCH)
        to_match = cursor.fetchone()[0]
        cursor.execute(FALSE_MATCHES)
        false = cursor.fetchone()[0]
        cursor.execute(PLANTED)
        cursor.execute("SELECT count(*) FROM bench_planted")
        planted = cursor.fetchone()[0]
        cursor.execute(NOT_NAMED)
        not_named = dict(cursor.fetchall())
        cursor.execute(NOT_PLANTED)
        not_planted = dict(cursor.fetchall())
        cursor.execute(UNEXPLAINED)
        unexplained = cursor.fetchone()[0]
    wrong = f" ({not_named})" if not_named else ""
    more = f" ({not_planted})" if not_planted else ""
    return [
        at_most(Figure("false automatic matches", false, "matches"), 0),
        at_least(Figure("true pairs matched", matched / to_match, "share"), 1),
        Figure("of them by the PSP's reference", by_psp / max(matched, 1), "share"),
        Figure("breaks planted", planted, "breaks"),
        at_most(Figure(f"planted breaks not named rightly{wrong}", sum(not_named.values()), "breaks"), 0),
        at_most(Figure(f"breaks that nobody planted{more}", sum(not_planted.values()), "breaks"), 0),
        at_most(Figure("sums per PSP and currency that are not explained", unexplained, "sums"), 0),
    ]
