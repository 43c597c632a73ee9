"""Proves closed months: every stored carry-forward is recomputed, and nothing was posted after a closing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from wallet.choices.month_end import PeriodState
from wallet.models import Period

PROBLEMS_MAX = 20

# Only the latest closing: an earlier one of a reopened month has what was true then.
CLOSINGS = """
WITH made AS (
  SELECT p.account_id, coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS debits,
    coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS credits
  FROM wallet_journal j JOIN wallet_posting p ON p.journal_id = j.id AND p.layer = 0
  WHERE j.brand_id = %(brand)s AND j.business_on BETWEEN %(first)s AND %(last)s GROUP BY p.account_id
), before AS (
  SELECT account_id, closing_minor FROM wallet_closingbalance
  WHERE period_id = %(before)s AND closing = %(before_closing)s AND closing_minor <> 0
), kept AS (SELECT * FROM wallet_closingbalance WHERE period_id = %(period)s AND closing = %(closing)s)
SELECT account_id, k.opening_minor, coalesce(b.closing_minor, 0), k.debits_minor, coalesce(m.debits, 0), k.credits_minor,
  coalesce(m.credits, 0)
FROM made m FULL JOIN before b USING (account_id) FULL JOIN kept k USING (account_id)
WHERE (k.opening_minor, k.debits_minor, k.credits_minor)
  IS DISTINCT FROM (coalesce(b.closing_minor, 0), coalesce(m.debits, 0), coalesce(m.credits, 0))
  OR k.closing_minor <> k.opening_minor + k.credits_minor - k.debits_minor
ORDER BY account_id
"""
LATE = """
SELECT id, idempotency_key FROM wallet_journal
WHERE brand_id = %(brand)s AND business_on BETWEEN %(first)s AND %(last)s AND greatest(posted_at, imported_at) > %(at)s
ORDER BY id
"""


def wrong_closings() -> Iterator[str]:
    """Yield what is wrong month by month, the oldest first; memory holds one month's wrong rows."""
    before: Period | None = None
    for period in Period.objects.select_related("brand").order_by("brand_id", "first_day"):
        if before is not None and before.brand_id != period.brand_id:
            before = None
        if period.state == PeriodState.CLOSED:
            yield from _of_period(period, before)
        before = period


def _of_period(period: Period, before: Period | None) -> Iterator[str]:
    values: dict[str, Any] = {
        "brand": period.brand_id,
        "first": period.first_day,
        "last": period.last_day,
        "period": period.pk,
        "closing": period.closings,
        "at": period.closed_at,
        "before": before.pk if before else None,
        "before_closing": before.closings if before else None,
    }
    where = f"closed month {period} of {period.brand.code}"
    with connection.cursor() as cursor:
        cursor.execute(LATE, values)
        for pk, key in cursor.fetchmany(PROBLEMS_MAX):
            yield f"journal {pk} ({key}) was posted into the {where}"
        cursor.execute(CLOSINGS, values)
        for account, opening, carried, *turnover in cursor.fetchmany(PROBLEMS_MAX):
            if opening is None:
                yield f"{where}: account {account} has no closing balance"
            elif opening != carried:
                yield f"{where}: account {account} opens with {opening}, {carried} was carried forward"
            else:
                stored, summed = turnover[::2], [int(number) for number in turnover[1::2]]
                yield f"{where}: account {account} keeps debits and credits {stored}, its postings give {summed}"
