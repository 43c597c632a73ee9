"""PostgreSQL is restarted and crashed in the middle of postings; writers ask again under their keys: nothing lost or twice."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from launcher import devdb
from launcher.devdb.places import data_dir
from tests.database import ensure_template

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WRITERS, POSTINGS = 3, 80
# Both parts run as processes of their own on the server that is being restarted.
SEED = """
import django; django.setup()
from crm.models import Book, Brand
from wallet.ledger import posting as ledger
from wallet.choices.ledger import AccountKind
from tests.cast import make_client
brand = Brand.objects.create(code="restart", name="Restart", base_currency="EUR")
book = Book.objects.create(brand=brand, name="Book")
for number in range(3):
    ledger.wallet_of(make_client(brand=brand, book=book, email=f"r{number}@example.com", login=False), "EUR")
ledger.house(AccountKind.CLIENT_MONEY_BANK, brand_id=brand.pk, currency="EUR")
"""
WRITER = """
import sys, time, django; django.setup()
from django.db import DatabaseError, InterfaceError, connection, transaction
from wallet.ledger import posting as ledger
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger.posting import Entry, Line
from wallet.models import Account
me, postings = int(sys.argv[1]), int(sys.argv[2])
house = Account.objects.get(kind=AccountKind.CLIENT_MONEY_BANK)
wallets = list(Account.objects.filter(is_bounded=True).order_by("pk"))
print("ready", flush=True)
for number in range(postings):
    lines = (Line(house, -number - 1), Line(wallets[number % 3], number + 1))
    entry = Entry(key=f"w{me}:{number}", kind=JournalKind.DEPOSIT, brand_id=house.brand_id, lines=lines)
    while True:
        try:
            with transaction.atomic():
                ledger.post(entry)
            break
        except (DatabaseError, InterfaceError):  # whether it was booked is not known: the same key asks again
            connection.close()
            time.sleep(0.05)
    time.sleep(0.01)
"""
PROVE = """
import django; django.setup()
from wallet.models import Journal
from wallet.ledger.verification import verify
verdict = verify(deep=True)
print(Journal.objects.count(), verdict.postings, verdict.problems)
"""


@pytest.fixture
def server() -> Iterator[Path]:
    """A PostgreSQL of its own that flushes to disk, with the schema of the tests' template."""
    parent = Path(tempfile.mkdtemp(prefix="keelson-test-"))
    parent.chmod(0o755)
    var = parent / "var"
    devdb.ensure_postgres(var)
    dump = [*devdb.client_command(settings.VAR_DIR, "pg_dump")[:-1], ensure_template(), "--no-owner", "--no-privileges"]
    schema = subprocess.run(dump, check=True, capture_output=True).stdout
    load = [*devdb.client_command(var, "psql"), "--quiet", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(load, input=schema, check=True, capture_output=True)
    yield var
    devdb.stop(var)
    for made in (devdb.run_dir(var), data_dir(var).parent, parent):
        shutil.rmtree(made, ignore_errors=True)


def python(var: Path, script: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DATABASE_URL": devdb.database_url(var)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def postings(var: Path) -> int:
    with psycopg.connect(devdb.database_url(var)) as connection:
        return connection.execute("SELECT count(*) FROM wallet_journal").fetchone()[0]  # type: ignore[index]


def test_a_server_that_is_restarted_and_crashed_while_posting_loses_and_doubles_nothing(server):
    seed = python(server, SEED)
    seed.communicate()
    assert seed.returncode == 0
    writers = [python(server, WRITER, str(number), str(POSTINGS)) for number in range(WRITERS)]
    for writer in writers:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    interrupted = 0
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):  # a fast shutdown, a crash, a fast shutdown
        time.sleep(0.4)
        if all(writer.poll() is not None for writer in writers):
            break
        pid = devdb.postgres_pid(server)
        assert pid is not None
        os.kill(pid, how)
        while devdb.postgres_pid(server) is not None:
            time.sleep(0.02)
        devdb.ensure_postgres(server)
        interrupted += 1
    for writer in writers:
        writer.communicate(timeout=120)
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert interrupted > 1
    proved = python(server, PROVE)
    told, _nothing = proved.communicate(timeout=60)
    assert told.split(maxsplit=2) == [str(WRITERS * POSTINGS), str(2 * WRITERS * POSTINGS), "[]\n"]
    assert postings(server) == WRITERS * POSTINGS
