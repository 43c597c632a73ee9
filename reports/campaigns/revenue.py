# ruff: noqa: S608 - statements made of constants of this module
"""What trading by the clients of campaigns brought the broker.

Revenue is what the platform charged clients in commission and fees, and what they lost by trading, swaps and spread mark-up
included, as far as the company keeps their trades: of a client on the A-book or a split (`risk.dealing.routing`), the share that
is passed on is the liquidity provider's. It is read from the sums of closed trades, in the brand's base currency at each day's
rate; of a day counts the execution book in force at noon.

Days are UTC; of a desk they are those of the clients it had at noon, and for cohorts those of the clients it registered. What
isn't asked for by day is read by month and week where these lie within the days, which is a fraction of the rows; what was passed
on is read by day, of the clients with such a book alone.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from reports.filters import ONE_DAY, Selection, Span
from trading.choices import Period

BY_DAY: Final = "r.start"
NOON: Final = "(r.start + interval '12 hours') AT TIME ZONE 'UTC'"
MONTH: Final = "date_trunc('month', c.registered_at AT TIME ZONE b.time_zone)::date"
FROM: Final = """
FROM {pieces} trading_accountresult r {on_pieces} JOIN trading_tradingaccount a ON a.id = r.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id JOIN crm_brand b ON b.id = c.brand_id {owners}
WHERE {days} (c.brand_id = ANY(%(brands)s) OR {of_desks})
  AND (%(country)s = '' OR c.country = %(country)s) AND (%(campaign)s = '' OR c.campaign = %(campaign)s)"""
PIECES: Final = "unnest(%(periods)s::text[], %(starts)s::date[]) p (period, start) JOIN"
ON_PIECES: Final = "ON r.period = p.period AND r.start = p.start"
OF_COHORTS: Final = (
    f"r.period = '{{period}}' AND {MONTH} BETWEEN date_trunc('month', %(first)s::date)::date AND %(last)s AND"
)
# The execution books that each client was on, and until when.
BOOKS: Final = """(
  SELECT client_id, passed_percent, decided_at AS since,
    coalesce(lead(decided_at) OVER (PARTITION BY client_id ORDER BY decided_at, id), 'infinity') AS until
  FROM risk_clientrouting WHERE state = 'approved'
) x"""
IN_FORCE: Final = f"r.period = 'd' AND x.passed_percent > 0 AND x.since <= {NOON} AND x.until > {NOON}"
# Of people who were reached on a day: a statement names them as `reached` (client_id, day).
FROM_REACHED: Final = """
FROM reached w JOIN trading_tradingaccount a ON a.client_id = w.client_id AND NOT a.is_demo {books}
JOIN trading_accountresult r ON r.account_id = a.id AND r.start >= w.day AND r.start < w.day + {days} AND {on}"""
LOST_OR_CHARGED: Final = "-r.net_base"
PASSED_ON: Final = "round((r.net_base - r.charges_base) * x.passed_percent / 100, 2)"
SUMMED: Final = f"""
SELECT brand_id, campaign, key, sum(amount) FROM (
  SELECT c.brand_id, c.campaign, {{key}} AS key, sum({LOST_OR_CHARGED}) AS amount {{traded}} AND c.campaign <> '' GROUP BY 1, 2, 3
  UNION ALL
  SELECT c.brand_id, c.campaign, {{key}}, sum({PASSED_ON}) {{passed_on}} AND c.campaign <> '' GROUP BY 1, 2, 3
) parts GROUP BY 1, 2, 3"""


def traded(selection: Selection, *, is_cohort: bool = False) -> str:
    """Return what to read from: the days, or for cohorts all months, of real accounts of clients in reach."""
    if is_cohort:
        return _from(selection, days=OF_COHORTS.format(period=Period.MONTH.value), is_cohort=True)
    return _from(selection, pieces=PIECES, on_pieces=ON_PIECES)


def passed_on(selection: Selection, *, is_cohort: bool = False) -> str:
    """Return the same for days of clients whose trades are passed on, whole or in part."""
    days = (
        OF_COHORTS.format(period=Period.DAY.value)
        if is_cohort
        else "r.start BETWEEN %(first)s AND %(traded_until)s AND"
    )
    days = f"x.client_id = c.id AND {days}"
    return _from(selection, pieces=f"{BOOKS} JOIN", on_pieces=f"ON {IN_FORCE}", days=days, is_cohort=is_cohort)


def traded_after(days: int) -> str:
    """Return what to read from: the first days after people were reached."""
    return FROM_REACHED.format(days=days, books="", on="r.period = 'd'")


def passed_on_after(days: int) -> str:
    """Return the same for those whose trades are passed on."""
    return FROM_REACHED.format(days=days, books=f"JOIN {BOOKS} ON x.client_id = w.client_id", on=IN_FORCE)


def _from(
    selection: Selection, *, pieces: str = "", on_pieces: str = "", days: str = "", is_cohort: bool = False
) -> str:
    owners, of_desks = "", "false"
    if selection.reach.desks:
        at = "c.registered_at" if is_cohort else NOON
        owners = f"JOIN clients_ownership_period o ON o.client_id = c.id AND o.since <= {at} AND o.until > {at}"
        of_desks = "o.desk_id = ANY(%(desks)s)"
    return FROM.format(owners=owners, of_desks=of_desks, pieces=pieces, on_pieces=on_pieces, days=days)


def pieces_of(span: Span) -> list[tuple[str, dt.date]]:
    """Cut days into whole months, then whole weeks (from Monday), then days: the kept sums that they are added up from."""
    pieces, day = [], span.first
    months = [one for one in span.days if one.day == 1 and month_end(one) <= span.last]
    inside = (months[0], month_end(months[-1])) if months else (span.last + ONE_DAY, span.last + ONE_DAY)
    while day <= span.last:
        limit = inside[0] if day < inside[0] else span.last + ONE_DAY
        if day in months:
            pieces.append((Period.MONTH.value, day))
            day = month_end(day) + ONE_DAY
        elif day.weekday() == 0 and day + 7 * ONE_DAY <= limit:
            pieces.append((Period.WEEK.value, day))
            day += 7 * ONE_DAY
        else:
            pieces.append((Period.DAY.value, day))
            day += ONE_DAY
    return pieces


def month_end(first: dt.date) -> dt.date:
    """Return the last day of a month that begins on a day."""
    return (first + 31 * ONE_DAY).replace(day=1) - ONE_DAY


def _until_month_end(span: Span) -> Span:
    """Lengthen days that last until today to the end of the month, which brings nothing more: whole months are read faster."""
    is_until_now = span.last >= timezone.now().astimezone(dt.UTC).date()
    return Span(span.first, month_end(span.last.replace(day=1))) if is_until_now else span


def values_of(selection: Selection, span: Span, *, is_by_day: bool) -> dict[str, Any]:
    """Return the values of a statement over what clients traded."""
    is_by_day = is_by_day or bool(selection.reach.desks)
    read = span if is_by_day else _until_month_end(span)
    pieces = [(Period.DAY.value, day) for day in span.days] if is_by_day else pieces_of(read)
    return {
        "periods": [period for period, _start in pieces],
        "starts": [start for _period, start in pieces],
        "first": span.first,
        "last": span.last,
        "traded_until": read.last,
        "brands": list(selection.reach.brands),
        "desks": list(selection.reach.desks),
        "country": selection.country,
        "campaign": selection.campaign,
    }


def revenue_by(
    selection: Selection, span: Span, key: str = "NULL::text", *, is_cohort: bool = False
) -> dict[tuple[int, str, Any], Decimal]:
    """Add up the revenue by brand, code of the campaign and a column; nothing for who may not see it. One statement."""
    if not selection.has_revenue:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            SUMMED.format(
                key=MONTH if is_cohort else key,
                traded=traded(selection, is_cohort=is_cohort),
                passed_on=passed_on(selection, is_cohort=is_cohort),
            ),
            values_of(selection, span, is_by_day=key == BY_DAY),
        )
        return {(brand_id, code, of): revenue for brand_id, code, of, revenue in cursor.fetchall()}
