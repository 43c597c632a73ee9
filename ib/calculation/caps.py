"""The most that a partner earns by a version per day, per month and of the broker's revenue, as SQL over what was accrued.

Trades fill a cap in the order of their closing, then of their deals, levels and components; a day's cap comes before its month's,
and that before the part of what the broker earned in the month on the trades that the version has lines of, paid or not.
What goes beyond it is taken off by a row of its own beside the accrual. What each trade keeps follows from the trades that there
are, so after late or changed deals the difference is a further row, and no order of passes leaves a partner with another sum.
"""

from __future__ import annotations

from typing import Final

from ib.calculation import writing
from ib.choices import AccrualKind, AccrualState, Reason

# What of a running sum a cap leaves to one row of it.
_LEFT: Final = "least({total}, {cap}) - least({total} - {own}, {cap})"
_IN_ORDER: Final = "ORDER BY closed_at, deal_id, level, component, currency ROWS UNBOUNDED PRECEDING"
_MONTH: Final = "partner_id, version_id, date_trunc('month', closed_at AT TIME ZONE %(zone)s)"
# A trade's revenue is on each of its lines, and counts once.
KEPT: Final = f"""
by_day AS (
  SELECT l.*, v.cap_day, v.cap_month, v.cap_revenue, sum(rate_amount) OVER day AS day_total,
    CASE WHEN v.cap_day IS NULL THEN rate_amount
      ELSE {_LEFT.format(total="sum(rate_amount) OVER day", cap="v.cap_day", own="rate_amount")} END AS day_kept,
    CASE WHEN row_number() OVER (PARTITION BY partner_id, version_id, deal_id ORDER BY abs(coalesce(revenue, 0)) DESC) = 1
      THEN revenue END AS earned
  FROM lines l
  LEFT JOIN (SELECT id, cap_day, cap_month, cap_revenue FROM ib_version) v ON v.id = l.version_id
  WINDOW day AS (PARTITION BY partner_id, version_id, (closed_at AT TIME ZONE %(zone)s)::date {_IN_ORDER})
), by_month AS (
  SELECT d.*, sum(day_kept) OVER month AS month_total,
    CASE WHEN cap_month IS NULL THEN day_kept
      ELSE {_LEFT.format(total="sum(day_kept) OVER month", cap="cap_month", own="day_kept")} END AS month_kept,
    CASE WHEN cap_revenue IS NOT NULL
      THEN greatest(0, trunc(cap_revenue / 100 * sum(earned) OVER (PARTITION BY {_MONTH}), 8)) END AS ceiling
  FROM by_day d
  WINDOW month AS (PARTITION BY {_MONTH} {_IN_ORDER})
), by_revenue AS (
  SELECT m.*, sum(month_kept) OVER month AS revenue_total,
    CASE WHEN ceiling IS NULL THEN month_kept
      ELSE {_LEFT.format(total="sum(month_kept) OVER month", cap="ceiling", own="month_kept")} END AS kept
  FROM by_month m
  WINDOW month AS (PARTITION BY {_MONTH} {_IN_ORDER})
)"""  # noqa: S608
# Which cap cut a line last, with the most and what had been earned of it before.
WHY: Final = f"""CROSS JOIN LATERAL (SELECT CASE
    WHEN d.kept < d.month_kept THEN '{Reason.CAP_REVENUE}' WHEN d.month_kept < d.day_kept THEN '{Reason.CAP_MONTH}'
    WHEN d.day_kept < d.rate_amount THEN '{Reason.CAP_DAY}'
    WHEN d.cap_day IS NOT NULL THEN '{Reason.CAP_DAY}' WHEN d.cap_month IS NOT NULL THEN '{Reason.CAP_MONTH}'
    WHEN d.cap_revenue IS NOT NULL THEN '{Reason.CAP_REVENUE}' ELSE '{Reason.CAP_DAY}' END AS reason) w
  CROSS JOIN LATERAL (SELECT
    CASE w.reason WHEN '{Reason.CAP_REVENUE}' THEN d.ceiling WHEN '{Reason.CAP_MONTH}' THEN d.cap_month ELSE d.cap_day END AS most,
    CASE w.reason WHEN '{Reason.CAP_REVENUE}' THEN d.revenue_total - d.month_kept
      WHEN '{Reason.CAP_MONTH}' THEN d.month_total - d.day_kept ELSE d.day_total - d.rate_amount END AS before) cut"""
# A pass that looks again may move a trade from one version to another: then every partner that it reaches is looked at.
OF_CAPPED: Final = "AND o.version_id IN (SELECT id FROM ib_version WHERE coalesce(cap_day, cap_month, cap_revenue) > 0)"
# What each line of the touched partners and months keeps, beside what was taken off so far.
_DUE: Final = f"""
WITH touched AS (
  SELECT DISTINCT partner_id, date_trunc('month', closed_at AT TIME ZONE %(zone)s) AS month
  FROM ib_accrual o WHERE o.kind = '{AccrualKind.ORIGINAL}' AND {{scope}} {{of_capped}}
), lines AS (
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency, max(x.closed_at) AS closed_at,
    coalesce(min(x.id) FILTER (WHERE x.kind = '{AccrualKind.ORIGINAL}'), min(x.id)) AS known_id,
    coalesce(sum(x.amount) FILTER (WHERE x.kind <> '{AccrualKind.CAPPED}'), 0) AS amount,
    coalesce(sum(x.rate_amount) FILTER (WHERE x.kind <> '{AccrualKind.CAPPED}'), 0) AS rate_amount,
    coalesce(sum(x.amount) FILTER (WHERE x.kind = '{AccrualKind.CAPPED}'), 0) AS taken,
    coalesce(sum(x.rate_amount) FILTER (WHERE x.kind = '{AccrualKind.CAPPED}'), 0) AS rate_taken, sum(x.revenue) AS revenue,
    (array_agg(x.version_id ORDER BY x.id DESC) FILTER (WHERE x.version_id IS NOT NULL AND x.kind <> '{AccrualKind.CAPPED}'))[1]
      AS version_id,
    (array_agg(x.fx_rate ORDER BY x.id DESC) FILTER (WHERE x.fx_rate IS NOT NULL AND x.kind <> '{AccrualKind.CAPPED}'))[1]
      AS fx_rate
  FROM touched t
  JOIN ib_accrual x ON x.partner_id = t.partner_id AND x.closed_at >= t.month AT TIME ZONE %(zone)s
    AND x.closed_at < (t.month + interval '1 month') AT TIME ZONE %(zone)s
  WHERE x.kind IN ('{AccrualKind.ORIGINAL}', '{AccrualKind.DELTA}', '{AccrualKind.CAPPED}')
  GROUP BY 1, 2, 3, 4, 5
), {KEPT}, due AS (
  SELECT m.*, kept - rate_amount AS rate_due,
    CASE WHEN kept = rate_amount THEN 0 ELSE trunc(kept * fx_rate, 8) - amount END AS due
  FROM by_revenue m
)"""  # noqa: S608
BALANCE: Final = f"""{_DUE}, added AS (
  INSERT INTO ib_accrual ({writing.COLUMNS})
  SELECT %(run)s, '{AccrualKind.CAPPED}', '{AccrualState.CAPPED}', w.reason, k.partner_id, k.introducer_id, k.level,
    k.client_id, k.deal_id, k.ticket, d.closed_at, k.account_id, k.symbol, k.symbol_group, k.lots, k.held_seconds,
    coalesce(d.version_id, k.version_id), NULL, NULL, false, k.rate_currency, d.rate_due - d.rate_taken, d.fx_rate, k.fx_on,
    k.currency, d.due - d.taken, coalesce(own.id, %(late)s), k.id, %(source)s, %(now)s, k.component, NULL, '', NULL,
    cut.most, least(cut.most, cut.before), NULL, NULL, NULL
  FROM due d
  JOIN ib_accrual k ON k.id = d.known_id
  {WHY}
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= d.closed_at AND own.ends_at > d.closed_at
  WHERE d.due <> d.taken OR d.rate_due <> d.rate_taken
  ORDER BY d.closed_at, d.deal_id, d.level, d.component
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({writing.ADD_UP_ADDED})
SELECT count(*) FROM added
"""  # noqa: S608
# Deals of a scope with a line of which a cap takes another part than was taken off.
OFF: Final = f"""{_DUE}
SELECT DISTINCT d.deal_id FROM due d JOIN ib_accrual o ON o.deal_id = d.deal_id AND o.kind = '{AccrualKind.ORIGINAL}'
WHERE (d.due <> d.taken OR d.rate_due <> d.rate_taken) AND {{scope}}
"""  # noqa: S608
# The same for a version that is tried out: what it would pay is cut down in place.
TRIED: Final = f"""
WITH lines AS (SELECT * FROM ib_wanted), {KEPT}
UPDATE ib_wanted w SET rate_amount = m.kept, amount = trunc(m.kept * w.fx_rate, 8)
FROM by_revenue m
WHERE m.kept <> m.rate_amount AND m.deal_id = w.deal_id AND m.partner_id = w.partner_id AND m.level = w.level
  AND m.component = w.component
"""  # noqa: S608
