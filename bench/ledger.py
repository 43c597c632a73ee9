"""`bench ledger`: posting beside pgbench's tpcb-like on the same server, batches, the proof, webhooks stored.

tpcb-like is three updates and an insert in a transaction of seven statements: what any double entry costs PostgreSQL at
least. It runs in a database of its own on the same server, in turns with ours, both driven by pgbench over prepared
statements, so that a noisy neighbour hits both alike. Postings run with every guard on: locks, hashes, versions, sums,
triggers, bounds.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, analyze, at_least, at_most, in_processes, own_database, say
from crm.models import Book, Brand
from launcher import devdb
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.psp import PspKind, Verdict
from wallet.ledger import posting as ledger
from wallet.ledger import seals
from wallet.ledger.posting import Entry, Line
from wallet.ledger.verification import verify
from wallet.models import Account, Journal, Psp, WebhookMessage
from wallet.webhooks.processing import receive_webhook

# Wallets, seconds per run, rounds, journals to prove, webhooks.
SIZES = {
    "tiny": (50, 1, 1, 200, 50),
    "quick": (10_000, 2, 5, 200_000, 4_000),
    "full": (10_000, 4, 12, 1_000_000, 20_000),
}
WRITERS = 20
BATCH = 500
TPCB_SCALE = 10
# Fields of /proc/<pid>/stat: ppid; utime, stime; cutime, cstime.
PARENT, OWN_TICKS, CHILDREN_TICKS = 4 - 3, (14 - 3, 15 - 3), (16 - 3, 17 - 3)
# The statement that `ledger.post` sends; random wallets pay from the lower half of them into the upper half.
POST = r"""
\set nonce random(1, 9000000000000000)
SELECT ledger_post_pair('bench:' || :client_id || ':' || :nonce, 'deposit', :brand, 'A deposit',
  NULL, NULL, NULL, 'EUR', {debit}, :wallet, -125);
"""
HOT = r"\set wallet random(:first, :last)" + POST.format(debit=":hot")
RANDOM = r"\set from random(:first, :middle)" "\n" r"\set wallet random(:middle + 1, :last)" + POST.format(
    debit=":from"
)
CLIENTS = """
INSERT INTO clients_client (brand_id, book_id, stage, first_name, last_name, email, phone, country, language, time_zone,
  nationality, address_line, city, postal_code, marketing_consent, sales_status, score, kyc_level, risk_rating, category,
  restrictions, net_deposits, source, campaign, created_at, registered_at)
SELECT %s, %s, 'funded', 'Anna', n::text, n || '@example.com', '', 'DE', 'de', '', '', '', '', '', false, 'new', 0, 1, 'low',
  'retail', '{}', 0, '', '', now(), now()
FROM generate_series(1, %s) n
"""


@dataclass
class Server:
    """The configured server, as pgbench is told about it."""

    binary: str
    arguments: list[str]
    environment: dict[str, str]

    @classmethod
    def of_settings(cls) -> Server:
        values = connection.settings_dict
        arguments = [
            *(["-h", str(values["HOST"])] if values["HOST"] else []),
            *(["-p", str(values["PORT"])] if values["PORT"] else []),
            *(["-U", values["USER"]] if values["USER"] else []),
        ]
        environment = {**os.environ, **({"PGPASSWORD": values["PASSWORD"]} if values["PASSWORD"] else {})}
        return cls(pgbench(), arguments, environment)

    def run(self, database: str, *arguments: str) -> str:
        done = subprocess.run(
            [self.binary, *self.arguments, "-n", *arguments, database],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-600:]}")
        return done.stdout


def pgbench() -> str:
    """The program: beside the embedded server's own, or the system's."""
    found = shutil.which("pgbench")
    own = Path(devdb.client_command(settings.VAR_DIR, "pgbench")[0]) if not os.environ.get("DATABASE_URL") else None
    if own is not None and own.exists():
        return str(own)
    if found is None:
        raise RuntimeError("bench ledger needs pgbench, which comes with PostgreSQL: put it on the PATH.")
    return found


@dataclass(frozen=True)
class Run:
    """What one pgbench run measured; cpu_ms is the server's, per transaction (0 when it can't be read)."""

    tps: float
    cpu_ms: float


def measured(
    server: Server, database: str, script: str | None, *, clients: int, seconds: int, names: dict[str, int]
) -> Run:
    """One run of tpcb-like (script None) or of a script."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script or "")
        file.flush()
        what = ["-b", "tpcb-like"] if script is None else ["-f", file.name]
        values = [f"-D{name}={value}" for name, value in names.items()]
        before = server_cpu_ms()
        text = server.run(database, "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds), *values, *what)
        time.sleep(0.3)  # the server counts a backend's time when it has gone
        spent = server_cpu_ms() - before
    done = int(re.search(r"transactions actually processed: (\d+)", text)[1])  # type: ignore[index]
    tps = float(re.search(r"tps = ([\d.]+)", text)[1])  # type: ignore[index]
    return Run(tps, spent / max(done, 1))


def server_cpu_ms() -> float:
    """Processor time of the server's ended children, from /proc; 0 where the server is elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with contextlib.suppress(OSError, ValueError):
        postmaster = stat_of(stat_of(pid)[PARENT])
        return sum(int(postmaster[place]) for place in CHILDREN_TICKS) * 1000 / os.sysconf("SC_CLK_TCK")
    return 0.0


def stat_of(pid: int | str) -> list[str]:
    """The fields of /proc/<pid>/stat after the program's name (proc(5) counts them from 3)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def tpcb_database(server: Server) -> Iterator[str]:
    name = "bench_tpcb"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        server.run(name, "-i", "-q", "-s", str(TPCB_SCALE))
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def run(size: str) -> list[Figure]:
    wallets, seconds, rounds, journals, webhooks = SIZES[size]
    server = Server.of_settings()
    with own_database("ledger"), tpcb_database(server) as tpcb:
        brand, names = accounts(wallets)
        say("posting")
        figures = posting(server, tpcb, names, seconds=seconds, rounds=rounds)
        figures += [inversions(), size_of_a_posting()]
        say("batches")
        figures.append(batches(brand, names, rounds=rounds))
        say("the proof")
        figures += proof(brand, names, journals, rounds=rounds)
        say("webhooks")
        figures.append(stored_webhooks(brand, webhooks))
    return figures


def accounts(wallets: int) -> tuple[Brand, dict[str, int]]:
    """A brand with a hot house account and funded wallets."""
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, name="Bench")
    hot = ledger.house(AccountKind.CLIENT_MONEY_BANK, brand_id=brand.pk, currency="EUR")
    with connection.cursor() as cursor:
        cursor.execute(CLIENTS, [brand.pk, book.pk, wallets])
        cursor.execute(
            "INSERT INTO wallet_account (brand_id, kind, currency, client_id, subject, is_bounded, created_at)"
            " SELECT brand_id, 'client_wallet', 'EUR', id, '', true, now() FROM clients_client ORDER BY id"
        )
        cursor.execute("SELECT min(id), max(id) FROM wallet_account WHERE is_bounded")
        first, last = cursor.fetchone()
    ids = list(range(first, last + 1))
    for start in range(0, len(ids), 1000):
        entries = [
            _entry(brand, f"fund:{pk}", hot, Account(pk=pk, currency="EUR"), 10_000_000)
            for pk in ids[start : start + 1000]
        ]
        with transaction.atomic():
            ledger.post_many(entries)
    analyze()
    return brand, {"first": first, "middle": (first + last) // 2, "last": last, "hot": hot.pk, "brand": brand.pk}


def _entry(brand: Brand, key: str, source: Account, target: Account, amount: int) -> Entry:
    return Entry(
        key=key, kind=JournalKind.DEPOSIT, brand_id=brand.pk, lines=(Line(source, -amount), Line(target, amount))
    )


def posting(server: Server, tpcb: str, names: dict[str, int], *, seconds: int, rounds: int) -> list[Figure]:
    """Transactions a second in turns with tpcb-like, then processor time with one client."""
    ours = str(connection.settings_dict["NAME"])
    runs = {"tpcb": (tpcb, None), "hot": (ours, HOT), "random": (ours, RANDOM)}
    found: dict[str, list[Run]] = {name: [] for name in runs}
    alone: dict[str, list[Run]] = {name: [] for name in runs}
    for _round in range(rounds):
        for name, (database, script) in runs.items():
            options = {"seconds": seconds, "names": names if script else {}}
            found[name].append(measured(server, database, script, clients=WRITERS, **options))  # type: ignore[arg-type]
            alone[name].append(measured(server, database, script, clients=1, **options))  # type: ignore[arg-type]
    tps = {name: statistics.median(run.tps for run in values) for name, values in found.items()}
    cpu = {name: statistics.median(run.cpu_ms for run in values) for name, values in alone.items()}
    yardstick = {"yardstick": tps["tpcb"], "yardstick_name": "pgbench tpcb-like"}
    cpu_yardstick = {"yardstick": cpu["tpcb"] or None, "yardstick_name": "pgbench tpcb-like"}
    return [
        at_least(
            Figure("posting on one hot house account, 20 writers", tps["hot"], "1/s", **yardstick), 1.0, by_ratio=True
        ),
        at_least(
            Figure("posting between random wallets, 20 writers", tps["random"], "1/s", **yardstick), 0.9, by_ratio=True
        ),
        at_most(
            Figure("server CPU per posting, hot, one writer", cpu["hot"], "ms", **cpu_yardstick), 1.5, by_ratio=True
        ),
        at_most(
            Figure("server CPU per posting, random, one writer", cpu["random"], "ms", **cpu_yardstick),
            1.5,
            by_ratio=True,
        ),
    ]


INVERSIONS = """
SELECT count(*) FROM (SELECT posted_at < lag(posted_at) OVER (PARTITION BY account_id ORDER BY version) AS earlier
  FROM wallet_posting WHERE version IS NOT NULL) p WHERE earlier
"""
BYTES = """
SELECT (pg_total_relation_size('wallet_journal') + pg_total_relation_size('wallet_posting'))::float / count(*)
FROM wallet_journal
"""


def inversions() -> Figure:
    """Postings dated before the one that precedes them, after what twenty writers wrote at once."""
    with connection.cursor() as cursor:
        cursor.execute(INVERSIONS)
        return at_most(Figure("as-of inversions after 20 writers", cursor.fetchone()[0], "postings"), 0)


def size_of_a_posting() -> Figure:
    with connection.cursor() as cursor:
        cursor.execute(BYTES)
        return Figure("a journal with its postings and indexes", cursor.fetchone()[0], "bytes")


def batches(brand: Brand, names: dict[str, int], *, rounds: int) -> Figure:
    """Postings a second of one session that hands over batches, through `ledger.post_many`."""
    hot = Account(pk=names["hot"], currency="EUR")
    wallets = [Account(pk=pk, currency="EUR") for pk in range(names["first"], names["last"] + 1)]
    found = []
    for round_ in range(rounds):
        entries = [
            _entry(brand, f"batch:{round_}:{n}", hot, wallets[n % len(wallets)], n + 1) for n in range(BATCH * 4)
        ]
        started = time.perf_counter()
        for start in range(0, len(entries), BATCH):
            with transaction.atomic():
                ledger.post_many(entries[start : start + BATCH])
        found.append(2 * len(entries) / (time.perf_counter() - started))
    return at_least(Figure(f"postings in batches of {BATCH}, one session", statistics.median(found), "1/s"), 5_000)


def proof(brand: Brand, names: dict[str, int], journals: int, *, rounds: int) -> list[Figure]:
    """Postings a second that `verify_ledger` computes again, the most of several rounds, and the least processor time.

    A round ends within a second: on a machine that others use, too, one alone says more of them than of the proof.
    """
    hot = Account(pk=names["hot"], currency="EUR")
    wallets = [Account(pk=pk, currency="EUR") for pk in range(names["first"], names["last"] + 1)]
    for start in range(0, max(journals - Journal.objects.count(), 0), 5_000):
        entries = [
            _entry(brand, f"proof:{n}", hot, wallets[n % len(wallets)], n % 977 + 1)
            for n in range(start, start + 5_000)
        ]
        with transaction.atomic():
            ledger.post_many(entries)
        seals.seal_pending()  # as beat does every five minutes
    seals.seal_pending()
    analyze()
    speeds, costs = [], []
    for _round in range(min(rounds, 5)):
        started, used = time.perf_counter(), _processor_seconds()
        verdict = verify()
        speeds.append(verdict.postings / (time.perf_counter() - started))
        costs.append((_processor_seconds() - used) * 1_000_000 / verdict.postings)
        if verdict.problems:
            raise RuntimeError(f"the ledger of the benchmark does not hold: {verdict.problems[:3]}")
    return [
        at_least(Figure("postings proved by verify_ledger", max(speeds), "1/s"), 1_000_000),
        Figure("processor time of the proof, all processes", min(costs), "µs a posting"),
    ]


def _processor_seconds() -> float:
    """What this process, its children, its connection to the server and the server's ended ones have used."""
    own = os.times()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    server = server_cpu_ms() / 1000
    with contextlib.suppress(OSError, ValueError):
        fields = stat_of(pid)
        server += sum(int(fields[place]) for place in OWN_TICKS) / os.sysconf("SC_CLK_TCK")
    return own.user + own.system + own.children_user + own.children_system + server


def stored_webhooks(brand: Brand, count: int) -> Figure:
    """Signed webhooks a second that are judged and stored, one transaction each, by a web process per core."""
    psp = Psp(brand=brand, code="benchpay", name="Bench Pay", kind=PspKind.CARD)
    psp.seal_credentials({"api_key": "k", "webhook_secret": "s", "merchant": "merchant-benchpay"})
    psp.save()
    now = int(timezone.now().timestamp())
    messages = []
    for n in range(count):
        body = (
            f'{{"id":"evt_{n}","type":"payment.captured","created":{now},"merchant":"merchant-benchpay","data":'
            f'{{"id":"pay_{n}","reference":"D-{n}","status":"captured","amount_minor":5000,"currency":"EUR",'
            f'"received_minor":5000}}}}'
        ).encode()
        signature = hmac.new(b"s", f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        messages.append((body, {"sandbox-signature": f"t={now},v1={signature}"}))
    processes = os.cpu_count() or 1

    def take_in(number: int) -> None:
        for body, headers in messages[number::processes]:
            receive_webhook(psp=psp, body=body, headers=headers, ip="127.0.0.1")

    spent = in_processes(processes, take_in)
    kept = WebhookMessage.objects.filter(psp=psp, verdict=Verdict.ACCEPTED).count()
    if kept != count:
        raise RuntimeError(f"{kept} of {count} webhooks were stored")
    return at_least(Figure(f"webhooks judged and stored by {processes} processes", count / spent, "1/s"), 1_000)
