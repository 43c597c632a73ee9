"""The running sums per partner and day, against the accruals they sum up."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection

DIFFERENCES = """
WITH trades AS (
  SELECT partner_id, period_id, (closed_at AT TIME ZONE 'UTC')::date AS day, currency, sum(amount) AS amount,
    bool_or(kind = 'original' AND deal_id > 0 AND component <> 'cpa') AS is_counted,
    bool_or(kind = 'original' AND deal_id > 0 AND component <> 'cpa' AND state = 'accrued') AS is_paid
  FROM ib_accrual GROUP BY 1, 2, 3, 4, deal_id, level
), summed AS (
  SELECT partner_id, period_id, day, currency, sum(amount) AS amount,
    count(*) FILTER (WHERE is_counted AND is_paid) AS trades, count(*) FILTER (WHERE is_counted AND NOT is_paid) AS unpaid
  FROM trades GROUP BY 1, 2, 3, 4
)
SELECT partner_id, day, currency, coalesce(k.amount, 0), coalesce(s.amount, 0)
FROM summed s FULL JOIN ib_partnerday k USING (partner_id, period_id, day, currency)
WHERE (k.amount, k.trades, k.unpaid) IS DISTINCT FROM (s.amount, s.trades::int, s.unpaid::int)
ORDER BY 1, 2 LIMIT %s
"""


def differences(limit: int = 20) -> list[tuple[int, object, str, Decimal, Decimal]]:
    """List (partner, day, currency, kept, recomputed) where a running sum is not what its accruals add up to."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, [limit])
        rows: list[tuple[int, object, str, Decimal, Decimal]] = cursor.fetchall()
        return rows
