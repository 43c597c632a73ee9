"""`bench ib`: commissions over a tree of five levels, the tree itself, and a what-if, beside a plain INSERT … SELECT.

Two hundred plans: half pay per lot to five levels; a quarter add pips or a share of the platform's commission, a quarter a CPA; a
quarter pay each ancestor by their own plan or the difference. A tenth has ranks, another caps per day, month and of the revenue,
another leaves hedged, mirrored and bonus-funded trades out; a twentieth of the agreements has a personal ratio.
The yardstick writes the same accruals once more from where they
are, into a table with the same columns, indexes and triggers: what any engine has to write at least.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable

from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from bench import ib_tracking
from bench.harness import Figure, analyze, at_least, at_most, cpu_ms, own_database, own_pages, p95, say
from crm.choices import UserKind
from crm.models import Book, Brand, Desk, FxRate, User
from ib import engine, tree
from ib.agreements.what_if import run_what_if
from ib.choices import RunKind
from ib.models import (
    Accrual,
    Partner,
    PartnerPlan,
    Plan,
    PlanComponent,
    PlanCpa,
    PlanLevel,
    PlanOverride,
    PlanRate,
    PlanTier,
    PlanVersion,
    WhatIf,
)

# Closing deals, partners, clients, partners of the large tree, partners of the branch that is moved.
SIZES = {
    "tiny": (400, 30, 50, 60, 10),
    "quick": (100_000, 1_000, 5_000, 10_000, 1_000),
    "full": (1_000_000, 5_000, 50_000, 100_000, 10_000),
    "huge": (),  # `bench.ib_huge`
}
PLANS = 200
LEVELS = 5
DAYS = 30
LIVE_BATCH, LIVE_ROUNDS = 500, 20
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
CAPPED = {"cap_day": 2_000, "cap_month": 20_000, "cap_revenue": 50, "markup_pips": "0.5"}
GROUPS = ("fx_majors", "metals", "indices")
SYMBOLS = ("EURUSD", "XAUUSD", "DE40")

# A tree in which everybody but the first few has a parent, five levels deep: the parent of n is n ÷ width.
LINKS = """
WITH row AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM ib_partner WHERE code LIKE %(name)s || '%%')
INSERT INTO ib_partnerlink (partner_id, parent_id, starts_at)
SELECT c.id, p.id, %(long_ago)s FROM row c JOIN row p ON p.n = c.n / %(width)s WHERE c.n >= %(width)s
"""
SPELLS = """
INSERT INTO ib_partnerspell (partner_id, starts_at) SELECT id, %(long_ago)s FROM ib_partner WHERE code LIKE %(name)s || '%%'
"""
HELD = """
INSERT INTO ib_partnerplan (partner_id, plan_id, starts_at, priority, platforms, account_groups, link_ids, percent)
SELECT p.id, (SELECT min(id) FROM ib_plan) + p.id %% %(plans)s, %(long_ago)s, 100, '{}', '{}', '{}',
  CASE WHEN p.id %% 20 = 7 THEN 110 ELSE 100 END FROM ib_partner p WHERE code LIKE %(name)s || '%%'
"""
RANKED = """
INSERT INTO ib_partnerrank (partner_id, plan_id, tier, lots, missed, starts_at)
SELECT h.partner_id, h.plan_id, 1, 50, 0, %(long_ago)s FROM ib_partnerplan h
WHERE EXISTS (SELECT 1 FROM ib_plantier t JOIN ib_planversion v ON v.id = t.version_id WHERE v.plan_id = h.plan_id)
"""
CLIENTS = """
INSERT INTO ib_attribution (client_id, partner_id, method, sub_id, click_id, starts_at, reason)
SELECT c.id, (SELECT id FROM ib_partner WHERE code = 'p' || 1 + c.id %% %(partners)s), 'import', '', '',
  now() - interval '60 days', ''
FROM clients_client c
"""
DEALS = """
INSERT INTO trading_deal (executed_at, server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots, closed_lots,
  contract_size, price, price_position, profit, commission, swap, fee, position_id, order_id, raw)
SELECT t.at + make_interval(secs => side.entry * 3600), %(server)s, %(from)s + n * 2 + side.entry, a.id, a.login, 0, side.entry,
  side.entry, (ARRAY['EURUSD', 'XAUUSD', 'DE40'])[1 + (n %% 3)::int], 0.1 + n %% 20, side.entry * (0.1 + n %% 20), 100000,
  1.1, 1.1, side.entry * (n %% 41 - 20), -3, 0, 0, %(from)s + n, 0, '{{}}'
FROM generate_series(1, %(count)s::bigint) n
CROSS JOIN (VALUES (0), (1)) AS side(entry)
CROSS JOIN LATERAL (SELECT %(since)s + make_interval(secs => (n::float8 / %(count)s) * {days} * 86400) AS at) t
JOIN trading_tradingaccount a ON a.id = %(first)s + (n * 7919) %% %(accounts)s
"""
PLAIN = """
CREATE TABLE plain_accrual (LIKE ib_accrual INCLUDING ALL);
"""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return clock seconds, and those of the processor (this process and its session)."""
    started, used = time.perf_counter(), cpu_ms()
    work()
    took = time.perf_counter() - started, (cpu_ms() - used) / 1000
    say(f"  {took[0]:.2f} s, processor {took[1]:.2f} s")
    return took


def run(size: str) -> list[Figure]:
    with own_database("ib"), own_pages():
        if size == "huge":
            from bench import ib_huge

            return ib_huge.measure()
        return measure(size)


def measure(size: str) -> list[Figure]:
    deals, partners, clients, large, branch = SIZES[size]
    since = timezone.now() - dt.timedelta(days=DAYS + 2)
    brand = fill(partners, clients)
    make_deals(brand, deals, since, days=DAYS)
    figures = [*whole_run(brand, since), *incremental(brand), *pages(), *what_ifs()]
    return [*figures, *ib_tracking.links(size), *large_tree(brand, large, branch)]


def whole_run(brand: Brand, since: dt.datetime) -> list[Figure]:
    say("whole run")
    scope = engine.Scope(from_at=since - dt.timedelta(days=1), to_at=timezone.now())
    took, used = timed(lambda: engine.run(brand=brand, scope=scope, kind=RunKind.REPLAY, corrects=False))
    lines = Accrual.objects.count()
    say(f"  {lines:,} lines")
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
        add_triggers(cursor)
        say("plain INSERT")
        plain, plain_used = timed(
            lambda: cursor.execute("INSERT INTO plain_accrual SELECT * FROM ib_accrual ORDER BY id")
        )
        cursor.execute("DROP TABLE plain_accrual")
    same = "INSERT … SELECT of the same rows"
    return [
        at_most(Figure(f"whole run, {lines:,} lines", took, "s", plain, same), 2, by_ratio=True),
        Figure("whole run, processor", used, "s", plain_used, same),
        at_least(Figure("lines of a whole run", lines / took, "1/s", lines / plain, same), 150_000),
    ]


def add_triggers(cursor) -> None:  # type: ignore[no-untyped-def]
    """Give the plain table the triggers that the accruals have."""
    cursor.execute(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'ib_accrual'::regclass AND NOT tgisinternal"
    )
    for (text,) in cursor.fetchall():
        cursor.execute(text.replace("public.ib_accrual", "plain_accrual").replace("ON ib_accrual", "ON plain_accrual"))


def incremental(brand: Brand) -> list[Figure]:
    """Deals that come as they are synced: how long until their lines are there, beside all that were there before."""
    analyze()
    say("incremental")
    samples = []
    for number in range(LIVE_ROUNDS):
        ids = make_deals(brand, LIVE_BATCH, timezone.now() - dt.timedelta(hours=2), days=0.01, number=number + 1)
        started = time.perf_counter()
        engine.run_for_deals(deal_ids=ids)
        samples.append(time.perf_counter() - started)
    return [
        at_most(Figure(f"{LIVE_BATCH} deals synced to visible lines, p95", p95(samples), "s"), 5),
        at_most(Figure(f"deal to visible line at {LIVE_BATCH} deals a second, p95", p95(waited(samples)), "s"), 5),
        Figure("deals accrued as they come", LIVE_BATCH / statistics.median(samples), "1/s"),
    ]


def waited(samples: list[float]) -> list[float]:
    """How long deals wait that come all the time, each second's together and one pass after the other: tenths of a second's."""
    done, waits = 0.0, []
    for second, took in enumerate(samples):
        done = max(done, second + 1) + took
        waits += [done - second - tenth / 10 for tenth in range(10)]
    return waits


def pages() -> list[Figure]:
    say("partner's home")
    partner = Partner.objects.select_related("user").get(code="p1")
    browser = Browser()
    browser.force_login(partner.user)
    for _round in range(3):
        answer = browser.get("/partners/")
    assert answer.status_code == 200, answer.status_code
    samples, used = [], []
    for _round in range(100):
        started, before = time.perf_counter(), cpu_ms()
        browser.get("/partners/")
        samples.append((time.perf_counter() - started) * 1000)
        used.append(cpu_ms() - before)
    return [
        at_most(Figure("partner's home, p95", p95(samples), "ms"), 50),
        Figure("partner's home, processor", statistics.median(used), "ms"),
    ]


def what_ifs() -> list[Figure]:
    """A version tried out on all trades of the last days: of the plan of the top partner, above half of all, and of another."""
    say("what-if")
    writer = User.objects.create_superuser("writer", "writer@example.com", "!")
    held = PartnerPlan.objects.select_related("plan").order_by("pk")
    figures = []
    for name, agreement in (("of the top's plan", held[0]), ("of a plan further down", held.reverse()[0])):
        version = agreement.plan.versions.get()
        took, used = timed(
            lambda pk=version.pk: run_what_if(version_id=pk, days=DAYS + 3, for_plan_id=None, actor=writer)  # type: ignore[misc]
        )
        deals = WhatIf.objects.latest("pk").deals
        figures.append(at_most(Figure(f"what-if {name} over {deals:,} deals", took, "s"), 60))
        figures.append(Figure(f"what-if {name}, processor", used, "s"))
    return figures


def large_tree(brand: Brand, count: int, branch: int) -> list[Figure]:
    """A tree of its own beside the one that earns: built, asked, and a branch of it moved."""
    say("large tree")
    make_partners(brand, "t", count, width=max(2, count // branch))
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(id) FROM ib_partner WHERE code LIKE 't%%'")
        ids = cursor.fetchone()[0]
        built, _used = timed(lambda: tree.rebuild_upline(ids))
        analyze()
        cursor.execute(
            "SELECT ancestor_id, count(*) FROM ib_upline u JOIN ib_partner p ON p.id = u.ancestor_id AND p.code LIKE 't%%'"
            " GROUP BY 1 ORDER BY abs(count(*) - %s) LIMIT 1",
            [branch],
        )
        mover, below = cursor.fetchone()
        cursor.execute("SELECT id FROM ib_partner WHERE code LIKE 't%%' AND id <> %s ORDER BY id LIMIT 1", [mover])
        (target,) = cursor.fetchone()
        day = timezone.now() - dt.timedelta(days=1)
        at = "starts_at <= %s AND (ends_at IS NULL OR ends_at > %s)"
        network = f"SELECT count(*) FROM ib_upline WHERE ancestor_id = %s AND {at}"
        upline = f"SELECT count(*) FROM ib_upline WHERE partner_id = %s AND {at}"
        asked = [timed(lambda sql=sql: cursor.execute(sql, [mover, day, day]))[0] for sql in (network, upline)]  # type: ignore[misc]
    moved, _used = timed(lambda: tree.move_partner(partner_id=mover, parent_id=target, actor=None, reason="bench"))
    return [
        Figure(f"snapshot of {count:,} partners built", built, "s"),
        Figure(f"whole network of a day, {below:,} partners", asked[0] * 1000, "ms"),
        Figure("whole upline of a day", asked[1] * 1000, "ms"),
        at_most(Figure(f"branch of {below:,} partners moved", moved, "s"), 5),
    ]


# --- what is measured on ---


def fill(partners: int, clients: int, *, is_short: bool = False) -> Brand:
    """Write plans, partners and clients; is_short: nobody is above the clients' partners, and plans pay per lot alone."""
    say("filling")
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    desk = Desk.objects.create(brand=brand, name="Desk")
    book = Book.objects.create(brand=brand, desk=desk, name="Book")
    maker, checker = (User.objects.create_user(f"u{n}", f"u{n}@example.com", kind=UserKind.STAFF) for n in range(2))
    FxRate.objects.create(on=dt.date(2026, 1, 2), currency="USD", rate="1.25")
    for number in range(PLANS):
        make_plan(brand, number, maker, checker, is_short=is_short)
    make_partners(brand, "p", partners, width=partners + 1 if is_short else max(2, round(partners ** (1 / LEVELS))))
    given = {"partners": partners, "plans": PLANS, "long_ago": LONG_AGO, "name": "p"}
    with connection.cursor() as cursor:
        cursor.execute(HELD, given)
        cursor.execute(RANKED, given)
    tree.rebuild_brand(brand.pk)
    make_clients(brand, book, clients)
    with connection.cursor() as cursor:
        cursor.execute(CLIENTS, given)
    analyze()
    return brand


def make_plan(brand: Brand, number: int, maker: User, checker: User, *, is_short: bool = False) -> None:
    plan = Plan.objects.create(brand=brand, name=f"Plan {number}")
    network = {0: "own", 1: "difference"}.get(number % 8, "introducer")
    version = PlanVersion.objects.create(
        plan=plan,
        number=1,
        starts_at=LONG_AGO,
        currency="EUR" if number % 3 else "USD",
        made_by=maker,
        network=network,
        min_hold_seconds=60,
        account_groups=["real*"] if number % 2 else [],
        **(CAPPED if number % 10 == 5 else {}),
        excluded_trades=["hedged", "mirrored", "bonus_funded"] if number % 10 == 6 else [],
    )
    if number % 10 == 4:
        PlanTier.objects.create(version=version, number=1, name="Silver", lots=50, factor="1.1")
    PlanRate.objects.bulk_create(
        [PlanRate(version=version, group=group, amount_per_lot=7 + number % 9) for group in GROUPS]
    )
    PlanLevel.objects.bulk_create(
        [PlanLevel(version=version, level=n, share=f"0.{6 - n}") for n in range(1, LEVELS + 1)]
    )
    if number % 5 == 0:
        PlanOverride.objects.create(version=version, group="metals", level=2, amount_per_lot="1.5")
    if number % 4 == 2 and not is_short:
        PlanComponent.objects.create(version=version, component="commission", value="0.2", cap=50)
    if number % 4 == 3 and not is_short:
        PlanCpa.objects.create(version=version, amount=200, min_deposit=0, min_lots=10, within_days=365)
    if number % 8 == 3 and not is_short:
        PlanComponent.objects.create(version=version, component="pip", group="fx_majors", value="0.1")
    PlanVersion.objects.filter(pk=version.pk).update(state="active", decided_by=checker, decided_at=LONG_AGO)


def make_partners(brand: Brand, name: str, count: int, *, width: int) -> None:
    given = {"name": name, "long_ago": LONG_AGO, "width": width}
    users = [
        User(username=f"{name}{n}", email=f"{name}{n}@example.com", kind=UserKind.PARTNER, brand=brand, password="!")
        for n in range(1, count + 1)
    ]
    made = User.objects.bulk_create(users, batch_size=5_000)
    rows = (
        Partner(
            brand=brand,
            user=user,
            code=user.username,
            name=user.username,
            currency=("EUR", "USD")[n % 2],
            state="active",
            joined_at=LONG_AGO,
        )
        for n, user in enumerate(made)
    )
    Partner.objects.bulk_create(rows, batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ib_partnerlink DISABLE TRIGGER USER")  # the cycle check walks for each row
        cursor.execute(LINKS, given)
        cursor.execute("ALTER TABLE ib_partnerlink ENABLE TRIGGER USER")
        cursor.execute(SPELLS, given)


def make_clients(brand: Brand, book: Book, count: int) -> None:
    from clients.models import Client
    from trading.models import SymbolInfo, TradingAccount, TradingServer

    now = timezone.now()
    made = Client.objects.bulk_create(
        [Client(brand=brand, book=book, first_name=f"C{n}", country="DE", created_at=now) for n in range(count)],
        batch_size=5_000,
    )
    server = TradingServer.objects.create(name="Bench", host="127.0.0.1", manager_login="1", credentials=b"")
    for name, group in zip(SYMBOLS, GROUPS, strict=True):
        SymbolInfo.objects.create(
            server=server,
            name=name,
            canonical=name,
            symbol_group=group,
            contract_size=100_000,
            digits=5,
            currency_profit="USD",
            read_at=now,
        )
    TradingAccount.objects.bulk_create(
        [
            TradingAccount(
                client=client,
                server=server,
                login=str(1_000_000 + n),
                group="real\\standard" if n % 4 else "demo\\x",
                currency="EUR",
                leverage=30,
                is_demo=False,
                state="open",
                opened_at=LONG_AGO,
                request_key=f"bench-{n}",
            )
            for n, client in enumerate(made)
        ],
        batch_size=5_000,
    )


def make_deals(brand: Brand, count: int, since: dt.datetime, *, days: float, number: int = 0) -> list[int]:
    """Write positions opened and closed an hour later; returns the ids of small batches' deals."""
    from crm.db.partitions import ensure_months
    from trading.models import TradingAccount, TradingServer

    ensure_months("trading_deal", since.date(), timezone.now().date() + dt.timedelta(days=31))
    accounts = TradingAccount.objects.order_by("pk")
    given = {
        "server": TradingServer.objects.get().pk,
        "from": number * 100_000_000,
        "count": count,
        "since": since,
        "first": accounts.values_list("pk", flat=True).first(),
        "accounts": accounts.count(),
    }
    with connection.cursor() as cursor:
        cursor.execute(DEALS.format(days=days) + ("" if number == 0 else " RETURNING id"), given)
        ids = [pk for (pk,) in cursor.fetchall()] if number else []
    if not number:
        analyze()
    return ids
