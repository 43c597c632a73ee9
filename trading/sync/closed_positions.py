"""Positions that new deals closed, as AML monitoring reads them: real money, opened and closed in full within a month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import connection

from compliance.aml.opposite import ClosedPosition, record_positions
from compliance.aml.stream import Movement

HELD_MAX: Final = dt.timedelta(days=31)
READ_AT_ONCE: Final = 2_000
# What a server adds to a symbol ("EURUSD.pro", "EURUSD#") isn't another instrument.
CLOSED: Final = """
WITH picked AS (
  SELECT DISTINCT d.account_id, d.position_id, max(d.executed_at) AS at FROM trading_deal d
  WHERE d.id = ANY(%(deals)s) AND d.entry IN (1, 3) AND d.action IN (0, 1) AND d.position_id <> 0 AND d.deleted_at IS NULL
  GROUP BY 1, 2
), summed AS (
  SELECT p.account_id, p.position_id, min(x.executed_at) AS opened_at, max(x.executed_at) AS closed_at,
    sum(x.lots) FILTER (WHERE x.entry = 0) AS opened, sum(x.closed_lots) AS closed, bool_or(x.entry = 2) AS is_turned,
    bool_or(x.action = 0) FILTER (WHERE x.entry = 0) AS is_long, max(x.contract_size) AS contract_size,
    max(x.symbol) AS symbol, sum(x.profit + x.commission + x.swap + x.fee) AS net
  FROM picked p JOIN trading_deal x ON x.account_id = p.account_id AND x.position_id = p.position_id AND x.action IN (0, 1)
    AND x.deleted_at IS NULL AND x.executed_at BETWEEN %(first)s AND %(last)s
  GROUP BY 1, 2
)
SELECT s.account_id || ':' || s.position_id, a.client_id, c.brand_id, a.login,
  upper(regexp_replace(s.symbol, '[^A-Za-z0-9].*$', '')), s.is_long, s.opened * s.contract_size, s.opened_at, s.closed_at,
  coalesce(round(s.net * keelson_euro_rate(b.base_currency, r.day) / keelson_euro_rate(a.currency, r.day), 2), 0)
FROM summed s JOIN trading_tradingaccount a ON a.id = s.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id JOIN crm_brand b ON b.id = c.brand_id
CROSS JOIN LATERAL (SELECT (s.closed_at AT TIME ZONE 'UTC')::date AS day) r
WHERE s.opened > 0 AND s.opened = s.closed AND NOT s.is_turned AND s.contract_size > 0
"""
SPAN: Final = "SELECT min(executed_at), max(executed_at) FROM trading_deal WHERE id = ANY(%s)"
PAGE: Final = """
SELECT id FROM trading_deal WHERE id > %s AND entry IN (1, 3) AND action IN (0, 1) AND position_id <> 0 AND deleted_at IS NULL
ORDER BY id LIMIT %s
"""


def closed_by(deal_ids: Sequence[int]) -> list[ClosedPosition]:
    """Read the positions that these deals closed in full."""
    with connection.cursor() as cursor:
        cursor.execute(SPAN, [list(deal_ids)])
        first, last = cursor.fetchone()
        if first is None:
            return []
        # The rest of a position may be in a later page of the same reading.
        given: dict[str, Any] = {"deals": list(deal_ids), "first": first - HELD_MAX, "last": last + HELD_MAX}
        cursor.execute(CLOSED, given)
        return [ClosedPosition(**dict(zip(ClosedPosition.__slots__, row, strict=True))) for row in cursor.fetchall()]


def history() -> Iterator[Movement]:
    """Match every position that was ever closed; what comes of it is written to the stream there, so nothing is yielded."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [last, READ_AT_ONCE])
            ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return
        record_positions(closed_by(ids), is_history=True)
        last = ids[-1]
        yield from ()
