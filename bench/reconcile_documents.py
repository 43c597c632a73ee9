"""Part of `bench reconcile`: documents. A statement of three pages in a warm worker, a long trail, a month of many clients.

Runs in whatever database is configured; leaves a brand, clients and documents in it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, at_least, at_most
from clients.models import Client
from crm.models import Brand
from crm.money.amounts import Money
from crm.rendering import letter
from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Named, Report, Row, Section
from crm.rendering.xlsx import write_workbook
from wallet.choices.documents import DocumentKind
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.documents import batches, making, pdf, statement
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Account

# Times a statement is made, rows of the trail, clients of the month.
SIZES = {"tiny": (1, 600, 8), "quick": (5, 20_000, 60), "full": (9, 100_000, 300)}
LINES = 75  # of a statement of three pages
STATEMENT_SECONDS, TRAIL_ROWS_A_SECOND, GROWTH_MB = 1.0, 1_500, 40
MONTH = dt.date(2026, 9, 1)
CLIENTS = """
INSERT INTO clients_client (brand_id, book_id, stage, first_name, last_name, email, phone, country, language, time_zone,
  nationality, address_line, city, postal_code, marketing_consent, sales_status, score, kyc_level, risk_rating, category,
  restrictions, net_deposits, source, campaign, created_at, registered_at)
SELECT %s, b.id, 'funded', 'Anna', n::text, 'paper-' || n || '@example.com', '', 'DE', 'de', '', '', '', '', '', false, 'new',
  0, 1, 'low', 'retail', '{}', 0, '', '', now(), now()
FROM generate_series(1, %s) n, (SELECT id FROM crm_book WHERE brand_id = %s ORDER BY id LIMIT 1) b RETURNING id
"""


def run(size: str) -> list[Figure]:
    times, rows, clients = SIZES[size]
    brand, ids = _world(clients)
    letter.warm_up()
    return [*_statement(ids[0], times), *_trail(rows), *_month(brand, clients)]


def _world(clients: int) -> tuple[Brand, list[int]]:
    """A brand with clients whose wallets moved in September; the first one's fill three pages."""
    brand = Brand.objects.create(code="papers", name="Papers", legal_name="Papers Ltd", base_currency="EUR")
    brand.books.create(name="Papers")
    with connection.cursor() as cursor:
        cursor.execute(CLIENTS, [brand.pk, clients, brand.pk])
        ids = [pk for (pk,) in cursor.fetchall()]
    house = posting.house(AccountKind.SUSPENSE, brand_id=brand.pk, currency="EUR")
    for place, client in enumerate(Client.objects.filter(pk__in=ids).order_by("pk")):
        wallet = posting.wallet_of(client, "EUR")
        _fill(brand, house, wallet, LINES if place == 0 else 6)
    return brand, ids


def _fill(brand: Brand, house: Account, wallet: Account, lines: int) -> None:
    start = dt.datetime.combine(MONTH, dt.time(8), tzinfo=dt.UTC)
    entries = [
        Entry(
            key=f"papers:{wallet.pk}:{n}",
            kind=JournalKind.DEPOSIT,
            brand_id=brand.pk,
            description=f"D-{wallet.pk:06}-{n}",
            lines=(Line(house, -10_000 - n), Line(wallet, 10_000 + n)),
        )
        for n in range(lines)
    ]
    with transaction.atomic():
        posting.post_many(entries, posted_at=[start + dt.timedelta(hours=6 * n) for n in range(lines)])


def _statement(client_id: int, times: int) -> list[Figure]:
    """Figures read and pages set; the least of several, which is what it takes when nobody else is on the machine."""
    client = Client.objects.select_related("brand").get(pk=client_id)
    first, last = MONTH, MONTH + dt.timedelta(days=29)
    pages, seconds, used = 0, [], []
    for _round in range(times + 1):
        started, busy = time.perf_counter(), time.process_time()
        draft = statement.draft_of(statement.gather(client, first, last), "de")
        content = pdf.of_draft(draft)
        seconds.append(time.perf_counter() - started)
        used.append(time.process_time() - busy)
        pages = pdf.pages_of(content)
    made = making.make(draft, made_by=None)
    assert made.content_hash == draft.content_hash
    figure = Figure(f"statement of {pages} pages in a warm worker", min(seconds[1:]), "s")
    return [
        at_most(figure, STATEMENT_SECONDS),
        at_most(Figure("its processor time, without the database's", min(used[1:]), "s"), STATEMENT_SECONDS),
    ]


def _report(rows: int) -> Report:
    columns = [
        Column("When"),
        Column("Reference"),
        Column("Result", weight=2),
        Column("Gross", end=True),
        Column("Fee", end=True),
        Column("Net", end=True),
    ]
    start = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)

    def each() -> Iterator[Row]:
        for n in range(rows):
            gross = Money(Decimal(n * 37 % 900_000) / 100, "EUR")
            yield [
                start + dt.timedelta(seconds=n),
                f"pi_{n:012}",
                Named("psp_reference", "PSP reference"),
                gross,
                Money(Decimal("0.25"), "EUR"),
                gross - Money(Decimal("0.25"), "EUR"),
            ]

    return Report(
        key="bench",
        title="Settlement pack",
        look=Look("Papers"),
        made_at=timezone.now(),
        sections=[Section("Rows", columns=columns, rows=each)],
    )


def _trail(rows: int) -> list[Figure]:
    """A long trail as PDF and as workbook: rows a second, and what memory grew from a tenth of it to all of it."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("tagged PDF", write_pdf), ("workbook", write_workbook)):
            target = Path(folder) / "paper"
            write(_report(max(rows // 10, 100)), target)
            before, started = _peak_from_here(), time.perf_counter()
            written = write(_report(rows), target)
            took = time.perf_counter() - started
            figure = Figure(f"long trail as {name}: rows written", written.rows / took, "rows/s")
            figures.append(at_least(figure, TRAIL_ROWS_A_SECOND))
            grown = Figure(f"long trail as {name}: memory grown", max(_peak_mb() - before, 0.0), "MB")
            figures.append(at_most(grown, GROWTH_MB))
    return figures


def _month(brand: Brand, clients: int) -> list[Figure]:
    """Statements of all clients as one archive, set by child processes."""
    with tempfile.TemporaryDirectory() as folder:
        before, started = _peak_from_here(), time.perf_counter()
        counted = batches.make_batch(
            kind=DocumentKind.STATEMENT,
            brand=brand,
            month=MONTH,
            target=Path(folder) / "month.zip",
            made_by=None,
            progress=lambda *_step: None,
        )
        took = time.perf_counter() - started
    if counted.documents != clients:
        raise RuntimeError(f"{counted.documents} statements of {clients} clients were made")
    speed = Figure("statements of a month, all clients", counted.documents / took, "documents/s")
    return [at_least(speed, 1), at_most(Figure("… memory grown", max(_peak_mb() - before, 0.0), "MB"), GROWTH_MB)]


def _peak_from_here() -> float:
    """Begin to measure this process's peak anew; returns what it holds now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak_mb()


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
