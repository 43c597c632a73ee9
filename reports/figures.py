"""Making the day figures, and reading them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from crm.models import Brand
from reports.models import DayFigure

# The task makes so many days anew each time: contacts, settlements and reversals come late.
RECENT_DAYS = 3
NIGHTLY_DAYS = 40

FORGET = "DELETE FROM reports_dayfigure WHERE day BETWEEN %(first)s AND %(last)s"
# Each branch gives (brand, desk, owner, instant, figures …); instants become days where the brand is.
REBUILD = """
WITH of_client AS (
  SELECT c.id AS client_id, c.brand_id, b.desk_id, c.owner_id FROM clients_client c JOIN crm_book b ON b.id = c.book_id
), happened AS (
  SELECT k.brand_id, k.desk_id, coalesce(l.assigned_to_id, k.owner_id) AS owner_id, l.captured_at AS at,
    1 AS leads, (l.touched_at IS NOT NULL)::int AS touched,
    CASE WHEN l.touched_at > coalesce(l.assigned_at, l.captured_at)
      THEN extract(epoch FROM l.touched_at - coalesce(l.assigned_at, l.captured_at))::bigint ELSE 0 END AS touch_seconds,
    (l.sla_missed > 0)::int AS late, 0 AS calls, 0::bigint AS call_seconds, 0 AS registrations, 0 AS first_deposits,
    0::numeric AS deposits, 0::numeric AS withdrawals, 0::numeric AS reversals
  FROM leads_lead l JOIN of_client k ON k.client_id = l.client_id
  WHERE l.captured_at >= %(from_at)s AND l.captured_at < %(to_at)s AND NOT l.is_duplicate
  UNION ALL
  SELECT k.brand_id, k.desk_id, k.owner_id, c.registered_at, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0
  FROM clients_client c JOIN of_client k ON k.client_id = c.id
  WHERE c.registered_at >= %(from_at)s AND c.registered_at < %(to_at)s
  UNION ALL
  SELECT k.brand_id, k.desk_id, a.agent_id, a.started_at, 0, 0, 0, 0, 1, a.duration_seconds, 0, 0, 0, 0, 0
  FROM clients_call a JOIN of_client k ON k.client_id = a.client_id
  WHERE a.started_at >= %(from_at)s AND a.started_at < %(to_at)s
  UNION ALL
  SELECT k.brand_id, k.desk_id, k.owner_id, d.settled_at, 0, 0, 0, 0, 0, 0, 0, d.is_first::int, d.base_amount, 0, 0
  FROM wallet_deposit d JOIN of_client k ON k.client_id = d.client_id
  WHERE d.settled_at >= %(from_at)s AND d.settled_at < %(to_at)s
  UNION ALL
  SELECT k.brand_id, k.desk_id, k.owner_id, j.posted_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, d.base_amount
  FROM wallet_deposit d JOIN wallet_journal j ON j.id = d.reversal_id JOIN of_client k ON k.client_id = d.client_id
  WHERE d.state = 'charged_back' AND j.posted_at >= %(from_at)s AND j.posted_at < %(to_at)s
  UNION ALL
  SELECT k.brand_id, k.desk_id, k.owner_id, j.posted_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    round(d.base_amount * -m.amount_minor / d.received_minor, 2)
  FROM wallet_pspmovement m JOIN wallet_deposit d ON d.reference = m.reference AND d.settled_at IS NOT NULL
  JOIN wallet_journal j ON j.id = m.journal_id JOIN of_client k ON k.client_id = d.client_id
  WHERE m.kind = 'refund' AND j.posted_at >= %(from_at)s AND j.posted_at < %(to_at)s
  UNION ALL
  SELECT k.brand_id, k.desk_id, k.owner_id, w.finished_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, w.base_amount, 0
  FROM wallet_withdrawal w JOIN of_client k ON k.client_id = w.client_id
  WHERE w.state = 'settled' AND NOT w.from_suspense AND w.finished_at >= %(from_at)s AND w.finished_at < %(to_at)s
), dated AS (
  SELECT h.*, (h.at AT TIME ZONE b.time_zone)::date AS day FROM happened h JOIN crm_brand b ON b.id = h.brand_id
)
INSERT INTO reports_dayfigure (day, brand_id, desk_id, owner_id, leads, touched, touch_seconds, late, calls, call_seconds,
  registrations, first_deposits, deposits, withdrawals, reversals)
SELECT day, brand_id, desk_id, owner_id, sum(leads), sum(touched), sum(touch_seconds), sum(late), sum(calls),
  sum(call_seconds), sum(registrations), sum(first_deposits), sum(deposits), sum(withdrawals), sum(reversals)
FROM dated WHERE day BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


@transaction.atomic
def rebuild(first: dt.date, last: dt.date) -> int:
    """Make the days from `first` to `last`, both included, anew; returns how many rows. Doing it twice gives the same."""
    margin = dt.timedelta(hours=14)
    parameters = {
        "first": first, "last": last, "from_at": dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC) - margin,
        "to_at": dt.datetime.combine(last, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1) + margin,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reports.figures'))")
        cursor.execute(FORGET, parameters)
        cursor.execute(REBUILD, parameters)
        return cursor.rowcount


def rebuild_recent(days: int = RECENT_DAYS) -> int:
    """The last days, and tomorrow for brands where it has begun."""
    today = timezone.now().date()
    return rebuild(today - dt.timedelta(days=days), today + dt.timedelta(days=1))


FIGURES = (
    "leads", "touched", "touch_seconds", "late", "calls", "call_seconds", "registrations", "first_deposits", "deposits",
    "withdrawals", "reversals",
)  # fmt: skip


@dataclass
class Totals:
    """Sums over some days; money by currency, because brands have different ones."""

    leads: int = 0
    touched: int = 0
    touch_seconds: int = 0
    late: int = 0
    calls: int = 0
    call_seconds: int = 0
    registrations: int = 0
    first_deposits: int = 0
    money: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def conversion(self) -> Decimal | None:
        """First deposits per hundred leads; nothing where more people deposited than came, for those came before."""
        return Decimal(100 * self.first_deposits) / self.leads if self.leads >= max(1, self.first_deposits) else None

    @property
    def speed_seconds(self) -> int | None:
        """Average from assignment to first contact."""
        return self.touch_seconds // self.touched if self.touched else None

    @property
    def net(self) -> dict[str, Decimal]:
        return {
            currency: sums["deposits"] - sums["withdrawals"] - sums["reversals"]
            for currency, sums in self.money.items()
        }


COUNTS = FIGURES[:8]
SUMS = FIGURES[8:]


@dataclass(frozen=True)
class Reach:
    """Whose figures: whole brands, or single desks."""

    brands: frozenset[int]
    desks: frozenset[int]

    @property
    def is_empty(self) -> bool:
        return not (self.brands or self.desks)


def days_until(last: dt.date, days: int) -> list[dt.date]:
    return [last - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]


def figures_of(reach: Reach, first: dt.date, last: dt.date):
    """The rows within reach of some days."""
    from django.db.models import Q

    return DayFigure.objects.filter(
        Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), day__gte=first, day__lte=last
    ).order_by()


def per_day(reach: Reach, first: dt.date, last: dt.date) -> dict[dt.date, Totals]:
    """Totals of each day; days without anything have none."""
    sums = {name: Sum(name) for name in FIGURES}
    found: dict[dt.date, Totals] = {}
    rows = figures_of(reach, first, last).values("day", "brand__base_currency")
    for row in rows.annotate(**{f"sum_{name}": expression for name, expression in sums.items()}):
        _add(found.setdefault(row["day"], Totals()), row, row["brand__base_currency"])
    return found


def _add(totals: Totals, row: dict, currency: str) -> None:
    for name in COUNTS:
        setattr(totals, name, getattr(totals, name) + (row[f"sum_{name}"] or 0))
    held = totals.money.setdefault(currency, dict.fromkeys(SUMS, Decimal(0)))
    for name in SUMS:
        held[name] += row[f"sum_{name}"] or 0


def add_up(days: Iterable[Totals]) -> Totals:
    """Several days as one."""
    total = Totals()
    for one in days:
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for currency, sums in one.money.items():
            held = total.money.setdefault(currency, dict.fromkeys(SUMS, Decimal(0)))
            for name in SUMS:
                held[name] += sums[name]
    return total


def today_of(brands: frozenset[int]) -> dt.date:
    """Today where the first of some brands is; UTC's where there is none."""
    brand = Brand.objects.filter(pk__in=brands).order_by("pk").first()
    return timezone.now().astimezone(ZoneInfo(brand.time_zone if brand else "UTC")).date()
