"""What pages and tiles say about partners in numbers. Each function reads bounded sets, set-based."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from clients.models import Client
from crm.money import amounts
from ib.choices import AccrualState, PeriodState, Reason
from ib.manager_pages.kept import Kept, asked, kept
from ib.models import Accrual, Attribution, Partner, PartnerDay, PartnerLink, PartnerPlan, SettlementPeriod, Upline

COUNT_MAX = 5_000


def count_up_to(queryset: QuerySet[Any], limit: int = COUNT_MAX) -> int:
    """Count the rows, or return `limit` where there are as many or more: pages then write "5,000+"."""
    return queryset.order_by().values("pk")[:limit].count()


@dataclass(frozen=True)
class Earned:
    """Money of a period that is still open: shown as it would be paid today, in whole smallest units."""

    currency: str
    exact: Decimal

    @property
    def amount(self) -> Decimal:
        return amounts.quantize(self.exact, self.currency, rounding=ROUND_FLOOR)


def earned_in(partner_ids: Iterable[int], period_ids: Iterable[int]) -> list[Earned]:
    """Sum the accrued money of partners in some periods, per currency."""
    rows = (
        PartnerDay.objects.filter(partner_id__in=list(partner_ids), period_id__in=list(period_ids))
        .values("currency")
        .annotate(total=Sum("amount"))
        .order_by("currency")
    )
    return [Earned(row["currency"], row["total"]) for row in rows]


NOT_SETTLED = """
SELECT currency, sum(total) FROM (
  SELECT currency, amount AS total FROM ib_partnerday WHERE partner_id = %(partner)s
  UNION ALL SELECT currency, -accrued FROM ib_settlement WHERE partner_id = %(partner)s) s
GROUP BY 1 HAVING sum(total) <> 0 ORDER BY 1
"""


def not_settled(partner: Partner) -> list[Earned]:
    """Sum what a partner has earned and no settlement has taken yet, per currency: each accrual is in one settlement at most."""
    with connection.cursor() as cursor:
        cursor.execute(NOT_SETTLED, {"partner": partner.pk})
        return [Earned(currency, total) for currency, total in cursor.fetchall()]


def open_period_ids(brand_id: int) -> list[int]:
    """List a brand's open settlement periods, two years of them at most."""
    return list(
        SettlementPeriod.objects.filter(brand_id=brand_id, state=PeriodState.OPEN).values_list("pk", flat=True)[:24]
    )


def daily_earnings(partner: Partner, *, days: int = 30) -> tuple[list[dt.date], dict[str, list[Decimal]]]:
    """Money accrued per day (UTC) of the trades, for the partner's currencies."""
    today = timezone.now().date()
    first = today - dt.timedelta(days=days - 1)
    rows = (
        PartnerDay.objects.filter(partner=partner, day__gte=first, day__lte=today)
        .values_list("day", "currency")
        .annotate(total=Sum("amount"))
        .order_by()
    )
    span = [first + dt.timedelta(days=n) for n in range(days)]
    series: dict[str, list[Decimal]] = {}
    for day, currency, total in rows:
        series.setdefault(currency, [Decimal(0)] * days)[(day - first).days] = total
    return span, series


@dataclass(frozen=True)
class Summary:
    clients: int
    network: int
    network_clients: int
    traded: int
    open: list[Earned]


def summary(partner: Partner) -> Summary:
    """Collect the figures on a partner's first page; counts stop at COUNT_MAX."""
    month_ago = timezone.now() - dt.timedelta(days=30)
    mine = Attribution.objects.filter(partner=partner, ends_at__isnull=True)
    below = Upline.objects.filter(ancestor=partner, ends_at__isnull=True, level__gt=1)
    return Summary(
        clients=count_up_to(mine),
        network=count_up_to(below),
        network_clients=count_up_to(
            Attribution.objects.filter(partner_id__in=below.values("partner_id"), ends_at__isnull=True)
        ),
        traded=count_up_to(mine.filter(client__last_trade_at__gte=month_ago)),
        open=not_settled(partner),
    )


@dataclass(frozen=True)
class Node:
    """A partner in the tree with what is directly below."""

    partner: Partner
    level: int
    clients: int
    partners: int
    plan: str
    earned: list[Earned]

    @property
    def indent(self) -> int:
        """Return how far to indent the row; a deeper one names its level instead."""
        return min(self.level, INDENT_MAX)

    @property
    def is_deep(self) -> bool:
        return self.level > INDENT_MAX


@dataclass(frozen=True)
class Branch:
    """The partners directly below one, CHILDREN_MAX of them at a time; `rest` says how many follow."""

    parent_id: int
    level: int
    nodes: list[Node]
    rest: int


CHILDREN_MAX = 100
INDENT_MAX = 8


def children(parent_id: int | None, *, brand_id: int, level: int = 1) -> list[Node]:
    """List the partners directly below one (or at the top of the brand), with counts and this period's earnings."""
    return nodes(_directly_below(parent_id, brand_id)[:CHILDREN_MAX], brand_id=brand_id, level=level)


def branch(parent_id: int, *, brand_id: int, level: int = 2, after_id: int = 0) -> Branch:
    """Show a part of those directly below a partner: by name, after one of them where `after_id` says so."""
    below = _directly_below(parent_id, brand_id)
    if after_id:
        name = below.filter(pk=after_id).values_list("name", flat=True).first()
        if name is None:  # moved elsewhere since the page was read
            return Branch(parent_id, level, [], 0)
        below = below.filter(Q(name__gt=name) | Q(name=name, pk__gt=after_id))
    shown = nodes(below[:CHILDREN_MAX], brand_id=brand_id, level=level)
    return Branch(parent_id, level, shown, count_up_to(below) - len(shown) if len(shown) == CHILDREN_MAX else 0)


def _directly_below(parent_id: int | None, brand_id: int) -> QuerySet[Partner]:
    partners = Partner.objects.filter(brand_id=brand_id).order_by("name", "pk")
    if parent_id is None:
        return partners.filter(~Exists(PartnerLink.objects.filter(partner_id=OuterRef("pk"), ends_at__isnull=True)))
    return partners.filter(links_up__parent_id=parent_id, links_up__ends_at__isnull=True)


def nodes(partners: Iterable[Partner], *, brand_id: int, level: int) -> list[Node]:
    """Tree nodes of some partners, in four statements whatever their number."""
    rows = list(partners)
    ids = [partner.pk for partner in rows]
    clients = dict(
        Attribution.objects.filter(partner_id__in=ids, ends_at__isnull=True)
        .values_list("partner_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    below = dict(
        Partner.objects.filter(links_up__parent_id__in=ids, links_up__ends_at__isnull=True)
        .values_list("links_up__parent_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    plans = dict(
        PartnerPlan.usual.filter(partner_id__in=ids, ends_at__isnull=True).values_list("partner_id", "plan__name")
    )
    earned: dict[int, list[Earned]] = {}
    for partner_id, currency, total in (
        PartnerDay.objects.filter(partner_id__in=ids, period_id__in=open_period_ids(brand_id))
        .values_list("partner_id", "currency")
        .annotate(total=Sum("amount"))
        .order_by("currency")
    ):
        earned.setdefault(partner_id, []).append(Earned(currency, total))
    return [
        Node(
            partner,
            level,
            clients.get(partner.pk, 0),
            below.get(partner.pk, 0),
            plans.get(partner.pk, ""),
            earned.get(partner.pk, []),
        )
        for partner in rows
    ]


BY_REASON = """
SELECT reason, count(*), count(DISTINCT deal_id), max(closed_at), mode() WITHIN GROUP (ORDER BY symbol)
FROM ib_accrual a JOIN ib_partner p ON p.id = a.partner_id AND p.brand_id = ANY(%(brands)s)
WHERE a.state = 'excluded' AND a.closed_at >= %(since)s AND a.closed_at < coalesce(%(until)s, 'infinity'::timestamptz)
  AND a.id > (SELECT coalesce(max(id), 0) - %(look_back)s FROM ib_accrual) AND (%(code)s = '' OR p.code = %(code)s)
GROUP BY 1 ORDER BY 2 DESC
"""
LOOK_BACK_ROWS, MANY_ROWS = 2_000_000, 10_000


@dataclass(frozen=True)
class ReasonCount:
    reason: Reason
    rows: int
    deals: int
    last_at: dt.datetime
    symbol: str


def exclusions(
    brand_ids: Iterable[int], *, since: dt.datetime | None = None, until: dt.datetime | None = None, code: str = ""
) -> Kept:
    """Count why trades were not paid, by default of thirty days: rows per reason, the newest two million accruals at most.

    code: of one partner alone. The answer is a list of ReasonCount, of minutes ago where there are many rows.
    """
    brands = ",".join(map(str, sorted(brand_ids)))
    return kept("exclusions", brands, since.isoformat() if since else "", until.isoformat() if until else "", code)


@asked("exclusions")
def _exclusions(brands: str, since: str, until: str, code: str) -> tuple[list[ReasonCount], bool]:
    values: dict[str, Any] = {
        "brands": [int(brand) for brand in brands.split(",") if brand],
        "since": since or timezone.now() - dt.timedelta(days=30),
        "until": until or None,
        "look_back": LOOK_BACK_ROWS,
        "code": code,
    }
    with connection.cursor() as cursor:
        cursor.execute(BY_REASON, values)
        found = [ReasonCount(Reason(reason), *rest) for reason, *rest in cursor.fetchall()]
    return found, sum(row.rows for row in found) >= MANY_ROWS


# A trade with lines by several components is one; one that the platform took back is none.
LOTS_OF_CLIENT = """(
SELECT coalesce(sum(t.lots), 0) FROM (
  SELECT DISTINCT ON (x.deal_id) x.lots FROM ib_accrual x
  WHERE x.client_id = ib_attribution.client_id AND x.partner_id = %s AND x.period_id = ANY (%s) AND x.kind = 'original'
    AND x.deal_id > 0 AND NOT EXISTS (SELECT 1 FROM ib_accrual g WHERE g.deal_id = x.deal_id AND g.kind <> 'original'
      AND g.kind = 'delta' AND g.reason = 'deal_changed' AND g.partner_id = x.partner_id)
  ORDER BY x.deal_id) t)"""


def with_earnings(clients: QuerySet[Attribution], partner: Partner) -> QuerySet[Attribution]:
    """Annotate attributions with what each client earned the partner, and closed in lots, since the open periods began."""
    periods = open_period_ids(partner.brand_id)
    total = (
        Accrual.objects.filter(client_id=OuterRef("client_id"), partner=partner, period_id__in=periods)
        .order_by()
        .values("client_id")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    lots = RawSQL(LOTS_OF_CLIENT, [partner.pk, periods], output_field=DecimalField(max_digits=18, decimal_places=8))  # noqa: S611
    return clients.annotate(earned=Coalesce(Subquery(total), Decimal(0)), lots=lots)


def earned_from(client: Client) -> list[dict[str, Any]]:
    """List what one client's trades earned whom, in all time, for the client page's tab."""
    rows: Iterable[Any] = (
        Accrual.objects.filter(client=client)
        .values("partner_id", "partner__name", "level", "currency")
        .annotate(
            total=Sum("amount"),
            trades=Count("deal_id", filter=Q(state=AccrualState.ACCRUED, deal_id__gt=0), distinct=True),
            unpaid=Count("deal_id", filter=Q(state=AccrualState.EXCLUDED, deal_id__gt=0), distinct=True),
        )
        .order_by("level", "partner_id")[:100]
    )
    return list(rows)
