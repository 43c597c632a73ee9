"""Settling partners: one journal per partner and currency, from the cost of commissions to what is owed.

A period is the brand's accounting month: closing it settles who is settled monthly. Others have cycles of their own
(`settle_cycles`), whatever the period of their accruals. Rounding happens here and nowhere else: whole smallest units are paid,
what is finer, below the partner's minimum or negative is carried to the next settlement.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import CommissionSettled, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand
from crm.money import amounts
from crm.money.amounts import Money
from crm.notices.notify import notify
from crm.queue.for_each import for_each_isolated
from crm.security import audit, policies
from ib import periods
from ib.audit_codes import IbAction
from ib.calculation import monthly
from ib.choices import Cycle, DisputeState, IbNotice, NegativeBalance, PartnerRight, PeriodState, SettlementState
from ib.models import CommissionDispute, HeldLine, Partner, PartnerDay, Settlement, SettlementPeriod, SettlementTerms
from ib.policies import can_settle
from ib.settlements import forfeits
from ib.settlements.client_rebates import credit_clients
from ib.settlements.cycles import last_cut, name_of
from ib.settlements.invoices import issue_invoices
from ib.settlements.lines import Due, last_accrual_id, unsettled
from ib.settlements.terms import in_force
from ib.team.rights import team_with
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting

logger = logging.getLogger(__name__)
# How long after a month's end its period closes by itself: late syncs and corrections still get in.
GRACE_HOURS = 36


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
    monthly.review_months(brand=period.brand, at=now)
    forfeits.take_later_trades(period.brand)
    period.move_to(PeriodState.CLOSED)
    period.closed_at, period.closed_by = now, actor
    period.save(update_fields=["state", "closed_at", "closed_by"])
    settlements = _settle_month(period, actor=actor, now=now, is_import=at is not None)
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


def _settle_month(period: SettlementPeriod, *, actor: Actor, now: dt.datetime, is_import: bool) -> list[Settlement]:
    """Settle everybody who is settled monthly."""
    partners = Partner.objects.filter(brand_id=period.brand_id).values_list("pk", flat=True)
    agreed = {terms.partner_id: terms for terms in in_force(partners)}
    monthly = [pk for pk in partners if pk not in agreed or agreed[pk].cycle == Cycle.MONTHLY]
    run = Run(period, actor=actor, now=now, is_import=is_import)
    return run.settle({pk: Cut(period.ends_at, period.name, agreed.get(pk)) for pk in monthly})


@transaction.atomic
def settle_cycles(*, brand: Brand, actor: Actor = None) -> list[Settlement]:
    """Settle the partners of a brand whose own cycle has ended, and those whose month waited for a dispute.

    Who: `ib.settle_commissions` at the brand, or the system. Running it again settles nothing twice.
    """
    periods.lock_commissions(brand.pk)
    policies.require(can_settle(actor, brand.pk))
    forfeits.take_later_trades(brand)
    now = timezone.now()
    cuts = _due_cuts(brand, now)
    if not cuts:
        return []
    periods.ensure_periods(brand, now, now)
    period = periods.open_period(brand.pk)
    assert period is not None, "now is always in an open period"
    return Run(period, actor=actor, now=now).settle(cuts)


def _due_cuts(brand: Brand, now: dt.datetime) -> dict[int, Cut]:
    """List whose cycle has ended since their last cut."""
    zone = ZoneInfo(brand.time_zone)
    partners = Partner.objects.filter(brand=brand)
    agreed = in_force(partners.values("pk"))
    cuts = {terms.partner_id: _cut_of(terms, now, zone) for terms in agreed if terms.cycle != Cycle.MONTHLY}
    month = SettlementPeriod.objects.filter(brand=brand, state=PeriodState.CLOSED).order_by("-ends_at").first()
    if month is not None:
        # Who was frozen when the month closed is settled as soon as they aren't.
        waited = partners.filter(
            commission_disputes__deal_id__isnull=True, commission_disputes__resolved_at__gt=month.ends_at
        )
        by_partner = {terms.partner_id: terms for terms in agreed}
        for pk in waited.values_list("pk", flat=True).distinct():
            cuts.setdefault(pk, Cut(month.ends_at, month.name, by_partner.get(pk)))
    last = Settlement.objects.filter(partner_id__in=cuts).order_by("partner_id", "-id").distinct("partner_id")
    for partner_id, cut_at in last.values_list("partner_id", "cut_at"):
        if cut_at >= cuts[partner_id].at:
            del cuts[partner_id]
    return cuts


def _cut_of(terms: SettlementTerms, now: dt.datetime, zone: ZoneInfo) -> Cut:
    at = last_cut(Cycle(terms.cycle), now, zone)
    return Cut(at, name_of(Cycle(terms.cycle), at, zone), terms)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a partner's cycle ends, and by which terms they are settled."""

    at: dt.datetime
    name: str
    terms: SettlementTerms | None

    @property
    def closed_before(self) -> dt.datetime:
        return self.at - dt.timedelta(days=self.terms.hold_days) if self.terms else self.at


@dataclass
class Run:
    """Settlements of one brand in one transaction, under its commissions' lock."""

    period: SettlementPeriod
    actor: Actor
    now: dt.datetime
    is_import: bool = False

    def settle(self, cuts: dict[int, Cut]) -> list[Settlement]:
        """Settle partners up to their cuts; those frozen as a whole wait. Returns the new rows."""
        frozen = CommissionDispute.objects.filter(deal_id__isnull=True, state=DisputeState.OPEN, partner_id__in=cuts)
        for partner_id in frozen.values_list("partner_id", flat=True):
            del cuts[partner_id]
        to_id = last_accrual_id()
        last = {
            (row.partner_id, row.currency): row
            for row in Settlement.objects.filter(partner_id__in=cuts, next__isnull=True)
        }
        due = unsettled(self.period.brand_id, {pk: cut.closed_before for pk, cut in cuts.items()}, to_id)
        due += self._only_carried(cuts, last, {(row.partner_id, row.currency) for row in due})
        rows = [self._row(row, cuts[row.partner_id], last.get((row.partner_id, row.currency)), to_id) for row in due]
        settled = [(what, row) for what, row in zip(due, rows, strict=True) if what.rows or what.held or row.amount]
        self._post([row for _due, row in settled])
        _keep_held(settled)
        credit_clients(self.period.brand, [row for _due, row in settled], actor=self.actor)
        issue_invoices(self.period.brand, [row for _due, row in settled], self.now)
        self._publish([row for _due, row in settled])
        return [row for _due, row in settled]

    def _only_carried(
        self, cuts: dict[int, Cut], last: dict[tuple[int, str], Settlement], known: set[tuple[int, str]]
    ) -> list[Due]:
        """List what is carried and has nothing new beside it: a lower minimum may make it payable."""
        return [
            Due(partner_id, currency, max(cuts[partner_id].closed_before, row.to_at), 0, 0, Decimal(0), Decimal(0))
            for (partner_id, currency), row in sorted(last.items())
            if row.carried_out > 0 and (partner_id, currency) not in known
        ]

    def _row(self, due: Due, cut: Cut, previous: Settlement | None, to_id: int) -> Settlement:
        carried_in = previous.carried_out if previous else Decimal(0)
        total = due.accrued + carried_in
        amount, state = payable(total, due.currency), SettlementState.PAID
        if cut.terms and amount < cut.terms.minimum and due.currency == cut.terms.partner.currency:
            amount, state = Decimal(0), SettlementState.BELOW_MINIMUM if total > 0 else SettlementState.CARRIED
        elif not amount:
            state = SettlementState.CARRIED
        is_forgiven = total < 0 and cut.terms is not None and cut.terms.negative == NegativeBalance.WRITTEN_OFF
        return Settlement(
            period=self.period,
            partner_id=due.partner_id,
            currency=due.currency,
            terms=cut.terms,
            cycle=cut.terms.cycle if cut.terms else Cycle.MONTHLY,
            previous=previous,
            name=cut.name,
            cut_at=cut.at,
            to_id=max(to_id, previous.to_id) if previous else to_id,
            to_at=due.to_at,
            trades=due.trades,
            lots=due.lots,
            accrued=due.accrued,
            carried_in=carried_in,
            amount=amount,
            carried_out=Decimal(0) if is_forgiven else total - amount,
            written_off=total if is_forgiven else Decimal(0),
            state=state,
            settled_at=self.now,
            settled_by=self.actor,
        )

    def _post(self, rows: list[Settlement]) -> None:
        """Book what is credited, and write the settlements."""
        paid = [row for row in rows if row.amount]
        entries = [_entry(self.period.brand_id, row) for row in paid]
        times = [self.now] * len(entries) if self.is_import else None
        for row, posted in zip(paid, posting.post_many(entries, actor=self.actor, posted_at=times), strict=True):
            row.journal_id = posted.journal_id
        Settlement.objects.bulk_create(rows, batch_size=1000)

    def _publish(self, rows: list[Settlement]) -> None:
        partners = Partner.objects.in_bulk({row.partner_id for row in rows})
        for row in rows:
            partner = partners[row.partner_id]
            if row.amount:
                publish(
                    CommissionSettled(
                        partner_id=row.partner_id,
                        settlement_id=row.pk,
                        amount=row.amount,
                        currency=row.currency,
                        brand_id=self.period.brand_id,
                        client_id=partner.client_id,
                    ),
                    actor=self.actor,
                )
            elif row.state == SettlementState.BELOW_MINIMUM and (
                row.previous is None or row.previous.state != SettlementState.BELOW_MINIMUM
            ):
                _say_that_it_is_carried(partner, row)


def _keep_held(settled: list[tuple[Due, Settlement]]) -> None:
    """Remember the lines in dispute that were left out, and take those whose dispute is over."""
    HeldLine.objects.bulk_create(
        HeldLine(
            accrual_id=pk,
            partner_id=row.partner_id,
            deal_id=deal_id,
            currency=row.currency,
            amount=amount,
            lots=lots,
            trades=trades,
            passed=row,
        )
        for due, row in settled
        for pk, deal_id, amount, lots, trades in due.held
    )
    for due, row in settled:
        if due.taken:
            HeldLine.objects.filter(accrual_id__in=due.taken).update(taken=row)


def _say_that_it_is_carried(partner: Partner, row: Settlement) -> None:
    """Notify a partner, once until something is credited again, that their sum is below the minimum."""
    assert row.terms is not None
    notify(
        team_with(partner, PartnerRight.SEE_MONEY),
        kind=IbNotice.COMMISSION_SETTLED,
        title=phrase("Your commissions are below the minimum payout and are carried forward"),
        body=phrase("%(carried)s so far, minimum %(minimum)s")
        % {"carried": Money(row.carried_out, row.currency), "minimum": Money(row.terms.minimum, row.currency)},
        url=f"/partners/payouts/{row.pk}/",
        dedupe_key=f"ib.settlement:{row.pk}",
    )


def payable(total: Decimal, currency: str) -> Decimal:
    """Whole smallest units that can be paid now: rounded down, and nothing of a negative sum."""
    return max(Decimal(0), amounts.quantize(total, currency, rounding=ROUND_FLOOR))


def _entry(brand_id: int, row: Settlement) -> posting.Entry:
    minor = amounts.to_minor(row.amount, row.currency)
    cost = posting.house(AccountKind.IB_COMMISSIONS, brand_id=brand_id, currency=row.currency)
    owed = posting.partner_payable(brand_id=brand_id, partner_id=row.partner_id, currency=row.currency)
    return posting.Entry(
        # One settlement follows each: the ledger, too, would refuse a second one.
        key=f"ib-settlement:{row.partner_id}:{row.currency}:{row.previous_id or 0}",
        kind=JournalKind.COMMISSION,
        brand_id=brand_id,
        lines=(posting.Line(cost, -minor), posting.Line(owed, minor)),
        description=f"Commissions {row.name}",
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


def count_cycles(brand_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """Count per brand the partners with cycles of their own and what is on hold, for brands that have any: {brand: {cycle: n}}."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    terms = in_force(Partner.objects.filter(brand_id__in=brand_ids).values("pk"))
    for brand_id, cycle in terms.values_list("partner__brand_id", "cycle"):
        if cycle != Cycle.MONTHLY:
            counts[brand_id][cycle] += 1
    held = CommissionDispute.objects.filter(state=DisputeState.OPEN, partner__brand_id__in=brand_ids)
    for brand_id, count in held.values_list("partner__brand_id").annotate(n=Count("pk")).order_by():
        counts[brand_id]["held"] = count
    return {
        brand_id: {name: found[name] for name in ("instant", "daily", "weekly", "held")}
        for brand_id, found in counts.items()
    }


def settle_due() -> int:
    """Close every period whose end and grace have passed, oldest first, then settle whose own cycle has ended.

    Returns how many periods were closed. A brand whose period can't be closed waits with its later ones; other brands don't.
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
    for_each_isolated(lambda brand: settle_cycles(brand=brand), Brand.objects.order_by("pk"))
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
