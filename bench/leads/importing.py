"""A file of leads checked against everybody the brand knows, shared among its agents and written.

Six lines in ten are new people, a quarter have the e-mail address of somebody known, the others their phone and name. The yardstick
is one INSERT … SELECT per table of the rows that the import wrote, into copies with the same indexes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from django.test import override_settings

from bench.harness import Figure, at_most, say
from clients.models import Client
from crm.models import Brand, User
from leads import imports
from leads.choices import ImportState
from leads.import_files import columns, files
from leads.import_files.reading import NO_CUSTOM
from leads.models import Lead, LeadImport

ROWS = {"tiny": 100, "quick": 10_000, "full": 100_000}
SECONDS_MAX = 60
HEAD = "First name,Last name,E-mail,Phone,Country,Language,Source,Message,Consent\n"
# Written by an import for each of its leads, with the column that counts them.
TABLES = ("clients_client", "clients_historicalclient", "clients_timelineentry", "clients_identifier", "leads_lead")


def measure(brand: Brand, owner: User, size: str) -> list[Figure]:
    """Check and import one file, then write the same rows plainly."""
    rows = ROWS[size]
    say(f"a file of {rows:,} leads")
    content = "".join(_lines(brand, rows)).encode()
    before = {table: _newest(table) for table in TABLES}
    with TemporaryDirectory() as folder, override_settings(PRIVATE_DIR=folder):
        batch = LeadImport.objects.create(
            brand=brand,
            owner=owner,
            file_name="bench.csv",
            state=ImportState.CHECKING,
            mapping=columns.guess(HEAD.strip().split(","), NO_CUSTOM).mapping.as_json(),
        )
        files.keep(batch, content)
        began = time.perf_counter()
        imports.check(batch, _silent)
        checked = time.perf_counter() - began
        batch.refresh_from_db()
        _start(batch)
        began = time.perf_counter()
        imports.run(batch, _silent)
        applied = time.perf_counter() - began
    fresh = Lead.objects.filter(pk__gt=before["leads_lead"])
    expected = {"new": _new(rows), "known": rows - _new(rows)}
    wrong = sum(abs(count - batch.counts.get(name, 0)) for name, count in expected.items())
    wrong += abs(fresh.filter(is_duplicate=True).count() - expected["known"]) + abs(fresh.count() - rows)
    wrong += abs(Client.objects.filter(pk__gt=before["clients_client"]).count() - expected["new"])
    bare = _bare(before)
    return [
        at_most(
            Figure(
                f"{rows:,} rows checked, shared and imported", checked + applied, "s", bare, "bare INSERTs of the rows"
            ),
            SECONDS_MAX,
        ),
        Figure("of it, read and compared with everybody known", checked, "s"),
        at_most(Figure("leads lost, doubled or taken for somebody else", wrong, "leads"), 0),
    ]


def _new(rows: int) -> int:
    return rows * 6 // 10


def _lines(brand: Brand, rows: int) -> Iterator[str]:
    yield HEAD
    new, first = _new(rows), _newest("clients_client")
    for n in range(first, first + new):
        yield f"Given{n % 977},Family{n % 4_999},file{n}@example.org,+49152{n:08d},DE,de,list,Please call,yes\n"
    known = Client.objects.filter(brand=brand, stage="lead").exclude(first_name="").order_by("pk")
    by_mail = (rows - new) * 5 // 8
    people = known.values_list("first_name", "last_name", "email", "phone", "country")[: rows - new]
    for n, (first, last, email, phone, country) in enumerate(people.iterator()):
        if n < by_mail:
            yield f",,{email.upper()},,{country},de,list,,\n"
        else:
            yield f"{first.upper()},{last},,{phone},{country},de,list,,\n"


def _start(batch: LeadImport) -> None:
    with transaction.atomic():
        batch.move_to(ImportState.IMPORTING)
        batch.save(update_fields=["state"])


def _newest(table: str) -> int:
    with connection.cursor() as cursor:
        key = "history_id" if "historical" in table else "id"
        cursor.execute(f"SELECT coalesce(max({key}), 0) FROM {table}")
        return int(cursor.fetchone()[0])


def _bare(before: dict[str, int]) -> float:
    spent = 0.0
    with transaction.atomic(), connection.cursor() as cursor:
        for table, newest in before.items():
            key = "history_id" if "historical" in table else "id"
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL EXCLUDING GENERATED)")
            began = time.perf_counter()
            cursor.execute(f"INSERT INTO bench_{table} SELECT * FROM {table} WHERE {key} > %s", [newest])
            spent += time.perf_counter() - began
        transaction.set_rollback(True)
    return spent


def _silent(done: int, total: int = 0, message: str = "") -> None:
    pass
