"""What the broker earned from each partner's own clients by day, beside what all partners earned on them: kept each night.

Revenue is what the platform charged in commission plus what clients lost by trading, swaps included, as in what-ifs; spread
mark-up isn't known per trade. Deals count for whoever referred the client when they were executed.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from crm.models import Brand
from ib.models import RevenueDay

# The nightly pass looks at so many days again, for what came late or was corrected; the first one at as many as pages compare.
AGAIN_DAYS: Final = 7
FIRST_DAYS: Final = 184
PIECE_DAYS: Final = 31
KEEP: Final = """
WITH parts AS (
  SELECT att.partner_id, (d.executed_at AT TIME ZONE 'UTC')::date AS day, a.currency::text AS currency,
    -sum(d.commission) AS charged, -sum(d.profit + d.swap) AS lost, 0::numeric AS cost
  FROM trading_deal d
  JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
  JOIN clients_client c ON c.id = a.client_id AND c.brand_id = %(brand)s
  JOIN ib_attribution att ON att.client_id = a.client_id AND att.starts_at <= d.executed_at
    AND (att.ends_at IS NULL OR att.ends_at > d.executed_at)
  WHERE d.action IN (0, 1) AND d.deleted_at IS NULL AND d.executed_at >= %(from)s AND d.executed_at < %(to)s
  GROUP BY 1, 2, 3
  UNION ALL
  SELECT x.introducer_id, (x.closed_at AT TIME ZONE 'UTC')::date, x.currency, 0, 0, sum(x.amount)
  FROM ib_accrual x JOIN ib_partner p ON p.id = x.introducer_id AND p.brand_id = %(brand)s
  WHERE x.closed_at >= %(from)s AND x.closed_at < %(to)s AND x.amount <> 0
  GROUP BY 1, 2, 3
), summed AS (
  SELECT partner_id, day, currency, sum(charged) AS charged, sum(lost) AS lost, sum(cost) AS cost FROM parts GROUP BY 1, 2, 3
), gone AS (
  DELETE FROM ib_revenueday k USING ib_partner p
  WHERE p.id = k.partner_id AND p.brand_id = %(brand)s AND k.day >= %(first)s AND k.day < %(end)s
    AND NOT EXISTS (SELECT FROM summed s WHERE (s.partner_id, s.day, s.currency) = (k.partner_id, k.day, k.currency))
)
INSERT INTO ib_revenueday AS k (partner_id, day, currency, charged, lost, cost)
SELECT * FROM summed ORDER BY 1, 2, 3
ON CONFLICT ON CONSTRAINT one_revenue_day_per_partner_and_currency DO UPDATE
  SET charged = EXCLUDED.charged, lost = EXCLUDED.lost, cost = EXCLUDED.cost
WHERE (k.charged, k.lost, k.cost) IS DISTINCT FROM (EXCLUDED.charged, EXCLUDED.lost, EXCLUDED.cost)
"""


def keep_days(brand: Brand, *, now: dt.datetime | None = None) -> int:
    """Keep a brand's last days, from some before the newest known on; return how many rows were written. In pieces."""
    end = (now or timezone.now()).date() + dt.timedelta(days=1)
    newest = RevenueDay.objects.filter(partner__brand=brand, day__lt=end).aggregate(day=Max("day"))["day"]
    first = newest - dt.timedelta(days=AGAIN_DAYS) if newest else end - dt.timedelta(days=FIRST_DAYS)
    written = 0
    while first < end:
        until = min(first + dt.timedelta(days=PIECE_DAYS), end)
        written += _keep(brand, first, until)
        first = until
    return written


@transaction.atomic
def _keep(brand: Brand, first: dt.date, end: dt.date) -> int:
    from_at, to_at = (dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) for day in (first, end))
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"brand": brand.pk, "from": from_at, "to": to_at, "first": first, "end": end})
        return int(cursor.rowcount)
