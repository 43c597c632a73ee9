"""The SQL that compares what trades should earn (`ib.calculation.wanted`) with what was accrued, and writes it.

Scopes are filled in as text by `ib.engine`; every value is a parameter.
"""

# Most syncs bring nothing that anybody earns on: closing deals of somebody's client, or deals that changed.
CONCERNED = """
SELECT c.brand_id, bool_or(d.revision > 0)
FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id JOIN clients_client c ON c.id = a.client_id
WHERE d.id = ANY(%s) AND (d.revision > 0 OR d.entry IN (1, 2, 3))
  AND EXISTS (SELECT 1 FROM ib_attribution att WHERE att.client_id = a.client_id)
GROUP BY 1 ORDER BY 1
"""
# An opening or reversal that came late, changed or went decides how long closes of its position were held that have rows, and
# what all of them, earlier ones too, were charged for opening.
REOPENED = """
SELECT DISTINCT c.id
FROM trading_deal o
JOIN trading_deal c ON c.account_id = o.account_id AND c.position_id = o.position_id AND c.position_id <> 0
WHERE o.id = ANY(%(deals)s) AND o.action IN (0, 1) AND o.entry IN (0, 2) AND o.position_id <> 0
  AND c.entry IN (1, 2, 3) AND c.id <> ALL(%(deals)s)
  AND EXISTS (SELECT 1 FROM ib_accrual x WHERE x.kind = 'original' AND x.deal_id = c.id)
"""
# In a first pass (not a recalculation) a deal that has rows is done.
NOT_YET = "AND NOT EXISTS (SELECT 1 FROM ib_accrual done WHERE done.kind = 'original' AND done.deal_id = d.id)"
COLUMNS = """run_id, kind, state, reason, partner_id, introducer_id, level, client_id, deal_id, ticket, closed_at, account_id,
  symbol, symbol_group, lots, held_seconds, version_id, rate, share, is_override, rate_currency, rate_amount, fx_rate, fx_on,
  currency, amount, period_id, corrects_id, source, created_at, component, basis, basis_currency, basis_fx, cap, below, tier,
  revenue, ratio, passed_percent, passed_per_lot"""
# A long pass writes its lines as they were calculated, by their closing (`facts.CLOSING`): to sort them took a tenth of it.
MISSING = f"""
INSERT INTO ib_accrual ({COLUMNS})
SELECT %(run)s, 'original', CASE WHEN reason = '' THEN 'accrued' ELSE 'excluded' END, reason, partner_id, introducer_id,
  level, client_id, deal_id, ticket, closed_at, account_id, symbol, symbol_group, lots, held_seconds, version_id, rate, share,
  is_override, coalesce(rate_currency, ''), rate_amount, fx_rate, fx_on, currency, amount, period_id, NULL, %(source)s, %(now)s,
  component, basis, basis_currency, basis_fx, cap, below, tier, revenue, ratio, passed_percent, passed_per_lot
FROM ib_wanted w
"""  # noqa: S608
IN_ORDER = "ORDER BY closed_at, deal_id, level, component"
# Running sums per partner and day are kept in the same transaction as the rows they sum up.
ADD_UP = """
INSERT INTO ib_partnerday AS kept (partner_id, period_id, day, currency, amount, lots, trades, unpaid)
SELECT partner_id, period_id, day, currency, sum(amount), sum(lots), sum(trades), sum(unpaid)
FROM {source} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT ON CONSTRAINT one_sum_per_partner_day_period_and_currency DO UPDATE SET amount = kept.amount + EXCLUDED.amount,
  lots = kept.lots + EXCLUDED.lots, trades = kept.trades + EXCLUDED.trades, unpaid = kept.unpaid + EXCLUDED.unpaid
"""
ADD_UP_WANTED = ADD_UP.format(
    source="""(SELECT partner_id, period_id, day, currency, amount, CASE WHEN reason = '' THEN lots ELSE 0 END AS lots,
  (reason = '')::int AS trades, (reason <> '')::int AS unpaid FROM ib_wanted) w"""
)
# A trade that several components pay is one trade, paid where one of them pays; a CPA is beside it.
ADD_UP_COMPONENTS = ADD_UP.format(
    source="""(SELECT partner_id, period_id, day, currency, amount,
  CASE WHEN reason = '' AND component <> 'cpa' THEN lots ELSE 0 END AS lots,
  (reason = '' AND component <> 'cpa')::int AS trades, (reason <> '' AND component <> 'cpa')::int AS unpaid
  FROM ib_wanted WHERE is_only
  UNION ALL SELECT partner_id, period_id, day, currency, sum(amount),
  CASE WHEN bool_or(reason = '') THEN max(lots) ELSE 0 END, bool_or(reason = '')::int, bool_and(reason <> '')::int
  FROM ib_wanted WHERE NOT is_only GROUP BY deal_id, level, partner_id, period_id, day, currency) w"""
)
# A pass that looks again may add a component beside those that a trade had: it stays one trade, and is paid from then on.
ADD_UP_BESIDE = ADD_UP.format(
    source="""(SELECT t.partner_id, t.period_id, t.day, t.currency, t.amount,
  CASE WHEN t.is_paid AND NOT had.is_paid THEN t.lots ELSE 0 END AS lots,
  (t.is_paid OR had.is_paid)::int - had.is_paid::int AS trades,
  (NOT (t.is_paid OR had.is_paid))::int - (had.is_any AND NOT had.is_paid)::int AS unpaid
  FROM (SELECT deal_id, level, partner_id, period_id, day, currency, sum(amount) AS amount, max(lots) AS lots,
          bool_or(reason = '') AS is_paid
        FROM ib_wanted WHERE component <> 'cpa' GROUP BY 1, 2, 3, 4, 5, 6) t
  CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS is_any, coalesce(bool_or(o.state = 'accrued'), false) AS is_paid FROM ib_accrual o
    WHERE o.kind = 'original' AND o.deal_id = t.deal_id AND o.partner_id = t.partner_id AND o.level = t.level
      AND o.component <> 'cpa' AND o.period_id = t.period_id AND o.currency = t.currency AND o.run_id <> %(run)s
      AND (o.closed_at AT TIME ZONE 'UTC')::date = t.day) had
  UNION ALL SELECT partner_id, period_id, day, currency, amount, 0, 0, 0 FROM ib_wanted WHERE component = 'cpa') w"""
)
ADD_UP_ADDED = ADD_UP.format(
    source="""(SELECT partner_id, period_id, (closed_at AT TIME ZONE 'UTC')::date AS day, currency, amount, 0 AS lots, 0 AS trades,
  0 AS unpaid FROM added) a"""
)
# A recalculation finds most rows there already: what is new is set apart first.
DROP_KNOWN = """
CREATE TEMP TABLE ib_every ON COMMIT DROP AS SELECT * FROM ib_wanted;
DELETE FROM ib_wanted w USING ib_accrual o WHERE o.kind = 'original' AND o.deal_id = w.deal_id
  AND o.partner_id = w.partner_id AND o.level = w.level AND o.component = w.component
"""
COUNTS = "SELECT count(*) FILTER (WHERE reason = ''), count(*) FILTER (WHERE reason <> '') FROM ib_wanted"
# Nothing was paid and nothing is, but for another reason by now: how long the position was held is known, or what others earn on
# the trade has changed. A row says the real reason.
RESOLVED = """coalesce(h.reason IN ('hold_unknown', 'no_difference', 'cap_upline') AND w.reason NOT IN ('', h.reason)
  AND w.amount = h.amount, false)"""
# What earlier rows of the scope add up to. Clawbacks are not counted: they are rows beside what a trade earned.
HAD = """
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency, sum(x.amount) AS amount, sum(x.rate_amount) AS rate_amount,
    sum(x.revenue) AS revenue, min(x.id) FILTER (WHERE x.kind = 'original') AS original_id, max(x.id) AS last_id,
    (array_agg(x.reason ORDER BY x.id DESC))[1] AS reason,
    (array_agg(x.passed_percent ORDER BY x.id DESC))[1] AS passed_percent,
    (array_agg(x.passed_per_lot ORDER BY x.id DESC))[1] AS passed_per_lot
  FROM (SELECT * FROM ib_accrual x WHERE x.kind = 'original' AND {accrued}
        UNION ALL SELECT * FROM ib_accrual x WHERE x.kind = 'delta' AND x.kind <> 'original' AND {accrued}) x
  JOIN ib_partner p ON p.id = x.partner_id AND p.brand_id = %(brand)s
  GROUP BY 1, 2, 3, 4, 5
"""
CHANGED = (
    f"coalesce(w.amount, 0) <> coalesce(h.amount, 0) OR coalesce(w.revenue, 0) <> coalesce(h.revenue, 0) OR {RESOLVED}"
    " OR (w.amount <> 0 AND (w.passed_percent, w.passed_per_lot) IS DISTINCT FROM (h.passed_percent, h.passed_per_lot))"
)
# The deals of which something would be written, and whether that is a CPA, without writing it.
DIFFERING = f"""
WITH had AS ({HAD})
SELECT coalesce(w.deal_id, h.deal_id), bool_or(component = 'cpa')
FROM ib_wanted w
FULL JOIN had h USING (deal_id, partner_id, level, component, currency)
WHERE h.deal_id IS NULL OR {CHANGED}
GROUP BY 1
"""  # noqa: S608
CORRECTIONS = f"""
WITH had AS ({HAD}), differs AS (
  SELECT coalesce(w.deal_id, h.deal_id) AS deal_id, coalesce(w.partner_id, h.partner_id) AS partner_id,
    coalesce(w.level, h.level) AS level, coalesce(w.component, h.component) AS component,
    coalesce(w.currency, h.currency) AS currency,
    coalesce(w.amount, 0) - coalesce(h.amount, 0) AS amount,
    coalesce(w.rate_amount, 0) - coalesce(h.rate_amount, 0) AS rate_amount,
    coalesce(w.revenue, 0) - coalesce(h.revenue, 0) AS revenue,
    coalesce(h.original_id, h.last_id) AS known_id, w.deal_id IS NULL AS is_gone,
    {RESOLVED} AS is_resolved
  FROM ib_every w
  FULL JOIN had h USING (deal_id, partner_id, level, component, currency)
  WHERE {CHANGED}
), added AS (
  INSERT INTO ib_accrual ({COLUMNS})
  SELECT %(run)s, 'delta', CASE WHEN d.is_resolved THEN 'excluded' WHEN d.amount < 0 THEN 'reversed' ELSE 'accrued' END,
    CASE WHEN d.is_gone THEN 'deal_changed' WHEN w.reason <> '' THEN w.reason ELSE 'recalculated' END,
    d.partner_id, coalesce(w.introducer_id, k.introducer_id), d.level, coalesce(w.client_id, k.client_id), d.deal_id,
    coalesce(w.ticket, k.ticket),
    coalesce(w.closed_at, k.closed_at), coalesce(w.account_id, k.account_id), coalesce(w.symbol, k.symbol),
    coalesce(w.symbol_group, k.symbol_group), coalesce(w.lots, 0), w.held_seconds, w.version_id, w.rate, w.share,
    coalesce(w.is_override, false), coalesce(w.rate_currency, k.rate_currency, ''), d.rate_amount, w.fx_rate, w.fx_on,
    d.currency, d.amount, coalesce(w.period_id, own.id, %(late)s), k.id, %(source)s, %(now)s, d.component, w.basis,
    coalesce(w.basis_currency, ''), w.basis_fx, w.cap, w.below, w.tier, nullif(d.revenue, 0), w.ratio, w.passed_percent,
    w.passed_per_lot
  FROM differs d
  LEFT JOIN ib_every w USING (deal_id, partner_id, level, component, currency)
  LEFT JOIN ib_accrual k ON k.id = coalesce(d.known_id, (
    SELECT min(o.id) FROM ib_accrual o WHERE o.kind = 'original' AND o.deal_id = d.deal_id
      AND o.partner_id = d.partner_id AND o.level = d.level AND o.component = d.component))
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= k.closed_at AND own.ends_at > k.closed_at
  ORDER BY 11, 9, 7
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({ADD_UP_ADDED})
SELECT count(*) FROM added
"""  # noqa: S608
