"""Lifetime value of many clients together: of a segment's members, or of the clients whom a campaign brought.

It is the same figure as on a client's page (`churn.scoring`): all closed lots so far times the brand's revenue per lot, and the
revenue of the next twelve months as the last churn score expects it. Who no longer trades brings nothing more, but counts with
what they have brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from crm.models import Brand, User
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from risk.brand_policies import REVENUE_PER_LOT

CLIENTS_MAX: Final = 200_000  # the newest

SQL: Final = """
WITH chosen AS (
  SELECT c.id FROM clients_client c {narrowed}
    AND c.brand_id = %(brand)s AND c.book_id = ANY(%(books)s) AND c.merged_into_id IS NULL
  ORDER BY c.id DESC LIMIT %(most)s
)
SELECT count(*), count(*) FILTER (WHERE c.first_deposit_at IS NOT NULL), coalesce(sum(v.earned), 0),
  coalesce(sum(coalesce(o.lifetime_value, v.earned)), 0)
FROM chosen n JOIN clients_client c ON c.id = n.id
LEFT JOIN risk_clientoutlook o ON o.client_id = c.id LEFT JOIN trading_tradingfacts f ON f.client_id = c.id
CROSS JOIN LATERAL (SELECT round(coalesce(f.lots_closed, 0) * %(per_lot)s, 2) AS earned) v
"""
OF_SEGMENT: Final = SQL.format(
    narrowed="JOIN clients_segmentmember m ON m.client_id = c.id WHERE m.segment_id = %(segment)s AND m.left_at IS NULL"
)
OF_CAMPAIGN: Final = SQL.format(narrowed="WHERE c.campaign = %(campaign)s AND c.campaign <> ''")


@dataclass(frozen=True)
class LifetimeValue:
    """Of some clients in the reader's reach, in their brand's base currency.

    earned: so far, by closed lots; total: with the next twelve months. is_cut: there are more clients than are counted.
    """

    clients: int
    depositors: int
    earned: Decimal
    total: Decimal
    currency: str
    is_cut: bool

    @property
    def expected(self) -> Decimal:
        return self.total - self.earned

    @property
    def per_depositor(self) -> Decimal | None:
        return (self.total / self.depositors).quantize(Decimal("0.01")) if self.depositors else None

    def times(self, cost: Decimal | None) -> Decimal | None:
        """Return how many times the value is a cost; None without one."""
        return (self.total / cost).quantize(Decimal("0.1")) if cost else None


def of_segment(user: User, segment_id: int, brand: Brand) -> LifetimeValue:
    """Add up the value of a segment's members in reach. One statement; the caller may see the segment."""
    return _read(OF_SEGMENT, user, brand, {"segment": segment_id})


def of_campaign(user: User, code: str, brand: Brand) -> LifetimeValue:
    """Add up the value of the clients in reach whose first lead a campaign brought. One statement."""
    return _read(OF_CAMPAIGN, user, brand, {"campaign": code})


def _read(sql: str, user: User, brand: Brand, values: Mapping[str, Any]) -> LifetimeValue:
    currency = brand.base_currency
    more: dict[str, Any] = {
        "brand": brand.pk,
        "books": list(reach_of(user).books),
        "per_lot": from_minor(REVENUE_PER_LOT.of(brand), currency),
        "most": CLIENTS_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, **more})
        clients, depositors, earned, total = cursor.fetchone()
    return LifetimeValue(clients, depositors, earned, total, currency, clients >= CLIENTS_MAX)
