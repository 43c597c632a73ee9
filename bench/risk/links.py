"""The link graph: all links of a brand's clients from what they share, and how long one client's surroundings take.

Every client has an e-mail address, a phone, devices, networks, a card and a bank account. Households share some of them, offices
and mobile networks only an address, kiosks a device of hundreds; one client in 200 is a second record of the one before.
"""

from __future__ import annotations

import statistics
import time

from django.db import connection

from bench.figures import unguarded
from bench.harness import Figure, analyze, at_least, at_most, own_database, say
from bench.ledger import CLIENTS
from clients.models import Client, Identifier
from crm.choices import Role
from crm.models import Book, Brand, Desk, User
from risk.links.graph import all_links, around, groups
from risk.links.weights import NEEDED, SHARED_MAX

SIZES = {"tiny": 400, "quick": 20_000, "full": 100_000}
DOUBLES_EVERY = 200
PAGES = 20
IDENTIFIERS = """
INSERT INTO clients_identifier (kind, mark, client_id, first_seen, last_seen, times)
SELECT DISTINCT ON (v.kind, v.value, c.id) v.kind, sha256((v.kind || ':' || v.value)::bytea), c.id,
  now() - interval '400 days', now() - make_interval(days => (c.n %% 300)::int), 1 + c.n %% 40
FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM clients_client) c
CROSS JOIN LATERAL (VALUES
  ('email', c.n::text),
  ('phone', CASE WHEN c.n %% 20 = 1 THEN c.n - 1 ELSE c.n END::text),
  ('device', CASE WHEN c.n %% 10 < 3 THEN 'home ' || c.n / 10 ELSE c.n::text END),
  ('device', 'second ' || c.n),
  ('device', CASE WHEN c.n %% 400 = 7 THEN 'kiosk ' || c.n %% 4000 / 400 ELSE 'third ' || c.n END),
  ('ip_prefix', CASE WHEN c.n %% 10 < 3 THEN 'home ' || c.n / 10 ELSE c.n::text END),
  ('ip_prefix', 'office ' || c.n / 20),
  ('ip_prefix', 'mobile ' || c.n %% 300),
  ('card', CASE WHEN c.n %% 30 = 1 THEN c.n - 1 ELSE c.n END::text),
  ('bank_account', CASE WHEN c.n %% 50 = 1 THEN c.n - 1 ELSE c.n END::text),
  ('document', CASE WHEN c.n %% %(doubles)s = 1 THEN c.n - 1 ELSE c.n END::text)
) v (kind, value)
"""
MARKS = """
SELECT count(*) FROM (SELECT kind, mark FROM clients_identifier GROUP BY 1, 2 HAVING count(*) BETWEEN 2 AND %s) x
"""


def run(size: str) -> list[Figure]:
    count = SIZES[size]
    with own_database("risk_links"):
        say(f"identifiers of {count:,} clients")
        brand = _load(count)
        return _measure(brand, count)


def _load(count: int) -> Brand:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, desk=Desk.objects.create(brand=brand, name="Desk"), name="Book")
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(CLIENTS, [brand.pk, book.pk, count])
        cursor.execute(IDENTIFIERS, {"doubles": DOUBLES_EVERY})
    analyze()
    return brand


def _measure(brand: Brand, count: int) -> list[Figure]:
    say("the graph")
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(MARKS, [SHARED_MAX])
        cursor.fetchone()
        marks = time.perf_counter() - started
    started = time.perf_counter()
    links = all_links(brand.pk, least=0.1)
    found = groups(pair for pair, weight in links.items() if weight >= NEEDED)
    spent = time.perf_counter() - started
    doubles = -(-(count - 1) // DOUBLES_EVERY)
    likely = sum(len(group) == 2 for group in found)
    user = _reader()
    ids = Client.objects.order_by("pk").values_list("pk", flat=True)[: 2 * PAGES]
    single = []
    for client in Client.objects.filter(pk__in=list(ids)):
        started = time.perf_counter()
        around(user, client)
        single.append(time.perf_counter() - started)
    name = f"link graph of {count:,} clients, {Identifier.objects.count():,} identifiers, {len(links):,} links"
    return [
        at_most(Figure(name, spent, "s", marks, "one pass over the marks"), 60),
        at_least(Figure("second records found in it", likely / doubles, "share"), 1),
        Figure("links around one client", 1000 * statistics.median(single), "ms"),
    ]


def _reader() -> User:
    from guardian.shortcuts import assign_perm

    from bench.web import make_user

    desk = Desk.objects.get()
    user = make_user("reader", Role.DESK_HEAD, desk)
    assign_perm("crm.access_desk", user, desk)
    return user
