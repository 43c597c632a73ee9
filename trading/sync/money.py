"""Balance, credit, equity and margin of accounts, read in batches and written in one statement per batch."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from clients.facts import take_turns
from crm.rates import fx
from trading.choices import AccountState
from trading.core.batching import batched
from trading.models import TradingAccount, TradingFacts, TradingServer
from trading.platforms.base import AccountMoney, Purpose
from trading.platforms.pool import capabilities_of, platform_for
from trading.risk import margin
from trading.sync import presence
from trading.sync.cursor import reading

BATCH: Final = 2000
RUN_ACCOUNTS_MAX: Final = 20_000
# Archived accounts are read, too: the platform brings one back when its owner signs in.
LISTED: Final = [AccountState.OPEN, AccountState.ARCHIVED]

UPDATE: Final = """
WITH new AS (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS i(
    login varchar, balance numeric, credit numeric, floating numeric, equity numeric, margin numeric,
    margin_free numeric, margin_level numeric)
), locked AS (
  SELECT a.id FROM trading_tradingaccount a JOIN new ON new.login = a.login
  WHERE a.server_id = %(server)s ORDER BY a.id FOR NO KEY UPDATE OF a
), rates AS (
  SELECT * FROM jsonb_to_recordset(%(rates)s::jsonb) AS r(currency varchar, base varchar, rate numeric)
)
UPDATE trading_tradingaccount a SET
  balance = new.balance, credit = new.credit, floating = new.floating, equity = new.equity, margin = new.margin,
  margin_free = new.margin_free, margin_level = least(new.margin_level, 999999999999),
  equity_base = coalesce(round(new.equity * rates.rate, 2), a.equity_base), synced_at = %(now)s
FROM new, locked, clients_client c JOIN crm_brand b ON b.id = c.brand_id LEFT JOIN rates ON rates.base = b.base_currency
WHERE a.id = locked.id AND new.login = a.login AND c.id = a.client_id
  AND (rates.currency = a.currency OR rates.currency IS NULL)
RETURNING a.client_id
"""
EQUITY_FACT: Final = """
INSERT INTO trading_tradingfacts AS t (client_id, equity)
SELECT client_id, coalesce(sum(equity_base) FILTER (WHERE NOT is_demo), 0)
FROM trading_tradingaccount WHERE client_id = ANY(%(clients)s) GROUP BY client_id ORDER BY client_id
ON CONFLICT (client_id) DO UPDATE SET equity = excluded.equity WHERE t.equity <> excluded.equity
"""
EQUITY_POINTS: Final = """
INSERT INTO trading_equitypoint (account_id, at, balance, equity)
SELECT id, date_trunc('hour', %(now)s::timestamptz), balance, equity FROM trading_tradingaccount
WHERE server_id = %(server)s AND state = 'open' AND synced_at > %(now)s::timestamptz - interval '1 hour'
  AND (balance <> 0 OR equity <> 0 OR EXISTS (
    SELECT 1 FROM trading_equitypoint e WHERE e.account_id = trading_tradingaccount.id
      AND e.at > %(now)s::timestamptz - interval '26 hours' AND (e.balance <> 0 OR e.equity <> 0)))
ON CONFLICT (account_id, at) DO UPDATE SET balance = excluded.balance, equity = excluded.equity
WHERE (trading_equitypoint.balance, trading_equitypoint.equity) IS DISTINCT FROM (excluded.balance, excluded.equity)
"""


def sync_money(server: TradingServer) -> int:
    """Read all open accounts of a server, longest unread first, or in one pass over the platform's list. Returns how many."""
    read = 0
    with reading(server, "accounts") as run:
        if run is None:
            return 0
        ours = server.accounts.filter(state__in=LISTED)
        if capabilities_of(server.kind).lists_money and ours.order_by("pk")[BATCH : BATCH + 1].exists():
            run.rows = read = _read_list(server)
            return read
        # Those that the platform no longer lists come last, so that a full archive keeps nobody waiting; never read is longest.
        longest_unread = F("synced_at").asc(nulls_first=True)
        accounts = ours.order_by("-missing_since", longest_unread, "pk")
        logins = list(accounts.values_list("login", flat=True)[:RUN_ACCOUNTS_MAX])
        for part in batched(logins, BATCH):
            read += read_accounts(server, part)
        run.rows = read
    return read


def _read_list(server: TradingServer) -> int:
    """Read everybody in one pass over the platform's list, written batch by batch; those not in it are asked for after."""
    left = set(server.accounts.filter(state__in=LISTED).values_list("login", flat=True))
    read = 0
    everybody = platform_for(server, Purpose.READS).group_money("*")
    for rows in batched((row for row in everybody if row.login in left), BATCH):
        _keep(server, rows)
        left.difference_update(row.login for row in rows)
        read += len(rows)
    return read + (read_accounts(server, sorted(left)[:BATCH]) if left else 0)


def refresh_account(account: TradingAccount) -> None:
    """Read one account now, e.g. after a deposit. Raises PlatformError."""
    read_accounts(account.server, [account.login])


def read_accounts(server: TradingServer, logins: Sequence[str]) -> int:
    """Ask the platform for some accounts, write what it reports, and mark those that it no longer lists."""
    rows = platform_for(server, Purpose.READS).account_money(logins)
    presence.look_for(server, set(logins) - _keep(server, rows))
    return len(rows)


def _keep(server: TradingServer, rows: Sequence[AccountMoney]) -> set[str]:
    """Write what the platform reported of some accounts; return their logins."""
    with transaction.atomic():
        write(server, rows)
        margin.watch(server, [row.login for row in rows])
    logins = {row.login for row in rows}
    presence.note_listed(server, logins)
    return logins


@transaction.atomic
def write(server: TradingServer, rows: Sequence[AccountMoney]) -> set[int]:
    """Write accounts and the clients' equity in two statements; the ids of the clients touched."""
    if not rows:
        return set()
    names = ("login", "balance", "credit", "floating", "equity", "margin", "margin_free", "margin_level")
    data = [{name: getattr(row, name) for name in names} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            UPDATE,
            {
                "rows": orjson.dumps(data, default=str).decode(),
                "server": server.pk,
                "now": timezone.now(),
                "rates": orjson.dumps(rates_of(server), default=str).decode(),
            },
        )
        clients = {client_id for (client_id,) in cursor.fetchall()}
        take_turns(sorted(clients), TradingFacts)
        cursor.execute(EQUITY_FACT, {"clients": sorted(clients)})
    return clients


def rates_of(server: TradingServer) -> list[dict[str, object]]:
    """Find today's reference rate of every currency pair between accounts and their brands. A pair without one is None."""
    pairs = server.accounts.values_list("currency", "client__brand__base_currency").distinct().order_by()
    today = timezone.now().date()
    rows: list[dict[str, object]] = []
    for currency, base in pairs:
        rate: Decimal | None
        try:
            rate = fx.rate(currency, base, on=today).rate
        except fx.NoRate:
            rate = None
        rows.append({"currency": currency, "base": base, "rate": rate})
    return rows


def keep_equity_points(server: TradingServer) -> int:
    """Keep this hour's equity of accounts that were read lately."""
    with connection.cursor() as cursor:
        cursor.execute(EQUITY_POINTS, {"now": timezone.now(), "server": server.pk})
        points: int = cursor.rowcount
        return points
