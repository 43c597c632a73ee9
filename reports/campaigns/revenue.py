"""What trading by the clients of campaigns brought the broker.

Revenue is what clients lost by trading and what the platform charged them: commission, swaps and fees. It is the revenue that
partners' pages have per day (`ib.manager_pages.revenue`), read from the sums of closed trades, in the brand's base currency at
each day's rate. Spread mark-up is part of what clients lose. Losses count in full, also of clients whose trades are passed on.
Days are UTC; of a desk they are those of the clients it had at noon, and for cohorts those of the clients it registered.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.db import connection

from reports.filters import Selection, Span

NOON: Final = "(r.start + interval '12 hours') AT TIME ZONE 'UTC'"
MONTH: Final = "date_trunc('month', c.registered_at AT TIME ZONE b.time_zone)::date"
FROM: Final = """
FROM trading_accountresult r JOIN trading_tradingaccount a ON a.id = r.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id JOIN crm_brand b ON b.id = c.brand_id {owners}
WHERE {days} AND (c.brand_id = ANY(%(brands)s) OR {of_desks})
  AND (%(country)s = '' OR c.country = %(country)s) AND (%(campaign)s = '' OR c.campaign = %(campaign)s)"""
OF_PERIOD: Final = "r.period = 'd' AND r.start BETWEEN %(first)s AND %(last)s"
OF_COHORTS: Final = f"r.period = 'm' AND {MONTH} BETWEEN date_trunc('month', %(first)s::date)::date AND %(last)s"
SUMMED: Final = "SELECT c.brand_id, c.campaign, {key}, -sum(r.net_base) {traded} AND c.campaign <> '' GROUP BY 1, 2, 3"


def traded(selection: Selection, *, is_cohort: bool = False) -> str:
    """Return what to read from: the days, or for cohorts all months, of real accounts of clients in reach."""
    owners, of_desks = "", "false"
    if selection.reach.desks:
        at = "c.registered_at" if is_cohort else NOON
        owners = f"JOIN clients_ownership_period o ON o.client_id = c.id AND o.since <= {at} AND o.until > {at}"
        of_desks = "o.desk_id = ANY(%(desks)s)"
    return FROM.format(owners=owners, of_desks=of_desks, days=OF_COHORTS if is_cohort else OF_PERIOD)


def values_of(selection: Selection, span: Span) -> dict[str, Any]:
    """Return the values of a statement over what clients traded."""
    return {
        "first": span.first,
        "last": span.last,
        "brands": list(selection.reach.brands),
        "desks": list(selection.reach.desks),
        "country": selection.country,
        "campaign": selection.campaign,
    }


def revenue_by(
    selection: Selection, span: Span, key: str = "NULL::text", *, is_cohort: bool = False
) -> dict[tuple[int, str, Any], Decimal]:
    """Add up the revenue by brand, code of the campaign and a column. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            SUMMED.format(key=MONTH if is_cohort else key, traded=traded(selection, is_cohort=is_cohort)),
            values_of(selection, span),
        )
        return {(brand_id, code, of): revenue for brand_id, code, of, revenue in cursor.fetchall()}
