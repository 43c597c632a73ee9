"""What a partner's own pages say in numbers for a range of days. Each function reads bounded sets in one or two statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import accumulate
from typing import Any, Final

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from clients.models import Client
from crm.money import amounts
from ib.choices import AttributionMethod, Reason
from ib.figures import MANY_ROWS
from ib.manager_pages.kept import asked, kept
from ib.models import Attribution, Partner, PartnerDay, ReferralLink
from ib.partner_pages.date_ranges import DateRange
from ib.tracking.source_days import clicks_by

TRADES_READ_MAX: Final = 100_000
TOP: Final = 5
LEADERS_KEPT: Final = 600
ACTIVE_DAYS: Final = 30
# The size of a network of so many partners is kept for minutes.
LARGE_NETWORK: Final = 1_000


@dataclass(frozen=True)
class EarnedSums:
    """Money, lots and trades of one range; `by_day` in the order of the range's days."""

    currency: str
    exact: Decimal
    lots: Decimal
    trades: int
    unpaid: int
    by_day: Sequence[Decimal]

    @property
    def amount(self) -> Decimal:
        return amounts.quantize(self.exact, self.currency, rounding=ROUND_FLOOR)

    @property
    def running(self) -> list[Decimal]:
        """Return the sum so far at the end of each day, for the curve."""
        return list(accumulate(self.by_day))


Days = dict[dt.date, list[Any]]


def earned_by_day(partner: Partner, first: dt.date, last: dt.date) -> Days:
    """Read a partner's running sums in their currency: amount, lots, trades, unpaid of each day that has any. One statement."""
    rows = (
        PartnerDay.objects.filter(partner=partner, currency=partner.currency, day__gte=first, day__lte=last)
        .values_list("day")
        .annotate(amount=Sum("amount"), lots=Sum("lots"), trades=Sum("trades"), unpaid=Sum("unpaid"))
        .order_by()
    )
    return {day: rest for day, *rest in rows}


def earned_between(partner: Partner, days: Sequence[dt.date], read: Days | None = None) -> EarnedSums:
    """Sum what closed trades of these days earned a partner in their currency. read: the days, where they are known."""
    known = earned_by_day(partner, days[0], days[-1]) if read is None else read
    by_day = {day: known[day] for day in days if day in known}
    money = [by_day[day][0] if day in by_day else Decimal(0) for day in days]
    return EarnedSums(
        partner.currency,
        sum(money, Decimal(0)),
        sum((row[1] for row in by_day.values()), Decimal(0)),
        sum(row[2] for row in by_day.values()),
        sum(row[3] for row in by_day.values()),
        money,
    )


def referred_clients(partner: Partner, since: dt.datetime, until: dt.datetime) -> QuerySet[Attribution]:
    """List today's clients of a partner who came through one of the links in a stretch of time."""
    return Attribution.objects.filter(
        partner=partner, ends_at__isnull=True, method=AttributionMethod.LINK, starts_at__gte=since, starts_at__lt=until
    )


def is_verified() -> Q:
    """Match attributions of clients whose identity is verified."""
    return Q(client__kyc_level__gte=1)


def is_funded() -> Q:
    """Match attributions of clients who have deposited."""
    return Q(client__first_deposit_at__isnull=False)


def is_active() -> Q:
    """Match attributions of clients who have deposited and traded in the last 30 days."""
    return is_funded() & Q(client__last_trade_at__gte=timezone.now() - dt.timedelta(days=ACTIVE_DAYS))


STEPS: Final = {"verified": is_verified, "funded": is_funded, "active": is_active}


@dataclass(frozen=True)
class Funnel:
    """How far visitors of a range came: each number counts people of the one before, as they are today."""

    clicks: int
    registered: int
    verified: int
    funded: int
    active: int


# The steps are those of `STEPS`, which the lists behind them are filtered by.
FUNNEL = f"""
SELECT (SELECT coalesce(sum(clicks), 0) FROM ({clicks_by("link")}) n (day, key, clicks)),
  count(*), count(*) FILTER (WHERE c.kyc_level >= 1), count(*) FILTER (WHERE c.first_deposit_at IS NOT NULL),
  count(*) FILTER (WHERE c.first_deposit_at IS NOT NULL AND c.last_trade_at >= %(active_since)s)
FROM ib_attribution t JOIN clients_client c ON c.id = t.client_id
WHERE t.partner_id = %(partner)s AND t.ends_at IS NULL AND t.method = '{AttributionMethod.LINK}'
  AND t.starts_at >= %(since)s AND t.starts_at < %(until)s
"""  # noqa: S608


def funnel(partner: Partner, span: DateRange) -> Funnel:
    """Count clicks on a partner's links, who registered through them, and how far those came. One statement."""
    about: dict[str, Any] = {"partner": partner.pk, "link": 0, "first": span.first, "last": span.last}
    about |= {"since": span.starts_at, "until": span.ends_at}
    active_since = timezone.now() - dt.timedelta(days=ACTIVE_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(FUNNEL, {**about, "active_since": active_since})
        return Funnel(*cursor.fetchone())


COUNTS = """
SELECT count(*) FILTER (WHERE starts_at >= %(since)s AND starts_at < %(until)s),
  count(*) FILTER (WHERE starts_at >= %(since_before)s AND starts_at < %(until_before)s), count(*)
FROM ib_attribution WHERE partner_id = %(partner)s AND ends_at IS NULL
"""
NETWORK_SIZE = """
WITH below AS MATERIALIZED (
  SELECT partner_id FROM ib_upline WHERE ancestor_id = %(partner)s AND ends_at IS NULL AND level > 1
)
SELECT (SELECT count(*) FROM below),
  (SELECT count(*) FROM below JOIN ib_attribution a ON a.partner_id = below.partner_id AND a.ends_at IS NULL)
"""


@dataclass(frozen=True)
class Counts:
    """Clients who came in a range and in the one before, all of today, partners below and their clients."""

    new: int
    new_before: int
    clients: int
    network: int
    network_clients: int


def counts(partner: Partner, span: DateRange) -> Counts:
    """Count a partner's clients, however they came, and their network, a large one as of minutes ago. Two statements."""
    about: dict[str, Any] = {"partner": partner.pk, "since": span.starts_at, "until": span.ends_at}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {**about, "since_before": span.starts_at_before, "until_before": span.ends_at_before})
        mine = cursor.fetchone()
    return Counts(*mine, *kept("network_size", partner.pk).answer)


@asked("network_size")
def _network_size(partner_id: int) -> tuple[tuple[int, int], bool]:
    """Count the partners below one and their clients: kept where they are many."""
    with connection.cursor() as cursor:
        cursor.execute(NETWORK_SIZE, {"partner": partner_id})
        partners, clients = cursor.fetchone()
    return (partners, clients), partners >= LARGE_NETWORK


# The newest trades of the range, by an index of the partner's; three questions of one reading.
TOP_OF_RANGE = """
WITH newest AS MATERIALIZED (
  SELECT client_id, introducer_id, level, state, reason, amount
  FROM ib_accrual WHERE partner_id = %(partner)s AND currency = %(currency)s
    AND closed_at >= %(since)s AND closed_at < %(until)s
  ORDER BY closed_at DESC, id DESC LIMIT %(read)s
)
(SELECT 'client', client_id, '', sum(amount), count(*) FROM newest WHERE level = 1
 GROUP BY 2 HAVING sum(amount) > 0 ORDER BY 4 DESC, 2 LIMIT %(top)s)
UNION ALL
(SELECT 'partner', introducer_id, '', sum(amount), count(*) FROM newest WHERE level > 1
 GROUP BY 2 HAVING sum(amount) > 0 ORDER BY 4 DESC, 2 LIMIT %(top)s)
UNION ALL
(SELECT 'reason', 0, reason, 0, count(*) FROM newest WHERE state = 'excluded' GROUP BY 3 ORDER BY 5 DESC, 3)
"""


@dataclass(frozen=True)
class TopClient:
    client: Client
    amount: Decimal
    trades: int


@dataclass(frozen=True)
class TopPartner:
    partner: Partner
    amount: Decimal
    trades: int


@dataclass(frozen=True)
class UnpaidReason:
    reason: Reason
    trades: int


@dataclass(frozen=True)
class Leaders:
    """Who earned a partner the most in a range, and why other trades earned nothing; `kept_at`: as of when, where it is kept."""

    clients: list[TopClient]
    partners: list[TopPartner]
    reasons: list[UnpaidReason]
    kept_at: dt.datetime | None = None


# What of the answer is whose: (kind, client or partner, reason, amount, trades).
TopRow = tuple[str, int, str, Decimal, int]


def _top_of(partner: Partner, since: dt.datetime, until: dt.datetime) -> list[TopRow]:
    about: dict[str, Any] = {"partner": partner.pk, "currency": partner.currency, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(TOP_OF_RANGE, {**about, "read": TRADES_READ_MAX, "top": TOP})
        rows = cursor.fetchall()
    return [(*row[:3], amounts.quantize(row[3], partner.currency, rounding=ROUND_FLOOR), row[4]) for row in rows]


@asked("leaders")
def _leaders_of(partner_id: int, since: str, until: str) -> tuple[list[TopRow], bool]:
    partner = Partner.objects.get(pk=partner_id)
    return _top_of(partner, dt.datetime.fromisoformat(since), dt.datetime.fromisoformat(until)), True


def _top_rows(partner: Partner, span: DateRange, earned: EarnedSums) -> tuple[list[TopRow], dt.datetime | None]:
    """Read the rows of `leaders`: of many trades as of minutes ago, of few as long as their sums stay the same."""
    if earned.trades + earned.unpaid >= MANY_ROWS:
        found = kept("leaders", partner.pk, span.starts_at.isoformat(), span.ends_at.isoformat())
        return found.answer, found.at if found.is_kept else None
    known = f"{earned.exact}:{earned.trades}:{earned.unpaid}"
    key = f"ib:leaders:{partner.pk}:{span.starts_at.timestamp()}:{span.ends_at.timestamp()}:{known}"
    rows = cache.get_or_set(key, lambda: _top_of(partner, span.starts_at, span.ends_at), LEADERS_KEPT)
    return rows or [], None


def leaders(partner: Partner, span: DateRange, earned: EarnedSums) -> Leaders:
    """Find the clients and sub-partners who earned most, and the reasons of unpaid trades: the newest 100,000 trades at most.

    earned: the range's sums, which say how many trades there are to read.
    """
    rows, kept_at = _top_rows(partner, span, earned)
    named = Client.objects.only("first_name", "last_name"), Partner.objects.only("name")
    clients = named[0].in_bulk([key for kind, key, *_rest in rows if kind == "client"])
    partners = named[1].in_bulk([key for kind, key, *_rest in rows if kind == "partner"])
    return Leaders(
        [TopClient(clients[key], amount, trades) for kind, key, _why, amount, trades in rows if kind == "client"],
        [TopPartner(partners[key], amount, trades) for kind, key, _why, amount, trades in rows if kind == "partner"],
        [UnpaidReason(Reason(why), trades) for kind, _key, why, _amount, trades in rows if kind == "reason"],
        kept_at,
    )


@dataclass(frozen=True)
class LinkFigures:
    """What one link brought in a range; `trend`: clicks per day."""

    link: ReferralLink
    trend: list[int]
    registered: int
    verified: int
    funded: int
    active: int

    @property
    def clicks(self) -> int:
        return sum(self.trend)


CLICKS_BY_LINK = f"""
SELECT key, day, sum(clicks) FROM ({clicks_by("link")}) n (day, key, clicks) GROUP BY 1, 2
"""  # noqa: S608


def by_link(partner: Partner, span: DateRange, links: Sequence[ReferralLink]) -> list[LinkFigures]:
    """Split the figures of `funnel` by link. Two statements."""
    days = span.days
    trends: dict[int, list[int]] = {link.pk: [0] * len(days) for link in links}
    with connection.cursor() as cursor:
        cursor.execute(CLICKS_BY_LINK, {"partner": partner.pk, "link": 0, "first": span.first, "last": span.last})
        for link, day, clicks in cursor.fetchall():
            if int(link) in trends:
                trends[int(link)][(day - span.first).days] = int(clicks)
    came: Iterable[Any] = (
        referred_clients(partner, span.starts_at, span.ends_at)
        .values_list("link_id")
        .annotate(
            registered=Count("pk"), **{name: Count("pk", filter=condition()) for name, condition in STEPS.items()}
        )
        .order_by()
    )
    counts = {link_id: numbers for link_id, *numbers in came}
    nobody = [0] * (1 + len(STEPS))
    return [LinkFigures(link, trends[link.pk], *counts.get(link.pk, nobody)) for link in links]
