"""Every night: every account's balance against its deals, and days compared with the platform deal by deal.

The last days are compared each night; older ones in turn, longest unseen first, so that all of history is looked at again
and again while one night's work stays bounded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from trading.choices import CREDIT_ACTIONS, BreakKind, IssueKind
from trading.core.batching import batched
from trading.core.issues import open_issue
from trading.models import DayCheck, ReconcileBreak, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for
from trading.sync import breaks, days, money
from trading.sync.cursor import reading
from trading.sync.parked import parking

SHOWN_MAX: Final = 50
BREAKS_MAX: Final = 5000
DAYS_NEW: Final = 7  # looked at every night
DAYS_OLD: Final = 14  # and so many older ones, longest unseen first
TAKE_IN_AT_ONCE: Final = 5000
# Accounts whose money was read after their newest deal came: the others are still in motion.
BREAKS = """
SELECT a.id, a.login, a.balance, coalesce(s.balance, 0), a.credit, coalesce(s.credit, 0), s.deals
FROM trading_tradingaccount a
LEFT JOIN LATERAL (
  SELECT sum(d.profit + d.commission + d.swap + d.fee) FILTER (WHERE NOT d.action = ANY(%(credit)s)) AS balance,
    sum(d.profit) FILTER (WHERE d.action = ANY(%(credit)s)) AS credit, max(d.synced_at) AS newest, count(*) AS deals
  FROM trading_deal d WHERE d.account_id = a.id AND d.deleted_at IS NULL
) s ON true
WHERE a.server_id = %(server)s AND a.state = 'open' AND a.missing_since IS NULL
  AND (%(account)s::bigint IS NULL OR a.id = %(account)s) AND a.synced_at > coalesce(s.newest, '-infinity')
  AND (a.balance <> coalesce(s.balance, 0) OR a.credit <> coalesce(s.credit, 0))
ORDER BY abs(a.balance - coalesce(s.balance, 0)) + abs(a.credit - coalesce(s.credit, 0)) DESC, a.login LIMIT %(limit)s
"""
FIRST_DAY = "SELECT min(server_msc) FROM (SELECT server_msc FROM trading_deal WHERE server_id = %s ORDER BY executed_at LIMIT 1) d"


@dataclass(frozen=True)
class BalanceBreak:
    """An account whose balance differs from the sum of its deals."""

    account_id: int
    login: str
    balance: Decimal
    balance_of_deals: Decimal
    credit: Decimal
    credit_of_deals: Decimal
    deals: int

    @property
    def evidence(self) -> dict[str, object]:
        figures = {
            "balance": self.balance,
            "balance_of_deals": self.balance_of_deals,
            "credit": self.credit,
            "credit_of_deals": self.credit_of_deals,
            "difference": self.balance - self.balance_of_deals,
        }
        return {**{name: f"{value:.2f}" for name, value in figures.items()}, "deals": self.deals}


def find_breaks(server: TradingServer, *, limit: int = SHOWN_MAX, account_id: int | None = None) -> list[BalanceBreak]:
    """List the largest differences first. Reads our tables only; `sync_money` and the wide `sync_deals` have filled them."""
    values: dict[str, Any] = {
        "server": server.pk,
        "credit": [action.value for action in CREDIT_ACTIONS],
        "limit": limit,
        "account": account_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(BREAKS, values)
        return [BalanceBreak(*row) for row in cursor.fetchall()]


def reconcile(server: TradingServer) -> list[BalanceBreak]:
    """Compare days with the platform, then every balance with its deals; a person gets what differs.

    A platform that is away ends the comparison of days, not that of balances.
    """
    with reading(server, "reconcile") as run:
        if run is not None:
            run.rows = len(days.check_days(server, days_due(server)))
    return check_balances(server)


def days_due(server: TradingServer, *, today: dt.date | None = None) -> list[dt.date]:
    """Choose this night's days: the last ones that are over on the server, and older ones, longest unchecked first."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_DAY, [server.pk])
        (first_msc,) = cursor.fetchone()
    today = today or timezone.now().astimezone(server.zone).date()
    yesterday = today - dt.timedelta(days=1)
    recent = [yesterday - dt.timedelta(days=n) for n in range(DAYS_NEW)]
    if first_msc is None:
        return recent[:1]
    first = days.day_of(first_msc)
    seen = dict(
        DayCheck.objects.filter(server=server, day__lt=recent[-1])
        .order_by("checked_at")
        .values_list("day", "checked_at")
    )
    span = (recent[-1] - first).days
    never = [first + dt.timedelta(days=n) for n in range(max(0, span)) if first + dt.timedelta(days=n) not in seen]
    older = [*reversed(never), *(day for day in seen if day >= first)][:DAYS_OLD]
    return [day for day in recent if day >= first] + older


@transaction.atomic
def check_balances(server: TradingServer) -> list[BalanceBreak]:
    """Note every account whose money differs from its deals; those that agree again are healed."""
    differing = find_breaks(server, limit=BREAKS_MAX)
    for difference in differing:
        breaks.note_difference(
            server,
            breaks.Difference(
                kind=BreakKind.BALANCE,
                subject=difference.login,
                login=difference.login,
                account_id=difference.account_id,
                evidence=difference.evidence,
            ),
        )
    if len(differing) < BREAKS_MAX:
        breaks.auto_resolve(server=server, kind=BreakKind.BALANCE, but=[difference.login for difference in differing])
    if differing:
        shown = differing[:SHOWN_MAX]
        open_issue(
            server_id=server.pk,
            kind=IssueKind.BALANCE_BREAK,
            subject=", ".join(sorted(difference.login for difference in shown))[:80],
            details={difference.login: f"{difference.balance} / {difference.balance_of_deals}" for difference in shown},
        )
    return differing


# ── fetch again ──────────────────────────────────────────────────────────────────────────────────────────────────────


def recheck_difference(row: ReconcileBreak, progress: Callable[[int, int, str], None]) -> None:
    """Ask the platform about one difference: the day it is about, or all deals of the account. Raises PlatformError."""
    server = row.server
    if row.day is not None:
        days.check_days(server, [row.day])
    account = row.account
    if account is not None:
        _read_account_again(server, account, progress)


def _read_account_again(
    server: TradingServer, account: TradingAccount, progress: Callable[[int, int, str], None]
) -> None:
    """Read all deals of one account from the first to now, then its money, and compare them."""
    from trading.sync.deals import take_in

    platform = platform_for(server, Purpose.BACKFILL)
    end = platform.server_time().server_msc + days.DAY_MSC
    read = 0
    with parking(server):
        for some in batched(platform.deals_of(account.login, from_msc=0, to_msc=end), TAKE_IN_AT_ONCE):
            take_in(server, list(some))
            read += len(some)
            progress(read, 0, "")
    money.read_accounts(server, [account.login])
    differing = find_breaks(server, account_id=account.pk)
    if differing:
        breaks.note_difference(
            server,
            breaks.Difference(
                kind=BreakKind.BALANCE,
                subject=account.login,
                login=account.login,
                account_id=account.pk,
                evidence=differing[0].evidence,
            ),
        )
    else:
        breaks.auto_resolve(server=server, kind=BreakKind.BALANCE, subjects=[account.login])


__all__ = ["BalanceBreak", "check_balances", "days_due", "find_breaks", "recheck_difference", "reconcile"]
