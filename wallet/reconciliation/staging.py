"""What a run looks at, in temporary tables with statistics: a PSP's open rows, and the movements that they may be.

The result of matching must not depend on the order in which files came. So a run takes what is open, and takes back what an
earlier run matched automatically wherever a new row or movement names the same references: all of it is judged again, together.
What a person accepted stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

from wallet.choices.reconciliation import JUDGED_ANEW, MatchRule, RowType

# Rows that have a movement of ours, and rows that have none but move money all the same: those are missing here until two people
# say what they are. Fees, payouts to our bank and what is held back (`reserves`) are booked automatically.
TYPES = [
    str(kind)
    for kind in (
        RowType.PAYMENT,
        RowType.PAYOUT,
        RowType.REFUND,
        RowType.CHARGEBACK,
        RowType.CHARGEBACK_REVERSED,
        RowType.CONVERSION,
        RowType.ADJUSTMENT,
    )
]
ROUNDS_MAX = 10
WINDOW_DAYS = 10

# Statistics by hand: temporary tables aren't analysed automatically, and without them a join of a million takes minutes.
TABLES = (
    "recon_row",
    "recon_mov",
    "recon_pair",
    "recon_hit",
    "recon_left",
    "recon_left_mov",
    "recon_group",
    "recon_best",
    "recon_break",
)
# A small sample is enough for them.
SETTINGS = "SET LOCAL work_mem = '96MB'; SET LOCAL jit = off; SET LOCAL default_statistics_target = 10"
DONE = "SET LOCAL default_statistics_target = DEFAULT; SET LOCAL work_mem = DEFAULT"

# The k-th copy of a row is a repeat when an earlier report of the PSP has k copies. Same content and same instant: one fact.
REPEATS = """
UPDATE wallet_settlementrow SET is_repeat = true WHERE id IN (
  SELECT n.id FROM (
    SELECT r.*, row_number() OVER (PARTITION BY r.type, r.psp_reference, r.merchant_reference, r.original_reference,
      r.currency, r.gross_minor, r.fee_minor, r.booked_at ORDER BY r.line) AS copy
    FROM wallet_settlementrow r WHERE r.report_id = %(report)s
  ) n JOIN (
    SELECT e.type, e.psp_reference, e.merchant_reference, e.original_reference, e.currency, e.gross_minor, e.fee_minor,
      e.booked_at, e.report_id, count(*) AS copies
    FROM wallet_settlementrow e JOIN wallet_settlementimport i ON i.id = e.report_id
    WHERE i.psp_id = %(psp)s AND e.report_id < %(report)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
  ) e ON (e.type, e.psp_reference, e.merchant_reference, e.original_reference, e.currency, e.gross_minor, e.fee_minor,
      e.booked_at) = (n.type, n.psp_reference, n.merchant_reference, n.original_reference, n.currency, n.gross_minor,
      n.fee_minor, n.booked_at) AND e.copies >= n.copy)
"""
ROW_COLUMNS = """
  r.id, r.report_id, r.line, r.type, r.psp_reference, r.merchant_reference AS reference, r.original_reference,
  r.client_reference, r.batch, r.booked_at, r.currency, r.gross_minor, r.fee_minor, r.paid_currency, r.paid_minor, r.rate
"""
# A new report's rows (none is matched, none was dealt with), and what is open of earlier ones.
ROWS = f"""
CREATE TEMP TABLE recon_row ON COMMIT DROP AS
SELECT {ROW_COLUMNS} FROM wallet_settlementrow r
WHERE r.report_id = %(report)s AND r.type = ANY(%(types)s) AND NOT r.is_repeat
UNION ALL
SELECT {ROW_COLUMNS} FROM wallet_settlementrow r JOIN wallet_break b ON b.row_id = r.id
WHERE b.psp_id = %(psp)s AND b.state = 'open' AND b.leg = 'psp' AND b.kind <> 'fee' AND r.report_id <> %(report)s
  AND r.type = ANY(%(types)s)
"""  # noqa: S608 (constants of this module)
MOV_COLUMNS = """
  m.id, m.kind, m.psp_reference, m.reference, m.common_reference, m.currency, m.amount_minor, m.client_id, m.occurred_at,
  x.id AS match_id, x.group_id, x.rule
"""
# Asked first, so that the planner knows how many movements it is about.
WINDOW = """
SELECT least(min(booked_at), %(since)s::timestamptz) - make_interval(days => %(days)s),
  greatest(max(booked_at), %(until)s::timestamptz) + make_interval(days => %(days)s)
FROM recon_row WHERE report_id = %(report)s
"""
MOVEMENTS = f"""
CREATE TEMP TABLE recon_mov ON COMMIT DROP AS
SELECT {MOV_COLUMNS} FROM wallet_pspmovement m LEFT JOIN wallet_match x ON x.movement_id = m.id
WHERE m.psp_id = %(psp)s AND m.occurred_at >= %(begin)s AND m.occurred_at < %(end)s
"""  # noqa: S608 (constants of this module)
# A row and the movement of its PSP reference and kind; is_alien: the row names another client than the movement.
PAIRS = """
SELECT r.id AS row_id, m.id AS movement_id, m.match_id IS NULL AS is_open,
  m.currency = r.currency AND m.amount_minor = r.gross_minor AS agrees,
  (r.client_reference <> '' AND r.client_reference <> 'client-' || m.client_id AND r.client_reference ~ '^client-[0-9]+$')
  OR (r.reference NOT IN ('', m.reference, m.common_reference) AND (
    EXISTS (SELECT 1 FROM wallet_pspmovement o WHERE o.psp_id = %(psp)s AND o.reference = r.reference
      AND o.client_id <> m.client_id)
    OR EXISTS (SELECT 1 FROM wallet_deposit d WHERE d.reference = r.reference AND d.client_id <> m.client_id)
    OR EXISTS (SELECT 1 FROM wallet_withdrawal w WHERE w.reference = r.reference AND w.client_id <> m.client_id)
  )) AS is_alien
FROM recon_row r JOIN recon_mov m ON m.psp_reference = r.psp_reference AND m.kind = r.type
WHERE r.psp_reference <> ''
"""
PAIR_ALL = "DROP TABLE IF EXISTS recon_pair; CREATE TEMP TABLE recon_pair ON COMMIT DROP AS" + PAIRS
PAIR_MORE = "INSERT INTO recon_pair" + PAIRS + "AND m.id = ANY(%(movements)s)"
# Outside the window: what open breaks are about, and what a row without a partner names.
OUTSIDE = "(m.occurred_at >= %(begin)s AND m.occurred_at < %(end)s) IS NOT TRUE"
MORE_MOVEMENTS = f"""
WITH alone AS MATERIALIZED (
  SELECT r.* FROM recon_row r WHERE NOT EXISTS (SELECT 1 FROM recon_pair p WHERE p.row_id = r.id AND p.agrees)
)
SELECT b.movement_id AS id FROM wallet_break b JOIN wallet_pspmovement m ON m.id = b.movement_id
WHERE b.psp_id = %(psp)s AND b.state = 'open' AND b.leg = 'psp' AND {OUTSIDE}
UNION SELECT m.id FROM alone a JOIN wallet_pspmovement m
  ON m.psp_id = %(psp)s AND m.psp_reference = a.psp_reference AND m.kind = a.type WHERE a.psp_reference <> '' AND {OUTSIDE}
UNION SELECT m.id FROM alone a JOIN wallet_pspmovement m
  ON m.psp_id = %(psp)s AND m.reference = a.reference AND m.kind = a.type WHERE a.reference <> '' AND {OUTSIDE}
UNION SELECT m.id FROM alone a JOIN wallet_pspmovement m ON m.psp_id = %(psp)s AND m.kind = a.type
  AND m.common_reference <> '' AND m.common_reference IN (a.reference, a.psp_reference) AND {OUTSIDE}
"""  # noqa: S608 (constants of this module)
KNOWN = "SELECT id FROM recon_mov WHERE id = ANY(%(movements)s)"
# What was matched automatically and shares a reference with an open row, or with an open movement.
DISPUTED = """
SELECT DISTINCT m.match_id, m.group_id FROM recon_mov m
WHERE m.match_id IS NOT NULL AND m.rule <> %(accepted)s AND (
  EXISTS (SELECT 1 FROM recon_row r WHERE r.type = m.kind AND r.psp_reference = m.psp_reference AND r.psp_reference <> '')
  OR EXISTS (SELECT 1 FROM recon_row r WHERE r.type = m.kind AND r.reference <> ''
    AND r.reference IN (m.reference, m.common_reference))
  OR (m.rule <> 'psp_reference' AND EXISTS (SELECT 1 FROM recon_mov o WHERE o.match_id IS NULL AND o.kind = m.kind
    AND (o.reference = m.reference OR (o.common_reference <> '' AND o.common_reference = m.common_reference)))))
"""
LINES = """
SELECT id, row_id, movement_id, group_id FROM wallet_match WHERE id = ANY(%(matches)s) OR group_id = ANY(%(groups)s)
"""
TAKE_BACK_GROUPS = f"""
UPDATE wallet_matchgroup SET undone_at = clock_timestamp(), undone_reason = '{JUDGED_ANEW}' WHERE id = ANY(%(groups)s)
"""  # noqa: S608 (constants of this module)
TAKE_BACK_LINES = "DELETE FROM wallet_match WHERE id = ANY(%(lines)s)"
ROWS_AGAIN = f"""
INSERT INTO recon_row SELECT {ROW_COLUMNS} FROM wallet_settlementrow r WHERE r.id = ANY(%(rows)s)
"""  # noqa: S608 (constants of this module)
MOVEMENTS_AGAIN = f"""
WITH gone AS (DELETE FROM recon_mov WHERE id = ANY(%(movements)s))
INSERT INTO recon_mov SELECT {MOV_COLUMNS} FROM wallet_pspmovement m LEFT JOIN wallet_match x ON x.movement_id = m.id
WHERE m.id = ANY(%(movements)s)
"""  # noqa: S608 (constants of this module)
ARE_ANY_MATCHED = "SELECT EXISTS (SELECT 1 FROM recon_mov WHERE match_id IS NOT NULL)"


def stage(cursor: CursorWrapper, asked: Mapping[str, Any]) -> None:
    """Fill `recon_row`, `recon_mov` and `recon_pair`. asked: psp, report (0: none), since, until."""
    values: dict[str, Any] = {**asked, "types": TYPES, "days": WINDOW_DAYS, "accepted": MatchRule.ACCEPTED}
    cursor.execute(SETTINGS)
    for table in TABLES:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(ROWS, values)
    cursor.execute("ANALYZE recon_row")
    cursor.execute(WINDOW, values)
    values["begin"], values["end"] = cursor.fetchone()
    cursor.execute(MOVEMENTS, values)
    cursor.execute("ANALYZE recon_mov")
    _pair(cursor, values)
    for _round in range(ROUNDS_MAX):
        cursor.execute(MORE_MOVEMENTS, values)
        more = [pk for (pk,) in cursor.fetchall()]
        if more:
            cursor.execute(KNOWN, {"movements": more})
            more = sorted({*more} - {pk for (pk,) in cursor.fetchall()})
        if more:
            cursor.execute(MOVEMENTS_AGAIN, {"movements": more})
            cursor.execute(PAIR_MORE, {**values, "movements": more})
        if not _take_back(cursor, values):
            break
        cursor.execute("ANALYZE recon_row, recon_mov")
        _pair(cursor, values)


def _pair(cursor: CursorWrapper, values: Mapping[str, Any]) -> None:
    cursor.execute(PAIR_ALL, values)
    cursor.execute("ANALYZE recon_pair")


def _take_back(cursor: CursorWrapper, values: Mapping[str, Any]) -> bool:
    """Undo automatic matches that are to be judged again, with both of their sides."""
    cursor.execute(ARE_ANY_MATCHED)
    if not cursor.fetchone()[0]:
        return False
    cursor.execute(DISPUTED, values)
    disputed = cursor.fetchall()
    if not disputed:
        return False
    groups = sorted({group for _match, group in disputed if group})
    cursor.execute(LINES, {"matches": [match for match, group in disputed if not group], "groups": groups})
    lines = cursor.fetchall()
    if groups:
        cursor.execute(TAKE_BACK_GROUPS, {"groups": groups})
    cursor.execute(TAKE_BACK_LINES, {"lines": [line[0] for line in lines]})
    cursor.execute(ROWS_AGAIN, {"rows": [line[1] for line in lines if line[1]]})
    cursor.execute(MOVEMENTS_AGAIN, {"movements": [line[2] for line in lines if line[2]]})
    return True
