"""`bench imports`: another system's clients checked and imported, beside bare INSERTs of the rows that come of it.

The file has a number, name, e-mail address, phone, country, two dates and consent; the rows are all new. Memory is what the
checking and the importing process grew by at their most.
"""

from __future__ import annotations

import time

from django.db import connection

from bench import web
from bench.harness import Figure, analyze, at_most, in_a_process, own_database, say
from clients.models import Client
from crm.imports import applying, checking, importing
from crm.models import Brand, DataImport, ExternalReference, ImportRow, OutboxEvent

SIZES = {"tiny": 1_000, "quick": 10_000, "full": 100_000}
AGENTS = 20
CHECK_SECONDS = APPLY_SECONDS = 300
GROWTH_MB = 64
HEAD = "ID,First name,Last name,E-mail,Phone,Country,Date of birth,Registered,Newsletter"
STAGED = """
CREATE TABLE bench_importrow (LIKE crm_importrow INCLUDING ALL);
INSERT INTO bench_importrow SELECT * FROM crm_importrow;
"""
WRITTEN = "".join(
    f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL EXCLUDING GENERATED);"
    f"INSERT INTO bench_{table} SELECT * FROM {table};\n"
    for table in (
        "clients_client",
        "clients_historicalclient",
        "clients_timelineentry",
        "clients_identifier",
        "crm_externalreference",
        "crm_outboxevent",
    )
)


def _file(rows: int) -> bytes:
    lines = (
        f"{100_000 + n},Given{n % 977},Family{n % 4_999},person{n}@example.com,+49151{10_000_000 + n},DE,"
        f"19{50 + n % 50}-0{1 + n % 9}-1{n % 10},2023-0{1 + n % 9}-1{n % 10},{'yes' if n % 3 else 'no'}"
        for n in range(rows)
    )
    return "\n".join((HEAD, *lines)).encode()


def _silent(done: int, total: int = 0, message: str = "") -> None:
    pass


def run(size: str) -> list[Figure]:
    with own_database("imports"):
        return measure(SIZES[size])


def measure(rows: int) -> list[Figure]:
    web.make_house(AGENTS)
    content = _file(rows)
    say(f"{rows:,} clients, {len(content) / 2**20:.1f} MB")
    batch = importing.start_import(
        brand=Brand.objects.get(code="b0"),
        actor=None,
        kind="clients",
        system="bench",
        file_name="clients.csv",
        content=content,
        keeps_file=False,
    )
    importing.map_columns(import_id=batch.pk, actor=None, definition=batch.mapping, is_queued=False)
    checked, checked_bytes = in_a_process(lambda: _check(batch.pk, content))
    analyze()
    bare_check = _seconds(STAGED)
    importing.confirm(import_id=batch.pk, actor=None, is_queued=False)
    applied, applied_bytes = in_a_process(lambda: _apply(batch.pk))
    bare_apply = _seconds(WRITTEN)
    wrong = sum(
        abs(rows - count)
        for count in (
            Client.objects.filter(brand=batch.brand).count(),
            ExternalReference.objects.count(),
            OutboxEvent.objects.filter(name="client.imported").count(),
            ImportRow.objects.filter(is_applied=True).count(),
        )
    )
    mb = 2**20
    return [
        at_most(Figure(f"check of {rows:,} rows", checked, "s", bare_check, "bare INSERTs of the rows"), CHECK_SECONDS),
        at_most(Figure("import of the same", applied, "s", bare_apply, "bare INSERTs of the records"), APPLY_SECONDS),
        Figure("clients a second, checked and imported", rows / (checked + applied), "rows/s"),
        at_most(Figure("memory grown by the check", checked_bytes / mb, "MB"), GROWTH_MB),
        at_most(Figure("memory grown by the import", applied_bytes / mb, "MB"), GROWTH_MB),
        at_most(Figure("clients, numbers or events missing or twice", wrong, "rows"), 0),
    ]


def _check(import_id: int, content: bytes) -> None:
    checking.check(DataImport.objects.select_related("brand").get(pk=import_id), _silent, content)


def _apply(import_id: int) -> None:
    applying.apply(DataImport.objects.select_related("brand").get(pk=import_id), _silent)


def _seconds(statements: str) -> float:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statements)
    return time.perf_counter() - started
