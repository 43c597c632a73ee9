"""What a PSP holds back and releases: recognised automatically, paired, and a break only where it is overdue or does not add up.

Every row moves money between the PSP's clearing account and what it holds back (`booking`). Which release belongs to what was
held back is judged again in every run, in four steps: the release names it; the same amount, the oldest first; several that
add up, the oldest first; a part that names nothing, of the only hold before it with as much left. What two people booked out
of a reserve counts as gone from it.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.utils import CursorWrapper

# Days that a report may come later than what it contains, and by which a release may be booked before what it releases.
ARRIVES_DAYS: Final = 3
BEFORE_DAYS: Final = 14

# Rows of the new report, and rows that an earlier version opened a break for. What two people dealt with then is theirs.
TAKE = """
INSERT INTO wallet_reserveitem (psp_id, row_id, currency, amount_minor, at, due_on, posted_minor)
SELECT p.id, r.id, r.currency, r.gross_minor, r.booked_at, CASE WHEN r.gross_minor < 0 THEN
  (coalesce(r.value_at, r.booked_at + make_interval(days => p.reserve_days)) AT TIME ZONE 'UTC')::date END, 0
FROM (
  SELECT id FROM wallet_settlementrow WHERE report_id = %(report)s AND type = 'reserve'
  UNION SELECT row_id FROM wallet_break
  WHERE psp_id = %(psp)s AND state = 'open' AND leg = 'psp' AND kind = 'missing_here' AND row_id IS NOT NULL
) f JOIN wallet_settlementrow r ON r.id = f.id JOIN wallet_psp p ON p.id = %(psp)s
WHERE r.type = 'reserve' AND NOT r.is_repeat
  AND NOT EXISTS (SELECT 1 FROM wallet_reserveitem k WHERE k.row_id = r.id)
  AND NOT EXISTS (SELECT 1 FROM wallet_break b WHERE b.row_id = r.id AND b.leg = 'psp' AND b.resolved_by_id IS NOT NULL)
RETURNING (SELECT o.report_id FROM wallet_settlementrow o WHERE o.id = row_id)
"""
ARE_THERE = "SELECT EXISTS (SELECT 1 FROM wallet_reserveitem WHERE psp_id = %(psp)s)"
STAGE = """
CREATE TEMP TABLE recon_reserve ON COMMIT DROP AS
SELECT k.id, k.row_id, k.currency, k.amount_minor AS amount, k.posted_minor AS posted, k.at, k.due_on, NULL::bigint AS pair,
  CASE WHEN r.psp_reference LIKE '%% %%' THEN '' ELSE r.psp_reference END AS own, r.original_reference AS named,
  r.merchant_reference AS ours
FROM wallet_reserveitem k JOIN wallet_settlementrow r ON r.id = k.row_id WHERE k.psp_id = %(psp)s
"""
IN_TIME = "at, own, named, ours, id"
# A reference that several share identifies none of them; one that a reader had to make up is none.
BY_NAME = """
WITH hold AS MATERIALIZED (
  SELECT * FROM (
    SELECT id, currency, key, min(place) AS place, count(*) OVER (PARTITION BY currency, key) AS holds FROM (
      SELECT id, currency, own AS key, 1 AS place FROM recon_reserve WHERE amount < 0 AND own <> ''
      UNION ALL SELECT id, currency, named, 2 FROM recon_reserve WHERE amount < 0 AND named <> ''
    ) k GROUP BY id, currency, key
  ) c WHERE holds = 1
), found AS (
  SELECT DISTINCT ON (f.id) f.id, h.id AS hold FROM (
    SELECT id, currency, named AS key, 1 AS place FROM recon_reserve WHERE amount > 0 AND named <> ''
    UNION ALL SELECT id, currency, own, 2 FROM recon_reserve WHERE amount > 0 AND own <> ''
  ) f JOIN hold h USING (currency, key) ORDER BY f.id, f.place, h.place
)
UPDATE recon_reserve k SET pair = p.hold
FROM (SELECT id, hold FROM found UNION SELECT hold, hold FROM found) p WHERE k.id = p.id
"""
# What was released before anything of the kind was held back is no release of it.
LOOSE = """
WITH first_held AS (
  SELECT currency, {held} AS size, min(at) AS at FROM recon_reserve WHERE amount < 0 AND pair IS NULL AND posted = 0 GROUP BY 1, 2
), loose AS MATERIALIZED (
  SELECT k.* FROM recon_reserve k LEFT JOIN first_held h ON h.currency = k.currency AND h.size = {released}
  WHERE k.pair IS NULL AND k.posted = 0 AND k.amount <> 0
    AND (k.amount < 0 OR k.at >= h.at - make_interval(days => %(before)s))
)"""
BY_AMOUNT = f"""
{LOOSE.format(held="-amount", released="k.amount")}, numbered AS (
  SELECT id, currency, abs(amount) AS size, amount < 0 AS is_hold,
    row_number() OVER (PARTITION BY currency, amount ORDER BY {IN_TIME}) AS place FROM loose
)
UPDATE recon_reserve k SET pair = p.hold FROM (
  SELECT h.id AS hold, unnest(ARRAY[h.id, f.id]) AS id
  FROM numbered h JOIN numbered f USING (currency, size, place) WHERE h.is_hold AND NOT f.is_hold
) p WHERE k.id = p.id
"""  # noqa: S608 (constants of this module)
# Where the sums of both sides meet, everything up to there belongs together.
BY_SUM = f"""
{LOOSE.format(held="0", released="0")}, summed AS (
  SELECT id, currency, amount < 0 AS is_hold,
    sum(abs(amount)) OVER (PARTITION BY currency, amount < 0 ORDER BY {IN_TIME}) AS upto FROM loose
), met AS (
  SELECT *, count(*) OVER (PARTITION BY currency, upto) = 2 AS meets FROM summed
), parts AS (
  SELECT *, min(upto) FILTER (WHERE meets) OVER (
    PARTITION BY currency ORDER BY upto RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS part FROM met
)
UPDATE recon_reserve k SET pair = p.pair FROM (
  SELECT id, min(id) FILTER (WHERE is_hold) OVER (PARTITION BY currency, part) AS pair FROM parts WHERE part IS NOT NULL
) p WHERE k.id = p.id
"""  # noqa: S608 (constants of this module)
# A part of several possible holds is for people. Only what was held before it counts, so that no later hold makes it doubtful.
BY_ONLY_ONE = f"""
WITH hold AS (
  SELECT coalesce(pair, id) AS hold, currency, -sum(amount) AS rest, min(at) FILTER (WHERE amount < 0) AS at
  FROM recon_reserve GROUP BY 1, 2 HAVING sum(amount) < 0 AND bool_and(posted = 0)
), fits AS (
  SELECT f.*, h.hold, h.rest, count(*) OVER (PARTITION BY f.id) AS holds
  FROM recon_reserve f JOIN hold h ON h.currency = f.currency AND h.rest >= f.amount AND h.at <= f.at
  WHERE f.pair IS NULL AND f.posted = 0 AND f.amount > 0 AND f.named = ''
), taken AS (
  SELECT id, hold FROM (
    SELECT id, hold, rest, sum(amount) OVER (PARTITION BY hold ORDER BY {IN_TIME}) AS upto FROM fits WHERE holds = 1
  ) o WHERE upto <= rest
)
UPDATE recon_reserve k SET pair = p.hold
FROM (SELECT id, hold FROM taken UNION SELECT hold, hold FROM taken) p WHERE k.id = p.id
"""  # noqa: S608 (constants of this module)
KEEP = """
UPDATE wallet_reserveitem k SET pair_id = s.pair FROM recon_reserve s WHERE s.id = k.id AND k.pair_id IS DISTINCT FROM s.pair
"""
# One that a person explained stays explained; what was posted is gone from what is open.
BREAKS = """
INSERT INTO recon_break
SELECT g.kind, g.row_id, NULL, r.report_id, NULL, r.currency, g.open, r.booked_at FROM (
  SELECT open, CASE WHEN open < 0 THEN 'reserve_overdue' ELSE 'reserve_unequal' END AS kind,
    CASE WHEN open < 0 THEN first_held ELSE last_released END AS row_id
  FROM (
    SELECT sum(amount - posted)::bigint AS open, min(due_on) AS due_on, max(at) AS at, bool_or(amount < 0) AS is_paired,
      (array_agg(row_id ORDER BY amount > 0, at, id))[1] AS first_held,
      (array_agg(row_id ORDER BY amount < 0, at DESC, id DESC))[1] AS last_released
    FROM recon_reserve GROUP BY coalesce(pair, id)
  ) p CROSS JOIN (SELECT max(last_day) AS upto FROM wallet_settlementimport WHERE psp_id = %(psp)s) c
  WHERE (open < 0 AND due_on + %(arrives)s < upto)
    OR (open > 0 AND (is_paired OR (at AT TIME ZONE 'UTC')::date + %(arrives)s <= upto))
) g JOIN wallet_settlementrow r ON r.id = g.row_id
WHERE NOT EXISTS (SELECT 1 FROM wallet_break b WHERE b.row_id = g.row_id AND b.leg = 'psp' AND b.kind = g.kind
  AND b.resolved_by_id IS NOT NULL AND b.resolution_code <> 'posted')
"""


def take(cursor: CursorWrapper, *, psp_id: int, report_id: int) -> set[int]:
    """Add new rows and pair them all again. Returns the reports whose reserve rows are new. report_id 0: none."""
    values = {"psp": psp_id, "report": report_id, "before": BEFORE_DAYS}
    cursor.execute(TAKE, values)
    reports = {pk for (pk,) in cursor.fetchall()}
    cursor.execute(ARE_THERE, values)
    if not cursor.fetchone()[0]:
        return reports
    cursor.execute("DROP TABLE IF EXISTS recon_reserve")
    cursor.execute(STAGE, values)
    cursor.execute("ANALYZE recon_reserve")
    for step in (BY_NAME, BY_AMOUNT, BY_SUM, BY_ONLY_ONE):
        cursor.execute(step, values)
    cursor.execute(KEEP)
    return reports


def name_breaks(cursor: CursorWrapper, *, psp_id: int) -> None:
    """Into `recon_break`: what was not released in time, and what was released that was not held back."""
    cursor.execute(ARE_THERE, {"psp": psp_id})
    if cursor.fetchone()[0]:
        cursor.execute(BREAKS, {"psp": psp_id, "arrives": ARRIVES_DAYS})
