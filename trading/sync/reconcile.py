"""Once a day: every account's balance and credit against the sum of its deals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from trading.choices import CREDIT_ACTIONS, IssueKind
from trading.issues import open_issue
from trading.models import TradingServer

SHOWN_MAX = 50
# Accounts whose money was read after their newest deal came: the others are still in motion.
BREAKS = """
SELECT a.login, a.balance, coalesce(s.balance, 0), a.credit, coalesce(s.credit, 0)
FROM trading_tradingaccount a
LEFT JOIN LATERAL (
  SELECT sum(d.profit + d.commission + d.swap + d.fee) FILTER (WHERE NOT d.action = ANY(%(credit)s)) AS balance,
    sum(d.profit) FILTER (WHERE d.action = ANY(%(credit)s)) AS credit, max(d.synced_at) AS newest
  FROM trading_deal d WHERE d.account_id = a.id AND d.deleted_at IS NULL
) s ON true
WHERE a.server_id = %(server)s AND a.state = 'open' AND a.synced_at > coalesce(s.newest, '-infinity')
  AND (a.balance <> coalesce(s.balance, 0) OR a.credit <> coalesce(s.credit, 0))
ORDER BY abs(a.balance - coalesce(s.balance, 0)) + abs(a.credit - coalesce(s.credit, 0)) DESC, a.login LIMIT %(limit)s
"""


@dataclass(frozen=True)
class BalanceBreak:
    """An account that is worth something else than its deals say."""

    login: str
    balance: Decimal
    balance_of_deals: Decimal
    credit: Decimal
    credit_of_deals: Decimal


def find_breaks(server: TradingServer, *, limit: int = SHOWN_MAX) -> list[BalanceBreak]:
    """The largest differences first. Reads our tables only; `sync_money` and the wide `sync_deals` have filled them."""
    with connection.cursor() as cursor:
        cursor.execute(
            BREAKS, {"server": server.pk, "credit": [action.value for action in CREDIT_ACTIONS], "limit": limit}
        )
        return [BalanceBreak(*row) for row in cursor.fetchall()]


def reconcile(server: TradingServer) -> list[BalanceBreak]:
    """Find breaks and put them before a person, one question per server with the logins in it."""
    breaks = find_breaks(server)
    if breaks:
        details = {one.login: f"{one.balance} / {one.balance_of_deals}" for one in breaks}
        open_issue(
            server_id=server.pk, kind=IssueKind.BALANCE_BREAK, subject=", ".join(sorted(details))[:80], details=details
        )
    return breaks
