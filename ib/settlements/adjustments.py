"""The line that a dispute ends with, where two people agree that a commission is another than was calculated.

It stays beside what the engine accrues: a recalculation counts only its own lines and leaves it alone. It doesn't count towards a
plan's caps: two people agreed on this amount beside the plan. A clawback takes it with the trade's other lines, and the client
gets their part of it where the line is one that the plan passes on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from ib import periods
from ib.calculation import passed, writing
from ib.choices import AccrualKind, AccrualState, PeriodState, Reason, RunKind
from ib.models import Accrual, Attribution, CommissionDispute, CommissionRun, SettlementPeriod, Upline
from trading.models import Deal

KEPT = writing.ADD_UP.format(
    source="""(SELECT partner_id, period_id, (closed_at AT TIME ZONE 'UTC')::date AS day, currency, amount, 0 AS lots, 0 AS trades,
  0 AS unpaid FROM ib_accrual WHERE id = %(line)s) a"""
)
# What the new line says of the trade as the line says that was disputed.
SAME = (
    "introducer_id level client_id ticket closed_at account_id symbol symbol_group lots held_seconds version_id"
    " component"
).split()


def adjust(dispute: CommissionDispute, amount: Decimal, actor_id: int | None) -> Accrual:
    """Write the adjustment of a locked dispute, in the partner's currency; their next settlement takes it.

    Call with the brand's commissions locked.
    """
    assert dispute.deal_id is not None, "only disputes about deals are adjusted"
    brand, now = dispute.partner.brand, timezone.now()
    disputed = (
        Accrual.objects.filter(partner_id=dispute.partner_id, deal_id=dispute.deal_id, kind=AccrualKind.ORIGINAL)
        .order_by("pk")
        .first()
    )
    trade = {name: getattr(disputed, name) for name in SAME} if disputed else _trade_of(dispute.deal_id, dispute)
    periods.ensure_periods(brand, now, now)
    own = SettlementPeriod.objects.filter(
        brand=brand, state=PeriodState.OPEN, starts_at__lte=trade["closed_at"], ends_at__gt=trade["closed_at"]
    ).first()
    period = own or periods.open_period(brand.pk)
    assert period is not None, "now is always in an open period"
    run = CommissionRun.objects.create(
        brand=brand,
        kind=RunKind.ADJUSTED,
        corrected=1,
        actor_id=actor_id,
        reason=f"dispute:{dispute.pk}",
        started_at=now,
        finished_at=now,
    )
    line = Accrual.objects.create(
        **trade,
        run=run,
        kind=AccrualKind.ADJUSTED,
        state=AccrualState.ACCRUED if amount > 0 else AccrualState.REVERSED,
        reason=Reason.DISPUTE,
        partner_id=dispute.partner_id,
        deal_id=dispute.deal_id,
        currency=dispute.partner.currency,
        amount=amount,
        period=period,
        corrects=disputed,
        source=f"dispute:{dispute.pk}",
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(KEPT, {"line": line.pk})
        about = {"run": run.pk, "late": period.pk, "brand": brand.pk, "source": line.source, "now": now}
        passed.pass_on(cursor, {**about, "mark": line.pk - 1})
    return line


def _trade_of(deal_id: int, dispute: CommissionDispute) -> dict[str, Any]:
    """Describe the deal of a dispute about a line that is missing, by whose client it was when it was closed."""
    deal = Deal.every.select_related("account").get(pk=deal_id)
    assert deal.account is not None, "a missing line is disputed for a client of the network"
    held = Attribution.objects.filter(client_id=deal.account.client_id, starts_at__lte=deal.executed_at)
    whose = held.order_by("-starts_at").first()
    introducer_id = whose.partner_id if whose else dispute.partner_id
    above = (
        Upline.objects.filter(partner_id=introducer_id, ancestor_id=dispute.partner_id).order_by("-starts_at").first()
    )
    return {
        "introducer_id": introducer_id,
        "level": above.level if above else 1,
        "client_id": deal.account.client_id,
        "ticket": deal.ticket,
        "closed_at": deal.executed_at,
        "account_id": deal.account_id,
        "symbol": deal.symbol,
        "lots": deal.closed_lots,
    }
