# ruff: noqa: S608 - statements made of constants of this module
"""Sums of closed trades, kept in step with the deals: who won, who lost, on what, when.

A trigger names every day of an account whose deals were written, edited or deleted (`ChangedDay`); `refresh` takes these
days and writes their sums again from the deals, then the weeks and months they belong to. So the sums can't drift, whatever
wrote the deals, and pages read few rows however many deals there are. `rebuild_facts`-like checks: `differences`.

Amounts are in the account's currency; `net_base` is in the brand's base currency, each day at its own reference rate, and
`charges_base` is what of it is commission and fees: the broker's on whatever book a trade is executed. Days are UTC. Only buys
and sells count; `trades` are the deals that closed something.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection, transaction

from clients.facts import GENERATED_ONCE
from compliance.aml.stream import record_trading
from trading.core.batching import array

LOCK: Final = 0x4B_52_45_53  # an advisory lock of our own: one refresh at a time, or an older one could write last
ACCOUNTS_PER_STEP: Final = 500
DAYS_PER_STEP: Final = 20_000
STEPS_MAX: Final = 50

TAKE: Final = """
WITH chosen AS (
  SELECT DISTINCT account_id FROM (SELECT account_id FROM trading_changedday ORDER BY account_id LIMIT %(days)s) s
  ORDER BY account_id LIMIT %(accounts)s
), taken AS (
  DELETE FROM trading_changedday c USING chosen WHERE c.account_id = chosen.account_id RETURNING c.account_id, c.day
)
SELECT DISTINCT account_id, day FROM taken ORDER BY 1, 2
"""
DAYS: Final = "days AS (SELECT * FROM unnest(%(accounts)s::bigint[], %(days)s::date[]) AS d(account_id, day))"
CLEAR: Final = f"""
WITH {DAYS}, gone AS (
  DELETE FROM trading_symbolresult r USING days d WHERE r.account_id = d.account_id AND r.day = d.day
)
DELETE FROM trading_accountresult r USING days d WHERE r.account_id = d.account_id AND r.period = 'd' AND r.start = d.day
"""
# One pass over the deals of these days; `facts` is by hour and symbol, the rest adds it up.
FACTS: Final = """
  SELECT d.account_id, d.day, x.symbol, extract(hour FROM x.executed_at AT TIME ZONE 'UTC')::smallint AS hour,
    count(*) FILTER (WHERE x.entry <> 0) AS trades,
    count(*) FILTER (WHERE x.entry <> 0 AND x.profit + x.commission + x.swap + x.fee > 0) AS wins,
    sum(x.closed_lots) AS lots, sum(x.profit + x.commission + x.swap + x.fee) AS net, sum(x.commission + x.fee) AS charges
  FROM days d JOIN trading_deal x ON x.account_id = d.account_id AND x.action IN (0, 1) AND x.deleted_at IS NULL
    AND x.executed_at >= d.day::timestamp AT TIME ZONE 'UTC' AND x.executed_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    AND x.executed_at >= %(first)s AND x.executed_at < %(last)s
  GROUP BY 1, 2, 3, 4
"""
SUM_DAYS: Final = f"""
WITH {DAYS}, facts AS MATERIALIZED ({FACTS}), symbols AS (
  INSERT INTO trading_symbolresult (account_id, day, symbol, trades, lots, net)
  SELECT account_id, day, symbol, sum(trades), sum(lots), sum(net) FROM facts GROUP BY 1, 2, 3
), hours AS (
  SELECT account_id, day, hour, sum(trades) AS trades, sum(wins) AS wins, sum(lots) AS lots, sum(net) AS net,
    sum(charges) AS charges
  FROM facts GROUP BY 1, 2, 3
), currencies AS (
  SELECT a.id, a.currency, b.base_currency AS base FROM trading_tradingaccount a
  JOIN clients_client c ON c.id = a.client_id JOIN crm_brand b ON b.id = c.brand_id
  WHERE a.id = ANY(%(accounts)s)
), pairs AS (
  SELECT p.*, keelson_euro_rate(p.base, p.day) / keelson_euro_rate(p.currency, p.day) AS rate FROM (
    SELECT DISTINCT c.currency, c.base, h.day FROM hours h JOIN currencies c ON c.id = h.account_id
  ) p
)
INSERT INTO trading_accountresult (
  account_id, period, start, trades, wins, lots, net, net_base, charges_base, hours, hour_nets)
SELECT h.account_id, 'd', h.day, sum(h.trades), sum(h.wins), sum(h.lots), sum(h.net),
  coalesce(round(sum(h.net) * max(p.rate), 2), 0), coalesce(round(sum(h.charges) * max(p.rate), 2), 0),
  array_agg(h.hour ORDER BY h.hour), array_agg(h.net ORDER BY h.hour)
FROM hours h JOIN currencies c ON c.id = h.account_id
JOIN pairs p ON p.currency = c.currency AND p.base = c.base AND p.day = h.day
GROUP BY h.account_id, h.day
"""
SPANS: Final = f"""
{DAYS}, spans AS (
  SELECT DISTINCT account_id, 'w' AS period, date_trunc('week', day)::date AS start, date_trunc('week', day)::date + 7 AS until
  FROM days
  UNION SELECT account_id, 'm', date_trunc('month', day)::date, (date_trunc('month', day) + interval '1 month')::date FROM days
)
"""
SUM_SPANS: Final = f"""
WITH {SPANS}, sums AS (
  SELECT s.account_id, s.period, s.start, sum(r.trades) AS trades, sum(r.wins) AS wins, sum(r.lots) AS lots,
    sum(r.net) AS net, sum(r.net_base) AS net_base, sum(r.charges_base) AS charges_base
  FROM spans s JOIN trading_accountresult r ON r.account_id = s.account_id AND r.period = 'd'
    AND r.start >= s.start AND r.start < s.until
  GROUP BY 1, 2, 3
)
INSERT INTO trading_accountresult (account_id, period, start, trades, wins, lots, net, net_base, charges_base)
SELECT * FROM sums
ON CONFLICT (account_id, period, start) DO UPDATE SET trades = excluded.trades, wins = excluded.wins, lots = excluded.lots,
  net = excluded.net, net_base = excluded.net_base, charges_base = excluded.charges_base
"""
EMPTY_SPANS: Final = f"""
WITH {SPANS}
DELETE FROM trading_accountresult r USING spans s
WHERE r.account_id = s.account_id AND r.period = s.period AND r.start = s.start AND NOT EXISTS (
  SELECT 1 FROM trading_accountresult d WHERE d.account_id = s.account_id AND d.period = 'd'
    AND d.start >= s.start AND d.start < s.until)
"""
NEWEST: Final = f"""
WITH {DAYS}, newest AS (SELECT account_id, max(day) AS day FROM days GROUP BY 1)
SELECT a.id, a.client_id, a.is_demo, t.executed_at FROM newest n JOIN trading_tradingaccount a ON a.id = n.account_id,
  LATERAL (SELECT x.executed_at FROM trading_deal x WHERE x.account_id = n.account_id AND x.action IN (0, 1)
    AND x.deleted_at IS NULL
    AND x.executed_at >= n.day::timestamp AT TIME ZONE 'UTC' AND x.executed_at < (n.day + 1)::timestamp AT TIME ZONE 'UTC'
    AND x.executed_at >= %(first)s AND x.executed_at < %(last)s
    ORDER BY x.executed_at DESC LIMIT 1) t
"""
CLIENTS: Final = """
INSERT INTO trading_tradingfacts AS t (client_id, trades_closed, lots_closed)
SELECT a.client_id, coalesce(sum(r.trades), 0), coalesce(sum(r.lots), 0)
FROM trading_tradingaccount a LEFT JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'm'
WHERE NOT a.is_demo AND a.client_id IN (SELECT o.client_id FROM trading_tradingaccount o WHERE o.id = ANY(%(accounts)s))
GROUP BY a.client_id ORDER BY a.client_id
ON CONFLICT (client_id) DO UPDATE SET trades_closed = excluded.trades_closed, lots_closed = excluded.lots_closed
WHERE (t.trades_closed, t.lots_closed) IS DISTINCT FROM (excluded.trades_closed, excluded.lots_closed)
"""
# What AML monitoring reads of trading: a client's days on all accounts with real money. A day whose deals went has none left.
CLIENT_DAYS: Final = f"""
WITH {DAYS}, touched AS (
  SELECT DISTINCT a.client_id, d.day FROM days d JOIN trading_tradingaccount a ON a.id = d.account_id WHERE NOT a.is_demo
)
SELECT t.client_id, t.day, coalesce(sum(r.trades), 0), coalesce(sum(r.lots), 0) FROM touched t
JOIN trading_tradingaccount a ON a.client_id = t.client_id AND NOT a.is_demo
LEFT JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd' AND r.start = t.day GROUP BY 1, 2
"""
DIFFERENCES: Final = """
SELECT count(*) FROM (
  SELECT account_id, (executed_at AT TIME ZONE 'UTC')::date AS day, symbol, count(*) FILTER (WHERE entry <> 0)::int AS trades,
    sum(closed_lots) AS lots, sum(profit + commission + swap + fee) AS net
  FROM trading_deal WHERE account_id IS NOT NULL AND action IN (0, 1) AND deleted_at IS NULL GROUP BY 1, 2, 3
) d FULL JOIN trading_symbolresult r USING (account_id, day, symbol)
WHERE (d.trades, d.lots, d.net) IS DISTINCT FROM (r.trades, r.lots, r.net)
"""


def refresh(*, steps: int = STEPS_MAX) -> int:
    """Write the sums of changed days again, some accounts at a time, each in a transaction of its own.

    Returns how many days of accounts were written; 0 when there are none, or another worker is at it.
    """
    done = 0
    for _step in range(steps):
        days = _step_once()
        if days is None:
            break
        done += days
    return done


def refresh_all() -> int:
    """Refresh until no day is left: after a load of history, and in tests."""
    done = 0
    while count := refresh():
        done += count
    return done


@transaction.atomic
def _step_once() -> int | None:
    """Do one step; None when nothing is left to do here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(TAKE, {"accounts": ACCOUNTS_PER_STEP, "days": DAYS_PER_STEP})
        taken = cursor.fetchall()
        if not taken:
            return None
        write(taken)
    return len(taken)


def write(days: list[tuple[int, dt.date]]) -> None:
    """Write the sums of these days of accounts in the caller's transaction.

    In a statement after the one that named the days, so that it sees every deal whose change was named.
    """
    first = dt.datetime.combine(min(day for _account, day in days), dt.time(), dt.UTC)
    last = dt.datetime.combine(max(day for _account, day in days), dt.time(), dt.UTC) + dt.timedelta(days=1)
    values: dict[str, Any] = {
        "accounts": [pk for pk, _day in days],
        "days": [day for _one, day in days],
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        for statement in (CLEAR, SUM_DAYS, SUM_SPANS, EMPTY_SPANS):
            cursor.execute(statement, values)
        cursor.execute(CLIENT_DAYS, values)
        record_trading(cursor.fetchall())
        cursor.execute(NEWEST, values)
        rows = cursor.fetchall()
    clients: dict[int, dt.datetime] = {}
    for _account, client_id, is_demo, at in rows:
        if not is_demo:
            clients[client_id] = max(at, clients.get(client_id, at))
    raise_last_trades({account_id: at for account_id, _client, _demo, at in rows}, clients)
    with connection.cursor() as cursor:
        # Accounts before clients' facts, as where money is read: the other order would let the two wait for each other.
        cursor.execute(CLIENTS, values)


def raise_last_trades(accounts: dict[int, dt.datetime], clients: dict[int, dt.datetime] | None = None) -> None:
    """Raise `last_trade_at` of accounts and of clients; a deal that came late never sets it back.

    Both are kept to the minute: a client's row is in many indexes, and a busy trader would write them with each deal.
    """
    for table, newest, also in (
        ("trading_tradingaccount", accounts, ""),
        ("clients_client", clients or {}, f", {GENERATED_ONCE}"),
    ):
        _raise(table, {pk: int(at.timestamp()) // 60 * 60 for pk, at in newest.items()}, also)


def _raise(table: str, newest: dict[int, int], also: str) -> None:
    """Lock what changes, in order of id, and raise it. `newest` are seconds of the epoch by id."""
    if not newest:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH new AS (SELECT id, to_timestamp(s) AS at FROM unnest(%s::bigint[], %s::bigint[]) AS n(id, s)), "
            f"locked AS (SELECT c.id FROM {table} c JOIN new USING (id) "
            "WHERE c.last_trade_at IS NULL OR c.last_trade_at < new.at ORDER BY c.id FOR NO KEY UPDATE OF c) "
            f"UPDATE {table} c SET last_trade_at = greatest(c.last_trade_at, new.at){also} FROM new, locked "
            "WHERE c.id = new.id AND locked.id = c.id AND c.last_trade_at IS DISTINCT FROM greatest(c.last_trade_at, new.at)",
            [array(newest), array(newest.values())],
        )


def differences() -> int:
    """Count the (account, day, symbol) that differ from the deals: reads every deal, for checks and tests."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        differing: int = cursor.fetchone()[0]
        return differing
