"""Open positions: what the platform lists is what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson
from django.db import connection, transaction

from trading.models import TradingAccount, TradingServer
from trading.platforms.aside import collecting
from trading.platforms.base import PositionData, Purpose
from trading.platforms.pool import platform_for
from trading.sync.cursor import reading
from trading.sync.page_updates import refresh_pages
from trading.sync.parked import park, usable_positions

NAMES: Final = (
    "ticket",
    "login",
    "symbol",
    "action",
    "lots",
    "contract_size",
    "price_open",
    "price_current",
    "profit",
    "swap",
    "opened_at",
    "server_msc",
    "comment",
)
# What was there before is read in the same snapshot: RETURNING knows the old row from PostgreSQL 18 on only.
UPSERT: Final = """
WITH was AS MATERIALIZED (SELECT ticket, lots FROM trading_position WHERE server_id = %(server)s), written AS (
INSERT INTO trading_position (server_id, account_id, ticket, symbol, action, lots, contract_size, price_open,
  price_current, profit, swap, opened_at, server_msc, comment, synced_at)
SELECT %(server)s, a.id, i.ticket, i.symbol, i.action, i.lots, i.contract_size, i.price_open, i.price_current, i.profit,
  i.swap, i.opened_at, i.server_msc, i.comment, clock_timestamp()
FROM jsonb_to_recordset(%(rows)s::jsonb) AS i(ticket bigint, login varchar, symbol varchar, action smallint, lots numeric,
  contract_size numeric, price_open numeric, price_current numeric, profit numeric, swap numeric, opened_at timestamptz,
  server_msc bigint, comment varchar)
JOIN trading_tradingaccount a ON a.server_id = %(server)s AND a.login = i.login
ORDER BY i.ticket
ON CONFLICT (server_id, ticket) DO UPDATE SET lots = excluded.lots, price_open = excluded.price_open,
  price_current = excluded.price_current, profit = excluded.profit, swap = excluded.swap, comment = excluded.comment,
  action = excluded.action, synced_at = excluded.synced_at
RETURNING account_id, ticket, lots
) SELECT w.account_id, was.lots IS DISTINCT FROM w.lots FROM written w LEFT JOIN was USING (ticket)
"""

# What apps above do once a server's positions were read and written, such as results of the day in steps.
AFTER_READING: Final[list[Callable[[TradingServer], object]]] = []


def sync_positions(server: TradingServer) -> int:
    """Replace the list of open positions of a server. Returns how many there are."""
    count = 0
    with reading(server, "positions") as run:
        if run is not None:
            with collecting() as odd:
                positions = platform_for(server, Purpose.READS).positions(mask=server.group_mask)
            park(server, odd)
            count = run.rows = write(server, positions, is_whole=not odd)
    for follow in AFTER_READING:
        follow(server)
    return count


@transaction.atomic
def write(server: TradingServer, positions: list[PositionData], *, is_whole: bool = True) -> int:
    """Write the open positions of a server.

    `is_whole`: what isn't listed is closed. Otherwise a row couldn't be read, and what was there before stays.
    """
    listed = len(positions)
    positions = usable_positions(server, positions)
    rows = [{name: getattr(position, name) for name in NAMES} for position in positions]
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, {"server": server.pk, "rows": orjson.dumps(rows, default=str).decode()})
        changed = {account_id for account_id, is_other in cursor.fetchall() if is_other}
        cursor.execute(
            "DELETE FROM trading_position WHERE server_id = %s AND NOT (ticket = ANY(%s)) AND %s RETURNING account_id",
            [server.pk, [position.ticket for position in positions], is_whole and len(positions) == listed],
        )
        changed.update(account_id for (account_id,) in cursor.fetchall())
    if changed:
        refresh_pages(TradingAccount.objects.filter(pk__in=changed).values_list("client_id", flat=True))
    return len(positions)
