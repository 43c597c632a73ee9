"""`bench aml`: AML rules over many movements: new ones as they come, and a back-test of a year, beside a plain GROUP BY.

Movements are spread over a year and over clients; one in fifty is just below a limit, one in 500 a trade against the neighbour.
A client has two cards; two of three declared an income, a few of them less than they deposit; one in 25 shares a device. The
yardstick reads the same rows of a year once and groups them by client and day: what any rule over them costs at least. Closed
positions come in batches as deals are synced, beside a plain INSERT of the same rows. Processor seconds are those of this process
and its session, without a statement's parallel workers.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, cpu_ms, own_database, say
from clients.models import Client
from compliance.aml import shipped
from compliance.aml.choices import VersionState
from compliance.aml.models import AmlRuleVersion
from compliance.aml.opposite import COLUMNS, ClosedPosition, record_positions
from compliance.aml.running import raised_in, run_pending
from crm.choices import UserKind
from crm.models import Book, Brand, Desk, User

# Movements, clients, movements that are new.
# Then closed positions that are there, and new ones.
SIZES = {
    "tiny": (2_000, 100, 200, 500, 100),
    "quick": (100_000, 5_000, 10_000, 50_000, 5_000),
    "full": (10_000_000, 100_000, 10_000, 1_000_000, 10_000),
}
MOVEMENTS = """
INSERT INTO compliance_amlmovement (source, client_id, brand_id, kind, at, method, instrument, instrument_mark, is_third_party,
  is_return, currency, amount, base_amount, country, bank_country, counterpart_id, recorded_at)
SELECT 'bench:' || n, c.id, %(brand)s,
  CASE WHEN n %% 500 = 1 THEN (ARRAY['trade_gain', 'trade_loss'])[1 + (c.id %% 2)::int]
    WHEN n %% 5 = 0 THEN 'withdrawal' WHEN n %% 997 = 0 THEN 'chargeback' ELSE 'deposit' END,
  %(now)s - make_interval(secs => (n::float8 / %(count)s) * 365 * 86400),
  (ARRAY['card', 'bank', 'crypto', 'wallet'])[1 + (n %% 4)::int],
  '', md5(c.id || '-' || n / %(clients)s %% 2), n %% 400 = 0, n %% 11 = 0, 'EUR', a.amount, a.amount,
  (ARRAY['DE', 'ES', 'VN', 'AT'])[1 + (n %% 4)::int], (ARRAY['DE', 'ES', 'VN', ''])[1 + (n %% 4)::int],
  CASE WHEN n %% 500 = 1 THEN CASE c.id WHEN %(first)s THEN %(first)s + 1 ELSE c.id - 1 END END, %(now)s
FROM generate_series(1, %(count)s::bigint) n
JOIN LATERAL (SELECT CASE WHEN n %% 50 = 0 THEN 1900 ELSE 50 + (n * 7919) %% 1500 END::numeric AS amount) a ON true
JOIN LATERAL (SELECT %(first)s + (n * 7919::bigint) %% %(clients)s AS id) c ON true
"""
MONTHS = """
INSERT INTO compliance_amlmonth (brand_id, client_id, month, total)
SELECT brand_id, client_id, date_trunc('month', at AT TIME ZONE 'UTC')::date, sum(base_amount)
FROM compliance_amlmovement WHERE kind = 'deposit' GROUP BY 1, 2, 3
"""
DECLARED = """
INSERT INTO clients_declaration (client_id, fact, given_at, amount, given_currency, codes, source)
SELECT id, 'yearly_income', %s, 40000 + (id * 7919) %% 100000, '', '{}', 'bench' FROM clients_client WHERE id %% 3 > 0
"""
DEVICES = """
INSERT INTO clients_identifier (kind, mark, client_id, first_seen, last_seen, times)
SELECT 'device', sha256((CASE WHEN id %% 50 < 2 THEN id / 50 ELSE -id END)::text::bytea), id, %(at)s, %(at)s, 1 FROM clients_client
"""
POSITIONS = """
INSERT INTO compliance_amlclosedposition (source, client_id, brand_id, login, symbol, is_long, volume, opened_at, closed_at,
  net_base)
SELECT 'bench:' || n, %(first)s + (n * 7919::bigint) %% %(clients)s, %(brand)s, '1',
  (ARRAY['EURUSD', 'XAUUSD', 'GBPUSD', 'US500', 'DE40'])[1 + (n * 31 %% 5)::int], n %% 2 = 0, 1000 * (1 + n * 17 %% 100), o.at,
  o.at + make_interval(secs => 60 + n * 104729 %% 14400), (n * 7919 %% 2001 - 1000) / 10.0
FROM generate_series(1, %(count)s::bigint) n
CROSS JOIN LATERAL (SELECT %(now)s - make_interval(secs => (n::float8 / %(count)s) * %(days)s * 86400) AS at) o
"""
POSITION_DAYS = 30
QUEUE = """
INSERT INTO compliance_amlpending (client_id, since) SELECT client_id, min(at) FROM (
  SELECT client_id, at FROM compliance_amlmovement ORDER BY at DESC LIMIT %s) m GROUP BY 1
"""
PLAIN = """
CREATE TEMPORARY TABLE plain_positions AS SELECT * FROM compliance_amlclosedposition WHERE false;
INSERT INTO plain_positions SELECT * FROM new_positions
"""
BARE = "SELECT client_id, at::date, count(*), sum(base_amount) FROM compliance_amlmovement WHERE at >= %s GROUP BY 1, 2"


COUNTRIES = ("DE", "ES", "VN", "AT")
YARDSTICK = "GROUP BY client and day of the same rows"


def seconds(work: Callable[[], object]) -> float:
    """Return clock seconds, and print those of the processor beside them."""
    started, used = time.perf_counter(), cpu_ms()
    work()
    took = time.perf_counter() - started
    say(f"  {took:.2f} s, processor {(cpu_ms() - used) / 1000:.2f} s")
    return took


def run(size: str) -> list[Figure]:
    with own_database("aml"):
        return measure(size)


def measure(size: str) -> list[Figure]:
    count, clients, new, positions, closed = SIZES[size]
    now = timezone.now()
    brand = fill(count, clients, now)
    year = now.replace(year=now.year - 1) if (now.month, now.day) != (2, 29) else now.replace(year=now.year - 1, day=28)
    with connection.cursor() as cursor:
        bare = min(seconds(lambda: cursor.execute(BARE, [year])) for _round in range(3))
    shipped.add_shipped(brand_id=brand.pk, actor=None)
    versions = list(AmlRuleVersion.objects.select_related("rule__brand").order_by("pk"))
    slowest, total = 0.0, 0.0
    for version in versions:
        say(f"{version.measure} ({version.rule})")
        took = seconds(lambda version=version: raised_in(version, year, now))  # type: ignore[misc]
        slowest, total = max(slowest, took), total + took
    officers = [User.objects.create_user(f"o{n}", f"o{n}@example.com", kind=UserKind.STAFF) for n in range(2)]
    AmlRuleVersion.objects.update(
        state=VersionState.LIVE, live_since=year, proposed_by=officers[0], approved_by=officers[1]
    )
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, [new])
    say("live")
    live = seconds(lambda: say(f"  {run_pending()} alerts"))
    matched, plain = opposite(brand, clients, positions, closed, now)
    return [
        at_most(Figure("back-test of a year, slowest rule", slowest, "s", bare, YARDSTICK), 60),
        Figure(f"back-test of a year, {len(versions)} rules", total, "s", bare, YARDSTICK),
        at_most(Figure(f"{new:,} new movements, {len(versions)} rules", live, "s", bare, YARDSTICK), 5 * new / 10_000),
        Figure(
            f"{closed:,} closed positions compared with {positions:,}", matched, "s", plain, "INSERT of the same rows"
        ),
    ]


def opposite(brand: Brand, clients: int, positions: int, closed: int, now: dt.datetime) -> tuple[float, float]:
    """Compare new closed positions with those of a month; returns the seconds, and those of a plain INSERT."""
    first = Client.objects.order_by("pk").values_list("pk", flat=True).first()
    given: dict[str, Any] = {"brand": brand.pk, "now": now, "first": first, "clients": clients, "days": POSITION_DAYS}
    with connection.cursor() as cursor:
        cursor.execute(POSITIONS, {**given, "count": positions})
        analyze()
        cursor.execute("CREATE TEMPORARY TABLE new_positions AS SELECT * FROM compliance_amlclosedposition WHERE false")
        sample = POSITIONS.replace("compliance_amlclosedposition", "new_positions").replace("'bench:'", "'new:'")
        cursor.execute(sample, {**given, "count": closed, "days": 1})
        cursor.execute(
            "SELECT source, client_id, brand_id, login, symbol, is_long, volume, opened_at, closed_at, net_base FROM new_positions"
        )
        rows = [ClosedPosition(**dict(zip(COLUMNS, row, strict=True))) for row in cursor.fetchall()]
        say("plain INSERT")
        plain = seconds(lambda: cursor.execute(PLAIN))
        say("closed positions")
        matched = seconds(lambda: say(f"  {record_positions(rows)} matches"))
    return matched, plain


def fill(count: int, clients: int, now: dt.datetime) -> Brand:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    desk = Desk.objects.create(brand=brand, name="Desk")
    book = Book.objects.create(brand=brand, desk=desk, name="Book")
    made = (
        Client(brand=brand, book=book, first_name=f"C{n}", country=COUNTRIES[n % 4], created_at=now)
        for n in range(clients)
    )
    Client.objects.bulk_create(made, batch_size=5_000)
    with connection.cursor() as cursor:
        first = Client.objects.order_by("pk").values_list("pk", flat=True).first()
        cursor.execute(MOVEMENTS, {"brand": brand.pk, "now": now, "count": count, "first": first, "clients": clients})
        cursor.execute(MONTHS)
        cursor.execute(DECLARED, [now - dt.timedelta(days=400)])
        cursor.execute(DEVICES, {"at": now - dt.timedelta(days=400)})
    analyze()
    return brand
