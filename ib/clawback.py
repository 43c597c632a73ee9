"""Taking commissions back when the deposit they rest on was charged back or refunded."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import ROUND_DOWN, Decimal

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from crm import audit
from ib import engine_sql, periods
from ib.choices import RunKind
from ib.models import CommissionRun
from wallet.choices import DEPOSIT_ARRIVED
from wallet.models import Deposit

# What each partner has left of each trade since the deposit, within the plan's clawback days. A clawback is a further
# row that points at the first one; together they never go below zero.
TAKE_BACK = f"""
WITH left_over AS (
  SELECT x.deal_id, x.partner_id, x.level, x.currency, min(x.id) FILTER (WHERE x.kind = 'original') AS original_id,
    sum(x.amount) AS amount, sum(x.rate_amount) AS rate_amount,
    sum(x.amount) FILTER (WHERE x.kind <> 'clawback') AS earned,
    sum(x.rate_amount) FILTER (WHERE x.kind <> 'clawback') AS rate_earned
  FROM ib_accrual x WHERE x.client_id = %(client)s AND x.closed_at >= %(since)s
  GROUP BY 1, 2, 3, 4
), added AS (
  INSERT INTO ib_accrual ({engine_sql.COLUMNS})
  SELECT %(run)s, 'clawback', 'reversed', 'deposit_reversed', k.partner_id, k.introducer_id, k.level, k.client_id, k.deal_id,
    k.ticket, k.closed_at, k.account_id, k.symbol, k.symbol_group, k.lots, k.held_seconds, k.version_id, k.rate,
    k.share, k.is_override, k.rate_currency,
    -least(l.rate_amount, trunc(l.rate_earned * %(part)s, 8)), k.fx_rate, k.fx_on, k.currency,
    -least(l.amount, trunc(l.earned * %(part)s, 8)), coalesce(own.id, %(late)s), k.id, %(source)s, %(now)s
  FROM left_over l
  JOIN ib_accrual k ON k.id = l.original_id
  JOIN ib_planversion v ON v.id = k.version_id AND k.closed_at >= %(now)s - make_interval(days => v.clawback_days)
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= k.closed_at AND own.ends_at > k.closed_at
  WHERE l.amount > 0 AND least(l.amount, trunc(l.earned * %(part)s, 8)) > 0
    AND NOT EXISTS (SELECT 1 FROM ib_accrual done WHERE done.corrects_id = k.id AND done.kind = 'clawback'
                    AND done.source = %(source)s AND done.client_id = %(client)s)
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({engine_sql.ADD_UP_ADDED})
SELECT count(*), coalesce(sum(amount), 0) FROM added
"""  # noqa: S608


@transaction.atomic
def take_back(*, deposit_id: int, amount: Decimal, reference: str = "") -> int:
    """Take back the part of the client's commissions that rests on a reversed deposit; returns how many rows.

    The part is what was reversed over all the client paid in since that deposit (at most 1). Trades closed before the
    deposit, or longer ago than the plan's clawback days, stay paid.

    reference: names this reversal, for a deposit can be reversed in parts; the same one twice changes nothing.
    """
    deposit = Deposit.objects.select_related("client", "brand").get(pk=deposit_id)
    if deposit.settled_at is None:
        return 0
    part = part_of(deposit, amount)
    periods.lock_commissions(deposit.brand_id)
    now = timezone.now()
    periods.ensure_periods(deposit.brand, now, now)
    late = periods.open_period(deposit.brand_id)
    assert late is not None
    source = f"deposit:{deposit.pk}"
    if reference:
        source += f":{hashlib.sha256(reference.encode()).hexdigest()[:12]}"
    run = CommissionRun.objects.create(
        brand=deposit.brand, kind=RunKind.CLAWBACK, from_at=deposit.settled_at, to_at=now, reason=source,
        started_at=now, finished_at=now,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_BACK,
            {"client": deposit.client_id, "since": deposit.settled_at, "part": part, "source": source, "now": now,
             "run": run.pk, "late": late.pk, "brand": deposit.brand_id},
        )  # fmt: skip
        rows, total = cursor.fetchone()
    if not rows:
        run.delete()
        return 0
    CommissionRun.objects.filter(pk=run.pk).update(corrected=rows)
    audit.record(
        actor=None, action="ib.commissions_taken_back", target=deposit, client_id=deposit.client_id,
        brand_id=deposit.brand_id, after={"rows": rows, "part": str(part), "total": str(total)},
    )  # fmt: skip
    return rows


def part_of(deposit: Deposit, amount: Decimal) -> Decimal:
    """Reversed money over all money paid in since that deposit, as 0 to 1 with eight places."""
    assert deposit.settled_at is not None, "only money that arrived is reversed"
    reversed_base = deposit.base_amount * min(Decimal(1), amount / deposit.amount)
    paid_in = Deposit.objects.filter(
        client_id=deposit.client_id, state__in=DEPOSIT_ARRIVED,
        settled_at__gte=deposit.settled_at - dt.timedelta(microseconds=1),
    ).aggregate(total=Sum("base_amount"))["total"] or Decimal(0)  # fmt: skip
    if paid_in <= 0:
        return Decimal(1)
    return min(Decimal(1), reversed_base / paid_in).quantize(Decimal("0.00000001"), ROUND_DOWN)
