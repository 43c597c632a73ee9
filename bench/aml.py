"""`bench aml`: AML rules over many movements: new ones as they come, and a back-test of a year, beside a plain GROUP BY.

Movements are spread over a year and over clients; one in fifty is just below a limit. The yardstick reads the same rows of a year
once and groups them by client and day: what any rule over them costs at least.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, own_database, say
from clients.models import Client
from compliance.aml import shipped
from compliance.aml.choices import VersionState
from compliance.aml.models import AmlRuleVersion
from compliance.aml.running import raised_in, run_pending
from crm.choices import UserKind
from crm.models import Book, Brand, Desk, User

# Movements, clients, movements that are new.
SIZES = {"tiny": (2_000, 100, 200), "quick": (100_000, 5_000, 10_000), "full": (10_000_000, 100_000, 10_000)}
MOVEMENTS = """
INSERT INTO compliance_amlmovement (source, client_id, brand_id, kind, at, method, instrument, instrument_mark, is_third_party,
  is_return, currency, amount, base_amount, country, bank_country, recorded_at)
SELECT 'bench:' || n, c.id, %(brand)s,
  CASE WHEN n %% 5 = 0 THEN 'withdrawal' WHEN n %% 997 = 0 THEN 'chargeback' ELSE 'deposit' END,
  %(now)s - make_interval(secs => (n::float8 / %(count)s) * 365 * 86400),
  (ARRAY['card', 'bank', 'crypto', 'wallet'])[1 + (n %% 4)::int],
  '', md5((n %% 7)::text), n %% 400 = 0, n %% 11 = 0, 'EUR', a.amount, a.amount,
  (ARRAY['DE', 'ES', 'VN', 'AT'])[1 + (n %% 4)::int], (ARRAY['DE', 'ES', 'VN', ''])[1 + (n %% 4)::int], %(now)s
FROM generate_series(1, %(count)s::bigint) n
JOIN LATERAL (SELECT CASE WHEN n %% 50 = 0 THEN 1900 ELSE 50 + (n * 7919) %% 1500 END::numeric AS amount) a ON true
JOIN LATERAL (SELECT %(first)s + (n * 7919::bigint) %% %(clients)s AS id) c ON true
"""
QUEUE = """
INSERT INTO compliance_amlpending (client_id, since) SELECT client_id, min(at) FROM (
  SELECT client_id, at FROM compliance_amlmovement ORDER BY at DESC LIMIT %s) m GROUP BY 1
"""
BARE = "SELECT client_id, at::date, count(*), sum(base_amount) FROM compliance_amlmovement WHERE at >= %s GROUP BY 1, 2"


COUNTRIES = ("DE", "ES", "VN", "AT")
YARDSTICK = "GROUP BY client and day of the same rows"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(size: str) -> list[Figure]:
    with own_database("aml"):
        return measure(size)


def measure(size: str) -> list[Figure]:
    count, clients, new = SIZES[size]
    now = timezone.now()
    brand = fill(count, clients, now)
    year = now.replace(year=now.year - 1) if (now.month, now.day) != (2, 29) else now.replace(year=now.year - 1, day=28)
    with connection.cursor() as cursor:
        bare = min(seconds(lambda: cursor.execute(BARE, [year])) for _round in range(3))
    shipped.add_shipped(brand_id=brand.pk, actor=None)
    versions = list(AmlRuleVersion.objects.select_related("rule__brand").order_by("pk"))
    slowest, total = 0.0, 0.0
    for version in versions:
        took = seconds(lambda version=version: raised_in(version, year, now))  # type: ignore[misc]
        say(f"{version.measure}: {took:.2f} s")
        slowest, total = max(slowest, took), total + took
    officers = [User.objects.create_user(f"o{n}", f"o{n}@example.com", kind=UserKind.STAFF) for n in range(2)]
    AmlRuleVersion.objects.update(
        state=VersionState.LIVE, live_since=year, proposed_by=officers[0], approved_by=officers[1]
    )
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, [new])
    live = seconds(run_pending)
    return [
        at_most(Figure("back-test of a year, slowest rule", slowest, "s", bare, YARDSTICK), 60),
        Figure(f"back-test of a year, {len(versions)} rules", total, "s", bare, YARDSTICK),
        at_most(Figure(f"{new:,} new movements, {len(versions)} rules", live, "s", bare, YARDSTICK), 5 * new / 10_000),
    ]


def fill(count: int, clients: int, now: object) -> Brand:
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
    analyze()
    return brand
