"""What the database refuses in a reconciliation, whoever writes."""

from __future__ import annotations

import pgtrigger

# A pair agrees in kind, currency and amount; converted, the PSP's own rate explains the one amount from the other (to the
# unit, and to half of the rate's last digit). On the bank leg the entry is what the PSP says it paid.
# Counted, and planned for the ids at hand: asked whether one EXISTS, the planner hopes for an early find and walks a million
# rows one by one; without the range it makes a table of all rows there ever were.
PAIRS_AGREE = """
SELECT min(row_id), max(row_id), min(movement_id), max(movement_id), count(entry_id), count(*)
  INTO first_row, last_row, first_movement, last_movement, entries, lines FROM fresh;
-- Of the new lines nothing is known but their number: left to itself the planner walks from many of them one by one.
PERFORM set_config('enable_nestloop', CASE WHEN lines > 1000 THEN 'off' ELSE 'on' END, true);
EXECUTE $sql$ SELECT count(*) FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id AND r.id BETWEEN $1 AND $2
  JOIN wallet_pspmovement m ON m.id = f.movement_id AND m.id BETWEEN $3 AND $4
  WHERE m.kind <> r.type OR NOT CASE WHEN m.currency = r.currency THEN m.amount_minor = r.gross_minor
    ELSE recon_rate_explains(r.gross_minor, r.currency, m.amount_minor, m.currency, r.rate) END
$sql$ INTO wrong USING first_row, last_row, first_movement, last_movement;
PERFORM set_config('enable_nestloop', 'on', true);
IF wrong = 0 AND entries > 0 THEN
  SELECT count(*) INTO wrong
    FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id JOIN wallet_bankentry e ON e.id = f.entry_id
    WHERE e.currency <> r.currency OR e.amount_minor <> -r.gross_minor;
END IF;
IF wrong > 0 THEN
  RAISE EXCEPTION 'a match agrees in kind, currency and amount'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'match_agrees_in_currency_and_amount';
END IF;
RETURN NULL;
"""
PAIRS_AGREE_DECLARE = [
    ("wrong", "bigint"),
    ("entries", "bigint"),
    ("lines", "bigint"),
    ("first_row", "bigint"),
    ("last_row", "bigint"),
    ("first_movement", "bigint"),
    ("last_movement", "bigint"),
]


def never_goes(name: str) -> pgtrigger.Trigger:
    """Refuse to delete rows that matches point at without a foreign key."""
    return pgtrigger.Trigger(
        name=f"{name}_no_delete",
        operation=pgtrigger.Delete,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func=f"RAISE EXCEPTION '{name} never goes away: a match may point at it';",
    )
