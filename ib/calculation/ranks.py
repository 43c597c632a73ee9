"""Which tier of a plan its holders reach: the volume of full months, and the rule that turns it into a rank.

`ib.agreements.ranks` decides real ranks each month; a version that is tried out gets ranks by the same rule, from no rank on.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.backends.utils import CursorWrapper

from crm.models import Brand
from ib.calculation import facts, tried
from ib.calculation.tried import Instead
from ib.choices import TierBasis
from ib.models import PlanVersion

# Closed volume per month of the brand's time zone, partner above the client and whether it's their own client, in the broker's
# lots; paid or not. A partner's own trading counts for those above only.
VOLUMES: Final = f"""
SELECT date_trunc('month', d.executed_at AT TIME ZONE %(zone)s)::date AS month, u.ancestor_id, u.level = 1, sum({facts.LOTS})
FROM trading_deal d
JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id AND c.brand_id = %(brand)s
JOIN ib_attribution att ON att.client_id = a.client_id AND att.starts_at <= d.executed_at
  AND (att.ends_at IS NULL OR att.ends_at > d.executed_at)
JOIN ib_upline u ON u.partner_id = att.partner_id AND u.starts_at <= d.executed_at
  AND (u.ends_at IS NULL OR u.ends_at > d.executed_at)
JOIN ib_partner p ON p.id = u.ancestor_id AND p.client_id IS DISTINCT FROM a.client_id
{facts.SYMBOL}
WHERE d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL
  AND d.executed_at >= %(from)s AND d.executed_at < %(to)s
GROUP BY 1, 2, 3
"""  # noqa: S608
RANKS_KEPT: Final = "ib_partnerrank"
RANKS_TRIED: Final = f"(SELECT * FROM {RANKS_KEPT} UNION ALL SELECT * FROM ib_tried)"  # noqa: S608


@dataclass(frozen=True)
class Rank:
    """A partner's tier by number (0: none), and how many reviews in a row its volume was missed."""

    tier: int = 0
    missed: int = 0


def decide(tiers: list[Decimal], grace: int, held: Rank, lots: Decimal) -> Rank:
    """Decide a rank for the next month: up immediately, down to what the volume reaches once more than `grace` reviews missed.

    tiers: the lots of each tier, lowest first.
    """
    reached = sum(lots >= least for least in tiers)
    now = min(held.tier, len(tiers))
    if reached >= now:
        return Rank(reached)
    return Rank(now, held.missed + 1) if held.missed < grace else Rank(reached)


Volumes = dict[tuple[int, dt.date], tuple[Decimal, Decimal]]


def month_back(first: dt.date, months: int) -> dt.date:
    """Return the first day of the month so many months earlier."""
    count = first.year * 12 + first.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)


def starts(month: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the instant at which a month begins."""
    return dt.datetime(month.year, month.month, 1, tzinfo=zone).astimezone(dt.UTC)


def volumes(brand: Brand, first: dt.date, end: dt.date) -> Volumes:
    """Sum the volume of full months, from `first` to before `end`: {(partner, month): (own clients', network's)}."""
    zone = ZoneInfo(brand.time_zone)
    sums: dict[tuple[int, dt.date], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    with connection.cursor() as cursor:
        cursor.execute(
            VOLUMES, {"brand": brand.pk, "zone": brand.time_zone, "from": starts(first, zone), "to": starts(end, zone)}
        )
        for month, partner_id, is_own, lots in cursor.fetchall():
            sums[partner_id, month][1] += lots
            sums[partner_id, month][0] += lots if is_own else 0
    return {key: (own, network) for key, (own, network) in sums.items()}


def counted(found: Volumes, version: PlanVersion, partner_id: int, month: dt.date) -> Decimal:
    """Sum what counts for a partner's rank from `month` on by a version: the full months before it."""
    place = 0 if version.tier_basis == TierBasis.OWN else 1
    months = (month_back(month, back) for back in range(1, version.tier_months + 1))
    return sum((found[partner_id, at][place] for at in months if (partner_id, at) in found), Decimal(0))


def gather(cursor: CursorWrapper, brand: Brand, instead: Instead | None) -> None:
    """Fill `ib_rank` with the ranks that held when the deals of the pass were closed."""
    if instead is None:
        cursor.execute(facts.RANKS.format(ranks=RANKS_KEPT))
    else:
        cursor.execute("CREATE TEMP TABLE ib_tried (LIKE ib_partnerrank) ON COMMIT DROP")
        rows = list(_tried(cursor, brand, instead))
        if rows:
            cursor.executemany(
                "INSERT INTO ib_tried (id, partner_id, plan_id, tier, lots, missed, starts_at, ends_at)"
                " VALUES (0, %s, %s, %s, 0, 0, %s, %s)",
                rows,
            )
        cursor.execute(facts.RANKS.format(ranks=RANKS_TRIED))
        cursor.execute("DROP TABLE ib_tried")
    cursor.execute("ANALYZE ib_rank")


def _tried(cursor: CursorWrapper, brand: Brand, instead: Instead) -> Iterable[tuple[Any, ...]]:
    """Decide the ranks that its holders would have had by a version, in the months of the deals."""
    version = PlanVersion.objects.get(pk=instead.version_id)
    tiers = [tier.lots for tier in version.tiers.all()]
    cursor.execute("SELECT min(closed_at), max(closed_at) FROM ib_closing")
    first_at, last_at = cursor.fetchone()
    if not tiers or first_at is None:
        return
    zone = ZoneInfo(brand.time_zone)
    month, last = (at.astimezone(zone).date().replace(day=1) for at in (first_at, last_at))
    found = volumes(brand, month_back(month, version.tier_months), last)
    partners = tried.holders(cursor)
    held = dict.fromkeys(partners, Rank())
    while month <= last:
        after = month_back(month, -1)
        for partner_id in partners:
            lots = counted(found, version, partner_id, month)
            held[partner_id] = rank = decide(tiers, version.tier_grace, held[partner_id], lots)
            if rank.tier:
                yield partner_id, tried.TRIED_PLAN, rank.tier, starts(month, zone), starts(after, zone)
        month = after
