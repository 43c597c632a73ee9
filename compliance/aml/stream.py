"""The stream of movements: written once per source row, and filled from history by the apps that move money.

record([Movement(source="deposit:17", client_id=…, …)])     # in the transaction of the handler of the event
source("wallet.deposits", deposits)                           # in the app's facts.py: all of them, for the backfill
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from decimal import Decimal
from itertools import islice
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from compliance.aml.choices import MovementKind, MovementMethod

BATCH: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that moved; fields as in `AmlMovement`."""

    source: str
    client_id: int
    brand_id: int
    kind: MovementKind
    at: dt.datetime
    method: MovementMethod
    currency: str
    amount: Decimal
    base_amount: Decimal
    instrument: str = ""
    instrument_mark: str = ""
    is_third_party: bool = False
    is_return: bool = False
    country: str = ""
    bank_country: str = ""
    card_country: str = ""
    counterpart_id: int | None = None


IBAN: Final = re.compile(r"[A-Z]{2}\d{2}(?![^\W_])")


def bank_country_of(instrument: str) -> str:
    """Read the country of a masked IBAN such as "VN12 •••• 3456"; empty for a card, a wallet address or another number."""
    return instrument[:2] if IBAN.match(instrument) else ""


COLUMNS: Final = [field.name for field in fields(Movement)]
TYPES: Final = (
    "text bigint bigint text timestamptz text text numeric numeric text text bool bool text text text bigint".split()
)
VALUES: Final = ", ".join(f"%s::{type_}[]" for type_ in TYPES)
# Queue and months are written in the same statement, in the order of the clients, so that two
# writers of the same ones wait for each other in it.
RECORD: Final = f"""
WITH made AS (
  INSERT INTO compliance_amlmovement ({", ".join(COLUMNS)}, recorded_at)
  SELECT {", ".join(COLUMNS)}, %s FROM unnest({VALUES}) AS given ({", ".join(COLUMNS)})
  ON CONFLICT (source) DO NOTHING RETURNING brand_id, client_id, at, kind, base_amount
), months AS (
  INSERT INTO compliance_amlmonth (brand_id, client_id, month, total)
  SELECT brand_id, client_id, date_trunc('month', at AT TIME ZONE 'UTC')::date, sum(base_amount)
  FROM made WHERE kind = 'deposit' GROUP BY 1, 2, 3 ORDER BY 2, 3
  ON CONFLICT (brand_id, month, client_id) DO UPDATE SET total = compliance_amlmonth.total + excluded.total
), queued AS (
  INSERT INTO compliance_amlpending (client_id, since)
  SELECT client_id, min(at) FROM made WHERE %s GROUP BY 1 ORDER BY 1
  ON CONFLICT (client_id) DO UPDATE SET since = least(compliance_amlpending.since, excluded.since)
)
SELECT count(*) FROM made
"""  # noqa: S608 - names of fields
Source = Callable[[], Iterable[Movement]]
SOURCES: Final[dict[str, Source]] = {}
TRADED: Final = """
INSERT INTO compliance_amltradingday (client_id, day, trades, lots)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::int[], %s::numeric[])
ON CONFLICT (client_id, day) DO UPDATE SET trades = excluded.trades, lots = excluded.lots
"""


def source(name: str, rows: Source) -> None:
    """Register an app's history of movements. Raises: ValueError for a name that is taken."""
    if name in SOURCES:
        raise ValueError(f"two sources of movements are called {name}")
    SOURCES[name] = rows


def record(movements: Iterable[Movement], *, is_history: bool = False) -> int:
    """Write movements that aren't there yet, in the caller's transaction, and queue their clients; returns how many.

    is_history: of what went before, for rules to be tried out on. It raises no alerts.
    """
    rows, count = iter(movements), 0
    while batch := list(islice(rows, BATCH)):
        columns = [list(column) for column in zip(*(astuple(movement) for movement in batch), strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(RECORD, [timezone.now(), *columns, not is_history])
            count += cursor.fetchone()[0]
    return count


def record_trading(days: Iterable[tuple[int, dt.date, int, Decimal]]) -> None:
    """Write what clients closed on days: (client, day, trades, lots). What was there before is replaced."""
    rows = sorted(days)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(TRADED, [list(column) for column in zip(*rows, strict=True)])


def backfill(name: str) -> int:
    """Write what a source knows and the stream lacks, as history; returns how many movements were new."""
    with transaction.atomic():
        return record(SOURCES[name](), is_history=True)
