"""How partners do in a range of days, for their managers: who brings clients and volume, at what commission, and who fades."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db.models import Case, Count, DecimalField, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, NullIf
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import User
from ib.figures import count_up_to
from ib.manager_pages.kept import asked, kept
from ib.models import Attribution, Partner, PartnerDay, PartnerPlan, Plan, RevenueDay
from ib.partner_pages.date_ranges import DateRange, date_range
from ib.partner_pages.figures import ACTIVE_DAYS, is_active, is_funded
from ib.queries import partners_visible_to
from wallet.core.rollup import Rollup, Total, rollup_of

ROWS_MAX: Final = 50
# With so many partners the choice of who leads is kept for minutes; the figures of those shown never are.
MANY: Final = 1_000
ONE: Final = Decimal(1)


@dataclass
class Performance:
    """One partner's range: commission of their own plan and network, volume, and their own clients as they are today."""

    partner_id: int
    partner: Partner | None = None
    plan: Plan | None = None
    earned: Total = field(default_factory=Total)
    earned_before: Total = field(default_factory=Total)
    revenue: Total = field(default_factory=Total)
    cost: Total = field(default_factory=Total)
    lots: float = 0
    trades: int = 0
    unpaid: int = 0
    clients: int = 0
    new_clients: int = 0
    lost_clients: int = 0
    funded: int = 0
    active: int = 0
    churned: int = 0

    @property
    def unpaid_percent(self) -> float | None:
        """How many rows in a hundred paid nothing; None where there are none."""
        rows = self.trades + self.unpaid
        return 100 * self.unpaid / rows if rows else None

    @property
    def dormant_percent(self) -> float | None:
        """How many funded clients in a hundred haven't traded for 30 days; None where nobody is funded."""
        return 100 * (self.funded - self.active) / self.funded if self.funded else None

    @property
    def churn_percent(self) -> float | None:
        """How many in a hundred of those who traded shortly before the range or since have stopped; None where nobody did."""
        return 100 * self.churned / (self.churned + self.active) if self.churned + self.active else None

    @property
    def has_figures(self) -> bool:
        counts = (self.trades, self.unpaid, self.new_clients)
        return any(counts) or any(total.amount for total in (self.earned_before, self.revenue, self.cost))

    @property
    def is_over(self) -> bool:
        """Say whether all partners earned more on this one's clients than the broker did."""
        return self.cost.amount > self.revenue.amount and self.cost.amount > 0


ORDERS: Final[Mapping[str, tuple[str | Promise, Callable[[Performance], Decimal | float]]]] = {
    "commission": (_("Commission"), lambda row: row.earned.amount),
    "revenue": (_("Revenue"), lambda row: row.revenue.amount),
    "volume": (_("Lots traded"), lambda row: row.lots),
    "clients": (_("New clients"), lambda row: row.new_clients),
    "unpaid": (pgettext_lazy("share", "Not paid"), lambda row: row.unpaid_percent or 0),
}


def performance(user: User, span: DateRange, order: str) -> tuple[list[Performance], Rollup]:
    """List the partners that a manager sees with the best of a range first, at most fifty, in a fixed number of queries."""
    rollup = rollup_of(user)
    leading_ids = kept("leading", user.pk, span.code, order).answer
    ids = list(partners_visible_to(user).filter(pk__in=leading_ids).values_list("pk", flat=True))
    rows: dict[int, Performance] = {}
    _add_sums(rows, ids, span, rollup)
    _add_revenue(rows, ids, span, rollup)
    if order == "clients":
        _add_new_clients(rows, ids, span)
    key = ORDERS[order][1]
    best = sorted((row for row in rows.values() if row.has_figures), key=lambda row: (-key(row), row.partner_id))[
        :ROWS_MAX
    ]
    _describe(best, span)
    return best, rollup


@asked("leading")
def leading(user_id: int, period: str, order: str) -> tuple[list[int], bool]:
    """Choose who may be on a manager's list: twice as many as are shown, so that who overtakes in minutes is among them."""
    user = User.objects.get(pk=user_id)
    seen = partners_visible_to(user)
    return _leading(seen, date_range(period), order, rollup_of(user)), count_up_to(seen, MANY) >= MANY


def _leading(seen: QuerySet[Partner], span: DateRange, order: str, rollup: Rollup) -> list[int]:
    """Choose in the database: the best of an order; where they are few, also by commission and before."""
    now = PartnerDay.objects.filter(partner__in=seen.values("pk"), day__range=(span.first, span.last))
    commission = Sum(F("amount") * _rates(seen, rollup))
    match order:
        case "revenue":
            days = RevenueDay.objects.filter(partner__in=seen.values("pk"), day__range=(span.first, span.last))
            ids = _best(days, Sum((F("charged") + F("lost")) * _rates(days, rollup)))
        case "clients":
            ids = _best(Attribution.objects.filter(_came(span), partner__in=seen.values("pk")), Count("pk"))
        case "volume":
            ids = _best(now, Sum("lots"))
        case "unpaid":
            rows = Sum(F("trades") + F("unpaid"), output_field=FloatField())
            ids = _best(now, Cast(Sum("unpaid"), FloatField()) / NullIf(rows, 0.0))
        case _:
            ids = _best(now, commission)
    if len(ids) < ROWS_MAX:
        before = PartnerDay.objects.filter(
            partner__in=seen.values("pk"), day__range=(span.first_before, span.last_before)
        )
        revenue = RevenueDay.objects.filter(partner__in=seen.values("pk"), day__range=(span.first, span.last))
        for others in (_best(now, commission), _best(before, commission), _best(revenue, Sum("charged"))):
            ids += others[:ROWS_MAX]
    return ids


def _best(rows: QuerySet[Any], by: Any) -> list[int]:
    """List the partners with the most of something, twice as many as are shown."""
    sums = rows.order_by().values("partner_id").annotate(most=by)
    return list(
        sums.order_by(F("most").desc(nulls_last=True), "partner_id").values_list("partner_id", flat=True)[
            : 2 * ROWS_MAX
        ]
    )


def _rates(rows: QuerySet[Any], rollup: Rollup) -> Case:
    """Write the rates of the rows' currencies into the reader's own; what has none counts nothing, as in the sums."""
    currencies = rows.order_by().values_list("currency", flat=True).distinct()
    rates = [When(currency=currency, then=Value(rollup.of(ONE, currency).amount)) for currency in currencies]
    return Case(*rates, default=Value(Decimal(0)), output_field=DecimalField())


def _add_sums(rows: dict[int, Performance], ids: Sequence[int], span: DateRange, rollup: Rollup) -> None:
    """Add what partners earned in the range and the one before, in one reading of the days of both."""
    now, before = Q(day__range=(span.first, span.last)), Q(day__range=(span.first_before, span.last_before))
    days = PartnerDay.objects.filter(partner_id__in=ids, day__range=(span.first_before, span.last))
    sums = days.values_list("partner_id", "currency").annotate(
        earned=Sum("amount", filter=now),
        closed=Sum("lots", filter=now),
        paid=Sum("trades", filter=now),
        missed=Sum("unpaid", filter=now),
        earned_before=Sum("amount", filter=before),
    )
    for pk, currency, amount, lots, trades, unpaid, earned_before in sums.order_by():
        row = rows.setdefault(pk, Performance(pk))
        if amount is not None:
            row.earned += rollup.of(amount, currency)
            row.lots, row.trades, row.unpaid = row.lots + float(lots), row.trades + trades, row.unpaid + unpaid
        if earned_before is not None:
            row.earned_before += rollup.of(earned_before, currency)


def _add_revenue(rows: dict[int, Performance], ids: Sequence[int], span: DateRange, rollup: Rollup) -> None:
    """Add what own clients brought the broker, and all partners together, by the days that are kept each night."""
    days = RevenueDay.objects.filter(partner_id__in=ids, day__range=(span.first, span.last))
    sums = days.values_list("partner_id", "currency").annotate(Sum("charged"), Sum("lost"), Sum("cost"))
    for pk, currency, charged, lost, cost in sums.order_by():
        row = rows.setdefault(pk, Performance(pk))
        row.revenue += rollup.of(charged + lost, currency)
        row.cost += rollup.of(cost, currency)


def _stopped(span: DateRange) -> Q:
    """Match clients who last traded after the 30 days before a range began, and more than 30 days ago."""
    window = dt.timedelta(days=ACTIVE_DAYS)
    return is_funded() & Q(
        client__last_trade_at__gte=span.starts_at - window, client__last_trade_at__lt=timezone.now() - window
    )


def _came(span: DateRange) -> Q:
    return Q(starts_at__gte=span.starts_at, starts_at__lt=span.ends_at, ends_at__isnull=True)


def _add_new_clients(rows: dict[int, Performance], ids: Sequence[int], span: DateRange) -> None:
    """Add who only brought clients; nothing of theirs was traded yet."""
    came = Attribution.objects.filter(_came(span), partner_id__in=ids).values_list("partner_id").annotate(n=Count("pk"))
    for pk, count in came.order_by():
        rows.setdefault(pk, Performance(pk)).new_clients = count


def _describe(rows: list[Performance], span: DateRange) -> None:
    """Fill in names, plans and clients of the shown partners alone."""
    ids = [row.partner_id for row in rows]
    partners = Partner.objects.only("name", "code").in_bulk(ids)
    plans = PartnerPlan.usual.filter(partner_id__in=ids, ends_at__isnull=True).only("partner_id", "plan__name")
    held = {row.partner_id: row.plan for row in plans.select_related("plan")}
    still = Q(ends_at__isnull=True)
    clients = {
        pk: counts
        for pk, *counts in Attribution.objects.filter(partner_id__in=ids)
        .values_list("partner_id")
        .annotate(
            clients=Count("pk", filter=still),
            new=Count("pk", filter=_came(span)),
            lost=Count("pk", filter=Q(ends_at__gte=span.starts_at, ends_at__lt=span.ends_at)),
            funded=Count("pk", filter=still & is_funded()),
            active=Count("pk", filter=still & is_active()),
            churned=Count("pk", filter=still & _stopped(span)),
        )
        .order_by()
    }
    for row in rows:
        row.partner, row.plan = partners[row.partner_id], held.get(row.partner_id)
        counts = clients.get(row.partner_id, [0] * 6)
        row.clients, row.new_clients, row.lost_clients, row.funded, row.active, row.churned = counts
