"""Closing a commission period: one journal per partner and currency, from the cost of commissions to what is owed.

Rounding happens here and nowhere else: whole smallest units are paid, what is finer is carried to the partner's next
settlement, and so is a negative sum (clawbacks larger than what was earned).
"""

from __future__ import annotations

import datetime as dt
import logging
from decimal import ROUND_FLOOR, Decimal

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import CommissionSettled, publish
from crm.models import Actor
from crm.money import amounts
from crm.security import audit, policies
from ib import periods
from ib.audit_codes import IbAction
from ib.choices import PeriodState, SettlementState
from ib.models import Partner, PartnerDay, Settlement, SettlementPeriod
from ib.policies import can_settle
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting

logger = logging.getLogger(__name__)
# How long after a month's end its period closes by itself: late syncs and corrections still get in.
GRACE_HOURS = 36

# A trade that several components pay counts once; a CPA is beside it.
SUMS = """
SELECT partner_id, currency, count(*) FILTER (WHERE is_paid), coalesce(sum(lots) FILTER (WHERE is_paid), 0), sum(amount)
FROM (
  SELECT a.partner_id, a.currency, max(a.lots) AS lots, sum(a.amount) AS amount,
    bool_or(a.state = 'accrued' AND a.kind = 'original' AND a.component <> 'cpa') AS is_paid
  FROM ib_accrual a WHERE a.period_id = %s AND a.state <> 'excluded'
  GROUP BY a.partner_id, a.currency, a.deal_id, a.level
) trade
GROUP BY 1, 2 ORDER BY 1, 2
"""


@transaction.atomic
def settle_period(*, period_id: int, actor: Actor, at: dt.datetime | None = None) -> list[Settlement]:
    """Close a period and book what each partner earned in it. A period that is still running ends now; the next starts.

    Who: `ib.settle_commissions` at the brand. Raises: WrongState when it is settled already or an earlier one is open.
    `at` (imports only) is the instant of the settlement.
    """
    brand_id = SettlementPeriod.objects.values_list("brand_id", flat=True).get(pk=period_id)
    periods.lock_commissions(brand_id)
    period = lock(SettlementPeriod, period_id, "brand")
    policies.require(can_settle(actor, brand_id))
    if period.state == PeriodState.CLOSED:
        raise WrongState(_("This period is already settled."))
    earlier = SettlementPeriod.objects.filter(
        brand_id=brand_id, state=PeriodState.OPEN, starts_at__lt=period.starts_at
    ).first()
    if earlier is not None:
        raise WrongState(_("Settle the earlier period (%(period)s) first.") % {"period": earlier})
    now = at or timezone.now()
    if now <= period.starts_at:
        raise WrongState(_("This period hasn't started yet."))
    if period.ends_at > now:
        _cut(period, now)
    period.move_to(PeriodState.CLOSED)
    period.closed_at, period.closed_by = now, actor
    period.save(update_fields=["state", "closed_at", "closed_by"])
    settlements = _settle_partners(period, actor=actor, now=now, is_import=at is not None)
    audit.record(
        actor=actor,
        action=IbAction.PERIOD_SETTLED,
        target=period,
        brand_id=brand_id,
        after={"partners": len(settlements), "paid": _totals(settlements)},
    )
    return settlements


def _cut(period: SettlementPeriod, now: dt.datetime) -> None:
    """End a running period now; what follows until its old end is a period of its own."""
    until = period.ends_at
    period.ends_at = now
    period.save(update_fields=["ends_at"])
    month, _open, number = period.name.partition(" (")
    SettlementPeriod.objects.create(
        brand_id=period.brand_id, name=f"{month} ({int(number.rstrip(')') or 1) + 1})", starts_at=now, ends_at=until
    )


def _settle_partners(period: SettlementPeriod, *, actor: Actor, now: dt.datetime, is_import: bool) -> list[Settlement]:
    with connection.cursor() as cursor:
        cursor.execute(SUMS, [period.pk])
        sums = cursor.fetchall()
    carried = {
        (row.partner_id, row.currency): row
        for row in Settlement.objects.filter(
            partner_id__in={partner_id for partner_id, *_rest in sums}, next__isnull=True
        ).exclude(carried_out=0)
    }
    rows, entries = [], []
    for partner_id, currency, trades, lots, accrued in sums:
        previous = carried.get((partner_id, currency))
        carried_in = previous.carried_out if previous else Decimal(0)
        amount = payable(accrued + carried_in, currency)
        rows.append(
            Settlement(
                period=period,
                partner_id=partner_id,
                currency=currency,
                previous=previous,
                trades=trades,
                lots=lots,
                accrued=accrued,
                carried_in=carried_in,
                amount=amount,
                carried_out=accrued + carried_in - amount,
                state=SettlementState.PAID if amount else SettlementState.CARRIED,
                settled_at=now,
                settled_by=actor,
            )
        )
        if amount:
            entries.append(_entry(period, partner_id, currency, amount))
    posted = posting.post_many(entries, actor=actor, posted_at=[now] * len(entries) if is_import else None)
    journals = iter(posted)
    for row in rows:
        if row.amount:
            row.journal_id = next(journals).journal_id
    Settlement.objects.bulk_create(rows, batch_size=1000)
    clients = dict(Partner.objects.filter(pk__in={row.partner_id for row in rows}).values_list("pk", "client_id"))
    for row in rows:
        if row.amount:
            publish(
                CommissionSettled(
                    partner_id=row.partner_id,
                    settlement_id=row.pk,
                    amount=row.amount,
                    currency=row.currency,
                    brand_id=period.brand_id,
                    client_id=clients[row.partner_id],
                ),
                actor=actor,
            )
    return rows


def payable(total: Decimal, currency: str) -> Decimal:
    """Whole smallest units that can be paid now: rounded down, and nothing of a negative sum."""
    return max(Decimal(0), amounts.quantize(total, currency, rounding=ROUND_FLOOR))


def _entry(period: SettlementPeriod, partner_id: int, currency: str, amount: Decimal) -> posting.Entry:
    minor = amounts.to_minor(amount, currency)
    cost = posting.house(AccountKind.IB_COMMISSIONS, brand_id=period.brand_id, currency=currency)
    owed = posting.partner_payable(brand_id=period.brand_id, partner_id=partner_id, currency=currency)
    return posting.Entry(
        key=f"ib-settlement:{period.pk}:{partner_id}:{currency}",
        kind=JournalKind.COMMISSION,
        brand_id=period.brand_id,
        lines=(posting.Line(cost, -minor), posting.Line(owed, minor)),
        description=f"Commissions {period}",
    )


def _totals(settlements: list[Settlement]) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for row in settlements:
        totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.amount
    return {currency: str(amount) for currency, amount in totals.items()}


def totals_of(periods_: list[SettlementPeriod]) -> dict[int, dict[str, Decimal]]:
    """Sum what periods paid per currency, or for open ones what is accrued so far: {period: {currency: amount}}."""
    totals: dict[int, dict[str, Decimal]] = {period.pk: {} for period in periods_}
    closed = [period.pk for period in periods_ if period.state == PeriodState.CLOSED]
    paid = Settlement.objects.filter(period_id__in=closed).values_list("period_id", "currency")
    for period_id, currency, total in paid.annotate(total=Sum("amount")).order_by("currency"):
        totals[period_id][currency] = total
    running = PartnerDay.objects.filter(period_id__in=set(totals) - set(closed)).values_list("period_id", "currency")
    for period_id, currency, total in running.annotate(total=Sum("amount")).order_by("currency"):
        totals[period_id][currency] = total
    return totals


def settle_due() -> int:
    """Close every period whose end and grace have passed, oldest first; returns how many were closed.

    A brand whose period can't be closed waits with its later ones; the other brands don't.
    """
    due = SettlementPeriod.objects.filter(
        state=PeriodState.OPEN, ends_at__lte=timezone.now() - dt.timedelta(hours=GRACE_HOURS)
    ).order_by("brand_id", "starts_at")
    closed, stuck = 0, set()
    for period_id, brand_id in list(due.values_list("pk", "brand_id")):
        if brand_id in stuck:
            continue
        try:
            settle_period(period_id=period_id, actor=None)
        except Exception:
            logger.exception("commission period %s could not be settled", period_id)
            stuck.add(brand_id)
        else:
            closed += 1
    return closed


def balances_of(partner: Partner) -> dict[str, Decimal]:
    """Return what the broker owes the partner now, per currency: settled minus paid out."""
    from wallet.models import Account

    accounts = Account.objects.filter(
        brand_id=partner.brand_id, kind=AccountKind.IB_PAYABLE, subject=f"partner:{partner.pk}"
    )
    currencies = {account.pk: account.currency for account in accounts}
    return {
        currencies[pk]: amounts.from_minor(minor, currencies[pk]) for pk, minor in posting.balances(currencies).items()
    }
