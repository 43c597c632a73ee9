"""The statements by which accounts are held against their caps of classes.

What a group gives and what regulators allow are small tables. Together they make one figure for each group and place of
clients: the leverage from which an account of the group has too much on some class. Accounts of clients alike are kept
together by the house's own count (`cap_standing`), so nothing here goes through all accounts: single ones are looked at by
their ids, as they are now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import orjson
from django.db import connection
from django.utils import timezone

from crm.choices import COUNTRY_OF_LICENCE
from trading.leverage.margins import ROUNDING

NO_LIMIT: Final = 1000  # above every platform's highest leverage
# As `caps.limits_for`: of each class the strictest line of residence and licence; of two that are as strict, residence.
SMALL: Final = f"""
WITH line AS (
  SELECT id, category, instrument_class AS sort, unnest(countries) AS place, leverage FROM trading_leveragecap
  WHERE valid_from <= %(day)s AND (valid_until IS NULL OR valid_until >= %(day)s)
), cap AS MATERIALIZED (
  SELECT DISTINCT ON (category, place, sort) id, category, place, sort, leverage FROM line
  ORDER BY category, place, sort, leverage, id
), licence AS MATERIALIZED (SELECT id, coalesce(%(places)s::jsonb ->> jurisdiction, jurisdiction) AS place FROM crm_brand
), given AS MATERIALIZED (
  SELECT g.server_id, g.name, one.key AS sort, (one.value ->> 'rate')::numeric AS rate,
    (one.value ->> 'fixed')::numeric AS fixed, one.value ? 'unclear' AS is_unclear
  FROM trading_platformgroup g, jsonb_each(g.class_margins) one WHERE g.gone_at IS NULL
), most AS MATERIALIZED (
  SELECT server_id, name, category, place, min(leverage) AS leverage FROM (
    SELECT given.server_id, given.name, cap.category, cap.place,
      CASE WHEN cap.leverage = 0 OR given.fixed > cap.leverage * %(rounding)s THEN 0
        ELSE floor(least(cap.leverage * given.rate * %(rounding)s, {NO_LIMIT})) END AS leverage
    FROM given JOIN cap USING (sort)
  ) one WHERE leverage < {NO_LIMIT} GROUP BY 1, 2, 3, 4
)
"""  # noqa: S608
OPEN: Final = "a.state = 'open' AND NOT a.is_demo AND a.missing_since IS NULL"
_ABOVE: Final = """
FROM trading_capstanding s JOIN licence l ON l.id = s.brand_id
LEFT JOIN most home ON (home.server_id, home.name, home.category, home.place) = (s.server_id, s."group", s.category, s.country)
LEFT JOIN most there ON (there.server_id, there.name, there.category, there.place) = (s.server_id, s."group", s.category, l.place)
WHERE (%(books)s::int[] IS NULL OR s.book_id = ANY(%(books)s)) AND s.leverage > least(home.leverage, there.leverage)"""
ABOVE: Final = f"""{SMALL}, above AS MATERIALIZED (SELECT s.accounts {_ABOVE})
SELECT one.id FROM above, unnest(above.accounts) one(id) WHERE one.id > %(after)s ORDER BY one.id LIMIT %(limit)s"""  # noqa: S608
COUNT: Final = f"{SMALL} SELECT coalesce(sum(cardinality(s.accounts)), 0) {_ABOVE}"
_CLASSES: Final = """
JOIN given ON given.server_id = a.server_id AND given.name = a."group"
LEFT JOIN cap home ON home.category = c.category AND home.place = c.country AND home.sort = given.sort
LEFT JOIN cap there ON there.category = c.category AND there.place = l.place AND there.sort = given.sort"""
_TOO_MUCH: Final = """CROSS JOIN LATERAL (SELECT least(home.leverage, there.leverage) AS cap) h
WHERE (h.cap = 0 OR a.leverage > h.cap * given.rate * %(rounding)s OR given.fixed > h.cap * %(rounding)s)"""
# Each class that an account of a page has too much of: the line, the stricter of residence and licence.
CLASSES: Final = f"""{SMALL} SELECT a.id, given.sort,
  CASE WHEN home.leverage <= there.leverage OR there.id IS NULL THEN home.id ELSE there.id END,
  CASE WHEN home.leverage <= there.leverage OR there.id IS NULL THEN home.place ELSE there.place END
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id JOIN licence l ON l.id = c.brand_id {_CLASSES}
{_TOO_MUCH} AND a.id = ANY(%(ids)s) AND {OPEN} AND (%(books)s::int[] IS NULL OR c.book_id = ANY(%(books)s))
ORDER BY a.id, given.sort"""  # noqa: S608
SORTS: Final = f"""{SMALL} SELECT s.server_id, s.account_type_id, s."group", s.leverage, s.category, s.country, s.brand_id,
  array_agg(one.id ORDER BY one.id)
FROM (SELECT s.* {_ABOVE}) s CROSS JOIN LATERAL unnest(s.accounts) one(id)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY count(*) DESC, 2, 3, 4, 5, 6 LIMIT %(limit)s"""  # noqa: S608
BY_GROUP: Final = f"""{SMALL}, a AS MATERIALIZED (
  SELECT DISTINCT s.server_id, s."group", s.leverage, s.category, s.country, s.brand_id {_ABOVE}
)
SELECT a.server_id, a."group", given.sort, min(h.cap), max(a.leverage)
FROM a CROSS JOIN LATERAL (SELECT a.category, a.country) c JOIN licence l ON l.id = a.brand_id {_CLASSES}
{_TOO_MUCH} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT %(limit)s"""  # noqa: S608
UNCLEAR: Final = f"""{SMALL} SELECT s.server_id, s."group", given.sort, sum(cardinality(s.accounts))
FROM trading_capstanding s JOIN licence l ON l.id = s.brand_id
JOIN given ON given.server_id = s.server_id AND given.name = s."group" AND given.is_unclear
LEFT JOIN cap home ON home.category = s.category AND home.place = s.country AND home.sort = given.sort
LEFT JOIN cap there ON there.category = s.category AND there.place = l.place AND there.sort = given.sort
WHERE least(home.leverage, there.leverage) > 0 AND s.book_id = ANY(%(books)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT %(limit)s"""  # noqa: S608
# Accounts whose class caps nothing is told about: their group has no margins here.
SILENT: Final = f"""{SMALL}, who AS MATERIALIZED (SELECT DISTINCT category, place FROM cap)
SELECT s.server_id, sum(cardinality(s.accounts)) FROM trading_capstanding s JOIN licence l ON l.id = s.brand_id
WHERE s.book_id = ANY(%(books)s)
  AND NOT EXISTS (SELECT 1 FROM given WHERE given.server_id = s.server_id AND given.name = s."group")
  AND EXISTS (SELECT 1 FROM who WHERE who.category = s.category AND who.place IN (s.country, l.place))
GROUP BY 1 ORDER BY 1 LIMIT %(limit)s"""  # noqa: S608


def rows(
    sql: str,
    *,
    books: Iterable[int] | None,
    on: dt.date | None = None,
    limit: int = 0,
    after: int = 0,
    ids: Iterable[int] = (),
) -> list[tuple[Any, ...]]:
    """Run one of these statements, of the accounts in these books (None: of all)."""
    values: dict[str, Any] = {
        "day": on or timezone.now().date(),
        "places": orjson.dumps(COUNTRY_OF_LICENCE).decode(),
        "books": None if books is None else sorted(books),
        "rounding": ROUNDING,
        "limit": limit,
        "after": after,
        "ids": list(ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
