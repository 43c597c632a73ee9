# ruff: noqa: S608 - statements made of constants of this module
"""Clients whose orders are filled worse than they used to be: prices of deals compared with the quotes of their moment."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from crm.i18n import formats
from risk.retention.choices import FlagKind
from risk.retention.flags.base import Figures, Flag

# How far the last orders of two weeks were filled behind the quote (ask for a buy, bid for a sell), in spreads of the moment. The
# quote is the platform's own on the deal (MetaTrader 5: MarketBid, MarketAsk), else the one in force among those that are kept
# (`risk.abuse.quotes`), not older than a minute; a deal without one isn't judged, and one 60 spreads away is of another market.
# Usual is the client's own average before, from ten orders on, else that of the brand's last orders: a group's markup is in both.
PRICE = "^[0-9]{1,12}(\\.[0-9]{1,10})?$"
QUOTED = f"""
  CROSS JOIN LATERAL (
    SELECT CASE WHEN d.raw->>'MarketBid' ~ '{PRICE}' AND d.raw->>'MarketAsk' ~ '{PRICE}'
      THEN ARRAY[(d.raw->>'MarketBid')::numeric, (d.raw->>'MarketAsk')::numeric] END AS pair
  ) own
  CROSS JOIN LATERAL (
    SELECT CASE WHEN own.pair[1] > 0 THEN own.pair ELSE (
      SELECT ARRAY[t.bid::numeric, t.ask::numeric] FROM risk_tick t WHERE t.server_id = d.server_id AND t.symbol = d.symbol
        AND t.at BETWEEN d.executed_at - interval '1 minute' AND d.executed_at
        AND t.at_ms BETWEEN (extract(epoch FROM d.executed_at) * 1000)::bigint - 60000
          AND (extract(epoch FROM d.executed_at) * 1000)::bigint
      ORDER BY t.at_ms DESC LIMIT 1
    ) END AS pair
  ) q
  CROSS JOIN LATERAL (
    SELECT CASE WHEN d.action = 0 THEN d.price - q.pair[2] ELSE q.pair[1] - d.price END / nullif(q.pair[2] - q.pair[1], 0) AS slip
  ) x
  WHERE abs(x.slip) <= 60"""
DEALS = """
    SELECT y.server_id, y.symbol, y.executed_at, y.id, y.action, y.price, y.raw FROM trading_deal y
    WHERE y.account_id = a.id AND y.action IN (0, 1) AND y.lots > 0 AND y.price > 0 AND y.deleted_at IS NULL"""
FILLS_SQL = (
    """
, recent AS (
  SELECT s.id, s.brand_id, s.fill_points, d.executed_at, x.slip
  FROM step s JOIN trading_tradingaccount a ON a.client_id = s.id AND NOT a.is_demo CROSS JOIN LATERAL ("""
    + DEALS
    + """
      AND y.executed_at > %(now)s::timestamptz - interval '14 days' ORDER BY y.executed_at DESC, y.id DESC LIMIT 10
  ) d"""
    + QUOTED
    + """ AND s.last_trade_at > %(now)s::timestamptz - interval '15 days'
), late AS (
  SELECT id, brand_id, fill_points, count(*) AS fills, avg(slip) AS slip, min(executed_at) AS since
  FROM recent GROUP BY 1, 2, 3 HAVING count(*) >= 5 AND avg(slip) * 10000 >= fill_points
), before AS (
  SELECT l.id, count(*) AS fills, avg(x.slip) AS slip
  FROM late l JOIN trading_tradingaccount a ON a.client_id = l.id AND NOT a.is_demo CROSS JOIN LATERAL ("""
    + DEALS
    + """
      AND y.executed_at < l.since AND y.executed_at > %(now)s::timestamptz - interval '104 days'
    ORDER BY y.executed_at DESC, y.id DESC LIMIT 40
  ) d"""
    + QUOTED
    + """
  GROUP BY 1
), others AS (
  SELECT b.brand_id, avg(x.slip) AS slip FROM (SELECT DISTINCT brand_id FROM late) b CROSS JOIN LATERAL (
    SELECT y.* FROM (
      SELECT n.server_id, n.symbol, n.executed_at, n.id, n.action, n.price, n.raw, n.account_id FROM trading_deal n
      WHERE n.executed_at > %(now)s::timestamptz - interval '14 days' AND n.action IN (0, 1) AND n.lots > 0 AND n.price > 0
        AND n.deleted_at IS NULL ORDER BY n.executed_at DESC, n.id DESC LIMIT 20000
    ) y JOIN trading_tradingaccount a ON a.id = y.account_id AND NOT a.is_demo
    JOIN clients_client c ON c.id = a.client_id AND c.brand_id = b.brand_id
    ORDER BY y.executed_at DESC, y.id DESC LIMIT 500
  ) d"""
    + QUOTED
    + """
  GROUP BY 1
), compared AS (
  SELECT l.*, coalesce(b.fills, 0) >= 10 AS is_own, CASE WHEN b.fills >= 10 THEN b.slip ELSE coalesce(o.slip, 0) END AS usual
  FROM late l LEFT JOIN before b USING (id) LEFT JOIN others o USING (brand_id)
), found AS (
  SELECT c.id AS client_id, c.since, jsonb_build_object('fills', c.fills, 'slip', round(c.slip, 2)::text,
    'usual', round(c.usual, 2)::text, 'own', c.is_own,
    'worse', (SELECT count(*) FROM recent r WHERE r.id = c.id AND r.slip > c.usual)) AS figures
  FROM compared c WHERE (c.slip - c.usual) * 10000 >= c.fill_points
)"""
)


def _spreads(text: str) -> str:
    """Write spreads of figures; what is better than the quote counts as none behind it."""
    return formats.number(max(Decimal(text), Decimal(0)), 2)


def _usual(figures: Figures, _currency: str) -> str:
    if figures["own"]:
        return _("Filled %(spreads)s spreads behind the quote before") % {"spreads": _spreads(figures["usual"])}
    return _("Other clients are filled %(spreads)s spreads behind the quote") % {"spreads": _spreads(figures["usual"])}


def _current(figures: Figures, _currency: str) -> str:
    return _(
        "The last %(count)s orders were filled %(spreads)s spreads behind the quote, %(worse)s of them worse than usual"
    ) % {
        "count": formats.number(figures["fills"]),
        "spreads": _spreads(figures["slip"]),
        "worse": formats.number(figures["worse"]),
    }


FILLS = Flag(FlagKind.FILLS, FILLS_SQL, _usual, _current)
