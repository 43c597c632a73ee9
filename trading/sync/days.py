"""Days of a server compared deal by deal: what is missing here is fetched, what is gone there is marked, both are recorded.

A day is the server's own, in its zone: its wall clock in milliseconds divides into days without any question of summer time.
Deals are read and compared in windows of a bounded number of deals, so that memory stays flat whatever a day held.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from trading.choices import BreakKind, IssueKind
from trading.core.issues import open_issue
from trading.models import DayCheck, DealEdit, TradingServer
from trading.platforms.aside import collecting
from trading.platforms.base import DealData, Platform, Purpose
from trading.platforms.pool import platform_for
from trading.sync import breaks
from trading.sync.ingest import mark_deleted
from trading.sync.parked import park

DAY_MSC: Final = 86_400_000
SHORTEST_MSC: Final = 60_000
DEALS_PER_WINDOW: Final = 20_000
AROUND: Final = dt.timedelta(hours=26)  # a server's clock is at most fifteen hours from UTC
EPOCH: Final = dt.date(1970, 1, 1)
EVIDENCE_MAX: Final = 200  # breaks of one kind in one day; the day's own row has the whole number
OURS: Final = """
SELECT ticket, login, symbol, action, profit + commission + swap + fee, comment, account_id
FROM trading_deal WHERE server_id = %(server)s AND executed_at BETWEEN %(since)s AND %(until)s
  AND server_msc >= %(first)s AND server_msc < %(last)s AND deleted_at IS NULL AND NOT ticket = ANY(%(theirs)s)
ORDER BY ticket LIMIT %(limit)s
"""
COUNT: Final = """
SELECT count(*) FROM trading_deal WHERE server_id = %(server)s AND executed_at BETWEEN %(since)s AND %(until)s
  AND server_msc >= %(first)s AND server_msc < %(last)s AND deleted_at IS NULL
"""
# Deals of accounts that the platform lists no longer (its archive) are no deletions: they come back with the account.
SLEEPING: Final = """
SELECT login FROM trading_tradingaccount WHERE server_id = %s AND login = ANY(%s)
  AND (missing_since IS NOT NULL OR state = 'archived')
"""


@dataclass
class Compared:
    """What a comparison found. `extra` are tickets now marked as deleted there; `elsewhere` counts deals that the platform
    has and did not list: of accounts in its archive, or of groups that we don't read."""

    platform: int = 0
    ours: int = 0
    missing: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    extra: list[int] = field(default_factory=list)
    elsewhere: int = 0


def day_of(server_msc: int) -> dt.date:
    """Convert a server time in milliseconds to the day on the server's clock."""
    return EPOCH + dt.timedelta(days=server_msc // DAY_MSC)


def msc_of(day: dt.date) -> int:
    """Convert a day on the server's clock to its first millisecond."""
    return (day - EPOCH).days * DAY_MSC


def instants(first_msc: int, last_msc: int) -> tuple[dt.datetime, dt.datetime]:
    """Widen a stretch of a server's clock to UTC instants that surely hold it: only to leave other partitions alone."""
    start = dt.datetime.fromtimestamp(first_msc / 1000, dt.UTC)
    return start - AROUND, dt.datetime.fromtimestamp(last_msc / 1000, dt.UTC) + AROUND


@dataclass
class Windows:
    """Stretches of a server's clock with a bounded number of deals: they widen and narrow by what the last one held."""

    position: int
    end: int
    length: int = DAY_MSC

    def __iter__(self) -> Iterator[tuple[int, int]]:
        while self.position < self.end:
            first = self.position
            # Windows end with days, so that a day's deals are one sum.
            last = min(first + self.length, (first // DAY_MSC + 1) * DAY_MSC, self.end)
            yield first, last
            self.position = last

    def held(self, deals: int) -> None:
        if deals > DEALS_PER_WINDOW:
            self.length = max(SHORTEST_MSC, self.length // (deals // DEALS_PER_WINDOW + 1))
        elif deals < DEALS_PER_WINDOW // 4:
            self.length = min(DAY_MSC, self.length * 2)


def read_window(platform: Platform, server: TradingServer, first: int, last: int) -> list[DealData]:
    """Read the platform's deals from `first` up to, not including, `last` by its clock."""
    deals = platform.deals(mask=server.group_mask, from_msc=first, to_msc=last - 1)
    return [deal for deal in deals if first <= deal.server_msc < last]


def check_days(server: TradingServer, days: Iterable[dt.date]) -> dict[dt.date, Compared]:
    """Compare some days and keep the result of each. Raises PlatformError; what was compared before is kept."""
    platform = platform_for(server, Purpose.BACKFILL)
    done = {}
    for day in days:
        done[day] = check_day(server, platform, day)
    return done


def check_day(server: TradingServer, platform: Platform, day: dt.date) -> Compared:
    """Compare one day, window by window; write a row in `DayCheck`, and breaks with their evidence."""
    start = msc_of(day)
    total = Compared()
    windows = Windows(start, start + DAY_MSC, _length(server, start))
    for first, last in windows:
        with collecting() as odd:
            deals = read_window(platform, server, first, last)
        park(server, odd)
        windows.held(len(deals))
        _compare(server, platform, day, deals, (first, last), total, is_whole=not odd)
    total.ours = _count(server, start, start + DAY_MSC)
    _keep(server, day, total)
    return total


def _length(server: TradingServer, start: int) -> int:
    """Choose the length of a day's first window in milliseconds; a day known to be busy begins short."""
    known = _count(server, start, start + DAY_MSC)
    return max(SHORTEST_MSC, DAY_MSC // (known // DEALS_PER_WINDOW + 1))


def _values(server: TradingServer, first: int, last: int) -> dict[str, Any]:
    since, until = instants(first, last)
    return {"server": server.pk, "since": since, "until": until, "first": first, "last": last}


def _count(server: TradingServer, first: int, last: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, _values(server, first, last))
        deals: int = cursor.fetchone()[0]
        return deals


def _compare(
    server: TradingServer,
    platform: Platform,
    day: dt.date,
    deals: list[DealData],
    window: tuple[int, int],
    total: Compared,
    *,
    is_whole: bool,
) -> None:
    """Take in what the platform has and we don't; look up by its ticket what we have and the platform didn't list.

    `is_whole`: every row of the platform could be read. Otherwise a deal of ours may be among the unreadable ones, so
    none counts as missing there.
    """
    from trading.sync.deals import take_in

    taken = take_in(server, deals)
    total.platform += len(deals)
    total.missing += list(taken.new)
    total.changed += list(taken.changed)
    by_ticket = {deal.ticket: deal for deal in deals}
    _record_repaired(server, day, [by_ticket[ticket] for ticket in taken.new], BreakKind.MISSING)
    _record_repaired(server, day, [by_ticket[ticket] for ticket in taken.changed], BreakKind.CHANGED)
    if not is_whole:
        return
    theirs = [ticket for ticket in by_ticket if -(2**63) <= ticket < 2**63]
    while extra := _extra(server, window, theirs):
        theirs += [row[0] for row in extra]
        _judge_extra(server, platform, day, extra, window, total)
        if len(extra) < DEALS_PER_WINDOW:
            break


def _extra(server: TradingServer, window: tuple[int, int], theirs: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(OURS, {**_values(server, *window), "theirs": theirs, "limit": DEALS_PER_WINDOW})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _judge_extra(
    server: TradingServer,
    platform: Platform,
    day: dt.date,
    extra: Sequence[tuple[Any, ...]],
    window: tuple[int, int],
    total: Compared,
) -> None:
    """Decide about deals not in the platform's list: moved to another time, of an archived account, or deleted."""
    from trading.sync.deals import take_in

    with connection.cursor() as cursor:
        cursor.execute(SLEEPING, [server.pk, sorted({row[1] for row in extra})])
        sleeping = {login for (login,) in cursor.fetchall()}
    total.elsewhere += sum(1 for row in extra if row[1] in sleeping)
    doubtful = [row for row in extra if row[1] not in sleeping]
    if not doubtful:
        return
    tickets = [row[0] for row in doubtful]
    still_there = platform.deals_by_ticket(tickets) if platform.capabilities.finds_deals else []
    moved = take_in(server, still_there)
    total.changed += list(moved.changed)
    there = {deal.ticket: deal for deal in still_there}
    _record_repaired(server, day, [there[ticket] for ticket in moved.changed], BreakKind.CHANGED)
    total.elsewhere += sum(1 for deal in still_there if window[0] <= deal.server_msc < window[1])
    deleted = [row for row in doubtful if row[0] not in there]
    if deleted:
        # An account that is not listed is in an archive that we have not noticed yet: no dealer deleted its deals.
        listed = _listed(server, platform, {row[1] for row in deleted})
        total.elsewhere += sum(1 for row in deleted if row[1] not in listed)
        _delete(server, day, [row for row in deleted if row[1] in listed], window, total)


def _listed(server: TradingServer, platform: Platform, logins: set[str]) -> set[str]:
    """Find those of the logins that the platform lists; one without a list is asked for each."""
    if platform.capabilities.lists_accounts:
        return set(platform.logins(server.group_mask))
    return {account.login for account in platform.read_accounts(sorted(logins))}


def _delete(
    server: TradingServer, day: dt.date, rows: list[tuple[Any, ...]], window: tuple[int, int], total: Compared
) -> None:
    since, until = instants(*window)
    with transaction.atomic():
        marked = set(mark_deleted(server, [row[0] for row in rows], since=since, until=until))
        total.extra += sorted(marked)
        for ticket, login, symbol, action, net, comment, account_id in rows[:EVIDENCE_MAX]:
            if ticket in marked:
                breaks.note_difference(
                    server,
                    breaks.Difference(
                        kind=BreakKind.EXTRA,
                        subject=str(ticket),
                        day=day,
                        login=login,
                        ticket=ticket,
                        account_id=account_id,
                        evidence={
                            "symbol": symbol,
                            "action": action,
                            "net": f"{net.normalize():f}",
                            "comment": comment,
                        },
                    ),
                )


def _record_repaired(server: TradingServer, day: dt.date, deals: Sequence[DealData], kind: BreakKind) -> None:
    """Record what was repaired at once, with its evidence, as closed differences."""
    chosen = sorted(deals, key=lambda deal: deal.ticket)[:EVIDENCE_MAX]
    edits = {}
    if kind == BreakKind.CHANGED and chosen:
        tickets = [deal.ticket for deal in chosen]
        for edit in DealEdit.objects.filter(server=server, ticket__in=tickets).order_by("pk"):
            edits[edit.ticket] = {"before": edit.before, "after": edit.after}
    for deal in chosen:
        net = deal.profit + deal.commission + deal.swap + deal.fee
        evidence = {
            "symbol": deal.symbol,
            "action": deal.action,
            "net": f"{net.normalize():f}",
            "comment": deal.comment,
        }
        breaks.note_difference(
            server,
            breaks.Difference(
                kind=kind,
                subject=str(deal.ticket),
                day=day,
                login=deal.login,
                ticket=deal.ticket,
                evidence={**evidence, **edits.get(deal.ticket, {})},
            ),
            is_healed=True,
        )


def _keep(server: TradingServer, day: dt.date, total: Compared) -> None:
    """Save the day's check; a count that still differs stays a break until a later comparison finds it equal."""
    now, platform = timezone.now(), total.platform + total.elsewhere
    DayCheck.objects.update_or_create(
        server=server,
        day=day,
        defaults={
            "platform_deals": platform,
            "our_deals": total.ours,
            "missing": len(total.missing),
            "extra": len(total.extra),
            "changed": len(total.changed),
            "checked_at": now,
        },
    )
    if platform != total.ours:
        breaks.note_difference(
            server,
            breaks.Difference(
                kind=BreakKind.COUNT,
                subject=day.isoformat(),
                day=day,
                evidence={"platform": platform, "ours": total.ours, "not_listed": total.elsewhere},
            ),
        )
    else:
        breaks.auto_resolve(server=server, kind=BreakKind.COUNT, subjects=[day.isoformat()])
    if platform != total.ours or total.extra:
        open_issue(
            server_id=server.pk,
            kind=IssueKind.DEALS_BREAK,
            subject=day.isoformat(),
            details={"platform": platform, "ours": total.ours, "deleted_there": total.extra[:20]},
        )
