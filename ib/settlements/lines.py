"""Which accruals a settlement is made of: what was there at its cut and wasn't at the one before."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from ib.models import Accrual, HeldLine, Partner, Settlement, SettlementPeriod

# What a partner has that isn't settled lies outside of their last cut, in whichever currency that was: an accrual that came
# later, or of a trade that was on hold. An accrual is in its trade's own period or a later one, so it is in a period that was
# open at that cut or ended after it: the join keeps the index (partner, period). What was excluded pays nothing. A trade that
# several components pay counts once; a CPA and a client's month are beside it.
UNSETTLED = """
WITH due AS (
  SELECT d.partner_id, greatest(d.to_at, last.to_at) AS to_at, last.to_id AS from_id, last.to_at AS from_at, last.settled_at
  FROM unnest(%(partners)s::bigint[], %(to_at)s::timestamptz[]) AS d(partner_id, to_at)
  LEFT JOIN LATERAL (
    SELECT s.to_id, s.to_at, s.settled_at FROM ib_settlement s WHERE s.partner_id = d.partner_id ORDER BY s.id DESC LIMIT 1
  ) last ON true
), lines AS (
  SELECT a.id, a.partner_id, a.currency, a.deal_id, a.amount,
    CASE WHEN a.state = 'accrued' AND a.kind = 'original' AND a.deal_id > 0 AND a.component <> 'cpa' THEN 1 ELSE 0 END AS trades,
    CASE WHEN a.state = 'accrued' AND a.kind = 'original' AND a.deal_id > 0 AND a.component <> 'cpa' THEN a.lots ELSE 0 END AS lots,
    false AS is_taken, d.to_at
  FROM due d
  JOIN ib_settlementperiod p ON p.brand_id = %(brand)s
    AND (d.from_id IS NULL OR p.closed_at IS NULL OR p.closed_at > d.settled_at OR p.ends_at > d.from_at)
  JOIN ib_accrual a ON a.partner_id = d.partner_id AND a.period_id = p.id
  WHERE a.id <= %(to_id)s AND a.closed_at < d.to_at AND a.state <> 'excluded'
    AND (d.from_id IS NULL OR a.id > d.from_id OR a.closed_at >= d.from_at)
  UNION ALL
  SELECT h.accrual_id, h.partner_id, h.currency, h.deal_id, h.amount, h.trades, h.lots, true, d.to_at
  FROM due d JOIN ib_heldline h ON h.partner_id = d.partner_id AND h.taken_id IS NULL
), marked AS (
  SELECT l.*, x.id IS NOT NULL AS is_disputed FROM lines l
  LEFT JOIN ib_commissiondispute x ON x.partner_id = l.partner_id AND x.deal_id = l.deal_id AND x.state = 'open'
), trade AS (
  SELECT partner_id, currency, is_disputed, max(to_at) AS to_at, count(*) FILTER (WHERE NOT is_taken OR NOT is_disputed) AS rows,
    max(trades) AS trades, max(lots) AS lots, sum(amount) AS amount
  FROM marked GROUP BY 1, 2, 3, deal_id
), held AS (
  SELECT partner_id, currency, array_agg(id) FILTER (WHERE is_taken AND NOT is_disputed) AS taken,
    jsonb_agg(jsonb_build_array(id, deal_id, amount::text, lots::text, trades) ORDER BY id)
      FILTER (WHERE NOT is_taken AND is_disputed) AS passed
  FROM marked WHERE is_taken OR is_disputed GROUP BY 1, 2
), sums AS (
  SELECT partner_id, currency, max(to_at) AS to_at, sum(rows) AS rows,
    coalesce(sum(trades) FILTER (WHERE NOT is_disputed), 0) AS trades,
    coalesce(sum(lots) FILTER (WHERE NOT is_disputed), 0) AS lots,
    coalesce(sum(amount) FILTER (WHERE NOT is_disputed), 0) AS amount
  FROM trade GROUP BY 1, 2
)
SELECT s.partner_id, s.currency, s.to_at, s.rows, s.trades, s.lots, s.amount, coalesce(h.taken, '{}'),
  coalesce(h.passed, '[]')::text
FROM sums s LEFT JOIN held h USING (partner_id, currency) ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What one partner has to settle in one currency. `taken`: lines of resolved disputes; `held`: of those still open."""

    partner_id: int
    currency: str
    to_at: dt.datetime
    rows: int
    trades: int
    lots: Decimal
    accrued: Decimal
    taken: Sequence[int] = ()
    held: Sequence[tuple[int, int, Decimal, Decimal, int]] = field(default=())


def unsettled(brand_id: int, to_at: dict[int, dt.datetime], to_id: int) -> list[Due]:
    """Sum what partners have to settle, each of trades closed before an instant. Call with the brand's commissions locked."""
    if not to_at:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            UNSETTLED, {"brand": brand_id, "partners": list(to_at), "to_at": list(to_at.values()), "to_id": to_id}
        )
        return [_due(*row) for row in cursor.fetchall()]


def _due(*row: Any) -> Due:
    partner_id, currency, to_at, rows, trades, lots, accrued, taken, held = row
    lines = [(pk, deal, Decimal(amount), Decimal(size), count) for pk, deal, amount, size, count in json.loads(held)]
    return Due(partner_id, currency, to_at, rows, trades, lots, accrued, taken, lines)


def last_accrual_id() -> int:
    """Return the newest accrual's id. Under the brand's lock no smaller one of the brand can appear later."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM ib_accrual")
        return int(cursor.fetchone()[0])


def lines_of(settlement: Settlement) -> QuerySet[Accrual]:
    """Find the accruals that a settlement is made of, with those that pay nothing and say why."""
    reached = Q(pk__lte=settlement.to_id, closed_at__lt=settlement.to_at)
    if settlement.previous is not None:
        reached &= Q(pk__gt=settlement.previous.to_id) | Q(closed_at__gte=settlement.previous.to_at)
    taken = HeldLine.objects.filter(taken=settlement).values("accrual_id")
    passed = HeldLine.objects.filter(passed=settlement).values("accrual_id")
    return Accrual.objects.filter(partner_id=settlement.partner_id, currency=settlement.currency).filter(
        (reached & ~Q(pk__in=passed)) | Q(pk__in=taken)
    )


def last_settlement(partner: Partner, currency: str) -> Settlement | None:
    """Find a partner's latest settlement in a currency."""
    return Settlement.objects.filter(partner=partner, currency=currency).order_by("-id").first()


def lines_waiting(partner: Partner, currency: str) -> QuerySet[Accrual]:
    """Find the accruals of a partner in a currency that no settlement has taken yet, those in dispute included."""
    rows = Accrual.objects.filter(partner=partner, currency=currency)
    last = last_settlement(partner, currency)
    if last is None:
        return rows
    held = HeldLine.objects.filter(partner=partner, taken__isnull=True).values("accrual_id")
    waiting = Q(pk__gt=last.to_id) | Q(closed_at__gte=last.to_at)
    # Outside of the last cut: in a period that was open at it, or ended after it. So the index (partner, period) serves.
    periods = SettlementPeriod.objects.filter(brand_id=partner.brand_id).filter(
        Q(closed_at__isnull=True) | Q(closed_at__gt=last.settled_at) | Q(ends_at__gt=last.to_at)
    )
    return rows.filter((waiting & Q(period__in=periods)) | Q(pk__in=held))


def settlement_of(accrual: Accrual) -> Settlement | None:
    """Find the settlement that an accrual is in; None while it waits."""
    held = HeldLine.objects.filter(accrual_id=accrual.pk).select_related("taken").first()
    if held is not None:
        return held.taken
    return (
        Settlement.objects.filter(
            partner_id=accrual.partner_id, currency=accrual.currency, to_id__gte=accrual.pk, to_at__gt=accrual.closed_at
        )
        .order_by("id")
        .first()
    )
