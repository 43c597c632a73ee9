"""Opposite trades: two clients stand against each other on one symbol, so that one's loss is the other's gain.

record_positions([ClosedPosition(source="17:5001", client_id=…, …)])     # as positions are closed, in the caller's transaction

Each new position is compared with those of other clients of the brand that were opened and closed about when it was. A single
match says nothing: on a busy symbol strangers meet by chance. Once the same two clients are matched again within `AGAIN`, these
matches become movements of both (`trade_gain`, `trade_loss`), which the measure adds up. What is written is never changed, so a
back-test reads what a live rule read. Positions that a dealer edits or deletes later stay as they were.

FATF, "Money Laundering and Terrorist Financing in the Securities Sector" (2009), annex: pre-arranged trades that move value from
one account to another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from django.db import connection

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.aml.stream import Movement, record

BATCH: Final = 2_000
LOCK: Final = (
    0x4B_41_4F_54  # an advisory lock of our own: two batches that don't see each other would miss what is between them
)
# How far apart two positions may be opened, and closed; how much their volumes and their results may differ; how many matches of
# a position are kept, the nearest first; and within which time the same two clients are matched again.
APART: Final = dt.timedelta(minutes=5)
VOLUME: Final = Decimal("1.25")
RESULT: Final = Decimal(2)
MATCHES_MAX: Final = 20
AGAIN: Final = dt.timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPosition:
    """A position that was closed; fields as in `AmlClosedPosition`."""

    source: str
    client_id: int
    brand_id: int
    login: str
    symbol: str
    is_long: bool
    volume: Decimal
    opened_at: dt.datetime
    closed_at: dt.datetime
    net_base: Decimal


COLUMNS: Final = [field.name for field in fields(ClosedPosition)]
TYPES: Final = "text bigint bigint text text bool numeric timestamptz timestamptz numeric".split()
KEEP: Final = f"""
INSERT INTO compliance_amlclosedposition ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM unnest({", ".join(f"%s::{type_}[]" for type_ in TYPES)}) AS given ({", ".join(COLUMNS)})
ORDER BY closed_at, source ON CONFLICT (source) DO NOTHING RETURNING id
"""  # noqa: S608 - names of fields
MATCH: Final = """
INSERT INTO compliance_amloppositetrade (won_id, lost_id, winner_id, loser_id, at, amount, is_streamed)
SELECT w.id, l.id, w.client_id, l.client_id, greatest(n.closed_at, o.closed_at), least(w.net_base, -l.net_base), false
FROM compliance_amlclosedposition n
CROSS JOIN LATERAL (
  SELECT c.* FROM compliance_amlclosedposition c
  WHERE c.brand_id = n.brand_id AND c.symbol = n.symbol
    AND c.opened_at BETWEEN n.opened_at - %(apart)s AND n.opened_at + %(apart)s
    AND c.closed_at BETWEEN n.closed_at - %(apart)s AND n.closed_at + %(apart)s
    AND c.opened_at < n.closed_at AND n.opened_at < c.closed_at
    AND c.is_long <> n.is_long AND c.client_id <> n.client_id AND c.net_base * n.net_base < 0
    AND c.volume BETWEEN n.volume / %(volume)s AND n.volume * %(volume)s
    AND abs(c.net_base) BETWEEN abs(n.net_base) / %(result)s AND abs(n.net_base) * %(result)s
  ORDER BY abs(extract(epoch FROM c.opened_at - n.opened_at)), c.id LIMIT %(most)s
) o
JOIN compliance_amlclosedposition w ON w.id = CASE WHEN n.net_base > 0 THEN n.id ELSE o.id END
JOIN compliance_amlclosedposition l ON l.id = CASE WHEN n.net_base > 0 THEN o.id ELSE n.id END
WHERE n.id = ANY(%(new)s) AND n.net_base <> 0
ON CONFLICT (won_id, lost_id) DO NOTHING RETURNING winner_id, loser_id
"""
# Both directions: who wins today may lose tomorrow.
STREAM: Final = """
WITH couples AS (
  SELECT DISTINCT least(a, b) AS a, greatest(a, b) AS b FROM unnest(%(winners)s::bigint[], %(losers)s::bigint[]) t (a, b)
), theirs AS (
  SELECT c.a, c.b, t.id, t.at, t.is_streamed FROM couples c
  JOIN compliance_amloppositetrade t ON (t.winner_id, t.loser_id) IN ((c.a, c.b), (c.b, c.a))
), again AS (
  SELECT t.id FROM theirs t WHERE NOT t.is_streamed AND EXISTS (
    SELECT 1 FROM theirs o WHERE o.a = t.a AND o.b = t.b AND o.id <> t.id AND o.at BETWEEN t.at - %(again)s AND t.at + %(again)s)
), taken AS (
  UPDATE compliance_amloppositetrade t SET is_streamed = true FROM again WHERE t.id = again.id
  RETURNING t.id, t.winner_id, t.loser_id, t.at, t.amount, t.won_id
)
SELECT t.id, t.at, t.amount, p.symbol, p.brand_id, b.base_currency, t.winner_id, w.country, t.loser_id, l.country
FROM taken t JOIN compliance_amlclosedposition p ON p.id = t.won_id JOIN crm_brand b ON b.id = p.brand_id
JOIN clients_client w ON w.id = t.winner_id JOIN clients_client l ON l.id = t.loser_id ORDER BY t.id
"""


def record_positions(positions: Iterable[ClosedPosition], *, is_history: bool = False) -> int:
    """Keep closed positions that aren't known yet, match them, and write repeated matches to the stream, in the caller's
    transaction; returns the number of new matches.

    is_history: as `stream.record`.
    """
    rows, count = iter(positions), 0
    while batch := list(islice(rows, BATCH)):
        count += _record(batch, is_history=is_history)
    return count


def _record(batch: list[ClosedPosition], *, is_history: bool) -> int:
    columns = [list(column) for column in zip(*(astuple(position) for position in batch), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(KEEP, columns)
        new = [pk for (pk,) in cursor.fetchall()]
        if not new:
            return 0
        limits: dict[str, Any] = {"apart": APART, "volume": VOLUME, "result": RESULT, "most": MATCHES_MAX}
        cursor.execute(MATCH, {"new": new, **limits})
        found = cursor.fetchall()
        if not found:
            return 0
        winners, losers = ([row[place] for row in found] for place in (0, 1))
        couples: dict[str, Any] = {"winners": winners, "losers": losers, "again": AGAIN}
        cursor.execute(STREAM, couples)
        repeated = cursor.fetchall()
    record((movement for row in repeated for movement in _movements(*row)), is_history=is_history)
    return len(found)


def _movements(  # noqa: PLR0913  a row of `STREAM`
    pk: int,
    at: dt.datetime,
    amount: Decimal,
    symbol: str,
    brand_id: int,
    currency: str,
    winner_id: int,
    winner_country: str,
    loser_id: int,
    loser_country: str,
) -> Iterable[Movement]:
    sides = (
        (MovementKind.TRADE_GAIN, winner_id, winner_country, loser_id),
        (MovementKind.TRADE_LOSS, loser_id, loser_country, winner_id),
    )
    for kind, client_id, country, other_id in sides:
        yield Movement(
            source=f"opposite:{pk}:{kind.value}",
            client_id=client_id,
            brand_id=brand_id,
            kind=kind,
            at=at,
            method=MovementMethod.TRADE,
            instrument=symbol,
            currency=currency,
            amount=amount,
            base_amount=amount,
            country=country,
            counterpart_id=other_id,
        )
