"""Cohorts: clients by the month of their first deposit, how many of them still trade, and what they have paid in so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from crm.i18n import formats
from crm.models import Brand, User
from crm.security.scope import reach_of

AFTER: Final = (1, 2, 3, 6, 12)
MONTHS: Final = 18
CLIENTS_MAX: Final = 100_000  # the newest
SHADES: Final = 5

# A client trades in a month when one of their real accounts has closed a trade in it. Months are those of the brand's time zone for
# deposits and of UTC for trades, as their daily sums are.
SQL: Final = f"""
WITH chosen AS (
  SELECT c.id, c.brand_id, c.net_deposits, date_trunc('month', c.first_deposit_at AT TIME ZONE b.time_zone)::date AS month
  FROM clients_client c JOIN crm_brand b ON b.id = c.brand_id
  WHERE c.stage <> 'lead' AND c.merged_into_id IS NULL AND c.book_id = ANY(%(books)s) AND c.first_deposit_at >= %(since)s
  ORDER BY c.first_deposit_at DESC, c.id DESC LIMIT %(most)s
), traded AS (
  SELECT DISTINCT n.id, w.after FROM chosen n
  CROSS JOIN unnest(%(after)s::int[]) AS w (after)
  JOIN trading_tradingaccount a ON a.client_id = n.id AND NOT a.is_demo
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'm' AND r.trades > 0
    AND r.start = (n.month + make_interval(months => w.after))::date
), later AS (
  SELECT id, array_agg(after) AS months FROM traded GROUP BY id
)
SELECT n.brand_id, n.month, count(*), sum(n.net_deposits),
  {", ".join(f"count(*) FILTER (WHERE {after} = ANY(l.months))" for after in AFTER)}
FROM chosen n LEFT JOIN later l ON l.id = n.id GROUP BY 1, 2 ORDER BY 1, 2 DESC
"""  # noqa: S608 - numbers of ours


@dataclass(frozen=True)
class Share:
    """How many of a cohort traded so many months later; `clients` is None while that month isn't over."""

    after: int
    clients: int | None
    of: int

    @property
    def percent(self) -> float:
        return 100 * (self.clients or 0) / self.of

    @property
    def heat(self) -> int:
        return -(-int(self.percent * SHADES) // 100) if self.clients else 0


@dataclass(frozen=True)
class Cohort:
    """Clients of one month. Net deposits are all so far, in the brand's base currency."""

    month: dt.date
    clients: int
    net: Decimal
    shares: Sequence[Share]

    @property
    def net_each(self) -> Decimal:
        return (self.net / self.clients).quantize(Decimal("0.01"))

    @property
    def title(self) -> str:
        return formats.month(self.month, is_short=True)


@dataclass(frozen=True)
class BrandCohorts:
    """A brand's cohorts, the newest first."""

    brand: Brand
    rows: Sequence[Cohort]


def cohorts_of(user: User, *, now: dt.datetime | None = None) -> list[BrandCohorts]:
    """Read the cohorts of the last months among clients in reach, by brand. Two statements.

    Of a month that the limit cuts in two, nothing is shown.
    """
    now = now or timezone.now()
    values: dict[str, Any] = {
        "books": list(reach_of(user).books),
        "since": month_before(now.date(), MONTHS),
        "most": CLIENTS_MAX,
        "after": list(AFTER),
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
    is_cut = sum(row[2] for row in rows) >= CLIENTS_MAX
    oldest = min((row[1] for row in rows), default=None)
    brands = Brand.objects.filter(pk__in={row[0] for row in rows}).order_by("name")
    return [
        BrandCohorts(brand, found)
        for brand in brands
        if (found := list(_of_brand(brand, rows, now, oldest if is_cut else None)))
    ]


def _of_brand(
    brand: Brand, rows: Sequence[Sequence[Any]], now: dt.datetime, without: dt.date | None
) -> Iterator[Cohort]:
    this_month = now.astimezone(ZoneInfo(brand.time_zone)).date().replace(day=1)
    first = month_before(this_month, MONTHS - 1)
    for brand_id, month, clients, net, *traded in rows:
        if brand_id == brand.pk and month != without and month >= first:
            shares = [
                Share(after, count if month_before(month, -after) < this_month else None, clients)
                for after, count in zip(AFTER, traded, strict=True)
            ]
            yield Cohort(month, clients, net, shares)


def month_before(day: dt.date, count: int) -> dt.date:
    """Return the first day of the month so many months before; after, for a negative count."""
    number = day.year * 12 + day.month - 1 - count
    return dt.date(number // 12, number % 12 + 1, 1)
