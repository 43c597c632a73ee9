"""Daily figures of clients and partners, from sums that their own apps keep: deposits, days of trading, clicks by link.

Read for those who did something on the day only, ninety days back, in steps of a bounded number of subjects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db import connection

from monitoring.anomalies.judging import Array, Figures, Ints
from monitoring.choices import Watched

DAYS = 90
SUBJECTS_PER_STEP = 5_000
# Own hours: those in or beside which there was trading on so large a share of the days.
USUAL_SHARE = 0.08
PARTNERS_MAX = 20_000

DEPOSITORS = """
SELECT DISTINCT client_id FROM wallet_deposit WHERE settled_at >= %(day)s::timestamp AT TIME ZONE 'UTC'
  AND settled_at < (%(day)s + 1)::timestamp AT TIME ZONE 'UTC' ORDER BY 1
"""
DEPOSITS = """
SELECT d.client_id, c.brand_id, (d.settled_at AT TIME ZONE 'UTC')::date, sum(d.base_amount)::float8
FROM wallet_deposit d JOIN clients_client c ON c.id = d.client_id
WHERE d.client_id = ANY(%(ids)s) AND d.settled_at >= (%(day)s - %(days)s + 1)::timestamp AT TIME ZONE 'UTC'
  AND d.settled_at < (%(day)s + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
"""
TRADERS = """
SELECT DISTINCT a.client_id FROM trading_accountresult r
JOIN trading_tradingaccount a ON a.id = r.account_id AND NOT a.is_demo
WHERE r.period = 'd' AND r.start = %(day)s ORDER BY 1
"""
TRADING = """
SELECT a.client_id, c.brand_id, r.start, sum(r.lots)::float8, sum(r.trades)::float8,
  coalesce(bit_or((SELECT bit_or(1 << h) FROM unnest(r.hours) h)), 0)
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd' AND r.start > %(day)s - %(days)s AND r.start <= %(day)s
WHERE a.client_id = ANY(%(ids)s) AND NOT a.is_demo
GROUP BY 1, 2, 3
"""
PARTNERS = """
SELECT l.partner_id, p.brand_id, d.day, sum(d.clicks)::float8, sum(d.registrations)::float8
FROM ib_referralday d JOIN ib_referrallink l ON l.id = d.link_id JOIN ib_partner p ON p.id = l.partner_id
WHERE d.day > %(day)s - %(days)s AND d.day <= %(day)s AND l.partner_id IN (
  SELECT partner_id FROM ib_referrallink WHERE is_active GROUP BY 1 ORDER BY 1 LIMIT %(most)s)
GROUP BY 1, 2, 3
"""


def figures_of(day: dt.date) -> Iterator[tuple[Watched, Figures]]:
    """Read the figures of everyone who was active on a day, signal by signal."""
    for ids in _steps(DEPOSITORS, day):
        grid = Grid(_rows(DEPOSITS, day, ids), day)
        yield Watched.DEPOSITS, grid.figures(grid.column(3), grid.since_first())
    for ids in _steps(TRADERS, day):
        grid = Grid(_rows(TRADING, day, ids), day)
        yield Watched.STAKES, grid.figures(grid.column(3), grid.since_first())
        yield Watched.TRADES, grid.figures(grid.column(4), grid.since_first())
        yield Watched.ODD_HOURS, grid.figures(*odd_hours(grid.column(5)))
    grid = Grid(_rows(PARTNERS, day, []), day)
    clicks, registrations = grid.column(3), grid.column(4)
    yield Watched.CLICKS, grid.figures(clicks, grid.since_first())
    yield Watched.CLICKS_FALL, grid.figures(clicks, grid.since_first())
    yield Watched.REGISTRATIONS, grid.figures(registrations, grid.since_first())
    yield Watched.CONVERSION_FALL, grid.figures(registrations, clicks)


def _steps(statement: str, day: dt.date) -> Iterator[list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"day": day})
        ids = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(ids), SUBJECTS_PER_STEP):
        yield ids[start : start + SUBJECTS_PER_STEP]


def _rows(statement: str, day: dt.date, ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"day": day, "days": DAYS, "ids": list(ids), "most": PARTNERS_MAX})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


class Grid:
    """Rows of (subject, brand, day, values …) as arrays [subject, day]."""

    def __init__(self, rows: list[tuple[Any, ...]], day: dt.date) -> None:
        self.rows, self.last = rows, day
        brands = {row[0]: row[1] for row in rows}
        self.subjects: Ints = np.array(sorted(brands), dtype=np.int64)
        known = {brand: n for n, brand in enumerate(sorted(set(brands.values())))}
        self.group: Ints = np.array([known[brands[int(pk)]] for pk in self.subjects], dtype=np.int64)
        place = {int(pk): n for n, pk in enumerate(self.subjects)}
        self.at = (
            np.array([place[row[0]] for row in rows], dtype=np.int64),
            np.array([DAYS - 1 - (day - row[2]).days for row in rows], dtype=np.int64),
        )

    def column(self, n: int) -> Array:
        values = np.zeros((len(self.subjects), DAYS))
        values[self.at] = [row[n] for row in self.rows]
        return values

    def since_first(self) -> Array:
        """One for each day from the subject's first on."""
        first = np.full(len(self.subjects), DAYS - 1)
        np.minimum.at(first, self.at[0], self.at[1])
        return (np.arange(DAYS)[None, :] >= first[:, None]).astype(float)

    def figures(self, count: Array, exposure: Array) -> Figures:
        return Figures(self.subjects, count, exposure, self.group)


def odd_hours(masks: Array) -> tuple[Array, Array]:
    """Count the hours of each day that are unusual for the subject, out of its hours; `masks` has one bit an hour (UTC)."""
    bits = (masks.astype(np.int64)[:, :, None] >> np.arange(24)) & 1
    hours = bits.sum(axis=2)
    days = np.maximum((hours[:, :-1] > 0).sum(axis=1), 1)
    near = bits | np.roll(bits, 1, axis=2) | np.roll(bits, -1, axis=2)
    usual = near[:, :-1].sum(axis=1) / days[:, None] >= USUAL_SHARE
    odd = (bits & ~usual[:, None, :]).sum(axis=2)
    return odd.astype(float), hours.astype(float)
