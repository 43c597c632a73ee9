"""Taking commissions back when the deposit they rest on was charged back or refunded, and giving them back when a
chargeback was reversed. What a client forfeits as a whole is in `ib.settlements.forfeits`.

Each part that goes back to the payer, or comes again, is kept once (`ReversedPart`). What a trade has to give back is
computed from the parts that stand, and the difference to what earlier rows took is written as a further row: so neither
the order of the events nor their repetition changes what a partner is left with.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import Money
from crm.security import audit
from ib import periods
from ib.audit_codes import IbAction
from ib.calculation import passed, writing
from ib.choices import AccrualKind, Reason, RunKind
from ib.models import CommissionRun, ReversedPart
from wallet.choices.deposits import DEPOSIT_ARRIVED
from wallet.models import Deposit

# A trade rests on the deposits that had arrived before it was closed. A part of one that went back takes its share of
# the trades until then, within the plan's clawback days; all parts together never more than the trade earned. A forfeit of
# the client takes all of it, losses that the partner shared included, and of later trades too.
# Multiplied first, divided once, and freed from the division's own crumbs before it is cut at eight places.
DUE = """
WITH had AS (
  SELECT x.deal_id, x.partner_id, x.level, x.component, x.currency, min(x.id) FILTER (WHERE x.kind = 'original') AS original_id,
    sum(x.amount) FILTER (WHERE x.kind IN ('original', 'delta', 'capped', 'adjusted')) AS earned,
    sum(x.rate_amount) FILTER (WHERE x.kind IN ('original', 'delta', 'capped', 'adjusted')) AS rate_earned,
    -coalesce(sum(x.amount) FILTER (WHERE x.kind IN ('clawback', 'restored')), 0) AS taken,
    -coalesce(sum(x.rate_amount) FILTER (WHERE x.kind IN ('clawback', 'restored')), 0) AS rate_taken
  FROM ib_accrual x WHERE x.client_id = %(client)s AND x.closed_at >= %(since)s
    AND (%(deals)s::bigint[] IS NULL OR x.deal_id = ANY (%(deals)s))
  GROUP BY 1, 2, 3, 4, 5
), due AS (
  SELECT h.*,
    CASE WHEN f.is_all THEN h.earned ELSE greatest(0, least(h.earned, trunc(round(p.amount, 12), 8))) END AS due,
    CASE WHEN f.is_all THEN h.rate_earned ELSE greatest(0, least(h.rate_earned, trunc(round(p.rate_amount, 12), 8))) END AS rate_due
  FROM had h
  JOIN ib_accrual k ON k.id = h.original_id
  JOIN ib_planversion v ON v.id = k.version_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(h.earned * s.weight / s.whole), 0) AS amount,
      coalesce(sum(h.rate_earned * s.weight / s.whole), 0) AS rate_amount
    FROM (SELECT (r.taken - coalesce(r.restored, 0)) * r.base * 1.000000000000 AS weight, r.amount * r.paid_in AS whole
          FROM ib_reversedpart r
          WHERE r.client_id = %(client)s AND r.taken > coalesce(r.restored, 0) AND k.closed_at >= r.since
            AND k.closed_at <= r.taken_at AND k.closed_at >= r.taken_at - make_interval(days => v.clawback_days)) s
  ) p
  CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM ib_clientforfeit c WHERE c.client_id = %(client)s AND c.lifted_at IS NULL
      AND k.closed_at >= c.declared_at - make_interval(days => v.clawback_days)) AS is_all
  ) f
)"""
# Deals of which reversed parts and forfeits take another part than was taken.
OFF = f"{DUE} SELECT DISTINCT deal_id FROM due WHERE due <> taken"  # noqa: S608
BALANCE = f"""{DUE}, added AS (
  INSERT INTO ib_accrual ({writing.COLUMNS})
  SELECT %(run)s, %(kind)s, CASE WHEN d.due > d.taken THEN 'reversed' ELSE 'accrued' END, %(reason)s, k.partner_id,
    k.introducer_id, k.level, k.client_id, k.deal_id,
    k.ticket, k.closed_at, k.account_id, k.symbol, k.symbol_group, k.lots, k.held_seconds, k.version_id, k.rate,
    k.share, k.is_override, k.rate_currency, d.rate_taken - d.rate_due, k.fx_rate, k.fx_on, k.currency,
    d.taken - d.due, coalesce(own.id, %(late)s), k.id, %(source)s, %(now)s, k.component, k.basis,
    k.basis_currency, k.basis_fx, k.cap, k.below, k.tier, NULL, k.ratio, NULL, NULL
  FROM due d
  JOIN ib_accrual k ON k.id = d.original_id
  LEFT JOIN ib_settlementperiod own ON own.brand_id = %(brand)s AND own.state = 'open'
    AND own.starts_at <= k.closed_at AND own.ends_at > k.closed_at
  WHERE d.due <> d.taken
  ORDER BY k.id
  RETURNING partner_id, period_id, closed_at, currency, amount
), kept_sums AS ({writing.ADD_UP_ADDED})
SELECT count(*), coalesce(sum(amount), 0) FROM added
"""  # noqa: S608


@transaction.atomic
def take_back(*, deposit_id: int, amount: Decimal, currency: str = "", reference: str = "") -> int:
    """Take back the part of the client's commissions that rests on a reversed deposit; returns how many rows.

    The part is what was reversed over all the client paid in since that deposit (at most 1). Trades closed before the
    deposit, or longer ago than the plan's clawback days, stay paid.

    currency: of the amount; that in which the money came unless it is said. reference: names this reversal, for a
    deposit can be reversed in parts; the same one twice changes nothing.
    """
    return _hear(deposit_id, amount, currency, reference, kind=AccrualKind.CLAWBACK)


@transaction.atomic
def give_back(*, deposit_id: int, amount: Decimal, currency: str = "", reference: str = "") -> int:
    """Restore, once, what a chargeback took back after it was reversed; return how many rows.

    reference: that of the chargeback. Where the reversal arrives before the chargeback itself, neither moves anything.
    """
    return _hear(deposit_id, amount, currency, reference, kind=AccrualKind.RESTORED)


def _hear(deposit_id: int, amount: Decimal, currency: str, reference: str, *, kind: AccrualKind) -> int:
    deposit = Deposit.objects.select_related("brand", "wallet").get(pk=deposit_id)
    if deposit.settled_at is None or amount <= 0:
        return 0
    periods.lock_commissions(deposit.brand_id)
    now, half = timezone.now(), "taken" if kind == AccrualKind.CLAWBACK else "restored"
    part = _part(deposit, reference, currency)
    if getattr(part, half) is not None:
        return 0
    setattr(part, half, amount)
    setattr(part, f"{half}_at", now)
    part.save(update_fields=[half, f"{half}_at"])
    is_taken = kind == AccrualKind.CLAWBACK
    rows, total = balance(
        client_id=deposit.client_id,
        brand=deposit.brand,
        since=part.since,
        source=part.source,
        kind=kind,
        reason=Reason.DEPOSIT_REVERSED if is_taken else Reason.DEPOSIT_RESTORED,
    )
    if rows:
        audit.record(
            actor=None,
            target=deposit,
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            action=IbAction.COMMISSIONS_TAKEN_BACK if is_taken else IbAction.COMMISSIONS_GIVEN_BACK,
            after={"rows": rows, "part": part.source, "amount": str(amount), "total": str(total)},
        )
    return rows


def _part(deposit: Deposit, reference: str, currency: str) -> ReversedPart:
    """Find this part's row, or create it on first sight. Call with the brand's commissions locked."""
    assert deposit.settled_at is not None, "only money that arrived is reversed"
    source = f"deposit:{deposit.pk}"
    if reference:
        source += f":{hashlib.sha256(reference.encode()).hexdigest()[:12]}"
    base, paid_in = weight_of(deposit)
    whole = whole_of(deposit, currency)
    part, _is_new = ReversedPart.objects.get_or_create(
        source=source,
        defaults={
            "deposit": deposit,
            "client_id": deposit.client_id,
            "reference": reference[:200],
            "since": deposit.settled_at,
            "amount": whole.amount,
            "currency": whole.currency,
            "base": base,
            "paid_in": paid_in,
        },
    )
    return part


def balance(
    *,
    client_id: int,
    brand: Brand,
    since: dt.datetime,
    source: str,
    kind: AccrualKind,
    reason: Reason,
    deal_ids: list[int] | None = None,
) -> tuple[int, Decimal]:
    """Adjust a client's trades since an instant to what the reversed parts and forfeits in force take of them.

    deal_ids: only these of the trades. Returns how many rows, and their sum.
    Call with the brand's commissions locked; a source names one call.
    """
    now = timezone.now()
    periods.ensure_periods(brand, now, now)
    late = periods.open_period(brand.pk)
    assert late is not None, "now is always in an open period"
    run = CommissionRun.objects.create(
        brand=brand,
        kind=RunKind.CLAWBACK if kind == AccrualKind.CLAWBACK else RunKind.RESTORED,
        from_at=since,
        to_at=now,
        reason=source,
        started_at=now,
        finished_at=now,
    )
    parameters: dict[str, Any] = {
        "client": client_id,
        "since": since,
        "source": source,
        "now": now,
        "run": run.pk,
        "late": late.pk,
        "brand": brand.pk,
        "kind": kind.value,
        "reason": reason.value,
        "deals": deal_ids,
    }
    with connection.cursor() as cursor:
        parameters["mark"] = passed.last_line(cursor)
        cursor.execute(BALANCE, parameters)
        rows, total = cursor.fetchone()
        if rows:
            passed.pass_on(cursor, parameters)
    if rows:
        CommissionRun.objects.filter(pk=run.pk).update(corrected=rows)
    else:
        run.delete()
    return rows, total


CONCERNED = """
SELECT x.client_id, array_agg(DISTINCT x.deal_id)
FROM ib_accrual x JOIN ib_partner p ON p.id = x.partner_id AND p.brand_id = %(brand)s
WHERE x.kind = 'original' AND x.closed_at >= %(from)s AND x.closed_at < %(to)s
  AND (EXISTS (SELECT 1 FROM ib_reversedpart r WHERE r.client_id = x.client_id)
       OR EXISTS (SELECT 1 FROM ib_clientforfeit f WHERE f.client_id = x.client_id))
GROUP BY 1 ORDER BY 1
"""


def deals_off(*, brand: Brand, from_at: dt.datetime, to_at: dt.datetime) -> set[int]:
    """List deals closed in a stretch of which reversed deposits and forfeits take another part than was taken."""
    found: set[int] = set()
    with connection.cursor() as cursor:
        cursor.execute(CONCERNED, {"brand": brand.pk, "from": from_at, "to": to_at})
        for client_id, deals in cursor.fetchall():
            cursor.execute(OFF, {"client": client_id, "since": from_at, "deals": deals})
            found |= {pk for (pk,) in cursor.fetchall()}
    return found


def whole_of(deposit: Deposit, currency: str) -> Money:
    """Return the whole deposit in the currency of a part: as it arrived, as it was booked, or as it was requested."""
    if currency == deposit.wallet.currency != deposit.received_currency and deposit.credited_minor:
        return Money.of_minor(deposit.credited_minor, currency)
    if deposit.received_minor:
        return Money.of_minor(deposit.received_minor, deposit.received_currency)
    return deposit.money


def weight_of(deposit: Deposit) -> tuple[Decimal, Decimal]:
    """Compute the deposit's worth and all money paid in since it arrived, in the brand's currency; 1 and 1 where it is unknown."""
    assert deposit.settled_at is not None, "only money that arrived is reversed"
    paid_in = Deposit.objects.filter(
        client_id=deposit.client_id,
        state__in=DEPOSIT_ARRIVED,
        settled_at__gte=deposit.settled_at - dt.timedelta(microseconds=1),
    ).aggregate(total=Sum("base_amount"))["total"] or Decimal(0)
    if deposit.base_amount <= 0 or paid_in <= 0:
        return Decimal(1), Decimal(1)
    return deposit.base_amount, max(paid_in, deposit.base_amount)
