"""The most that a partner earns by a version per day, per month and of the broker's revenue, as SQL over what was accrued.

Trades fill a cap in the order of their closing, then of their deals, levels and components; a day's cap comes before its month's,
and that before the part of what the broker earned in the month on the trades that the version has lines of, paid or not.
A version's caps count each partner apart, or all partners together (`is_capped_together`): then they are one pool, filled in the
same order whoever earns, and what a line gets is what the lines before it left, down to the last place.
What goes beyond it is taken off by a row of its own beside the accrual. What each trade keeps follows from the trades that there
are, so after late or changed deals the difference is a further row, and no order of passes leaves a partner with another sum.

Running up through a month, what is left of the sums is the sum until here, at most the cap: so of an earlier day only its total
matters (`CappedDay`). A pass reads the lines of the days that it touches, and of those where the month's sum crosses its cap
now, or did before.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from ib.calculation import writing
from ib.choices import AccrualKind, AccrualState, Reason

_IN_ORDER: Final = "ORDER BY closed_at, deal_id, level, component, currency, partner_id ROWS UNBOUNDED PRECEDING"
# Whose sum it is that a version's caps limit: the partner's, or that of all together.
TOGETHER: Final = 0
_HOLDER: Final = f"CASE WHEN v.is_capped_together THEN {TOGETHER} ELSE {{partner}} END"
_CAPPED: Final = "coalesce(v.cap_day, v.cap_month, v.cap_revenue) > 0"
# Lines with the sum of their day until here. A trade's revenue is on each of its lines, and counts once.
IN_DAY: Final = f"""
SELECT l.*, sum(rate_amount) OVER in_day AS day_total,
  CASE WHEN row_number() OVER (PARTITION BY holder_id, version_id, deal_id ORDER BY abs(coalesce(revenue, 0)) DESC) = 1
    THEN revenue END AS earned
FROM (
  SELECT l.*, (closed_at AT TIME ZONE %(zone)s)::date AS on_day, v.cap_day, v.cap_month, v.cap_revenue,
    {_HOLDER.format(partner="l.partner_id")} AS holder_id
  FROM {{lines}} l
  LEFT JOIN (SELECT id, cap_day, cap_month, cap_revenue, is_capped_together FROM ib_planversion) v ON v.id = l.version_id) l
WINDOW in_day AS (PARTITION BY holder_id, version_id, on_day {_IN_ORDER})
"""  # noqa: S608
# What the month's cap has to know of a day: what the day's cap left of it, how low and how high it was in between, the revenue.
DAYS: Final = """
SELECT holder_id AS partner_id, version_id, on_day AS day,
  sum(least(day_total, cap_day) - least(day_total - rate_amount, cap_day)) AS amount,
  least(0, min(least(day_total, cap_day))) AS low, greatest(0, max(least(day_total, cap_day))) AS high,
  coalesce(sum(earned), 0) AS revenue
FROM {in_day} i WHERE coalesce(cap_day, cap_month, cap_revenue) > 0 GROUP BY 1, 2, 3
"""
# What was left of the month before each day, and the most that the month's revenue allows.
PLACED: Final = """
SELECT k.partner_id, k.version_id, k.day, sum(k.amount) OVER until_here - k.amount AS before,
  CASE WHEN v.cap_revenue IS NOT NULL THEN greatest(0, trunc(v.cap_revenue / 100 * sum(k.revenue) OVER month, 8)) END AS ceiling
FROM {days} k JOIN ib_planversion v ON v.id = k.version_id
WINDOW month AS (PARTITION BY k.partner_id, k.version_id, date_trunc('month', k.day::timestamp)),
  until_here AS (PARTITION BY k.partner_id, k.version_id, date_trunc('month', k.day::timestamp) ORDER BY k.day)
"""
# What each cap leaves of a line: of the sum until here, at most the cap, less what was left before it.
KEPT: Final = """
SELECT i.*, c.*, m.*, p.ceiling,
  least(m.revenue_total, p.ceiling) - least(m.revenue_total - m.month_kept, p.ceiling) AS kept
FROM {in_day} i
LEFT JOIN {placed} p ON p.partner_id = i.holder_id AND p.version_id = i.version_id AND p.day = i.on_day
CROSS JOIN LATERAL (SELECT least(i.day_total, i.cap_day) - least(i.day_total - i.rate_amount, i.cap_day) AS day_kept,
  coalesce(p.before, 0) + least(i.day_total, i.cap_day) AS month_total) c
CROSS JOIN LATERAL (SELECT least(c.month_total, i.cap_month) - least(c.month_total - c.day_kept, i.cap_month) AS month_kept,
  least(c.month_total, i.cap_month) AS revenue_total) m
"""
_FROM_LINES: Final = f"""in_day AS ({IN_DAY.format(lines="lines")}), days AS ({DAYS.format(in_day="in_day")}),
placed AS ({PLACED.format(days="days")}), kept AS ({KEPT.format(in_day="in_day", placed="placed")})"""
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
_EARNED: Final = f"x.kind IN ('{AccrualKind.ORIGINAL}', '{AccrualKind.DELTA}', '{AccrualKind.CAPPED}')"
# The lines of partners in spans of time: most are one row and what caps took of it. One that was corrected is added up from all of
# its rows, as a correction may have moved it to another time or version.
_LINES: Final = f"""
within AS MATERIALIZED (
  SELECT x.* FROM spans s JOIN ib_accrual x ON x.partner_id = s.partner_id AND x.closed_at >= s.from_at AND x.closed_at < s.to_at
  WHERE {_EARNED} AND (x.kind <> '{AccrualKind.ORIGINAL}' OR x.version_id IN (SELECT v.id FROM ib_planversion v WHERE {_CAPPED}))
), moved AS (
  SELECT DISTINCT deal_id FROM within w WHERE EXISTS (SELECT 1 FROM ib_accrual x WHERE x.deal_id = w.deal_id
    AND x.kind = '{AccrualKind.DELTA}' AND x.kind <> '{AccrualKind.ORIGINAL}')
), every AS (
  SELECT x.* FROM moved JOIN ib_accrual x USING (deal_id) WHERE x.kind = '{AccrualKind.ORIGINAL}'
  UNION ALL
  SELECT x.* FROM moved JOIN ib_accrual x USING (deal_id) WHERE x.kind <> '{AccrualKind.ORIGINAL}' AND {_EARNED}
), taken AS (
  SELECT corrects_id, sum(amount) AS amount, sum(rate_amount) AS rate_amount FROM within
  WHERE kind = '{AccrualKind.CAPPED}' GROUP BY 1
), lines AS (
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency, x.closed_at, x.id AS known_id, x.amount, x.rate_amount,
    coalesce(t.amount, 0) AS taken, coalesce(t.rate_amount, 0) AS rate_taken, x.revenue, x.version_id, x.fx_rate
  FROM within x LEFT JOIN taken t ON t.corrects_id = x.id
  WHERE x.kind = '{AccrualKind.ORIGINAL}' AND x.deal_id NOT IN (SELECT deal_id FROM moved)
  UNION ALL
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency,
    (array_agg(x.closed_at ORDER BY x.id DESC) FILTER (WHERE x.kind <> '{AccrualKind.CAPPED}'))[1] AS closed_at,
    coalesce(min(x.id) FILTER (WHERE x.kind = '{AccrualKind.ORIGINAL}'), min(x.id)) AS known_id,
    coalesce(sum(x.amount) FILTER (WHERE x.kind <> '{AccrualKind.CAPPED}'), 0) AS amount,
    coalesce(sum(x.rate_amount) FILTER (WHERE x.kind <> '{AccrualKind.CAPPED}'), 0) AS rate_amount,
    coalesce(sum(x.amount) FILTER (WHERE x.kind = '{AccrualKind.CAPPED}'), 0) AS taken,
    coalesce(sum(x.rate_amount) FILTER (WHERE x.kind = '{AccrualKind.CAPPED}'), 0) AS rate_taken, sum(x.revenue) AS revenue,
    (array_agg(x.version_id ORDER BY x.id DESC) FILTER (WHERE x.version_id IS NOT NULL AND x.kind <> '{AccrualKind.CAPPED}'))[1]
      AS version_id,
    (array_agg(x.fx_rate ORDER BY x.id DESC) FILTER (WHERE x.fx_rate IS NOT NULL AND x.kind <> '{AccrualKind.CAPPED}'))[1]
      AS fx_rate
  FROM every x
  GROUP BY 1, 2, 3, 4, 5
)"""  # noqa: S608
_DUE: Final = """due AS (
  SELECT m.*, kept - rate_amount AS rate_due,
    CASE WHEN kept = rate_amount THEN 0 ELSE trunc(kept * fx_rate, 8) - amount END AS due
  FROM kept m
)"""
_IS_OFF: Final = "(d.due <> d.taken OR d.rate_due <> d.rate_taken)"
# What a pass touches: days of a partner, or of all together, by a version with a cap. Of a
# month that isn't kept yet, or is counted again, every day.
NEEDED: Final = """
CREATE TEMP TABLE ib_cap_need ON COMMIT DROP AS
SELECT t.*, date_trunc('month', day::timestamp) AS month, 1 AS round, {afresh} OR NOT EXISTS (SELECT 1 FROM ib_cappedday k
  WHERE k.partner_id = t.partner_id AND k.version_id = t.version_id AND k.zone = %(zone)s
    AND k.day >= date_trunc('month', t.day::timestamp)
    AND k.day < date_trunc('month', t.day::timestamp) + interval '1 month') AS is_new
FROM ({touched}) t
"""
TOUCHED: Final = f"""
  SELECT {_HOLDER.format(partner="x.partner_id")} AS partner_id, x.version_id, (x.closed_at AT TIME ZONE %(zone)s)::date AS day
  FROM ib_accrual x JOIN ib_planversion v ON v.id = x.version_id AND {_CAPPED} WHERE x.kind = '{AccrualKind.ORIGINAL}' AND {{scope}}
  UNION
  SELECT {_HOLDER.format(partner="x.partner_id")}, x.version_id, (x.closed_at AT TIME ZONE %(zone)s)::date FROM ib_accrual x
  JOIN ib_planversion v ON v.id = x.version_id AND {_CAPPED}
  WHERE x.kind = '{AccrualKind.DELTA}' AND x.kind <> '{AccrualKind.ORIGINAL}' AND {{scope}}
"""  # noqa: S608
# Lines that are all new are still beside.
TOUCHED_BY_NEW: Final = f"""
  SELECT DISTINCT {_HOLDER.format(partner="w.partner_id")} AS partner_id, w.version_id,
    (w.closed_at AT TIME ZONE %(zone)s)::date AS day FROM ib_wanted w
  JOIN ib_planversion v ON v.id = w.version_id AND {_CAPPED}
"""  # noqa: S608
# Each line of the time that is read asks whether it is needed: without statistics, a walk through all days for each.
NEED_IS_FOUND: Final = "CREATE INDEX ON ib_cap_need (partner_id, version_id); ANALYZE ib_cap_need"
# What they are joined by.
LINES_ARE_FOUND: Final = "ANALYZE ib_cap_line (partner_id, version_id, on_day, deal_id, known_id)"
# Whom a version whose caps count all together may ever have paid: who had an agreement by its plan, and those above them.
MEMBERS: Final = """SELECT DISTINCT v.id AS version_id, u.ancestor_id AS partner_id FROM ib_planversion v
  JOIN ib_partnerplan h ON h.plan_id = v.plan_id JOIN ib_upline u ON u.partner_id = h.partner_id WHERE v.is_capped_together"""
# Each partner's time is read once, whatever versions ask for it.
SPANS: Final = f"""asked AS MATERIALIZED (
  SELECT DISTINCT coalesce(m.partner_id, n.partner_id) AS partner_id, n.month, CASE WHEN NOT n.is_new THEN n.day END AS day
  FROM (SELECT DISTINCT partner_id, CASE WHEN partner_id = {TOGETHER} THEN version_id END AS version_id, month, is_new,
          CASE WHEN NOT is_new THEN day END AS day FROM ib_cap_need WHERE round = %(round)s) n
  LEFT JOIN ({MEMBERS}) m ON m.version_id = n.version_id
), spans AS (
  SELECT partner_id, month AT TIME ZONE %(zone)s AS from_at, (month + interval '1 month') AT TIME ZONE %(zone)s AS to_at
  FROM asked WHERE day IS NULL
  UNION ALL
  SELECT partner_id, day::timestamp AT TIME ZONE %(zone)s, (day + 1)::timestamp AT TIME ZONE %(zone)s FROM asked n
  WHERE day IS NOT NULL AND NOT EXISTS (SELECT 1 FROM asked m
    WHERE m.day IS NULL AND m.partner_id = n.partner_id AND m.month = n.month)
)"""  # noqa: S608
TABLE: Final = f"""CREATE TEMP TABLE ib_cap_line ON COMMIT DROP AS
WITH {SPANS}, {_LINES} {IN_DAY.format(lines="lines")} LIMIT 0"""
# A line that no cap holds any more gives back what was taken of it.
READ: Final = f"""
INSERT INTO ib_cap_line
WITH {SPANS}, {_LINES}, wanted AS (
  SELECT l.* FROM lines l JOIN ib_planversion v ON v.id = l.version_id
  WHERE CASE WHEN {_CAPPED} THEN EXISTS (
    SELECT 1 FROM ib_cap_need n
    WHERE n.partner_id = {_HOLDER.format(partner="l.partner_id")} AND n.version_id = l.version_id AND n.round = %(round)s
      AND CASE WHEN n.is_new THEN n.month = date_trunc('month', l.closed_at AT TIME ZONE %(zone)s)
        ELSE n.day = (l.closed_at AT TIME ZONE %(zone)s)::date END)
    ELSE %(round)s = 1 AND (l.taken <> 0 OR l.rate_taken <> 0) END
) {IN_DAY.format(lines="wanted")}
"""  # noqa: S608
# The other days of the month whose lines keep something else now: the sum crosses the cap there, or did before.
CROSSED: Final = f"""
INSERT INTO ib_cap_need
WITH months AS (SELECT DISTINCT partner_id, version_id, month FROM ib_cap_need WHERE NOT is_new
), found AS ({DAYS.format(in_day="ib_cap_line")}
), days AS (
  SELECT m.*, k.day, k.low, k.high, k.amount AS amount_was, k.revenue AS revenue_was, k.amount, k.revenue, false AS is_touched
  FROM months m JOIN ib_cappedday k ON k.partner_id = m.partner_id AND k.version_id = m.version_id
    AND k.day >= m.month AND k.day < m.month + interval '1 month'
  WHERE NOT EXISTS (SELECT 1 FROM ib_cap_need n
    WHERE n.partner_id = k.partner_id AND n.version_id = k.version_id AND n.day = k.day)
  UNION ALL
  SELECT n.partner_id, n.version_id, n.month, n.day, 0, 0, coalesce(k.amount, 0), coalesce(k.revenue, 0), coalesce(f.amount, 0),
    coalesce(f.revenue, 0), true
  FROM ib_cap_need n
  LEFT JOIN ib_cappedday k USING (partner_id, version_id, day) LEFT JOIN found f USING (partner_id, version_id, day)
  WHERE NOT n.is_new
), sums AS (
  SELECT d.*, sum(amount_was) OVER until_here - amount_was AS before_was, sum(amount) OVER until_here - amount AS before,
    sum(revenue_was) OVER whole AS earned_was, sum(revenue) OVER whole AS earned
  FROM days d
  WINDOW whole AS (PARTITION BY partner_id, version_id, month),
    until_here AS (PARTITION BY partner_id, version_id, month ORDER BY day)
)
SELECT s.partner_id, s.version_id, s.day, s.month, 2, false
FROM sums s JOIN ib_planversion v ON v.id = s.version_id
CROSS JOIN LATERAL (SELECT
  coalesce(least(v.cap_month, CASE WHEN v.cap_revenue IS NOT NULL THEN greatest(0, trunc(v.cap_revenue / 100 * earned_was, 8)) END),
    'infinity') AS was,
  coalesce(least(v.cap_month, CASE WHEN v.cap_revenue IS NOT NULL THEN greatest(0, trunc(v.cap_revenue / 100 * earned, 8)) END),
    'infinity') AS now) cap
WHERE NOT is_touched AND NOT (before_was + high <= cap.was AND before + high <= cap.now)
  AND NOT (before_was + low >= cap.was AND before + low >= cap.now)
"""  # noqa: S608
FORGOTTEN: Final = """
DELETE FROM ib_cappedday k USING ib_cap_need n WHERE n.partner_id = k.partner_id AND n.version_id = k.version_id
  AND CASE WHEN n.is_new THEN k.day >= n.month AND k.day < n.month + interval '1 month' ELSE k.day = n.day END
"""
REMEMBERED: Final = f"""
INSERT INTO ib_cappedday (partner_id, version_id, day, amount, low, high, revenue, zone)
SELECT d.*, %(zone)s FROM ({DAYS.format(in_day="ib_cap_line")}) d
"""  # noqa: S608
# A table of its own, with statistics: where those of the days kept are old, each line walked through all places.
PLACES: Final = f"""
CREATE TEMP TABLE ib_cap_place ON COMMIT DROP AS
WITH months AS (SELECT DISTINCT partner_id, version_id, month FROM ib_cap_need
), days AS (
  SELECT k.* FROM months m JOIN ib_cappedday k ON k.partner_id = m.partner_id AND k.version_id = m.version_id
    AND k.day >= m.month AND k.day < m.month + interval '1 month'
) {PLACED.format(days="days")}
"""  # noqa: S608
BALANCE: Final = f"""
WITH kept AS ({KEPT.format(in_day="ib_cap_line", placed="ib_cap_place")}), {_DUE}, added AS (
  INSERT INTO ib_accrual ({writing.COLUMNS})
  SELECT %(run)s, '{AccrualKind.CAPPED}', '{AccrualState.CAPPED}', w.reason, k.partner_id, k.introducer_id, k.level,
    k.client_id, k.deal_id, k.ticket, d.closed_at, k.account_id, k.symbol, k.symbol_group, k.lots, k.held_seconds,
    coalesce(d.version_id, k.version_id), NULL, NULL, false, k.rate_currency, d.rate_due - d.rate_taken, d.fx_rate, k.fx_on,
    k.currency, d.due - d.taken, coalesce(own.id, %(late)s), k.id, %(source)s, %(now)s, k.component, NULL, '', NULL,
    cut.most, least(cut.most, cut.before), NULL, NULL, NULL, NULL, NULL
  FROM due d
  JOIN ib_accrual k ON k.id = d.known_id
  {WHY}
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= d.closed_at AND own.ends_at > d.closed_at
  WHERE {_IS_OFF}
  ORDER BY d.closed_at, d.deal_id, d.level, d.component
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({writing.ADD_UP_ADDED})
SELECT count(*) FROM added
"""  # noqa: S608
# Deals of a scope with a line of which a cap takes another part than was taken off, by counting whole months.
OFF: Final = f"""
WITH touched AS (
  SELECT DISTINCT x.partner_id, CASE WHEN v.is_capped_together THEN v.id END AS version_id, m.month
  FROM ib_accrual x CROSS JOIN LATERAL (SELECT date_trunc('month', closed_at AT TIME ZONE %(zone)s) AS month) m
  JOIN ib_planversion v ON v.id = x.version_id AND {_CAPPED}
  WHERE x.kind IN ('{AccrualKind.ORIGINAL}', '{AccrualKind.DELTA}') AND {{scope}}
), spans AS (
  SELECT DISTINCT coalesce(m.partner_id, t.partner_id) AS partner_id, t.month AT TIME ZONE %(zone)s AS from_at,
    (t.month + interval '1 month') AT TIME ZONE %(zone)s AS to_at
  FROM touched t LEFT JOIN ({MEMBERS}) m ON m.version_id = t.version_id
), {_LINES}, {_FROM_LINES}, {_DUE}
SELECT DISTINCT d.deal_id FROM due d JOIN ib_accrual x ON x.deal_id = d.deal_id AND x.kind = '{AccrualKind.ORIGINAL}'
WHERE {_IS_OFF} AND {{scope}}
"""  # noqa: S608
_LINE: Final = "deal_id, partner_id, level, component, currency, closed_at, rate_amount, revenue, version_id"
# The same for a version that is tried out: what it would pay is cut down in place.
TRIED: Final = f"""
WITH lines AS (
  SELECT w.ctid AS place, {_LINE} FROM ib_wanted w JOIN (SELECT v.id FROM ib_planversion v WHERE {_CAPPED}) v ON v.id = w.version_id
), {_FROM_LINES}
UPDATE ib_wanted w SET rate_amount = m.kept, amount = trunc(m.kept * w.fx_rate, 8)
FROM kept m WHERE m.kept <> m.rate_amount AND m.place = w.ctid
"""  # noqa: S608
# What caps of partners above a network that is tried count beside its trades: their other lines of the days' months, as they are.
BESIDE: Final = f"""
CREATE TEMP TABLE ib_cap_beside ON COMMIT DROP AS
WITH spans AS (
  SELECT DISTINCT u.ancestor_id AS partner_id, %(to_at)s::timestamptz AS to_at,
    date_trunc('month', %(from_at)s::timestamptz AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s AS from_at
  FROM (SELECT u.ancestor_id FROM ib_upline u WHERE u.partner_id = %(network)s AND u.level > 1
        UNION SELECT m.partner_id FROM ({MEMBERS}) m WHERE m.version_id IN (SELECT id FROM ib_version)) u
), {_LINES}
SELECT l.*, 0::numeric AS left_off FROM lines l JOIN ib_planversion v ON v.id = l.version_id AND {_CAPPED}
WHERE NOT EXISTS (SELECT 1 FROM ib_closing c WHERE c.deal_id = l.deal_id)
"""  # noqa: S608
_THE_LINE: Final = """m.deal_id = w.deal_id AND m.partner_id = w.partner_id AND m.level = w.level AND m.component = w.component
  AND m.currency = w.currency"""
TRIED_BESIDE: Final = (
    f"""
CREATE TEMP TABLE ib_cap_tried ON COMMIT DROP AS
WITH lines AS (
  SELECT {_LINE} FROM ib_wanted w JOIN (SELECT v.id FROM ib_planversion v WHERE {_CAPPED}) v ON v.id = w.version_id
  UNION ALL SELECT {_LINE} FROM ib_cap_beside
), {_FROM_LINES}
SELECT deal_id, partner_id, level, component, currency, kept FROM kept WHERE kept <> rate_amount""",  # noqa: S608
    f"""
UPDATE ib_wanted w SET rate_amount = m.kept, amount = trunc(m.kept * w.fx_rate, 8) FROM ib_cap_tried m WHERE {_THE_LINE}
""",  # noqa: S608
    f"""
UPDATE ib_cap_beside w SET left_off = trunc(m.kept * w.fx_rate, 8) - w.amount FROM ib_cap_tried m WHERE {_THE_LINE}
""",  # noqa: S608
)


def take_off(cursor: CursorWrapper, *, scope: str | None, afresh: bool, parameters: dict[str, Any]) -> int:
    """Take off what goes beyond the caps of the plans for the partners of a scope's deals; returns how many rows.

    scope: None where the pass has only added new lines, those in `ib_wanted`.
    afresh: count whole months again rather than from the sums that are kept. `parameters`: those of the scope, `zone`, and what
    is written in each row. Call with the brand's commissions locked.
    """
    touched = TOUCHED_BY_NEW if scope is None else TOUCHED.format(scope=scope)
    cursor.execute(NEEDED.format(touched=touched, afresh="true" if afresh else "false"), parameters)
    cursor.execute(NEED_IS_FOUND)
    cursor.execute(TABLE, {**parameters, "round": 0})
    for statement in (READ, LINES_ARE_FOUND, CROSSED):
        cursor.execute(statement, {**parameters, "round": 1})
    for statement in (READ, FORGOTTEN, REMEMBERED, LINES_ARE_FOUND, "ANALYZE ib_cap_need"):
        cursor.execute(statement, {**parameters, "round": 2})
    cursor.execute(PLACES, parameters)
    cursor.execute("ANALYZE ib_cap_place")
    cursor.execute(BALANCE, parameters)
    rows = int(cursor.fetchone()[0])
    cursor.execute("DROP TABLE ib_cap_need, ib_cap_line, ib_cap_place")
    return rows
