"""Every row and movement that no pass took gets a name; breaks that no longer hold close themselves.

What should be open is computed whole and compared with what is: the same break stays (with its owner and notes), another
name replaces the old one, what is gone is closed. So files in any order end with the same breaks.
"""

from __future__ import annotations

import json

from django.db.backends.utils import CursorWrapper

from wallet.choices.reconciliation import Resolved
from wallet.models import SettlementImport
from wallet.reconciliation import reserves

# A movement in the last hours of a covered day may be in the next report.
CUT_OFF_HOURS = 6

WANTED = """
CREATE TEMP TABLE recon_break (kind text, row_id bigint, movement_id bigint, report_id bigint, client_id bigint, currency text,
  difference bigint, happened_at timestamptz) ON COMMIT DROP
"""
# Of each open row the movement that its references mean most: by the PSP's before ours, open before matched, alike first.
BEST = """
CREATE TEMP TABLE recon_best ON COMMIT DROP AS
SELECT DISTINCT ON (r.id) r.id AS row_id, m.id, m.client_id, m.currency, m.amount_minor, m.by_psp,
  m.match_id IS NOT NULL OR h.movement_id IS NOT NULL AS is_matched, coalesce(p.is_alien, false) AS is_alien,
  r.type IN ('payment', 'payout') AND r.psp_reference <> ''
    AND m.psp_reference NOT IN ('', m.reference, r.psp_reference) AS contradicts
FROM (
  SELECT l.id AS row_id, true AS by_psp, k.* FROM recon_left l JOIN recon_mov k
    ON k.kind = l.type AND k.psp_reference = l.psp_reference WHERE l.psp_reference <> ''
  UNION ALL
  SELECT l.id, false, k.* FROM recon_left l JOIN recon_mov k ON k.kind = l.type AND k.reference = l.reference
  WHERE l.reference <> '' AND (k.psp_reference <> l.psp_reference OR l.psp_reference = '')
) m JOIN recon_left r ON r.id = m.row_id
LEFT JOIN recon_hit h ON h.movement_id = m.id
LEFT JOIN recon_pair p ON p.row_id = r.id AND p.movement_id = m.id
ORDER BY r.id, m.by_psp DESC, (m.match_id IS NULL AND h.movement_id IS NULL) DESC, (m.amount_minor = r.gross_minor) DESC,
  m.occurred_at, m.psp_reference
"""
# What is known of the payment behind a row distinguishes a refund that we have not heard of from an unknown row.
OF_ROWS = """
INSERT INTO recon_break
SELECT kind, row_id, CASE WHEN kind = 'missing_here' OR kind = 'status' THEN NULL ELSE movement_id END, report_id,
  CASE WHEN kind = 'missing_here' THEN NULL ELSE client_id END, currency,
  CASE WHEN kind IN ('amount', 'wrong_client') THEN gross_minor - amount_minor ELSE gross_minor END, booked_at
FROM (
  SELECT row_id, movement_id, report_id, coalesce(client_id, origin_client) AS client_id, currency, gross_minor, amount_minor,
    booked_at,
    CASE
      WHEN movement_id IS NULL THEN CASE WHEN origin_client IS NOT NULL THEN 'status' ELSE 'missing_here' END
      WHEN is_matched AND amount_minor = gross_minor AND booked_currency = currency THEN 'duplicate'
      WHEN is_matched OR place > 1 THEN 'missing_here'
      WHEN is_alien THEN CASE WHEN booked_currency = currency THEN 'wrong_client' ELSE 'currency' END
      WHEN contradicts THEN 'missing_here'
      WHEN booked_currency <> currency THEN 'currency'
      WHEN amount_minor <> gross_minor THEN 'amount'
      ELSE 'missing_here'
    END AS kind
  FROM (
    SELECT r.id AS row_id, r.report_id, r.currency, r.gross_minor, r.booked_at, b.id AS movement_id, b.client_id,
      b.currency AS booked_currency, b.amount_minor, b.is_matched, b.is_alien, b.contradicts,
      row_number() OVER (PARTITION BY b.id ORDER BY b.by_psp DESC, r.booked_at, r.gross_minor, r.fee_minor, r.id) AS place,
      CASE WHEN r.type IN ('refund', 'chargeback', 'chargeback_reversed') THEN (
        SELECT min(o.client_id) FROM wallet_pspmovement o
        WHERE o.psp_id = %(psp)s AND o.kind = 'payment' AND o.psp_reference IN (r.psp_reference, r.original_reference)
          AND o.psp_reference <> '')
      END AS by_origin,
      CASE WHEN r.type IN ('refund', 'chargeback', 'chargeback_reversed', 'payout') AND r.reference <> '' THEN coalesce(
        (SELECT d.client_id FROM wallet_deposit d WHERE d.reference = r.reference AND r.type <> 'payout'),
        (SELECT w.client_id FROM wallet_withdrawal w WHERE w.reference = r.reference),
        (SELECT min(o.client_id) FROM wallet_pspmovement o WHERE o.psp_id = %(psp)s AND o.reference = r.reference))
      END AS by_reference
    FROM recon_left r LEFT JOIN recon_best b ON b.row_id = r.id
  ) f CROSS JOIN LATERAL (SELECT coalesce(by_origin, by_reference) AS origin_client) o
) named
"""
# Movements that a report should have: it covers their day and kind. In the last hours before the end of all cover it may be timing.
# What was resolved by a match or its posting counts as resolved while the match lasts: none of these has one any more.
OF_MOVEMENTS = """
INSERT INTO recon_break
SELECT CASE WHEN m.occurred_at >= c.until - make_interval(hours => %(cut_off)s) AND NOT EXISTS (
    SELECT 1 FROM cover n WHERE n.since <= c.until AND n.until > c.until AND (n.covers = '{}' OR m.kind = ANY(n.covers)))
    AND c.is_over
  THEN 'timing' ELSE 'missing_there' END,
  NULL, m.id, c.id, m.client_id, m.currency, -m.amount_minor, m.occurred_at
FROM recon_left_mov m CROSS JOIN LATERAL (
  SELECT * FROM cover c WHERE c.since <= m.occurred_at AND m.occurred_at < c.until
    AND (c.covers = '{}' OR m.kind = ANY(c.covers)) ORDER BY c.until DESC, c.id LIMIT 1
) c
WHERE NOT EXISTS (SELECT 1 FROM recon_break b WHERE b.movement_id = m.id
    AND b.kind IN ('amount', 'currency', 'wrong_client'))
  AND NOT EXISTS (SELECT 1 FROM wallet_break b WHERE b.movement_id = m.id AND b.resolved_by_id IS NOT NULL
    AND b.resolution_code NOT IN ('by_hand', 'posted')
    AND b.kind IN ('amount', 'currency', 'wrong_client', 'missing_there', 'timing'))
"""
COVER = """
WITH cover AS MATERIALIZED (
  SELECT i.id, i.covers, i.first_day::timestamp AT TIME ZONE 'UTC' AS since, o.over_at <= i.imported_at AS is_over,
    CASE WHEN o.over_at <= i.imported_at THEN o.over_at ELSE least(o.over_at, coalesce((
      SELECT max(r.booked_at) + interval '1 second' FROM wallet_settlementrow r WHERE r.report_id = i.id), o.over_at)) END AS until
  FROM wallet_settlementimport i
  CROSS JOIN LATERAL (SELECT (i.last_day + 1)::timestamp AT TIME ZONE 'UTC' AS over_at) o WHERE i.psp_id = %(psp)s
)
"""
# A fee that is not what was agreed, on any row of the new report, matched or not.
OF_FEES = """
WITH terms AS MATERIALIZED (
  SELECT type, currency, basis_points, fixed_minor, tolerance_minor, valid_from::timestamp AT TIME ZONE 'UTC' AS since,
    coalesce((lead(valid_from) OVER (PARTITION BY type, currency ORDER BY valid_from))::timestamp AT TIME ZONE 'UTC',
      'infinity') AS until
  FROM wallet_pspcost WHERE psp_id = %(psp)s
)
INSERT INTO recon_break
SELECT 'fee', r.id, NULL, r.report_id, NULL, r.currency, r.fee_minor - r.agreed, r.booked_at FROM (
  SELECT r.*, round(abs(r.gross_minor) * c.basis_points / 10000)::bigint + c.fixed_minor AS agreed, c.tolerance_minor
  FROM wallet_settlementrow r JOIN terms c ON c.type = r.type AND c.currency = r.currency AND r.booked_at >= c.since
    AND r.booked_at < c.until
  WHERE r.report_id = %(report)s AND NOT r.is_repeat
) r
WHERE abs(r.fee_minor - r.agreed) > r.tolerance_minor
  AND NOT EXISTS (SELECT 1 FROM wallet_break b WHERE b.row_id = r.id AND b.kind = 'fee')
"""
HAS_TERMS = "SELECT EXISTS (SELECT 1 FROM wallet_pspcost WHERE psp_id = %(psp)s)"
OPEN = "b.psp_id = %(psp)s AND b.leg = 'psp' AND b.state = 'open'"
SAME_THING = """
((b.row_id IS NOT NULL AND w.row_id = b.row_id) OR (b.row_id IS NULL AND w.row_id IS NULL AND w.movement_id = b.movement_id))
"""
# A posting that waits for a second person falls with the break that it is for.
CLOSE = f"""
UPDATE wallet_break b SET state = 'resolved', resolved_at = clock_timestamp(), resolution_code = %(resolved)s,
  resolution_values = %(said)s::jsonb
WHERE {OPEN} AND b.kind <> 'fee' AND NOT EXISTS (SELECT 1 FROM recon_break w WHERE w.kind <> 'fee' AND {SAME_THING})
RETURNING b.id
"""  # noqa: S608 (constants of this module)
FREE = f"""
UPDATE wallet_break b SET movement_id = NULL FROM recon_break w
WHERE {OPEN} AND b.kind <> 'fee' AND w.kind <> 'fee' AND b.row_id IS NOT NULL AND w.row_id = b.row_id
  AND b.movement_id IS DISTINCT FROM w.movement_id
"""  # noqa: S608 (constants of this module)
RENAME = f"""
UPDATE wallet_break b SET kind = w.kind, movement_id = w.movement_id, difference_minor = w.difference,
  client_id = w.client_id FROM recon_break w
WHERE {OPEN} AND b.kind <> 'fee' AND w.kind <> 'fee' AND {SAME_THING}
  AND (b.kind, b.movement_id, b.difference_minor) IS DISTINCT FROM (w.kind, w.movement_id, w.difference)
"""  # noqa: S608 (constants of this module)
INSERT = f"""
INSERT INTO wallet_break (brand_id, leg, psp_id, report_id, kind, row_id, movement_id, client_id, subject, detail, currency,
  difference_minor, happened_at, opened_at, state, resolution)
SELECT %(brand)s, 'psp', %(psp)s, w.report_id, w.kind, w.row_id, w.movement_id, w.client_id, '', '', w.currency, w.difference,
  w.happened_at, clock_timestamp(), 'open', ''
FROM recon_break w WHERE w.kind = 'fee' OR NOT EXISTS (
  SELECT 1 FROM wallet_break b WHERE {OPEN} AND b.kind <> 'fee' AND {SAME_THING})
ORDER BY w.row_id NULLS LAST, w.movement_id
"""  # noqa: S608 (constants of this module)


def name_breaks(
    cursor: CursorWrapper, *, psp_id: int, brand_id: int, report: SettlementImport | None
) -> tuple[int, list[int]]:
    """Open, rename and close breaks of what was staged. Returns how many were opened, and the ids of those closed."""
    resolved, resolution_values = (
        (Resolved.BY_REPORT, {"name": report.file_name}) if report else (Resolved.BY_BOOKS, {})
    )
    values: dict[str, int | str] = {
        "psp": psp_id,
        "brand": brand_id,
        "report": report.pk if report else 0,
        "cut_off": CUT_OFF_HOURS,
        "resolved": resolved.value,
        "said": json.dumps(resolution_values),
    }
    cursor.execute(WANTED)
    cursor.execute(BEST)
    cursor.execute("ANALYZE recon_best")
    cursor.execute(OF_ROWS, values)
    cursor.execute("ANALYZE recon_break")
    cursor.execute(COVER + OF_MOVEMENTS, values)
    reserves.name_breaks(cursor, psp_id=psp_id)
    cursor.execute(HAS_TERMS, values)
    if cursor.fetchone()[0]:
        cursor.execute(OF_FEES, values)
    cursor.execute("ANALYZE recon_break")
    cursor.execute(CLOSE, values)
    closed = [pk for (pk,) in cursor.fetchall()]
    cursor.execute(FREE, values)
    cursor.execute(RENAME, values)
    cursor.execute(INSERT, values)
    return cursor.rowcount, closed
