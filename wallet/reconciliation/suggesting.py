"""Rules with a tolerance. They only suggest: a person decides, and a difference is posted by two."""

from __future__ import annotations

from django.db.backends.utils import CursorWrapper

NEAR_PERCENT = 2
NEAR_MINOR = 100
SUGGESTIONS_MAX = 20_000

FOUND = """
WITH pairs AS (
  SELECT r.id AS row_id, m.id AS movement_id, m.amount_minor, r.gross_minor, r.gross_minor = m.amount_minor AS is_equal,
    (r.psp_reference <> '' AND r.psp_reference = m.psp_reference) OR (r.reference <> '' AND r.reference = m.reference)
      AS has_reference
  FROM recon_left r JOIN recon_left_mov m ON m.kind = r.type AND m.currency = r.currency AND m.reference = r.reference
  WHERE r.reference <> ''
  UNION
  SELECT r.id, m.id, m.amount_minor, r.gross_minor, r.gross_minor = m.amount_minor, true
  FROM recon_left r JOIN recon_left_mov m ON m.kind = r.type AND m.currency = r.currency AND m.psp_reference = r.psp_reference
  WHERE r.psp_reference <> ''
), near AS (
  SELECT row_id, movement_id, CASE WHEN is_equal THEN 'same_reference' ELSE 'near_amount' END AS rule,
    gross_minor - amount_minor AS difference
  FROM pairs WHERE is_equal OR (sign(gross_minor) = sign(amount_minor)
    AND abs(gross_minor - amount_minor) <= greatest(abs(amount_minor) * %(percent)s / 100, %(minor)s))
), timed AS (
  SELECT r.id AS row_id, m.id AS movement_id, count(*) OVER (PARTITION BY r.id) AS movements,
    count(*) OVER (PARTITION BY m.id) AS rows
  FROM recon_left r JOIN recon_left_mov m ON m.kind = r.type AND m.currency = r.currency AND m.amount_minor = r.gross_minor
    AND m.occurred_at BETWEEN r.booked_at - interval '3 days' AND r.booked_at + interval '1 hour'
  WHERE (r.psp_reference = '' OR m.psp_reference IN ('', m.reference)) AND (r.reference = '' OR r.reference = m.reference)
)
SELECT row_id, movement_id, rule, difference FROM near
UNION ALL
SELECT row_id, movement_id, 'near_time', 0 FROM timed t WHERE rows = 1 AND movements = 1
  AND NOT EXISTS (SELECT 1 FROM near n WHERE n.row_id = t.row_id OR n.movement_id = t.movement_id)
"""
VOID = """
UPDATE wallet_suggestion s SET state = 'void' WHERE s.psp_id = %(psp)s AND s.state = 'open' AND NOT EXISTS (
  SELECT 1 FROM recon_left r, recon_left_mov m WHERE r.id = s.row_id AND m.id = s.movement_id)
"""
STORE = f"""
INSERT INTO wallet_suggestion (psp_id, row_id, movement_id, rule, difference_minor, state, made_at)
SELECT %(psp)s, f.row_id, f.movement_id, f.rule, f.difference, 'open', clock_timestamp() FROM ({FOUND}) f
WHERE NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.row_id = f.row_id AND n.movement_id = f.movement_id)
  AND NOT EXISTS (SELECT 1 FROM recon_pair p WHERE p.row_id = f.row_id AND p.movement_id = f.movement_id AND p.is_alien)
ORDER BY f.row_id, f.movement_id LIMIT %(most)s
ON CONFLICT (row_id, movement_id) WHERE state = 'open' DO NOTHING
"""  # noqa: S608 (constants of this module)


def suggest(cursor: CursorWrapper, psp_id: int) -> int:
    """Write down what may be the same among what is left; what was overtaken is void. Returns how many are new."""
    values = {"psp": psp_id, "percent": NEAR_PERCENT, "minor": NEAR_MINOR, "most": SUGGESTIONS_MAX}
    cursor.execute(VOID, values)
    cursor.execute(STORE, values)
    fresh: int = cursor.rowcount
    return fresh
