"""The commission engine's SQL. Scopes are filled in as text by `ib.engine`; every value is a parameter."""

from ib.choices import Reason

# Most syncs bring nothing that anybody earns on: closing deals of somebody's client, or deals that changed.
CONCERNED = """
SELECT c.brand_id, bool_or(d.revision > 0)
FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id JOIN clients_client c ON c.id = a.client_id
WHERE d.id = ANY(%s) AND (d.revision > 0 OR d.entry IN (1, 2, 3))
  AND EXISTS (SELECT 1 FROM ib_attribution att WHERE att.client_id = a.client_id)
GROUP BY 1 ORDER BY 1
"""
# An opening or reversal that came late, changed or went decides how long closes of its position were held that have rows.
REOPENED = """
SELECT DISTINCT c.id
FROM trading_deal o
JOIN trading_deal c ON c.account_id = o.account_id AND c.position_id = o.position_id AND c.executed_at >= o.executed_at
WHERE o.id = ANY(%(deals)s) AND o.action IN (0, 1) AND o.entry IN (0, 2) AND o.position_id <> 0
  AND c.entry IN (1, 2, 3) AND c.id <> ALL(%(deals)s)
  AND EXISTS (SELECT 1 FROM ib_accrual x WHERE x.kind = 'original' AND x.deal_id = c.id)
"""
# In a first pass (not a recalculation) a deal that has rows is done.
NOT_YET = "AND NOT EXISTS (SELECT 1 FROM ib_accrual done WHERE done.kind = 'original' AND done.deal_id = d.id)"
# Group and mapping are those that held when the deal was executed; what isn't in the past tables is as it is now.
CLOSING = """
CREATE TEMP TABLE ib_closing ON COMMIT DROP AS
SELECT d.id AS deal_id, d.ticket, d.executed_at AS closed_at, d.account_id, d.position_id, d.symbol,
       round(d.closed_lots * coalesce(nullif(d.contract_size, 0)
         / CASE WHEN m.id IS NULL THEN s.house_contract_size ELSE m.house_contract_size END, 1), 8) AS lots,
       a.client_id, coalesce(g."group", a."group") AS account_group,
       coalesce(m.symbol_group, s.symbol_group, '') AS symbol_group,
       att.partner_id AS introducer_id
FROM trading_deal d
JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id AND c.brand_id = %(brand)s
JOIN ib_attribution att ON att.client_id = a.client_id AND att.starts_at <= d.executed_at
  AND (att.ends_at IS NULL OR att.ends_at > d.executed_at)
LEFT JOIN trading_pastaccountgroup g ON g.account_id = a.id AND g.corrected_at IS NULL
  AND (g.starts_at IS NULL OR g.starts_at <= d.executed_at) AND g.ends_at > d.executed_at
LEFT JOIN trading_symbolinfo s ON s.server_id = d.server_id AND s.name = d.symbol
LEFT JOIN trading_pastsymbolmapping m ON m.info_id = s.id AND m.corrected_at IS NULL
  AND (m.starts_at IS NULL OR m.starts_at <= d.executed_at) AND m.ends_at > d.executed_at
WHERE d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL AND {where} {not_yet}
"""
# A position's holding time starts at its first opening deal, or at the last reversal (INOUT) before this close. Partial
# closes share it.
OPENED = """
CREATE TEMP TABLE ib_opened ON COMMIT DROP AS
SELECT o.account_id, o.position_id, min(o.executed_at) FILTER (WHERE o.entry = 0) AS opened_at,
       bool_or(o.entry = 2) AS is_reversed
FROM (SELECT DISTINCT account_id, position_id FROM ib_closing) p
JOIN trading_deal o ON o.account_id = p.account_id AND o.position_id = p.position_id
WHERE o.position_id <> 0 AND o.action IN (0, 1) AND o.entry IN (0, 2) AND o.deleted_at IS NULL
GROUP BY 1, 2
"""
# `real*` matches by its beginning; platforms write groups with backslashes, so the escape is another sign.
ELIGIBLE = """
CREATE TEMP TABLE ib_eligible ON COMMIT DROP AS
SELECT v.id AS version_id, g.account_group
FROM ib_planversion v JOIN ib_plan p ON p.id = v.plan_id AND p.brand_id = %(brand)s
CROSS JOIN (SELECT DISTINCT account_group FROM ib_closing) g
WHERE v.state = 'active' AND (cardinality(v.account_groups) = 0 OR EXISTS (
  SELECT 1 FROM unnest(v.account_groups) pattern
  WHERE lower(g.account_group) LIKE
    replace(replace(replace(replace(lower(pattern), '!', '!!'), '%%', '!%%'), '_', '!_'), '*', '%%') ESCAPE '!'))
"""
WANTED = f"""
CREATE TEMP TABLE ib_wanted ON COMMIT DROP AS
WITH seen AS (
  SELECT c.*, u.level, u.ancestor_id AS partner_id, p.currency, v.id AS version_id, v.currency AS rate_currency,
    coalesce(o.amount_per_lot, r.amount_per_lot) AS rate,
    CASE WHEN o.id IS NOT NULL THEN 1 ELSE l.share END AS share, o.id IS NOT NULL AS is_override,
    floor(extract(epoch FROM c.closed_at - coalesce(turned.at, op.opened_at)))::integer AS held_seconds,
    f.rate AS fx_rate, f.rate_on AS fx_on,
    CASE
      WHEN c.lots = 0 THEN '{Reason.NOTHING_CLOSED}'
      WHEN p.client_id = c.client_id THEN '{Reason.SELF_TRADE}'
      WHEN NOT EXISTS (SELECT 1 FROM ib_partnerspell sp WHERE sp.partner_id = p.id AND sp.starts_at <= c.closed_at
                       AND (sp.ends_at IS NULL OR sp.ends_at > c.closed_at)) THEN '{Reason.PARTNER_NOT_ACTIVE}'
      WHEN v.id IS NULL THEN '{Reason.NO_PLAN}'
      WHEN e.version_id IS NULL THEN '{Reason.ACCOUNT_GROUP}'
      WHEN c.symbol_group = '' THEN '{Reason.SYMBOL_NOT_MAPPED}'
      WHEN r.id IS NULL AND o.id IS NULL THEN '{Reason.NO_RATE}'
      WHEN l.id IS NULL AND o.id IS NULL THEN '{Reason.BEYOND_LEVELS}'
      WHEN v.min_hold_seconds > 0 AND coalesce(turned.at, op.opened_at) IS NULL THEN '{Reason.HOLD_UNKNOWN}'
      WHEN v.min_hold_seconds > 0
        AND c.closed_at - coalesce(turned.at, op.opened_at) < make_interval(secs => v.min_hold_seconds)
        THEN '{Reason.HELD_TOO_SHORT}'
      WHEN f.rate IS NULL THEN '{Reason.NO_FX}'
      ELSE ''
    END AS reason
  FROM ib_closing c
  LEFT JOIN ib_opened op ON op.account_id = c.account_id AND op.position_id = c.position_id
  LEFT JOIN LATERAL (
    SELECT max(t.executed_at) AS at FROM trading_deal t
    WHERE op.is_reversed AND t.account_id = c.account_id AND t.position_id = c.position_id AND t.entry = 2
      AND t.executed_at < c.closed_at AND t.deleted_at IS NULL
  ) turned ON true
  LEFT JOIN ib_partnerplan pp ON pp.partner_id = c.introducer_id AND pp.starts_at <= c.closed_at
    AND (pp.ends_at IS NULL OR pp.ends_at > c.closed_at)
  LEFT JOIN ib_planversion v ON v.plan_id = pp.plan_id AND v.state = 'active' AND v.starts_at <= c.closed_at
    AND (v.ends_at IS NULL OR v.ends_at > c.closed_at)
  LEFT JOIN ib_depth depth ON depth.version_id = v.id
  JOIN ib_upline u ON u.partner_id = c.introducer_id AND u.level <= coalesce(depth.levels, 1)
    AND u.starts_at <= c.closed_at AND (u.ends_at IS NULL OR u.ends_at > c.closed_at)
  JOIN ib_partner p ON p.id = u.ancestor_id
  LEFT JOIN ib_eligible e ON e.version_id = v.id AND e.account_group = c.account_group
  LEFT JOIN ib_planrate r ON r.version_id = v.id AND r."group" = c.symbol_group
  LEFT JOIN ib_planlevel l ON l.version_id = v.id AND l.level = u.level
  LEFT JOIN ib_planoverride o ON o.version_id = v.id AND o."group" = c.symbol_group AND o.level = u.level
  LEFT JOIN ib_fx f ON f.base = v.currency AND f.quote = p.currency
    AND f.day = (c.closed_at AT TIME ZONE 'UTC')::date
), counted AS (
  SELECT seen.*, CASE WHEN reason = '' THEN trunc(lots * rate * share, 8) ELSE 0 END AS rate_amount FROM seen
)
SELECT counted.*, CASE WHEN reason = '' THEN trunc(rate_amount * fx_rate, 8) ELSE 0 END AS amount,
  coalesce(own.id, %(late)s) AS period_id
FROM counted
LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
  AND own.starts_at <= counted.closed_at AND own.ends_at > counted.closed_at
"""  # noqa: S608
DEPTH = """
CREATE TEMP TABLE ib_depth ON COMMIT DROP AS
SELECT version_id, max(level) AS levels
FROM (SELECT version_id, level FROM ib_planlevel UNION ALL SELECT version_id, level FROM ib_planoverride) every
GROUP BY 1
"""
COLUMNS = """run_id, kind, state, reason, partner_id, introducer_id, level, client_id, deal_id, ticket, closed_at, account_id,
  symbol, symbol_group, lots, held_seconds, version_id, rate, share, is_override, rate_currency, rate_amount, fx_rate, fx_on,
  currency, amount, period_id, corrects_id, source, created_at"""
MISSING = f"""
INSERT INTO ib_accrual ({COLUMNS})
SELECT %(run)s, 'original', CASE WHEN reason = '' THEN 'accrued' ELSE 'excluded' END, reason, partner_id, introducer_id,
  level, client_id, deal_id, ticket, closed_at, account_id, symbol, symbol_group, lots, held_seconds, version_id, rate, share,
  is_override, coalesce(rate_currency, ''), rate_amount, fx_rate, fx_on, currency, amount, period_id, NULL, '', %(now)s
FROM ib_wanted w
ORDER BY closed_at, deal_id, level
"""  # noqa: S608
# Running sums per partner and day are kept in the same transaction as the rows they sum up.
ADD_UP = """
INSERT INTO ib_partnerday AS kept (partner_id, period_id, day, currency, amount, lots, trades, unpaid)
SELECT partner_id, period_id, (closed_at AT TIME ZONE 'UTC')::date, currency, sum(amount), sum(lots), sum(trades), sum(unpaid)
FROM {source} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT ON CONSTRAINT one_sum_per_partner_day_period_and_currency DO UPDATE SET amount = kept.amount + EXCLUDED.amount,
  lots = kept.lots + EXCLUDED.lots, trades = kept.trades + EXCLUDED.trades, unpaid = kept.unpaid + EXCLUDED.unpaid
"""
ADD_UP_WANTED = ADD_UP.format(
    source="""(SELECT partner_id, period_id, closed_at, currency, amount, CASE WHEN reason = '' THEN lots ELSE 0 END AS lots,
  (reason = '')::int AS trades, (reason <> '')::int AS unpaid FROM ib_wanted) w"""
)
ADD_UP_ADDED = ADD_UP.format(
    source="(SELECT partner_id, period_id, closed_at, currency, amount, 0 AS lots, 0 AS trades, 0 AS unpaid FROM added) a"
)
# A recalculation finds most rows there already: what is new is set apart first.
DROP_KNOWN = """
CREATE TEMP TABLE ib_every ON COMMIT DROP AS SELECT * FROM ib_wanted;
DELETE FROM ib_wanted w USING ib_accrual o WHERE o.kind = 'original' AND o.deal_id = w.deal_id
  AND o.partner_id = w.partner_id AND o.level = w.level
"""
COUNTS = "SELECT count(*) FILTER (WHERE reason = ''), count(*) FILTER (WHERE reason <> '') FROM ib_wanted"
# Nothing was paid and nothing is, but how long the position was held is known by now: a row says the real reason.
RESOLVED = "coalesce(h.reason = 'hold_unknown' AND w.reason NOT IN ('', 'hold_unknown') AND w.amount = h.amount, false)"
# What earlier rows of the scope add up to. Clawbacks are not counted: they are rows beside what a trade earned.
HAD = """
  SELECT x.deal_id, x.partner_id, x.level, x.currency, sum(x.amount) AS amount, sum(x.rate_amount) AS rate_amount,
    min(x.id) FILTER (WHERE x.kind = 'original') AS original_id, max(x.id) AS last_id,
    (array_agg(x.reason ORDER BY x.id DESC))[1] AS reason
  FROM ib_accrual x JOIN ib_partner p ON p.id = x.partner_id AND p.brand_id = %(brand)s
  WHERE x.kind IN ('original', 'delta') AND {accrued}
  GROUP BY 1, 2, 3, 4
"""
# What would be written, per partner and reason, without writing it. `none`: the deal has no row yet.
COMPARE = f"""
WITH had AS ({HAD}), differs AS (
  SELECT coalesce(w.deal_id, h.deal_id) AS deal_id, coalesce(w.partner_id, h.partner_id) AS partner_id,
    coalesce(w.currency, h.currency) AS currency,
    CASE WHEN h.deal_id IS NULL THEN 'none' WHEN h.amount <> 0 THEN '' ELSE h.reason END AS reason_before,
    CASE WHEN w.deal_id IS NULL THEN 'deal_changed' ELSE w.reason END AS reason_after,
    coalesce(h.amount, 0) AS amount_before, coalesce(w.amount, 0) AS amount_after
  FROM ib_wanted w
  FULL JOIN had h USING (deal_id, partner_id, level, currency)
  WHERE h.deal_id IS NULL OR coalesce(w.amount, 0) <> h.amount OR {RESOLVED}
)
SELECT partner_id, currency, reason_before, reason_after, sum(amount_before)::text, sum(amount_after)::text,
  array_agg(DISTINCT deal_id)
FROM differs GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608
CORRECTIONS = f"""
WITH had AS ({HAD}), differs AS (
  SELECT coalesce(w.deal_id, h.deal_id) AS deal_id, coalesce(w.partner_id, h.partner_id) AS partner_id,
    coalesce(w.level, h.level) AS level, coalesce(w.currency, h.currency) AS currency,
    coalesce(w.amount, 0) - coalesce(h.amount, 0) AS amount,
    coalesce(w.rate_amount, 0) - coalesce(h.rate_amount, 0) AS rate_amount,
    coalesce(h.original_id, h.last_id) AS known_id, w.deal_id IS NULL AS is_gone,
    {RESOLVED} AS is_resolved
  FROM ib_every w
  FULL JOIN had h USING (deal_id, partner_id, level, currency)
  WHERE coalesce(w.amount, 0) <> coalesce(h.amount, 0) OR {RESOLVED}
), added AS (
  INSERT INTO ib_accrual ({COLUMNS})
  SELECT %(run)s, 'delta', CASE WHEN d.is_resolved THEN 'excluded' WHEN d.amount < 0 THEN 'reversed' ELSE 'accrued' END,
    CASE WHEN d.is_resolved THEN w.reason WHEN d.is_gone THEN 'deal_changed' ELSE 'recalculated' END,
    d.partner_id, coalesce(w.introducer_id, k.introducer_id), d.level, coalesce(w.client_id, k.client_id), d.deal_id,
    coalesce(w.ticket, k.ticket),
    coalesce(w.closed_at, k.closed_at), coalesce(w.account_id, k.account_id), coalesce(w.symbol, k.symbol),
    coalesce(w.symbol_group, k.symbol_group), coalesce(w.lots, 0), w.held_seconds, w.version_id, w.rate, w.share,
    coalesce(w.is_override, false), coalesce(w.rate_currency, k.rate_currency, ''), d.rate_amount, w.fx_rate, w.fx_on,
    d.currency, d.amount, coalesce(w.period_id, own.id, %(late)s), k.id, '', %(now)s
  FROM differs d
  LEFT JOIN ib_every w USING (deal_id, partner_id, level, currency)
  LEFT JOIN ib_accrual k ON k.id = coalesce(d.known_id, (
    SELECT min(o.id) FROM ib_accrual o WHERE o.kind = 'original' AND o.deal_id = d.deal_id
      AND o.partner_id = d.partner_id AND o.level = d.level))
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= k.closed_at AND own.ends_at > k.closed_at
  ORDER BY 11, 9, 7
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({ADD_UP_ADDED})
SELECT count(*) FROM added
"""  # noqa: S608
