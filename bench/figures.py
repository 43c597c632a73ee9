"""bench figures: what the dashboards' figures cost every five minutes, among 1.25 million clients with two years of money.

Clients, leads, calls and deposits are written by set-based statements. The yardstick is the computation
of all figures from nothing on the same rows, which is also what the kept figures must be equal to in the end.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from bench.harness import Figure, analyze, at_most, cpu_ms, own_database, say
from bench.web import LEADS_PER_CLIENT, fill, make_house
from clients.books import MOST_AT_ONCE, move_clients
from clients.models import Client
from clients.ownership.check import close_gaps
from crm.db import partitions
from crm.models import Book, Brand
from reports import upkeep
from wallet.models import Account, Psp

# Leads; one client to 25 leads comes on top.
SIZES = {"tiny": 2_000, "quick": 100_000, "full": 1_200_000}
AGENTS = {"tiny": 20, "quick": 200, "full": 200}
ROUNDS = {"tiny": 2, "quick": 10, "full": 10}
# What a busy brokerage does in five minutes.
IN_FIVE_MINUTES = {"leads": 60, "touched": 150, "calls": 100, "moved": 40}
MOVED_AT_ONCE = {"tiny": 50, "quick": 5_000, "full": 5_000}
MOVED_BY_HAND = {"tiny": 50, "quick": 10_000, "full": 10_000}
DAYS = 730

SPREAD = [
    f"""UPDATE leads_lead SET captured_at = t.at, assigned_at = t.at,
      touched_at = CASE WHEN client_id % 3 > 0 THEN t.at + make_interval(secs => 60 + client_id % 7200) END
    FROM (SELECT id, now() - make_interval(secs => (id::numeric * 7919 % ({DAYS} * 86400))::float8) AS at FROM leads_lead) t
    WHERE t.id = leads_lead.id""",
    f"""UPDATE clients_client SET registered_at = now() - make_interval(secs => (id::numeric * 104729 % ({DAYS} * 86400))::float8)
    WHERE stage = 'active'""",
]
CALLS = f"""
INSERT INTO clients_call (client_id, agent_id, direction, outcome, started_at, duration_seconds, notes, created_at)
SELECT c.id, c.owner_id, 'outbound', 'reached',
  now() - make_interval(secs => ((c.id * 31 + n) * 7919::numeric % ({DAYS} * 86400))::float8), (c.id * n) % 600, '', now()
FROM clients_client c CROSS JOIN generate_series(1, 2) n WHERE c.owner_id IS NOT NULL AND c.id % 2 = 0
"""
DEPOSITS = """
INSERT INTO wallet_deposit (client_id, brand_id, psp_id, wallet_id, reference, request_key, state, session_reference, psp_reference,
  redirect_url, pay_by, instructions, method, instrument, payer_name, received_minor, arrived_currency, fee_basis_points,
  fee_fixed_minor, fee_minor, credited_minor, hold_reasons, charged_back_minor, refunded_minor, failure, is_first, base_amount,
  created_at, settled_at, look_ups, updated_at, amount_minor, currency, journal_id)
SELECT c.id, c.brand_id, %(psp)s, %(wallet)s, 'D-' || c.id || '-' || n, 'k' || n, 'settled', '', '', '',
  'redirect', '{}', '', '', '', minor, '', 0, 0, 0, minor, '{}', 0, 0, '', n = 1, minor / 100.0, t.at, t.at, 0,
  t.at, minor, 'EUR', nextval('wallet_journal_id_seq')
FROM clients_client c CROSS JOIN generate_series(1, %(each)s) n
CROSS JOIN LATERAL (SELECT 1000 + (c.id * n) %% 500000 AS minor,
  now() - make_interval(secs => ((c.id * 17 + n) * 7919::numeric %% (%(days)s * 86400))::float8) AS at) t
WHERE c.stage = 'active' AND c.id %% 2 = 0
"""
HANDED_OVER = """
WITH moved AS (
  INSERT INTO clients_ownership (client_id, book_id, owner_id, since)
  SELECT c.id, b.id, b.owner_id, now() - make_interval(secs => (c.id * 7919::numeric %% (%(days)s * 86400))::float8)
  FROM clients_client c JOIN LATERAL (
    SELECT id, owner_id FROM crm_book WHERE brand_id = c.brand_id AND id > c.book_id AND NOT is_pool ORDER BY id LIMIT 1
  ) b ON true WHERE c.id %% 10 = 0 RETURNING client_id, book_id, owner_id
)
UPDATE clients_client c SET book_id = m.book_id, owner_id = m.owner_id FROM moved m WHERE m.client_id = c.id
"""

LISTS = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(ARRAY['clients_client', 'leads_lead']::regclass[]) AND NOT i.indisprimary
  AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid)
  AND pg_get_indexdef(i.indexrelid) NOT LIKE '%(client_id%'
"""


@contextmanager
def unguarded() -> Iterator[None]:
    """Rows that the bench makes hang together only as far as figures read them: no journals are behind its money."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def _drop_indexes() -> None:
    """Those of lists and searches, which figures never use and which take nine tenths of the load."""
    with connection.cursor() as cursor:
        cursor.execute(LISTS)
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{name}"')


def load(size: str) -> None:
    """Two brands, ten desks, agents with a book each; leads and money of two years; one client in ten changed hands once."""
    make_house(AGENTS[size])
    _drop_indexes()
    leads = SIZES[size]
    step = 200_000
    for first in range(1, leads + 1, step):
        say(f"filling up to {min(first + step - 1, leads):,} leads")
        with unguarded():
            fill(first, min(first + step - 1, leads))
    brand = Brand.objects.order_by("pk")[0]
    psp = Psp.objects.create(brand=brand, code="bench", name="Bench", adapter="sandbox", base_url="http://127.0.0.1:9")
    wallet = Account.objects.create(brand=brand, kind="psp_clearing", currency="EUR", psp=psp)
    say("leads, calls and money of two years")
    with unguarded(), connection.cursor() as cursor:
        for statement in (*SPREAD, CALLS):
            cursor.execute(statement)
        cursor.execute(DEPOSITS, {"psp": psp.pk, "wallet": wallet.pk, "each": 8, "days": DAYS})
    close_gaps()
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(HANDED_OVER, {"days": DAYS})
    analyze()


BUSY = {
    "leads": "INSERT INTO leads_lead (client_id, brand_id, channel, captured_at, source, medium, utm, click_id, referral_code,"
    " sub_id, landing_url, referrer, user_agent_hash, country_guess, language, message, consents, typed, is_duplicate, "
    " match_reasons, idempotency_key, body_hash, score, score_reasons, assigned_to_id, assigned_at, routing_reasons,"
    " tried_agents, sla_missed, refusal, learned_reasons)"
    " SELECT id, brand_id, 'landing', now(), '', '', '{{}}', '', '', '', '', '', '', '', '', '', '{{}}', '{{}}', false, '[]',"
    " '', '', 0, '[]', owner_id, now(), '[]', '{{}}', 0, '', '{{}}' FROM ({some}) c",
    "touched": "UPDATE leads_lead SET touched_at = now() WHERE client_id IN (SELECT id FROM ({some}) c)",
    "calls": "INSERT INTO clients_call (client_id, agent_id, direction, outcome, started_at, duration_seconds, notes, created_at)"
    " SELECT id, owner_id, 'outbound', 'reached', now(), 90, '', now() FROM ({some}) c",
    "moved": "UPDATE clients_client SET owner_id = (SELECT max(owner_id) FROM crm_book) WHERE id IN (SELECT id FROM ({some}) c)",
}
SOME = "SELECT id, brand_id, owner_id FROM clients_client WHERE id % 7919 = {rest} ORDER BY id DESC LIMIT {count}"


def busy(turn: int) -> None:
    """Five minutes of a busy brokerage, spread over clients of all ages, with the triggers that a writer sets off."""
    with transaction.atomic(), connection.cursor() as cursor:
        for place, (name, statement) in enumerate(BUSY.items()):
            some = SOME.format(rest=(turn * 10 + place) % 7919, count=IN_FIVE_MINUTES[name])
            cursor.execute(statement.format(some=some))


def move(count: int) -> None:
    """As many clients of one brand into the last book, by the verb, as often as its limit asks for."""
    book = Book.objects.filter(brand=Brand.objects.order_by("pk")[0], is_pool=False).order_by("-pk")[0]
    ids = list(
        Client.objects.filter(brand=book.brand).exclude(book=book).order_by("pk").values_list("pk", flat=True)[:count]
    )
    for first in range(0, len(ids), MOST_AT_ONCE):
        move_clients(client_ids=ids[first : first + MOST_AT_ONCE], to_book_id=book.pk, is_owner_notified=False)


def moved(count: int) -> None:
    """As many clients to another agent at once, as a desk head does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clients_client SET owner_id = (SELECT min(owner_id) FROM crm_book)"
            " WHERE id IN (SELECT id FROM clients_client ORDER BY hashint8(id) LIMIT %s)",
            [count],
        )


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor."""
    started, used = time.perf_counter(), cpu_ms()
    work()
    return (time.perf_counter() - started) * 1000, cpu_ms() - used


def run(size: str) -> list[Figure]:
    with own_database("figures"):
        partitions.ensure_upcoming()
        load(size)
        return measure(size)


def measure(size: str) -> list[Figure]:
    head = f"{SIZES[size] + SIZES[size] // LEADS_PER_CLIENT:,} clients"

    def beside(name: str, value: float, yardstick: float) -> Figure:
        return Figure(f"{head}: {name}", value, "ms", yardstick, "from nothing")

    say("all figures from nothing")
    nothing, nothing_work = measured(upkeep.rebuild)
    analyze()
    rounds = []
    for turn in range(ROUNDS[size]):
        busy(turn)
        rounds.append(measured(upkeep.refresh))
    clock, work = (statistics.median(values) for values in zip(*rounds, strict=True))
    quiet = measured(upkeep.refresh)[0]
    moving = measured(lambda: move(MOVED_BY_HAND[size]))[0]
    upkeep.refresh()
    moved(MOVED_AT_ONCE[size])
    many = measured(upkeep.refresh)[0]
    say("compared with a computation from nothing")
    differing: list[int] = []
    compared = measured(lambda: differing.append(upkeep.check()))[0]
    return [
        at_most(beside("five busy minutes", clock, nothing), 500),
        beside("the same, processor time", work, nothing_work),
        beside("five minutes without a change", quiet, nothing),
        beside(f"{MOVED_AT_ONCE[size]:,} moved at once", many, nothing),
        beside(f"{MOVED_BY_HAND[size]:,} moved by the verb", moving, nothing),
        beside("daily comparison", compared, nothing),
        at_most(Figure(f"{head}: places that differ from it", differing[0], "places"), 0),
    ]
