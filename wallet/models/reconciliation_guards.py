"""What the database refuses in a reconciliation, whoever asks."""

from __future__ import annotations

import pgtrigger

# A pair agrees in kind, currency and amount; converted, the PSP's own rate explains the one amount from the other (to the
# unit, and to half of the rate's last digit). On the bank leg the entry is what the PSP says it paid.
PAIRS_AGREE = """
IF EXISTS (
  SELECT 1 FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id JOIN wallet_pspmovement m ON m.id = f.movement_id
  WHERE m.kind <> r.type OR NOT CASE WHEN m.currency = r.currency THEN m.amount_minor = r.gross_minor
    ELSE recon_rate_explains(r.gross_minor, r.currency, m.amount_minor, m.currency, r.rate) END
) OR EXISTS (
  SELECT 1 FROM fresh f JOIN wallet_settlementrow r ON r.id = f.row_id JOIN wallet_bankentry e ON e.id = f.entry_id
  WHERE e.currency <> r.currency OR e.amount_minor <> -r.net_minor
) THEN
  RAISE EXCEPTION 'a match agrees in kind, currency and amount'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'match_agrees_in_currency_and_amount';
END IF;
RETURN NULL;
"""


def never_goes(name: str) -> pgtrigger.Trigger:
    """What matches point at without a foreign key is never deleted."""
    return pgtrigger.Trigger(
        name=f"{name}_no_delete",
        operation=pgtrigger.Delete,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func=f"RAISE EXCEPTION '{name} never goes away: a match may point at it';",
    )
