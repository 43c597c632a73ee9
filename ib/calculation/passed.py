"""What a partner passes on of the rebates on their own clients' trades, as SQL over what was accrued.

A row of its own beside the accrual takes the client's part off the partner's line; the settlement that takes the row credits the
client (`ib.settlements.client_rebates`). What is passed on follows from what the line adds up to, so after corrections, caps,
clawbacks and adjustments the difference is a further row, in whatever order they come.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from ib.calculation import writing
from ib.choices import REBATES, AccrualKind, AccrualState, Reason

_EARNED: Final = f"x.kind IN ('{AccrualKind.ORIGINAL}', '{AccrualKind.DELTA}')"
_OTHERS: Final = f"x.kind <> '{AccrualKind.PASSED}'"


def _due(amount: str, earned: str, agreed: str) -> str:
    """Compute the client's part of a line: a percentage, or so much of what is agreed as is left of what the line earned."""
    left = f"least(greatest(0, l.{amount}), l.{earned})"
    return f"""CASE WHEN l.per_lot IS NULL THEN trunc(greatest(0, l.{amount}) * coalesce(l.percent, 0) / 100, 8)
      WHEN l.{earned} > 0 THEN trunc(least(l.{earned}, coalesce({agreed}, 0)) * {left} / l.{earned}, 8) ELSE 0 END"""


# The deals that a pass has added rows to; percentage and amount are those of the line's last calculation.
BALANCE: Final = f"""
WITH touched AS (
  SELECT DISTINCT deal_id FROM ib_accrual WHERE id > %(mark)s AND run_id = %(run)s
), every AS (
  SELECT x.* FROM touched JOIN ib_accrual x USING (deal_id) WHERE x.kind = '{AccrualKind.ORIGINAL}'
  UNION ALL
  SELECT x.* FROM touched JOIN ib_accrual x USING (deal_id) WHERE x.kind <> '{AccrualKind.ORIGINAL}'
), lines AS (
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency, max(x.id) FILTER (WHERE {_EARNED}) AS known_id,
    (array_agg(x.passed_percent ORDER BY x.id DESC) FILTER (WHERE {_EARNED}))[1] AS percent,
    (array_agg(x.passed_per_lot ORDER BY x.id DESC) FILTER (WHERE {_EARNED}))[1] AS per_lot,
    sum(x.amount) FILTER (WHERE {_EARNED}) AS earned, sum(x.rate_amount) FILTER (WHERE {_EARNED}) AS rate_earned,
    sum(x.amount) FILTER (WHERE {_OTHERS}) AS amount, sum(x.rate_amount) FILTER (WHERE {_OTHERS}) AS rate_amount,
    -coalesce(sum(x.amount) FILTER (WHERE NOT {_OTHERS}), 0) AS passed,
    -coalesce(sum(x.rate_amount) FILTER (WHERE NOT {_OTHERS}), 0) AS rate_passed
  FROM every x WHERE x.level = 1 AND x.component IN {tuple(map(str, REBATES))}
  GROUP BY 1, 2, 3, 4, 5
), due AS (
  SELECT l.*, {_due("amount", "earned", "trunc(o.lots * l.per_lot * o.fx_rate, 8)")} AS due,
    {_due("rate_amount", "rate_earned", "trunc(o.lots * l.per_lot, 8)")} AS rate_due
  FROM lines l JOIN ib_accrual o ON o.id = l.known_id
), added AS (
  INSERT INTO ib_accrual ({writing.COLUMNS})
  SELECT %(run)s, '{AccrualKind.PASSED}', '{AccrualState.PASSED}', '{Reason.PASSED_ON}', k.partner_id, k.introducer_id, k.level,
    k.client_id, k.deal_id, k.ticket, k.closed_at, k.account_id, k.symbol, k.symbol_group, k.lots, k.held_seconds, k.version_id,
    NULL, NULL, false, k.rate_currency, d.rate_passed - d.rate_due, k.fx_rate, k.fx_on, k.currency, d.passed - d.due,
    coalesce(own.id, %(late)s), coalesce(k.corrects_id, k.id), %(source)s, %(now)s, k.component, NULL, '', NULL, NULL, NULL, NULL,
    NULL, NULL, d.percent, d.per_lot
  FROM due d
  JOIN ib_accrual k ON k.id = d.known_id
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= k.closed_at AND own.ends_at > k.closed_at
  WHERE d.due <> d.passed
  ORDER BY k.closed_at, k.deal_id, k.component
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({writing.ADD_UP_ADDED})
SELECT count(*) FROM added
"""  # noqa: S608


def last_line(cursor: CursorWrapper) -> int:
    """Return the newest row's id, as the mark of `pass_on`."""
    cursor.execute("SELECT coalesce(max(id), 0) FROM ib_accrual")
    return int(cursor.fetchone()[0])


def pass_on(cursor: CursorWrapper, parameters: dict[str, Any]) -> int:
    """Bring the clients' parts in line with what a run has added since a mark; returns how many rows.

    parameters: `mark`, and what is written in each row. Call with the brand's commissions locked.
    """
    cursor.execute(BALANCE, parameters)
    return int(cursor.fetchone()[0])
