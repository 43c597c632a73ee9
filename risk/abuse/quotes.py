"""Quotes kept to judge deals: those around deals only, for as long as deals are judged.

They come with each reading of deals (`trading.sync.quotes`): from MetaTrader 5 the last price a second, from cTrader each that is
pushed. Of what comes within a quarter of a second one is kept, and a price that stays the same is written every few seconds, so
that a series says until when it is known. What no deal was near is deleted some minutes later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from crm.models import User
from crm.security.scope import reach_of
from risk.abuse.models import Tick
from trading.models import AccountType, TradingServer
from trading.platforms.base import QuoteData

KEPT: Final = dt.timedelta(days=35)
SLOT_MS: Final = 250
STILL_MS: Final = 20_000
AT_ONCE_MAX: Final = 5_000
# Quotes are kept from one such span before a deal's to five after it: markouts look a minute ahead.
NEAR_SECONDS: Final = 15
SPANS: Final = (-1, 5)
PRUNED: Final = (dt.timedelta(minutes=60), dt.timedelta(minutes=5))
LATELY: Final = dt.timedelta(days=1)
LATEST: Final = 50
SERVERS_MAX: Final = 20

WRITE: Final = """
INSERT INTO risk_tick (server_id, symbol, at_ms, at, bid, ask)
SELECT %(server)s, q.symbol, q.ms, to_timestamp(q.ms / 1000.0), q.bid, q.ask
FROM unnest(%(symbols)s::text[], %(ms)s::bigint[], %(bids)s::float8[], %(asks)s::float8[]) q (symbol, ms, bid, ask)
ON CONFLICT DO NOTHING
"""
PRUNE: Final = """
WITH near AS MATERIALIZED (
  SELECT DISTINCT d.server_id, d.symbol, floor(extract(epoch FROM d.executed_at) / %(seconds)s)::bigint + n.n AS span
  FROM trading_deal d CROSS JOIN generate_series(%(first)s, %(last)s) n (n)
  WHERE d.executed_at BETWEEN %(since)s::timestamptz - interval '2 minutes' AND %(until)s::timestamptz + interval '2 minutes'
    AND d.action IN (0, 1)
)
DELETE FROM risk_tick t WHERE t.at >= %(since)s AND t.at < %(until)s AND NOT EXISTS (
  SELECT FROM near WHERE near.server_id = t.server_id AND near.symbol = t.symbol AND near.span = t.at_ms / (1000 * %(seconds)s))
"""
# Quotes are looked for where the latest deals would have them: a server's newest one can't be found by an index.
UNQUOTED: Final = """
SELECT s.id FROM unnest(%(servers)s::bigint[]) WITH ORDINALITY s (id, place) CROSS JOIN LATERAL (
  SELECT count(*) AS deals, count(*) FILTER (WHERE EXISTS (
    SELECT FROM risk_tick t WHERE t.server_id = s.id AND t.symbol = d.symbol
      AND t.at BETWEEN d.executed_at - interval '30 seconds' AND d.executed_at + interval '90 seconds'
      AND t.at_ms BETWEEN (extract(epoch FROM d.executed_at) * 1000)::bigint - 30000
        AND (extract(epoch FROM d.executed_at) * 1000)::bigint + 90000
  )) AS quoted
  FROM (
    SELECT x.symbol, x.executed_at FROM trading_deal x WHERE x.server_id = s.id AND x.executed_at >= %(since)s
      AND x.action IN (0, 1) ORDER BY x.executed_at DESC LIMIT %(latest)s
  ) d
) found WHERE found.deals > 0 AND found.quoted = 0 ORDER BY s.place
"""
# By server and symbol, what was written last: its slot of time, and its bid and ask. Of this process.
_written: dict[tuple[int, str], tuple[int, QuoteData]] = {}


def keep_quotes(server: TradingServer, quotes: Sequence[QuoteData]) -> int:
    """Write what is new among quotes that were just read. Returns how many."""
    chosen: list[tuple[str, int, Any, Any]] = []
    for quote in quotes[-AT_ONCE_MAX:]:
        ms, key = int(quote.at.timestamp() * 1000), (server.pk, quote.symbol)
        at, last = _written.get(key, (0, None))
        is_same = last is not None and (last.bid, last.ask) == (quote.bid, quote.ask)
        if not 0 < quote.bid <= quote.ask or ms < at + (STILL_MS if is_same else SLOT_MS):
            continue
        _written[key] = (ms, quote)
        chosen.append((quote.symbol[:32], ms, float(quote.bid), float(quote.ask)))
    if chosen:
        symbols, times, bids, asks = (list(column) for column in zip(*chosen, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(WRITE, {"server": server.pk, "symbols": symbols, "ms": times, "bids": bids, "asks": asks})
    return len(chosen)


def prune(*, now: dt.datetime | None = None) -> int:
    """Delete quotes of the last hour that no deal was near; deals that come later than that find none. Returns how many."""
    now = now or timezone.now()
    values: dict[str, Any] = {
        "since": now - PRUNED[0],
        "until": now - PRUNED[1],
        "seconds": NEAR_SECONDS,
        "first": SPANS[0],
        "last": SPANS[1],
    }
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, values)
        return int(cursor.rowcount)


def forget_old(*, now: dt.datetime | None = None) -> int:
    """Delete quotes that no judged deal is as old as."""
    return Tick.objects.filter(at__lt=(now or timezone.now()) - KEPT).delete()[0]


def unquoted_servers(user: User, *, now: dt.datetime | None = None) -> list[TradingServer]:
    """List servers of the brands in reach whose latest deals have no quotes around them: prices aren't judged there."""
    used = AccountType.objects.filter(brand__in=reach_of(user).brands).order_by().values("server")
    rows = TradingServer.objects.filter(pk__in=used, is_enabled=True, is_demo=False).order_by("name")[:SERVERS_MAX]
    servers = {server.pk: server for server in rows}
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"servers": list(servers), "since": (now or timezone.now()) - LATELY, "latest": LATEST}
        cursor.execute(UNQUOTED, values)
        return [servers[pk] for (pk,) in cursor]
