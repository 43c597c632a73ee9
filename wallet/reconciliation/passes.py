"""The passes, from the surest to the last: each takes only what nothing else could be meant by. Set-based, no row twice.

1. The PSP's reference, kind, currency and amount agree (copies of one row: the first is taken, the others are duplicates).
2. Our reference, kind, currency and amount agree, the PSP's own do not contradict, and the choice is forced on both sides.
3. The same references in two currencies, and the PSP's rate gives one amount from the other.
4. Paid in parts: all open rows of a movement's reference add up to it.
5. Paid together: all open movements of a common reference add up to a row.
"""

from __future__ import annotations

from django.db.backends.utils import CursorWrapper

# Two rows of one content are the same for everybody: which of them is taken must not depend on the order of files.
BY_CONTENT = """
{r}.booked_at, {r}.fee_minor, {r}.reference, {r}.original_reference, {r}.batch, {r}.client_reference, {r}.id
"""
NOT_TOLD_APART = "NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.row_id = r.id AND n.movement_id = m.id)"
# Ids of one payment or payout that are both known and differ mean two of them. Refunds and disputes have several ids each.
CONTRADICTS = """
(r.type IN ('payment', 'payout') AND r.psp_reference <> '' AND m.psp_reference NOT IN ('', m.reference, r.psp_reference))
"""
HITS = """
CREATE TEMP TABLE recon_hit (row_id bigint, movement_id bigint, group_id bigint, rule text) ON COMMIT DROP
"""
BY_PSP_REFERENCE = f"""
INSERT INTO recon_hit (row_id, movement_id, rule)
WITH sure AS MATERIALIZED (
  SELECT p.row_id, p.movement_id FROM recon_pair p WHERE p.agrees AND p.is_open AND NOT p.is_alien
    AND NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.row_id = p.row_id AND n.movement_id = p.movement_id)
), several AS MATERIALIZED (SELECT movement_id FROM sure GROUP BY 1 HAVING count(*) > 1)
SELECT row_id, movement_id, 'psp_reference' FROM sure WHERE movement_id NOT IN (SELECT movement_id FROM several)
UNION ALL (
  SELECT DISTINCT ON (s.movement_id) s.row_id, s.movement_id, 'psp_reference' FROM sure s JOIN recon_row r ON r.id = s.row_id
  WHERE s.movement_id IN (SELECT movement_id FROM several) ORDER BY s.movement_id, {BY_CONTENT.format(r="r")})
"""  # noqa: S608 (constants of this module)
# Most are taken by now: what is left is small, and every later pass works on it alone. A row without our reference has it
# from the payment that it is about.
LEFT = """
CREATE TEMP TABLE recon_left ON COMMIT DROP AS
SELECT r.id, r.report_id, r.type, r.psp_reference, r.original_reference, r.client_reference, r.batch, r.booked_at, r.currency,
  r.gross_minor, r.fee_minor, r.paid_currency, r.paid_minor, r.rate,
  CASE WHEN r.reference <> '' OR r.original_reference = '' THEN r.reference ELSE coalesce((
    SELECT o.reference FROM wallet_pspmovement o
    WHERE o.psp_id = %(psp)s AND o.psp_reference = r.original_reference AND o.kind = 'payment'), '') END AS reference
FROM recon_row r LEFT JOIN recon_hit h ON h.row_id = r.id WHERE h.row_id IS NULL
"""
LEFT_MOV = """
CREATE TEMP TABLE recon_left_mov ON COMMIT DROP AS
SELECT m.* FROM recon_mov m LEFT JOIN recon_hit h ON h.movement_id = m.id
WHERE h.movement_id IS NULL AND m.match_id IS NULL
"""
NOT_ALIEN = "NOT EXISTS (SELECT 1 FROM recon_pair p WHERE p.row_id = r.id AND p.movement_id = m.id AND p.is_alien)"
SAME_CLIENT = "(r.client_reference !~ '^client-[0-9]+$' OR r.client_reference = 'client-' || m.client_id)"
FORCED = """
INSERT INTO recon_hit (row_id, movement_id, rule)
SELECT row_id, movement_id, '{rule}' FROM (
  SELECT r.id AS row_id, m.id AS movement_id, count(*) OVER (PARTITION BY m.id) AS rows,
    count(*) OVER (PARTITION BY r.id) AS movements
  FROM ({pairs}) k JOIN recon_left r ON r.id = k.row_id JOIN recon_left_mov m ON m.id = k.movement_id
  WHERE {on} AND {not_told_apart} AND {same_client}
) f WHERE rows = 1 AND movements = 1
"""
SAME_OURS = """
SELECT r.id AS row_id, m.id AS movement_id FROM recon_left r JOIN recon_left_mov m
  ON m.reference = r.reference AND m.kind = r.type WHERE r.reference <> ''
"""
SAME_THEIRS = """
SELECT r.id AS row_id, m.id AS movement_id FROM recon_left r JOIN recon_left_mov m
  ON m.psp_reference = r.psp_reference AND m.kind = r.type WHERE r.psp_reference <> ''
"""
BY_OUR_REFERENCE = FORCED.format(
    rule="our_reference",
    pairs=SAME_OURS,
    not_told_apart=NOT_TOLD_APART,
    same_client=SAME_CLIENT,
    on=f"m.currency = r.currency AND m.amount_minor = r.gross_minor AND NOT {CONTRADICTS}",
)
BY_RATE = FORCED.format(
    rule="fx",
    pairs=f"{SAME_OURS} UNION {SAME_THEIRS}",
    not_told_apart=f"{NOT_TOLD_APART} AND {NOT_ALIEN}",
    same_client=SAME_CLIENT,
    on=f"m.currency <> r.currency AND r.rate IS NOT NULL AND r.paid_currency IN ('', m.currency)"
    f" AND (r.paid_minor IS NULL OR r.paid_minor = m.amount_minor) AND NOT {CONTRADICTS}"
    f" AND recon_rate_explains(r.gross_minor, r.currency, m.amount_minor, m.currency, r.rate)",
)
DROP_TAKEN = """
DELETE FROM recon_left r USING recon_hit h WHERE h.row_id = r.id AND h.rule <> 'psp_reference';
DELETE FROM recon_left_mov m USING recon_hit h WHERE h.movement_id = m.id AND h.rule <> 'psp_reference'
"""
GROUPS = """
CREATE TEMP TABLE recon_group (
  id bigint DEFAULT nextval('wallet_matchgroup_id_seq'), rule text, currency text, total bigint, key text, kind text,
  rows bigint[], movements bigint[]) ON COMMIT DROP
"""
# One movement, several rows: by our reference, or by the PSP's. All rows of the key, of one sign and currency; one movement.
SPLIT = """
INSERT INTO recon_group (rule, currency, total, key, kind, rows, movements)
WITH f AS MATERIALIZED (
  SELECT r.type, r.{row_key} AS key, array_agg(r.id ORDER BY r.id) AS rows, sum(r.gross_minor) AS total,
    min(r.currency) AS currency, array_agg(DISTINCT r.client_reference) AS who
  FROM recon_left r WHERE r.{row_key} <> '' AND EXISTS (
    SELECT 1 FROM recon_left_mov m WHERE m.{mov_key} = r.{row_key} AND m.kind = r.type)
  GROUP BY 1, 2
  HAVING count(*) > 1 AND count(DISTINCT r.currency) = 1 AND count(DISTINCT sign(r.gross_minor)) = 1
), sole AS MATERIALIZED (
  SELECT m.{mov_key} AS key, m.kind, min(m.id) AS id FROM recon_left_mov m GROUP BY 1, 2 HAVING count(*) = 1
)
SELECT 'split', m.currency, m.amount_minor, f.key, f.type, f.rows, ARRAY[m.id]
FROM f JOIN sole ON sole.key = f.key AND sole.kind = f.type
JOIN recon_left_mov m ON m.id = sole.id AND m.currency = f.currency AND m.amount_minor = f.total
WHERE NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.movement_id = m.id AND n.row_id = ANY(f.rows))
  AND NOT EXISTS (SELECT 1 FROM unnest(f.who) w WHERE w ~ '^client-[0-9]+$' AND w <> 'client-' || m.client_id)
  AND NOT EXISTS (SELECT 1 FROM recon_group g WHERE g.movements @> ARRAY[m.id] OR g.rows && f.rows)
"""
MERGED = """
INSERT INTO recon_group (rule, currency, total, key, kind, rows, movements)
WITH f AS MATERIALIZED (
  SELECT m.kind, m.common_reference AS key, array_agg(m.id ORDER BY m.id) AS movements, sum(m.amount_minor) AS total,
    min(m.currency) AS currency
  FROM recon_left_mov m WHERE m.common_reference <> ''
  GROUP BY 1, 2
  HAVING count(*) > 1 AND count(DISTINCT m.currency) = 1 AND count(DISTINCT sign(m.amount_minor)) = 1
    AND count(DISTINCT m.client_id) = 1
), sole AS MATERIALIZED (
  SELECT k.key, r.type, min(r.id) AS id FROM recon_left r
  CROSS JOIN LATERAL (SELECT DISTINCT v.key FROM (VALUES (r.reference), (r.psp_reference)) v (key) WHERE v.key <> '') k
  GROUP BY 1, 2 HAVING count(*) = 1
)
SELECT 'merged', r.currency, r.gross_minor, f.key, f.kind, ARRAY[r.id], f.movements
FROM f JOIN sole ON sole.key = f.key AND sole.type = f.kind
JOIN recon_left r ON r.id = sole.id AND r.currency = f.currency AND r.gross_minor = f.total
WHERE NOT EXISTS (SELECT 1 FROM wallet_notthesame n WHERE n.row_id = r.id AND n.movement_id = ANY(f.movements))
  AND NOT EXISTS (SELECT 1 FROM recon_group g WHERE g.movements && f.movements OR g.rows @> ARRAY[r.id])
"""
GROUP_HITS = """
INSERT INTO recon_hit (row_id, group_id, rule) SELECT unnest(rows), id, rule FROM recon_group;
INSERT INTO recon_hit (movement_id, group_id, rule) SELECT unnest(movements), id, rule FROM recon_group
"""
STORE_GROUPS = """
INSERT INTO wallet_matchgroup (id, leg, psp_id, rule, currency, rows_minor, books_currency, books_minor, adjustment_minor,
  made_at, undone_reason)
SELECT id, 'psp', %(psp)s, rule, currency, total, currency, total, 0, clock_timestamp(), '' FROM recon_group
"""
# In the order of the index that is wide: a report's rows lie together, its movements between those of all PSPs.
STORE_HITS = """
INSERT INTO wallet_match (leg, row_id, movement_id, group_id, rule)
SELECT 'psp', row_id, movement_id, group_id, rule FROM recon_hit ORDER BY movement_id
"""


def run_passes(cursor: CursorWrapper, psp_id: int) -> int:
    """Match what is staged; returns how many lines were stored. What is left is in `recon_left` and `recon_left_mov`."""
    values = {"psp": psp_id}
    cursor.execute(HITS)
    cursor.execute(BY_PSP_REFERENCE)
    cursor.execute("ANALYZE recon_hit")
    cursor.execute(LEFT, values)
    cursor.execute(LEFT_MOV)
    # What is left is small and joined by equal keys; estimates of it are poor, and a nested loop over it is not.
    cursor.execute("SET LOCAL enable_nestloop = off")
    for sql in (BY_OUR_REFERENCE, BY_RATE):
        cursor.execute("ANALYZE recon_left, recon_left_mov")
        cursor.execute(sql)
        cursor.execute(DROP_TAKEN)
    cursor.execute("ANALYZE recon_left, recon_left_mov")
    cursor.execute(GROUPS)
    cursor.execute(SPLIT.format(row_key="reference", mov_key="reference"))
    cursor.execute(SPLIT.format(row_key="psp_reference", mov_key="psp_reference"))
    cursor.execute(MERGED)
    cursor.execute(GROUP_HITS)
    cursor.execute(DROP_TAKEN)
    cursor.execute("SET LOCAL enable_nestloop = on")
    cursor.execute(STORE_GROUPS, values)
    cursor.execute(STORE_HITS)
    stored: int = cursor.rowcount
    cursor.execute("ANALYZE recon_left, recon_left_mov")
    return stored
