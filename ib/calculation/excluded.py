"""Trades that a plan may leave out by what lay beside them: which of a pass's deals are one of `ExcludedTrade`, as SQL.

A position lives from its first opening until as much was closed as was opened. It is hedged when an opposite one of the same
client on the symbol, on whatever account or platform, lived at the same time; mirrored when another client of the same
partner opened the opposite one within seconds of it, of at least half its volume. It was opened with bonus credit when the
account had more credit than balance just before. All of it was known when the position was closed, so only what comes late
changes it; then the closes that it may concern are calculated again (`REOPENED`).
"""

from __future__ import annotations

from typing import Final

from ib.calculation.facts import IN_LIFE, TURNS
from ib.choices import ExcludedTrade, Network
from trading.choices import CREDIT_ACTIONS

MIRROR_SECONDS: Final = 10
_CREDIT: Final = f"({', '.join(str(int(action)) for action in CREDIT_ACTIONS)})"
_ONE_SYMBOL: Final = "coalesce(nullif(s.canonical, ''), {deal}.symbol)"
# All that lay before an instant. EXCLUDE GROUP says the same, but adds up everything again for each row.
_BEFORE: Final = "RANGE BETWEEN UNBOUNDED PRECEDING AND interval '1 microsecond' PRECEDING"
# The deals that a plan with exclusions may pay: by an agreement of the client's partner, or by one above with a plan of their own.
ASKED: Final = f"""
CREATE TEMP TABLE ib_asked ON COMMIT DROP AS
SELECT DISTINCT c.deal_id, c.client_id, c.introducer_id, c.closed_at, c.account_id, c.position_id, c.action
FROM ib_closing c
WHERE EXISTS (
  SELECT 1 FROM ib_upline u JOIN {{agreements}} h ON h.partner_id = u.ancestor_id JOIN ib_version v ON v.plan_id = h.plan_id
  WHERE u.partner_id = c.introducer_id AND cardinality(v.excluded_trades) > 0
    AND (u.level = 1 OR v.network <> '{Network.INTRODUCER}'))
  OR EXISTS (SELECT 1 FROM {{agreements}} h JOIN ib_version v ON v.plan_id = h.plan_id
    WHERE h.link_id = c.link_id AND cardinality(v.excluded_trades) > 0)
"""  # noqa: S608
# The clients' own positions, and those of the same partners' other clients that were opened, or added to, while theirs were.
# Each life of a position that was turned round, on its own side; what a deal opens and closes, in units of the symbol.
_UNITS_AND_END: Final = """sum(part.opened * d.contract_size) AS units,
  CASE WHEN sum(part.opened) > sum(part.closed) THEN 'infinity' ELSE max(d.executed_at) FILTER (WHERE part.closed > 0) END
    AS ended_at"""
LIVES: Final = f"""
CREATE TEMP TABLE ib_life ON COMMIT DROP AS
WITH span AS (
  SELECT c.introducer_id, min(o.executed_at) - interval '{MIRROR_SECONDS} seconds' AS from_at,
    max(o.executed_at) + interval '{MIRROR_SECONDS} seconds' AS to_at
  FROM ib_asked c JOIN trading_deal o ON o.account_id = c.account_id AND o.position_id = c.position_id
  WHERE {{mirrored}} AND o.position_id <> 0 AND o.lots > o.closed_lots AND o.executed_at <= c.closed_at AND o.deleted_at IS NULL
  GROUP BY 1
), lived AS (
  SELECT d.account_id, d.position_id
  FROM (SELECT DISTINCT client_id FROM ib_asked) c JOIN trading_tradingaccount a ON a.client_id = c.client_id AND NOT a.is_demo
  JOIN trading_deal d ON d.account_id = a.id WHERE d.position_id <> 0 AND d.action IN (0, 1)
  UNION
  SELECT d.account_id, d.position_id
  FROM span s JOIN ib_attribution t ON t.partner_id = s.introducer_id
  JOIN trading_tradingaccount a ON a.client_id = t.client_id AND NOT a.is_demo
  JOIN trading_deal d ON d.account_id = a.id AND d.executed_at BETWEEN s.from_at AND s.to_at
  WHERE d.position_id <> 0 AND d.action IN (0, 1) AND d.lots > d.closed_lots
), life AS MATERIALIZED (
SELECT a.client_id, d.account_id, d.position_id, {_ONE_SYMBOL.format(deal="d")} AS instrument, part.side,
  min(d.executed_at) FILTER (WHERE part.opened > 0) AS opened_at, {_UNITS_AND_END}, bool_or(d.entry = 2) AS is_reversed
FROM lived p
JOIN trading_tradingaccount a ON a.id = p.account_id
JOIN trading_deal d ON d.account_id = p.account_id AND d.position_id = p.position_id
LEFT JOIN trading_symbolinfo s ON s.server_id = d.server_id AND s.name = d.symbol
CROSS JOIN LATERAL (VALUES (d.action, d.lots - d.closed_lots, 0), (1 - d.action, 0, d.closed_lots)) part(side, opened, closed)
WHERE d.action IN (0, 1) AND d.entry IN (0, 1, 2, 3) AND d.deleted_at IS NULL AND d.position_id <> 0
  AND (part.opened > 0 OR part.closed > 0)
GROUP BY 1, 2, 3, 4, 5 HAVING bool_or(part.opened > 0)
)
SELECT client_id, account_id, position_id, instrument, side, opened_at, units, ended_at, '-infinity'::timestamptz AS since,
  'infinity'::timestamptz AS until
FROM life WHERE NOT is_reversed
UNION ALL
SELECT r.client_id, r.account_id, r.position_id, r.instrument, part.side, min(d.executed_at) FILTER (WHERE part.opened > 0),
  {_UNITS_AND_END}, turn.since, turn.until
FROM (SELECT DISTINCT client_id, account_id, position_id, instrument FROM life WHERE is_reversed) r
CROSS JOIN LATERAL {TURNS.format(p="r")} turn
JOIN trading_deal d ON d.account_id = r.account_id AND d.position_id = r.position_id AND d.executed_at >= turn.since
  AND d.executed_at <= turn.until AND d.action IN (0, 1) AND d.entry IN (0, 1, 2, 3) AND d.deleted_at IS NULL
CROSS JOIN LATERAL (
  SELECT d.action AS side, d.lots - d.closed_lots AS opened, 0 AS closed
  WHERE CASE WHEN d.entry = 2 THEN d.executed_at = turn.since ELSE d.executed_at > turn.since END
  UNION ALL SELECT 1 - d.action, 0, d.closed_lots WHERE d.executed_at > turn.since) part
WHERE part.opened > 0 OR part.closed > 0
GROUP BY 1, 2, 3, 4, 5, turn.since, turn.until HAVING bool_or(part.opened > 0)
"""  # noqa: S608
# A trade is hedged when the opposite positions that opened before its close ended, the last of them, after its opening: a sweep
# along the time instead of each against each. Only a position that was turned round is on the other side itself.
KINDS: Final = f"""
CREATE TEMP TABLE ib_odd ON COMMIT DROP AS
WITH mine AS MATERIALIZED (
  SELECT c.deal_id, c.client_id, c.introducer_id, c.closed_at, p.account_id, p.position_id, p.instrument, p.side, p.opened_at,
    p.units
  FROM ib_asked c
  JOIN ib_life p ON {IN_LIFE.format(o="p")} AND p.side = 1 - c.action
), held AS (
  SELECT d.account_id, d.executed_at AS at,
    sum(CASE WHEN d.action IN {_CREDIT} THEN d.profit END) OVER before AS credit,
    sum(CASE WHEN d.action NOT IN {_CREDIT} THEN d.profit + d.commission + d.swap + d.fee END) OVER before AS balance
  FROM trading_deal d
  WHERE d.deleted_at IS NULL AND d.account_id IN (
    SELECT x.account_id FROM (SELECT DISTINCT account_id FROM ib_asked) x
    WHERE EXISTS (SELECT 1 FROM trading_deal k WHERE k.account_id = x.account_id AND k.action IN {_CREDIT}))
  WINDOW before AS (PARTITION BY d.account_id ORDER BY d.executed_at {_BEFORE})
), against AS (
  SELECT deal_id, client_id, account_id, position_id, instrument, side, opened_at, at, max(ended_at) OVER before AS ended_at
  FROM (SELECT NULL::bigint AS deal_id, client_id, NULL::bigint AS account_id, NULL::bigint AS position_id, instrument, side,
          NULL::timestamptz AS opened_at, opened_at AS at, ended_at FROM ib_life
        UNION ALL
        SELECT deal_id, client_id, account_id, position_id, instrument, 1 - side, opened_at, closed_at, NULL FROM mine) lives
  WINDOW before AS (PARTITION BY client_id, instrument, side ORDER BY at {_BEFORE})
), found AS (
  SELECT h.deal_id, '{ExcludedTrade.HEDGED}' AS kind FROM against h
  WHERE h.ended_at > h.opened_at AND (
    NOT EXISTS (SELECT 1 FROM ib_life t WHERE t.account_id = h.account_id AND t.position_id = h.position_id AND t.side = h.side)
    OR EXISTS (SELECT 1 FROM ib_life o WHERE o.client_id = h.client_id AND o.instrument = h.instrument AND o.side = h.side
      AND (o.account_id, o.position_id) <> (h.account_id, h.position_id) AND o.opened_at < h.at AND o.ended_at > h.opened_at))
  UNION
  SELECT m.deal_id, '{ExcludedTrade.MIRRORED}' FROM mine m
  CROSS JOIN generate_series(-1, 1) near
  JOIN ib_life o ON o.instrument = m.instrument AND o.side = 1 - m.side AND o.client_id <> m.client_id
    AND floor(extract(epoch FROM o.opened_at) / {MIRROR_SECONDS})
      = floor(extract(epoch FROM m.opened_at) / {MIRROR_SECONDS}) + near
  JOIN ib_attribution t ON t.client_id = o.client_id AND t.partner_id = m.introducer_id AND t.starts_at <= m.closed_at
    AND (t.ends_at IS NULL OR t.ends_at > m.closed_at)
  WHERE {{mirrored}} AND o.opened_at < m.closed_at AND o.ended_at > m.opened_at AND o.units * 2 >= m.units
    AND o.opened_at BETWEEN m.opened_at - interval '{MIRROR_SECONDS} seconds' AND m.opened_at + interval '{MIRROR_SECONDS} seconds'
  UNION
  SELECT m.deal_id, '{ExcludedTrade.BONUS}' FROM mine m
  JOIN held h ON h.account_id = m.account_id AND h.at = m.opened_at WHERE h.credit > greatest(0, coalesce(h.balance, 0))
)
SELECT deal_id, array_agg(kind ORDER BY kind) AS kinds FROM found GROUP BY 1
"""  # noqa: S608
STEPS: Final = (("ib_asked", ASKED), ("ib_life", LIVES), ("ib_odd", KINDS))
_LEAVES_OUT: Final = """JOIN ib_planversion v ON v.plan_id = h.plan_id AND v.state = 'active'
        AND cardinality(v.excluded_trades) > 0"""
# Closes with rows that a deal which came late may have hedged or mirrored, by standing on the other side, or funded. How long the
# other position was held isn't looked at again for a mirror: the nightly pass does. Looked for by the partners who may have
# introduced them, whose own line is at level 1, where a plan leaves trades out.
_AGAINST: Final = """JOIN trading_deal c ON c.id = x.deal_id AND c.executed_at = x.closed_at
  AND (l.entry = 2 OR c.action = CASE WHEN l.entry = 0 THEN l.action ELSE 1 - l.action END)"""
REOPENED: Final = f"""
WITH late AS MATERIALIZED (
  SELECT d.executed_at, d.action, d.entry, d.account_id, a.client_id, t.partner_id
  FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id JOIN clients_client c ON c.id = a.client_id
  LEFT JOIN ib_attribution t ON t.client_id = a.client_id AND t.starts_at <= d.executed_at
    AND (t.ends_at IS NULL OR t.ends_at > d.executed_at)
  WHERE d.id = ANY(%(deals)s) AND c.brand_id IN (
    SELECT p.brand_id FROM ib_planversion v JOIN ib_plan p ON p.id = v.plan_id
    WHERE v.state = 'active' AND cardinality(v.excluded_trades) > 0)
), asked AS (
  SELECT s.partner_id, s.since
  FROM (SELECT t.partner_id, min(l.executed_at) AS since FROM late l JOIN ib_attribution t ON t.client_id = l.client_id
        GROUP BY 1 OFFSET 0) s
  WHERE EXISTS (SELECT 1 FROM ib_upline u JOIN ib_partnerplan h ON h.partner_id = u.ancestor_id {_LEAVES_OUT}
      WHERE u.partner_id = s.partner_id AND (u.level = 1 OR v.network <> '{Network.INTRODUCER}'))
    OR s.partner_id IN (SELECT o.partner_id FROM ib_partnerplan h {_LEAVES_OUT} JOIN ib_attribution o ON o.link_id = h.link_id)
), recent AS MATERIALIZED (
  SELECT DISTINCT x.deal_id, x.closed_at, x.client_id, x.account_id, x.introducer_id, x.held_seconds
  FROM asked a JOIN ib_accrual x ON x.partner_id = a.partner_id AND x.closed_at >= a.since
  WHERE x.kind = 'original' AND x.level = 1 AND x.deal_id <> ALL(%(deals)s)
)
SELECT x.deal_id FROM recent x JOIN late l ON l.client_id = x.client_id AND l.executed_at <= x.closed_at AND l.action IN (0, 1)
{_AGAINST}
UNION
SELECT x.deal_id FROM recent x JOIN late l ON l.partner_id = x.introducer_id AND l.client_id <> x.client_id
  AND l.executed_at <= x.closed_at AND l.action IN (0, 1) AND l.entry IN (0, 2)
  AND abs(extract(epoch FROM x.closed_at - l.executed_at) - x.held_seconds) <= {MIRROR_SECONDS} + 1
{_AGAINST}
UNION
SELECT x.deal_id FROM recent x JOIN (
  SELECT l.account_id, l.since
  FROM (SELECT account_id, min(executed_at) AS since FROM late WHERE account_id IN (SELECT account_id FROM recent)
        GROUP BY 1 OFFSET 0) l
  WHERE EXISTS (SELECT 1 FROM trading_deal k WHERE k.account_id = l.account_id AND k.action IN {_CREDIT})) l
ON l.account_id = x.account_id AND l.since <= x.closed_at
"""  # noqa: S608
