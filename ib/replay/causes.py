"""The SQL that lists what a run added, line by line, each with the one cause for which it differs from what was booked before.

What held at the calculation is read from the line's last row (version, rate, rank, exchange rates, lots, symbol group, introducer
are written there); what isn't (account group, network, deal) is asked of the records that were corrected since. The first cause
that fits counts, from the deal over the referral and the agreement to single figures.
"""

from __future__ import annotations

from typing import Final

from ib.choices import EXCLUSIONS, SALES_FROM, AccrualKind, Component, Reason
from ib.choices import DifferenceCause as Cause

EARNED: Final = f"('{AccrualKind.ORIGINAL}', '{AccrualKind.DELTA}')"
TAKEN: Final = f"('{AccrualKind.CLAWBACK}', '{AccrualKind.RESTORED}')"
EXCLUDED: Final = str(tuple(str(reason) for reason in EXCLUSIONS))
KEY: Final = "deal_id, partner_id, level, component, currency"
# Of two versions: the same plan in another version, or another agreement.
OTHER_VERSION: Final = f"""CASE WHEN (SELECT count(DISTINCT v.plan_id) FROM ib_planversion v
      WHERE v.id IN ({{was}}, {{now}})) = 1 AND {{was}} IS NOT NULL AND {{now}} IS NOT NULL
      THEN '{Cause.VERSION}' ELSE '{Cause.AGREEMENT}' END"""  # noqa: S608
# A line that wasn't there, or is there no more.
CAME_OR_WENT: Final = f"""CASE
      WHEN p.id IS NULL AND fact.deal_is_new THEN '{Cause.DEAL_LATE}'
      WHEN fact.introducer_was IS DISTINCT FROM fact.introducer_now THEN '{Cause.INTRODUCER}'
      WHEN l.component = '{Component.CPA}' THEN '{Cause.CPA}'
      WHEN fact.has_other_currency THEN '{Cause.CURRENCY}'
      WHEN p.reason = '{Reason.DEAL_CHANGED}' OR NOT d.is_close THEN '{Cause.DEAL_EDITED}'
      WHEN fact.group_corrected AND EXISTS (SELECT FROM ib_partnerplan s WHERE cardinality(s.account_groups) > 0
        AND s.partner_id IN (l.partner_id, k.introducer_id)) THEN '{Cause.ACCOUNT_TYPE}'
      WHEN NOT fact.is_above THEN '{Cause.TREE}'
      WHEN p.id IS NULL AND fact.beside_was IS NULL AND fact.is_level_new IS NOT TRUE THEN '{Cause.TREE}'
      WHEN p.id IS NULL THEN {OTHER_VERSION.format(was="coalesce(fact.beside_was, fact.first_was)", now="n.version_id")}
      ELSE {OTHER_VERSION.format(was="p.version_id", now="coalesce(fact.beside_now, fact.first_now)")} END"""
# A client's month whose line wasn't there, or is there no more: an emptied month has all its figures at 0, and one in which the
# client was moved is decided at another instant, by what was agreed then.
MONTH_CAME_OR_WENT: Final = f"""CASE
      WHEN fact.deal_is_new OR EXISTS (SELECT FROM ib_revenuemonth r WHERE r.id = -l.deal_id
        AND (r.charged, r.swaps, r.lost, r.booked, r.pip_worth) = (0, 0, 0, 0, 0) AND r.lots = 0) THEN '{Cause.REVENUE}'
      WHEN fact.has_other_currency THEN '{Cause.CURRENCY}'
      WHEN EXISTS (SELECT FROM ib_revenuemonth r JOIN ib_earlier e ON e.deal_id = l.deal_id
        WHERE r.id = -l.deal_id AND r.decided_at <> e.closed_at) THEN '{Cause.INTRODUCER}'
      WHEN NOT fact.is_above THEN '{Cause.TREE}'
      ELSE '{Cause.AGREEMENT}' END"""  # noqa: S608
CHANGED: Final = f"""CASE
      WHEN p.client_id <> n.client_id OR p.closed_at <> n.closed_at OR p.symbol <> n.symbol THEN '{Cause.DEAL_EDITED}'
      WHEN p.introducer_id <> n.introducer_id THEN '{Cause.INTRODUCER}'
      WHEN p.reason = '{Reason.HOLD_UNKNOWN}' OR n.reason = '{Reason.HOLD_UNKNOWN}' THEN '{Cause.OPENING}'
      WHEN '{Reason.PARTNER_NOT_ACTIVE}' IN (p.reason, n.reason) AND p.reason <> n.reason THEN '{Cause.STATUS}'
      WHEN fact.group_corrected AND p.version_id IS DISTINCT FROM n.version_id AND EXISTS (
        SELECT FROM ib_planversion v JOIN ib_partnerplan s ON s.plan_id = v.plan_id
        WHERE v.id IN (p.version_id, n.version_id) AND cardinality(s.account_groups) > 0) THEN '{Cause.ACCOUNT_TYPE}'
      WHEN p.version_id IS DISTINCT FROM n.version_id THEN {OTHER_VERSION.format(was="p.version_id", now="n.version_id")}
      WHEN '{Reason.COUNTRY_EXCLUDED}' IN (p.reason, n.reason) AND p.reason <> n.reason THEN '{Cause.COUNTRY}'
      WHEN p.reason <> n.reason AND (p.reason IN {EXCLUDED} OR n.reason IN {EXCLUDED}) THEN '{Cause.EXCLUSION}'
      WHEN p.symbol_group <> n.symbol_group OR p.basis_currency <> n.basis_currency THEN '{Cause.MAPPING}'
      WHEN p.held_seconds IS DISTINCT FROM n.held_seconds THEN '{Cause.OPENING}'
      WHEN p.lots <> n.lots THEN CASE WHEN fact.is_edited THEN '{Cause.DEAL_EDITED}'
        WHEN fact.mapping_corrected THEN '{Cause.MAPPING}' ELSE '{Cause.DEAL_EDITED}' END
      WHEN fact.group_corrected AND ('{Reason.ACCOUNT_GROUP}' IN (p.reason, n.reason) OR p.rate IS DISTINCT FROM n.rate
        OR p.basis IS DISTINCT FROM n.basis OR p.cap IS DISTINCT FROM n.cap OR p.reason <> n.reason) THEN '{Cause.ACCOUNT_TYPE}'
      -- The same cap before and after: whatever would have been earned above it changed nothing.
      WHEN p.cap = n.cap AND p.reason = n.reason AND (p.share, p.below) IS NOT DISTINCT FROM (n.share, n.below)
        AND p.fx_rate IS DISTINCT FROM n.fx_rate THEN '{Cause.FX}'
      WHEN p.ratio IS DISTINCT FROM n.ratio THEN '{Cause.AGREEMENT}'
      WHEN p.tier IS DISTINCT FROM n.tier THEN '{Cause.RANK}'
      WHEN l.component = '{Component.CPA}' AND p.rate IS DISTINCT FROM n.rate THEN '{Cause.COUNTRY}'
      WHEN p.rate IS DISTINCT FROM n.rate OR p.share IS DISTINCT FROM n.share THEN '{Cause.RATE}'
      WHEN '{Reason.NO_FX}' IN (p.reason, n.reason) AND p.reason <> n.reason THEN '{Cause.FX}'
      WHEN p.basis IS DISTINCT FROM n.basis OR n.reason IN ('{Reason.NOTHING_CHARGED}', '{Reason.NOTHING_CLOSED}',
        '{Reason.TOO_FEW_PIPS}') OR p.reason IN ('{Reason.NOTHING_CHARGED}', '{Reason.NOTHING_CLOSED}', '{Reason.TOO_FEW_PIPS}')
        THEN CASE WHEN fact.is_edited THEN '{Cause.DEAL_EDITED}' WHEN fact.opening_edited THEN '{Cause.OPENING}'
          WHEN l.component IN ('{Component.PIP}', '{Component.POINT}', '{Component.SPREAD}')
          THEN '{Cause.MAPPING}' ELSE '{Cause.DEAL_EDITED}' END
      WHEN p.fx_rate IS DISTINCT FROM n.fx_rate OR p.basis_fx IS DISTINCT FROM n.basis_fx THEN '{Cause.FX}'
      WHEN p.below IS DISTINCT FROM n.below OR '{Reason.NO_DIFFERENCE}' IN (p.reason, n.reason) THEN '{Cause.BELOW}'
      WHEN '{Reason.CAP_UPLINE}' IN (p.reason, n.reason) OR p.revenue IS DISTINCT FROM n.revenue THEN '{Cause.CAP}'
      WHEN abs(l.earned) <= 0.00000001 THEN '{Cause.ROUNDING}'
      ELSE '{Cause.UNEXPLAINED}' END"""  # noqa: S608
# What the run added, and what was there on the same deals: each line asks about its deal several times.
GATHER: Final = (
    "CREATE TEMP TABLE ib_added ON COMMIT DROP AS SELECT * FROM ib_accrual WHERE id > %(mark)s AND run_id = ANY (%(runs)s)",
    """CREATE TEMP TABLE ib_earlier ON COMMIT DROP AS
WITH deals AS (SELECT DISTINCT deal_id FROM ib_added)
SELECT x.* FROM deals JOIN ib_accrual x USING (deal_id) WHERE x.id <= %(mark)s AND x.kind = 'original'
UNION ALL SELECT x.* FROM deals JOIN ib_accrual x USING (deal_id) WHERE x.id <= %(mark)s AND x.kind <> 'original'""",
    "CREATE INDEX ON ib_added (deal_id)",
    "CREATE INDEX ON ib_earlier (deal_id)",
    "ANALYZE ib_added (id, deal_id, partner_id, level, component, currency)",
    "ANALYZE ib_earlier (id, deal_id, partner_id, level, component, currency)",
)
DROP: Final = "DROP TABLE ib_added, ib_earlier"
LINES: Final = f"""
WITH lines AS (
  SELECT {KEY}, sum(amount) AS difference, coalesce(sum(amount) FILTER (WHERE kind IN {EARNED}), 0) AS earned,
    coalesce(bool_or(kind IN {TAKEN}), false) AS is_taken, max(id) FILTER (WHERE kind IN {EARNED}) AS now_id, max(id) AS any_id
  FROM ib_added GROUP BY {KEY}
), facts AS MATERIALIZED (
  SELECT id, client_id, closed_at, symbol, introducer_id, version_id, symbol_group, basis_currency, held_seconds, lots, rate, tier,
    ratio, share, basis, cap, fx_rate, basis_fx, below, revenue, created_at,
    CASE WHEN reason = '{Reason.RECALCULATED}' THEN '' ELSE reason END AS reason
  FROM (SELECT * FROM ib_earlier UNION ALL SELECT * FROM ib_added) every WHERE kind IN {EARNED}
), was AS (
  SELECT {KEY}, sum(amount) AS before, max(id) FILTER (WHERE kind IN {EARNED}) AS was_id FROM ib_earlier GROUP BY {KEY}
)
SELECT l.deal_id, k.ticket, k.closed_at, k.client_id, l.partner_id, l.level, l.component, k.symbol, l.currency,
  coalesce(w.before, 0), coalesce(w.before, 0) + l.difference, l.difference,
  CASE
    WHEN n.id IS NULL THEN CASE WHEN l.is_taken THEN '{Cause.CLAWED_BACK}' ELSE '{Cause.CAP}' END
    WHEN l.difference = 0 AND l.earned <> 0 THEN CASE WHEN l.is_taken THEN '{Cause.CLAWED_BACK}' ELSE '{Cause.CAP}' END
    WHEN l.deal_id < -{SALES_FROM} AND (fact.deal_is_new OR ('{Reason.FEE_RETURNED}' IN (p.reason, n.reason)
      AND p.reason IS DISTINCT FROM n.reason)) THEN '{Cause.SALE}'
    WHEN l.deal_id < 0 AND (p.id IS NULL OR n.version_id IS NULL) THEN {MONTH_CAME_OR_WENT}
    WHEN l.deal_id < 0 AND p.closed_at <> n.closed_at THEN '{Cause.INTRODUCER}'
    WHEN l.deal_id < 0 AND p.version_id = n.version_id AND l.component = '{Component.POT}'
      AND (p.basis, p.rate) IS DISTINCT FROM (n.basis, n.rate) THEN '{Cause.POT}'
    WHEN l.deal_id < 0 AND p.version_id = n.version_id AND p.basis IS DISTINCT FROM n.basis THEN '{Cause.REVENUE}'
    WHEN l.deal_id > 0 AND (d.id IS NULL OR d.deleted_at IS NOT NULL) THEN '{Cause.DEAL_DELETED}'
    WHEN p.id IS NULL OR n.reason = '{Reason.DEAL_CHANGED}' THEN {CAME_OR_WENT}
    WHEN p.reason = '{Reason.DEAL_CHANGED}' THEN {CAME_OR_WENT}
    ELSE {CHANGED}
  END,
  CASE WHEN w.deal_id IS NULL THEN 'none' WHEN w.before <> 0 THEN '' ELSE coalesce(p.reason, '') END,
  CASE WHEN coalesce(w.before, 0) + l.difference <> 0 THEN '' ELSE coalesce(n.reason, k.reason) END,
  EXISTS (SELECT 1 FROM ib_settlementperiod s WHERE s.brand_id = %(brand)s AND s.state = 'closed'
          AND s.starts_at <= k.closed_at AND s.ends_at > k.closed_at)
FROM lines l
JOIN ib_added k ON k.id = l.any_id
LEFT JOIN was w ON w.deal_id = l.deal_id AND w.partner_id = l.partner_id AND w.level = l.level AND w.component = l.component
  AND w.currency = l.currency
LEFT JOIN facts p ON p.id = w.was_id
LEFT JOIN facts n ON n.id = l.now_id
LEFT JOIN LATERAL (
  SELECT t.id, t.deleted_at, t.account_id, t.position_id, t.server_id, t.symbol, t.ticket, t.executed_at,
    t.action IN (0, 1) AND t.entry IN (1, 2, 3) AS is_close
  FROM trading_deal t WHERE t.id = l.deal_id
) d ON true
LEFT JOIN trading_tradingaccount a ON a.id = d.account_id
CROSS JOIN LATERAL (SELECT
  NOT EXISTS (SELECT 1 FROM ib_earlier e WHERE e.deal_id = l.deal_id) AS deal_is_new,
  (SELECT e.introducer_id FROM ib_earlier e WHERE e.deal_id = l.deal_id AND e.kind IN {EARNED} ORDER BY e.id DESC LIMIT 1)
    AS introducer_was,
  (SELECT t.partner_id FROM ib_attribution t WHERE t.client_id = a.client_id AND t.starts_at <= d.executed_at
     AND (t.ends_at IS NULL OR t.ends_at > d.executed_at)) AS introducer_now,
  EXISTS (SELECT 1 FROM ib_earlier e WHERE e.deal_id = l.deal_id AND e.partner_id = l.partner_id AND e.level = l.level
     AND e.component = l.component AND e.currency <> l.currency)
  OR EXISTS (SELECT 1 FROM ib_added e WHERE e.deal_id = l.deal_id AND e.partner_id = l.partner_id AND e.level = l.level
     AND e.component = l.component AND e.currency <> l.currency) AS has_other_currency,
  EXISTS (SELECT 1 FROM ib_upline u WHERE u.partner_id = k.introducer_id AND u.ancestor_id = l.partner_id AND u.level = l.level
     AND u.starts_at <= k.closed_at AND (u.ends_at IS NULL OR u.ends_at > k.closed_at)) AS is_above,
  NOT EXISTS (SELECT 1 FROM ib_earlier e WHERE e.deal_id = l.deal_id AND e.level = l.level) AS is_level_new,
  (SELECT e.version_id FROM ib_earlier e WHERE e.deal_id = l.deal_id AND e.partner_id = l.partner_id AND e.level = l.level
     AND e.kind IN {EARNED} AND e.component <> '{Component.CPA}' ORDER BY e.id DESC LIMIT 1) AS beside_was,
  (SELECT e.version_id FROM ib_added e WHERE e.deal_id = l.deal_id AND e.partner_id = l.partner_id AND e.level = l.level
     AND e.kind IN {EARNED} AND e.component <> '{Component.CPA}' AND e.version_id IS NOT NULL ORDER BY e.id DESC LIMIT 1)
    AS beside_now,
  (SELECT e.version_id FROM ib_earlier e WHERE e.deal_id = l.deal_id AND e.level = 1 AND e.kind IN {EARNED}
     AND e.component <> '{Component.CPA}' ORDER BY e.id DESC LIMIT 1) AS first_was,
  (SELECT e.version_id FROM ib_added e WHERE e.deal_id = l.deal_id AND e.level = 1 AND e.kind IN {EARNED}
     AND e.component <> '{Component.CPA}' AND e.version_id IS NOT NULL ORDER BY e.id DESC LIMIT 1) AS first_now,
  EXISTS (SELECT 1 FROM trading_dealedit e WHERE e.server_id = d.server_id AND e.ticket = d.ticket AND e.at >= p.created_at)
    AS is_edited,
  EXISTS (SELECT 1 FROM trading_deal o JOIN trading_dealedit e ON e.server_id = o.server_id AND e.ticket = o.ticket
     WHERE o.account_id = d.account_id AND o.position_id = d.position_id AND o.position_id <> 0 AND o.entry IN (0, 2)
     AND e.at >= p.created_at) AS opening_edited,
  EXISTS (SELECT 1 FROM trading_symbolinfo s JOIN trading_pastsymbolmapping m ON m.info_id = s.id
     WHERE s.server_id = d.server_id AND s.name = d.symbol AND m.corrected_at >= p.created_at) AS mapping_corrected,
  EXISTS (SELECT 1 FROM trading_pastaccountgroup g WHERE g.account_id = d.account_id AND g.corrected_at >=
     coalesce(p.created_at, (SELECT max(e.created_at) FROM ib_earlier e WHERE e.deal_id = l.deal_id)))
    AS group_corrected
) fact
WHERE NOT (l.difference = 0 AND l.earned = 0 AND p.id IS NOT NULL AND n.id IS NOT NULL AND p.reason = n.reason)
ORDER BY k.closed_at, l.deal_id, l.level, l.component, l.partner_id, l.currency
LIMIT %(most)s
"""  # noqa: S608
