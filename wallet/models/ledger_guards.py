# ruff: noqa: S608 - statements made of constants of this module
"""What the database refuses in the ledger, whoever writes.

Most of it is checked by triggers and not by CHECK constraints: PostgreSQL parses a CHECK (and the condition of a
trigger) for every statement that writes, and a posting is four of them. A trigger's function is compiled once a
session. That was a tenth of a posting (docs/performance.md). Refusals carry the names and the code (`check_violation`)
that constraints would have.
"""

from __future__ import annotations

from typing import Final

import pgtrigger


def refusal(constraint: str, words: str, *values: str) -> str:
    """Write the statement that refuses like a CHECK constraint of this name."""
    return (
        f"RAISE EXCEPTION '%: {words}', '{constraint}'{''.join(f', {value}' for value in values)} "
        f"USING ERRCODE = 'check_violation', CONSTRAINT = '{constraint}';"
    )


def written_by_ledger_only(name: str, operations: pgtrigger.Operation) -> pgtrigger.Trigger:
    """Refuse writes that don't come from `ledger_post`, whoever sends them."""
    return pgtrigger.Trigger(
        name=f"{name}_by_ledger_only",
        operation=operations,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func=(
            "IF current_setting('keelson.ledger', true) IS DISTINCT FROM 'posting' THEN "
            f"RAISE EXCEPTION '{name} is written by ledger_post only'; END IF; RETURN NULL;"
        ),
    )


# After, because a trigger before an update locks the row once more. What was credited is not below what was debited and held,
# so it isn't checked separately.
BALANCE: Final = f"""
IF NEW.credits_posted >= NEW.debits_posted + NEW.debits_pending
  AND least(NEW.version, NEW.debits_posted, NEW.credits_pending, NEW.debits_pending) >= 0
  AND (current_setting('keelson.ledger', true) = 'posting' OR TG_OP = 'INSERT')
THEN RETURN NULL; END IF;
IF NEW.credits_posted < NEW.debits_posted + NEW.debits_pending THEN
  {refusal("client_money_never_goes_below_zero_after_holds", "account %", "NEW.account_id")}
END IF;
IF least(NEW.version, NEW.debits_posted, NEW.credits_pending, NEW.debits_pending) < 0 THEN
  {refusal("balance_counters_are_not_negative", "account %", "NEW.account_id")}
END IF;
RAISE EXCEPTION 'balance is written by ledger_post only';
"""

JOURNAL: Final = f"""
IF current_setting('keelson.ledger', true) IS DISTINCT FROM 'posting' THEN
  RAISE EXCEPTION 'journal is written by ledger_post only';
END IF;
-- As most are.
IF NEW.phase = 'posted' AND NEW.resolves_id IS NULL AND NEW.expires_at IS NULL AND NEW.fx_rate IS NULL
  AND NEW.fx_rate_on IS NULL THEN RETURN NEW; END IF;
IF NOT NEW.phase = ANY (CASE WHEN NEW.resolves_id IS NULL THEN '{{posted,pending}}'::text[] ELSE '{{post,void}}'::text[] END) THEN
  {refusal("resolving_journal_names_what_it_resolves", "journal %", "NEW.id")}
END IF;
IF NOT (NEW.fx_rate IS NULL AND NEW.fx_rate_on IS NULL OR coalesce(NEW.fx_rate > 0, false) AND NEW.fx_rate_on IS NOT NULL) THEN
  {refusal("journal_rate_has_its_day", "journal %", "NEW.id")}
END IF;
IF NEW.expires_at IS NOT NULL AND NEW.phase <> 'pending' THEN
  {refusal("only_a_reservation_expires", "journal %", "NEW.id")}
END IF;
RETURN NEW;
"""

# At the end of the transaction, once for a journal, over all its postings. Most are in one currency and layer, and a plain sum
# costs a third less than one with groups.
SUMS: Final = f"""
IF (SELECT min(currency) = max(currency) AND min(layer) = max(layer) AND sum(amount_minor) = 0
      AND bool_and(amount_minor <> 0 AND (available_after IS NULL OR available_after >= 0))
    FROM wallet_posting WHERE journal_id = NEW.id)
THEN RETURN NULL; END IF;
IF NOT EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id) THEN
  {refusal("journal_has_postings", "journal % has none", "NEW.id")}
END IF;
IF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id AND amount_minor = 0) THEN
  {refusal("posting_moves_something", "journal %", "NEW.id")}
END IF;
IF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id AND available_after < 0) THEN
  {refusal("no_posting_overdraws_a_bounded_account", "journal %", "NEW.id")}
END IF;
IF EXISTS (SELECT 1 FROM wallet_posting WHERE journal_id = NEW.id GROUP BY currency, layer HAVING sum(amount_minor) <> 0) THEN
  {refusal("journal_sums_to_zero_per_currency", "journal % does not sum to zero per currency", "NEW.id")}
END IF;
RETURN NULL;
"""

balance_is_sound = pgtrigger.Trigger(
    name="balance_is_sound", operation=pgtrigger.Insert | pgtrigger.Update, when=pgtrigger.After, func=BALANCE
)
journal_is_sound = pgtrigger.Trigger(
    name="journal_is_sound", operation=pgtrigger.Insert, when=pgtrigger.Before, func=JOURNAL
)
journal_sums_to_zero = pgtrigger.Trigger(
    name="journal_sums_to_zero", operation=pgtrigger.Insert, when=pgtrigger.After, timing=pgtrigger.Deferred, func=SUMS
)
