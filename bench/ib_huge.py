"""`bench ib --size huge`: whether a full run stays linear up to five million deals, and its memory flat; nothing else is measured.

Nobody is above the clients' partners and each plan pays per lot alone, so that a deal has one line or one reason; ranks, caps,
exclusions and personal ratios are those of `bench.ib`. A position is opened once and closed in four parts, and the deals are made
by one statement per million. Each size is one pass over all deals from nothing, in a session of its own whose memory is read when
the pass is done; the yardstick writes the same lines once more, as in `bench.ib`.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from django.db import connection
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, say
from bench.ib import DAYS, PLAIN, add_triggers, fill, timed
from crm.db.partitions import ensure_months
from crm.models import Brand
from ib import engine
from ib.choices import RunKind
from trading.models import TradingAccount, TradingServer

MILLION = 1_000_000
# By a trial of 200,000 deals (80 µs of the processor a line) ten million would take more than forty minutes.
SIZES = (MILLION // 2, MILLION + MILLION // 2, 5 * MILLION)
PARTNERS, CLIENTS = 1_000, 10_000
CLOSES = 4
# A position's opening, and its closes an hour and more later; each million of closes over the same days.
DEALS = """
INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots, closed_lots,
  contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw)
SELECT t.at + make_interval(secs => part * 3600), %(server)s, (%(from)s + n) * 8 + part, a.id, a.login, 0, least(part, 1),
  least(part, 1), (ARRAY['EURUSD', 'XAUUSD', 'DE40'])[1 + (n %% 3)::int],
  (0.4 + n %% 20) / CASE WHEN part = 0 THEN 1 ELSE %(closes)s END,
  CASE WHEN part = 0 THEN 0 ELSE (0.4 + n %% 20) / %(closes)s END, 100000, 1.1, 1.1, least(part, 1) * (n %% 41 - 20), -3, 0, 0,
  %(from)s + n, 0, '{}'
FROM generate_series(1, %(positions)s::bigint) n
CROSS JOIN generate_series(0, %(closes)s) part
CROSS JOIN LATERAL (SELECT %(since)s + make_interval(secs => (n::float8 / %(positions)s) * %(days)s * 86400) AS at) t
JOIN trading_tradingaccount a ON a.id = %(first)s + ((%(from)s + n) * 7919) %% %(accounts)s
"""
# What a run has written; the accruals refuse to be emptied.
EMPTY = """
ALTER TABLE ib_accrual DISABLE TRIGGER USER;
TRUNCATE ib_accrual, ib_partnerday, ib_cappedday;
ALTER TABLE ib_accrual ENABLE TRIGGER USER
"""


def measure(sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    since = timezone.now() - dt.timedelta(days=DAYS + 2)
    brand = fill(PARTNERS, CLIENTS, is_short=True)
    figures: list[Figure] = []
    made = 0
    costs: list[float] = []
    peaks: list[float] = []
    for deals in sizes:
        made = make_deals(deals, made, since)
        lines, took, used, peak = full_run(brand, since)
        plain, plain_used = plain_insert()
        costs.append(used / lines * 1e6)
        peaks.append(peak)
        name = f"{deals:,} deals, {lines:,} lines"
        figures += [
            Figure(f"{name}: full run", took, "s", plain, "INSERT … SELECT"),
            Figure(f"{name}: full run, processor", used, "s", plain_used, "INSERT … SELECT"),
            Figure(f"{name}: a line, processor", costs[-1], "µs"),
            Figure(f"{name}: most memory", peak, "MB"),
        ]
    return [
        *figures,
        at_most(Figure("a line of the most deals", costs[-1], "µs", costs[0], "the fewest"), 1.2, by_ratio=True),
        at_most(Figure("memory of the most deals", peaks[-1], "MB", peaks[0], "the fewest"), 1.2, by_ratio=True),
    ]


def make_deals(deals: int, made: int, since: dt.datetime) -> int:
    """Add closing deals until there are so many, and their openings; set-based, a million a statement."""
    started = time.perf_counter()
    ensure_months("trading_deal", since.date(), timezone.now().date() + dt.timedelta(days=31))
    accounts = TradingAccount.objects.order_by("pk")
    given = {
        "server": TradingServer.objects.get().pk,
        "closes": CLOSES,
        "since": since,
        "days": DAYS,
        "first": accounts.values_list("pk", flat=True).first(),
        "accounts": accounts.count(),
    }
    with connection.cursor() as cursor:
        while made < deals:
            batch = min(MILLION, deals - made)
            cursor.execute(DEALS, {**given, "from": made, "positions": batch // CLOSES})
            made += batch
    analyze()
    say(f"{deals:,} deals, made in {time.perf_counter() - started:.0f} s")
    return made


def full_run(brand: Brand, since: dt.datetime) -> tuple[int, float, float, float]:
    """Return lines, seconds, those of the processor, and the most memory in MB of one pass from nothing, in a new session."""
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
    connection.close()
    scope = engine.Scope(from_at=since - dt.timedelta(days=1), to_at=timezone.now())
    Path("/proc/self/clear_refs").write_text("5")  # the most until here is forgotten
    before = _status("self")["VmRSS"]
    took, used = timed(lambda: engine.run(brand=brand, scope=scope, kind=RunKind.REPLAY, corrects=False))
    peak = peak_mb(before)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ib_accrual")
        lines = cursor.fetchone()[0]
    say(f"  {lines:,} lines, {used / lines * 1e6:.1f} µs of the processor each, {peak:.0f} MB")
    return lines, took, used, peak


def plain_insert() -> tuple[float, float]:
    """Return the seconds, and those of the processor, in which the same lines are written once more into a table like theirs."""
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
        add_triggers(cursor)
        took, used = timed(lambda: cursor.execute("INSERT INTO plain_accrual SELECT * FROM ib_accrual ORDER BY id"))
        cursor.execute("DROP TABLE plain_accrual")
    return took, used


def peak_mb(before: int) -> float:
    """Return the most memory of the session, less the buffers that all sessions share, and what this process grew by."""
    own, session = _status("self"), _status(str(connection.connection.info.backend_pid))
    return (own["VmHWM"] - before + session["VmHWM"] - session["RssShmem"]) / 1024


def _status(pid: str) -> dict[str, int]:
    rows = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if row[0] in ("VmHWM:", "VmRSS:", "RssShmem:")}
