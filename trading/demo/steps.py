"""The demo's symbols, groups, compared days and what a night found: what the pages about being in step show."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import connection

from crm.demo import Demo
from trading.choices import BackfillState, BreakKind, IssueKind
from trading.core.issues import open_issue
from trading.leverage import margins
from trading.models import Backfill, DayCheck, PlatformChange, PlatformGroup, SymbolInfo, TradingServer
from trading.sync import breaks, symbols
from trading.sync.days import day_of, msc_of

DAYS = 21
# Names met in deals of groups that we don't read; nobody has said yet what they are.
WAITING = {"EURUSD.m": 100_000, "XAUUSDi": 100, "GER40.c": 1, "GBPUSDmicro": 1_000, "NICKEL": 1}
PER_DAY = """
SELECT server_msc / 86400000, count(*) FROM trading_deal WHERE server_id = %s AND server_msc >= %s GROUP BY 1 ORDER BY 1
"""
SOME_DEALS = """
SELECT ticket, login, symbol, action, server_msc, profit + commission + swap + fee FROM trading_deal
WHERE server_id = %s AND server_msc >= %s AND action IN (0, 1) AND entry = 1 ORDER BY ticket LIMIT 2
"""


def tell(demo: Demo, server: TradingServer) -> None:
    """Rows of three weeks. The open difference of a count is over when the next night looks."""
    _wait_for_a_person(demo, server)
    _groups(demo, server)
    today = day_of(int(demo.now.astimezone(server.zone).replace(tzinfo=dt.UTC).timestamp() * 1000))
    first = today - dt.timedelta(days=DAYS)
    with connection.cursor() as cursor:
        cursor.execute(PER_DAY, [server.pk, msc_of(first)])
        counts = {day_of(number * 86_400_000): count for number, count in cursor.fetchall()}
        cursor.execute(SOME_DEALS, [server.pk, msc_of(first)])
        found = cursor.fetchall()
    fetched = [day_of(row[4]) for row in found]
    yesterday = today - dt.timedelta(days=1)
    DayCheck.objects.bulk_create(
        [
            DayCheck(
                server=server,
                day=day,
                platform_deals=counts.get(day, 0) + (day == yesterday),
                our_deals=counts.get(day, 0),
                missing=fetched.count(day),
                checked_at=demo.now - dt.timedelta(hours=6),
            )
            for day in (first + dt.timedelta(days=n) for n in range(DAYS))
        ]
    )
    for ticket, login, symbol, action, msc, net in found:
        breaks.note_difference(
            server,
            breaks.Difference(
                kind=BreakKind.MISSING,
                subject=str(ticket),
                day=day_of(msc),
                login=login,
                ticket=ticket,
                evidence={"symbol": symbol, "action": action, "net": f"{net.normalize():f}", "comment": ""},
            ),
            is_healed=True,
        )
    breaks.note_difference(
        server,
        breaks.Difference(
            kind=BreakKind.COUNT,
            subject=yesterday.isoformat(),
            day=yesterday,
            evidence={"platform": counts.get(yesterday, 0) + 1, "ours": counts.get(yesterday, 0), "not_listed": 0},
        ),
    )
    begin = (demo.since - dt.timedelta(days=60)).date()
    total = sum(counts.values())
    Backfill.objects.create(
        server=server,
        state=BackfillState.DONE,
        first_day=begin,
        last_day=first,
        position_msc=msc_of(first + dt.timedelta(days=1)),
        deals=total,
        new=total,
        finished_at=demo.now - dt.timedelta(days=DAYS - 1),
    )


def _wait_for_a_person(demo: Demo, server: TradingServer) -> None:
    since = demo.now - dt.timedelta(hours=5)
    infos = [
        SymbolInfo(
            server=server,
            name=name,
            contract_size=Decimal(size),
            first_seen_at=since,
            waiting_since=since,
            read_at=since,
        )
        for name, size in WAITING.items()
    ]
    SymbolInfo.objects.bulk_create(infos)
    symbols.resolve(infos)
    for name in WAITING:
        open_issue(server_id=server.pk, kind=IssueKind.UNMAPPED_SYMBOL, subject=name)


def _groups(demo: Demo, server: TradingServer) -> None:
    """Make the groups of the account types; the next reading of the server adds the others."""
    rows = {one.group: one for one in server.account_types.all()}
    PlatformGroup.objects.bulk_create(
        [
            PlatformGroup(
                server=server,
                name=name,
                company="Keelson Sandbox Markets Ltd",
                currency=one.currency,
                margin_call=100,
                stop_out=50,
                leverage=one.default_leverage,
                margin_rules=[],
                first_seen_at=demo.since,
                read_at=demo.now,
            )
            for name, one in sorted(rows.items())
        ]
    )
    margins.refresh(server)
    for name in sorted(rows)[:1]:
        PlatformChange.objects.create(
            server=server,
            kind="group",
            name=name,
            before={"stop_out": "40"},
            after={"stop_out": "50"},
            at=demo.now - dt.timedelta(days=9),
        )
