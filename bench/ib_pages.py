"""`bench ib_pages`: partner pages, a move in the tree and commissions as deals come, beside millions of lines.

The lines aren't calculated: each of some trades over 90 days pays the client's partner and everyone above them, in one statement,
with the running sums beside them. 500 trades more go through the engine, so that some lines can be explained.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import Final

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client as Browser
from django.utils import timezone

from bench import ib_tracking
from bench.harness import Figure, analyze, at_most, cpu_ms, own_database, own_pages, p95, say
from bench.ib import LIVE_BATCH, fill, make_deals, timed
from crm.models import Brand, User
from ib import engine, periods, tree
from ib.models import Accrual, Attribution, CommissionRun, Partner

# Trades, partners, clients; how large a funnel (of `ib_tracking`), and how often each page is asked for.
SIZES = {
    "tiny": (300, 120, 60, "tiny", 3),
    "quick": (60_000, 5_000, 5_000, "quick", 20),
    "full": (2_150_000, 100_000, 50_000, "full", 20),
}
SPAN_DAYS: Final = 90
PARTS: Final = 30
LIVE_ROUNDS: Final = 5
# A twenty-fifth of the clients are the first partner's own, who asks for the pages: they pay one line a trade.
OWN: Final = 25
TO_THE_FIRST = """
UPDATE ib_attribution SET partner_id = %(first)s WHERE client_id %% %(own)s = 0
"""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = 'ib_accrual' AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'ib_accrual'::regclass)
"""
LINES = """
INSERT INTO ib_accrual (run_id, kind, state, reason, partner_id, introducer_id, level, client_id, deal_id, ticket, closed_at,
  account_id, symbol, symbol_group, lots, held_seconds, version_id, component, basis_currency, rate, share, is_override,
  rate_currency, rate_amount, fx_rate, currency, amount, period_id, source, created_at)
SELECT %(run)s, 'original', CASE WHEN n %% 33 = 0 THEN 'excluded' ELSE 'accrued' END,
  CASE WHEN n %% 33 = 0 THEN 'held_too_short' ELSE '' END, u.ancestor_id, u.partner_id, u.level, c.client_id,
  1000000000 + n, n, t.at, c.client_id, (ARRAY['EURUSD', 'XAUUSD', 'DE40'])[1 + n %% 3],
  (ARRAY['fx_majors', 'metals', 'indices'])[1 + n %% 3], 0.1 + n %% 20, 3600, %(version)s, 'lot', '', 7, 0.5 / u.level, false,
  p.currency, CASE WHEN n %% 33 = 0 THEN 0 ELSE (0.1 + n %% 20) * 7 * 0.5 / u.level END, 1, p.currency,
  CASE WHEN n %% 33 = 0 THEN 0 ELSE (0.1 + n %% 20) * 7 * 0.5 / u.level END, s.id, '', t.at
FROM generate_series(%(from)s, %(to)s) n
JOIN (SELECT row_number() OVER (ORDER BY client_id) - 1 AS k, client_id, partner_id FROM ib_attribution) c
  ON c.k = (n::bigint * 7919) %% %(clients)s
JOIN ib_upline u ON u.partner_id = c.partner_id AND u.ends_at IS NULL
JOIN ib_partner p ON p.id = u.ancestor_id
CROSS JOIN LATERAL (SELECT %(since)s::timestamptz + n::float8 / %(trades)s * interval '{days} days' AS at) t
JOIN ib_settlementperiod s ON s.starts_at <= t.at AND s.ends_at > t.at
"""
SUMS = """
INSERT INTO ib_partnerday (partner_id, period_id, day, currency, amount, lots, trades, unpaid)
SELECT partner_id, period_id, (closed_at AT TIME ZONE 'UTC')::date, currency, sum(amount),
  coalesce(sum(lots) FILTER (WHERE state = 'accrued'), 0), count(*) FILTER (WHERE state = 'accrued'),
  count(*) FILTER (WHERE state = 'excluded')
FROM ib_accrual GROUP BY 1, 2, 3, 4
"""
PARTNERS_PAGES: Final = (
    "/partners/",
    "/partners/?period=90",
    "/partners/network/",
    "/partners/network/list/",
    "/partners/network/list/?q=p1234",
    "/partners/clients/",
    "/partners/earnings/",
    "/partners/earnings/?state=excluded",
    "/partners/earnings/?level=4",
    "/partners/links/",
    "/partners/links/sources/",
    "/partners/payouts/",
    "/partners/disputes/",
    "/partners/team/",
)
STAFFS_PAGES: Final = (
    "/ib/partners/{first}/",
    "/ib/partners/{first}/network/",
    "/ib/partners/{first}/network/?q=p1234",
    "/ib/partners/{first}/network/?q=C1234",
    "/ib/partners/{first}/commissions/",
    "/ib/partners/",
    "/ib/partners/?q=p1234",
    "/ib/commissions/",
    "/ib/commissions/not-paid/",
    "/ib/performance/",
)


def run(size: str) -> list[Figure]:
    with own_database("ib_pages"), own_pages():
        return measure(size)


def measure(size: str) -> list[Figure]:
    trades, partners, clients, funnel, times = SIZES[size]
    brand = fill(partners, clients)
    first = Partner.objects.select_related("user").get(code="p1")
    figures = write_lines(brand, first, trades)
    staff = User.objects.create_superuser("manager", "manager@example.com", "!")
    figures += pages(first.user, [*PARTNERS_PAGES, f"/partners/network/{first.pk}/?level=2"], times, goal=50)
    # Whose sub-partners' plans decide what is earned below: the first partner's plan pays the difference.
    second = Partner.objects.select_related("user").get(code="p2")
    figures += pages(second.user, ["/partners/"], times, goal=50, of=" of the second partner")
    figures += pages(staff, [page.format(first=first.pk) for page in STAFFS_PAGES], times, goal=50)
    figures += [*live(brand), *explained(first, times), *move()]
    return [*figures, *ib_tracking.funnel(first, funnel)]


def write_lines(brand: Brand, first: Partner, trades: int) -> list[Figure]:
    """Write the lines without indexes, which are built afterwards, as an import would."""
    since = timezone.now() - dt.timedelta(days=SPAN_DAYS)
    periods.ensure_periods(brand, since, timezone.now())
    engine_run = CommissionRun.objects.create(brand=brand, kind="nightly", started_at=since, finished_at=timezone.now())
    plan = first.plans.order_by("pk")[0].plan
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ib_attribution DISABLE TRIGGER USER")
        cursor.execute(TO_THE_FIRST, {"first": first.pk, "own": OWN})
        cursor.execute("ALTER TABLE ib_attribution ENABLE TRIGGER USER")
        cursor.execute(INDEXES)
        indexes = cursor.fetchall()
        for name, _text in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("ALTER TABLE ib_accrual DISABLE TRIGGER USER")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        given = {
            "run": engine_run.pk,
            "version": plan.versions.get().pk,
            "trades": trades,
            "clients": Attribution.objects.count(),
            "since": since,
        }
        say("lines")
        timed(lambda: _in_parts(cursor, trades, given))
        say("indexes")
        timed(lambda: [cursor.execute(text) for _name, text in indexes])
        say("running sums")
        timed(lambda: cursor.execute(SUMS))
        cursor.execute("ALTER TABLE ib_accrual ENABLE TRIGGER USER")
        for setting in ("synchronous_commit", "work_mem", "maintenance_work_mem"):
            cursor.execute(f"RESET {setting}")
    analyze()
    return [
        Figure("lines", Accrual.objects.count(), ""),
        Figure("partners", Partner.objects.count(), ""),
        Figure("lines of the partner who asks", Accrual.objects.filter(partner=first).count(), ""),
    ]


def _in_parts(cursor: CursorWrapper, trades: int, given: dict[str, object]) -> None:
    """Write the lines a few days at a time, so that they lie by time as they would."""
    each = trades // PARTS + 1
    for start in range(1, trades + 1, each):
        cursor.execute(LINES.format(days=SPAN_DAYS), {**given, "from": start, "to": min(start + each - 1, trades)})


def pages(user: User, addresses: list[str], times: int, *, goal: float, of: str = "") -> list[Figure]:
    browser = Browser()
    browser.force_login(user, backend="crm.accounts.backends.SignInBackend")
    session = browser.session
    session["second_factor_of"] = user.pk
    session.save()
    return [
        figure
        for address in addresses
        for figure in asked(f"{address}{of}", lambda address=address: browser.get(address), times, goal)  # type: ignore[misc]
    ]


def asked(name: str, ask: Callable[[], object], times: int, goal: float) -> list[Figure]:
    """Ask for a page again and again: the slowest but one of twenty by the clock, and the processor's time of the middle one."""
    say(name)
    for _round in range(2):
        answer = ask()
    assert getattr(answer, "status_code", 200) == 200, (name, answer)
    samples, used = [], []
    for _round in range(times):
        started, before = time.perf_counter(), cpu_ms()
        ask()
        samples.append((time.perf_counter() - started) * 1000)
        used.append(cpu_ms() - before)
    say(f"  p95 {p95(samples):.0f} ms, processor {statistics.median(used):.0f} ms")
    return [
        at_most(Figure(f"{name}, p95", p95(samples), "ms"), goal),
        Figure(f"{name}, processor", statistics.median(used), "ms"),
    ]


def live(brand: Brand) -> list[Figure]:
    """Deals that come as they are synced, beside all these lines."""
    say("incremental")
    samples, used = [], []
    for number in range(LIVE_ROUNDS):
        ids = make_deals(brand, LIVE_BATCH, timezone.now() - dt.timedelta(hours=2), days=0.01, number=number + 1)
        took, processor = timed(lambda ids=ids: engine.run_for_deals(deal_ids=ids))  # type: ignore[misc]
        samples.append(took)
        used.append(processor)
    return [
        at_most(Figure(f"{LIVE_BATCH} deals synced to visible lines, p95", p95(samples), "s"), 5),
        Figure(f"{LIVE_BATCH} deals synced to visible lines, processor", statistics.median(used), "s"),
    ]


def explained(first: Partner, times: int) -> list[Figure]:
    """A line that the engine wrote, explained to the partner and to staff."""
    line = Accrual.objects.filter(partner=first, deal_id__lt=1_000_000_000).order_by("-pk").first()
    if line is None:
        return []
    found = pages(first.user, [f"/partners/earnings/trade/{line.pk}/"], times, goal=50)
    staff = User.objects.get(username="manager")
    found += pages(staff, [f"/ib/commissions/{line.pk}/"], times, goal=50)
    return found


def move() -> list[Figure]:
    """The whole network and upline of a day, and a branch moved below another."""
    mover, target = (Partner.objects.get(code=f"p{number}") for number in (2, 3))
    below = mover.downline.filter(ends_at=None).count()
    leaf = mover.downline.filter(ends_at=None).order_by("-level")[0].partner_id
    day = timezone.now() - dt.timedelta(days=1)
    at = "starts_at <= %s AND (ends_at IS NULL OR ends_at > %s)"
    figures = []
    with connection.cursor() as cursor:
        for name, column, pk in (
            (f"whole network of a day, {below:,} partners", "ancestor_id", mover.pk),
            ("whole upline of a day", "partner_id", leaf),
        ):
            samples = []
            for _round in range(20):
                started = time.perf_counter()
                cursor.execute(f"SELECT count(*) FROM ib_upline WHERE {column} = %s AND {at}", [pk, day, day])
                samples.append((time.perf_counter() - started) * 1000)
            figures.append(Figure(f"{name}, p95", p95(samples), "ms"))
    moved, used = timed(lambda: tree.move_partner(partner_id=mover.pk, parent_id=target.pk, actor=None, reason="bench"))
    return [
        *figures,
        at_most(Figure(f"branch of {below:,} partners moved", moved, "s"), 5),
        Figure(f"branch of {below:,} partners moved, processor", used, "s"),
    ]
