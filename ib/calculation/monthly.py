"""What is paid by month: a line per client, month and partner upline, beside those of deals and corrected as they are.

A month's lines are written in the night after its end and before its period is settled; they stay right by being calculated
again each night until another month has passed, and later by a replay. Running it again writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from crm.models import Brand
from crm.money import amounts
from crm.rates import fx
from ib import periods
from ib.calculation import beside, caps, facts, months, wanted
from ib.calculation.tried import Instead
from ib.calculation.wanted import Features
from ib.choices import MONTHLY, RunKind
from ib.engine import EngineResult
from ib.models import CommissionRun

# So many months that have ended are looked at each night, and before a period is settled.
REVIEWED: Final = 2
EVERYBODY: Final = "true"
OF_CLIENTS: Final = "c.id = ANY (%(clients)s)"
ONLY_THESE: Final = "DELETE FROM ib_wanted WHERE deal_id <> ALL (%(deal_ids)s)"


@dataclass(frozen=True)
class Span:
    """A month by its first day, and the part of it that counts: all of it, or what a what-if looks at."""

    month: dt.date
    from_at: dt.datetime
    to_at: dt.datetime
    part: Decimal = Decimal(1)


def spans_between(brand: Brand, from_at: dt.datetime, to_at: dt.datetime) -> list[Span]:
    """List the months that a stretch of time touches, each cut to it."""
    zone, spans, at = ZoneInfo(brand.time_zone), [], from_at
    while at < to_at:
        lower, upper = periods.month_of(at, zone)
        first, last = max(lower, from_at), min(upper, to_at)
        part = Decimal(round((last - first) / (upper - lower) * 10**8)) / 10**8
        spans.append(Span(lower.astimezone(zone).date(), first, last, part))
        at = upper
    return spans


def ended_within(brand: Brand, from_at: dt.datetime, to_at: dt.datetime) -> list[Span]:
    """List the whole months whose last instant lies in a stretch of time."""
    zone = ZoneInfo(brand.time_zone)
    first, _end = periods.month_of(from_at, zone)
    moment = dt.timedelta(microseconds=1)
    return [
        span for span in spans_between(brand, first, to_at) if from_at <= span.to_at - moment and _is_whole(span, zone)
    ]


def _is_whole(span: Span, zone: ZoneInfo) -> bool:
    return periods.month_of(span.from_at, zone) == (span.from_at, span.to_at)


@transaction.atomic
def review_months(*, brand: Brand, at: dt.datetime | None = None) -> EngineResult:
    """Calculate the last months that have ended, and correct what was calculated of them before. Who: the system's own work."""
    periods.lock_commissions(brand.pk)
    now = at or timezone.now()
    spans = ended_within(brand, now - dt.timedelta(days=31 * REVIEWED), now)
    return calculate(brand, spans[-REVIEWED:])


def calculate(
    brand: Brand,
    spans: Sequence[Span],
    *,
    client_ids: list[int] | None = None,
    run: CommissionRun | None = None,
    source: str = "",
) -> EngineResult:
    """Write what whole months earn, and the difference to what was written of them before; `client_ids`: of some clients only.

    run: of which the lines are a part; else a run of its own, kept where it wrote something. Call with the brand's
    commissions locked.
    """
    outcome, now = EngineResult(), timezone.now()
    with connection.cursor() as cursor:
        features = beside.features_beside(cursor, brand, None)
        if not features.has_monthly or not spans:
            _drop(cursor)
            return outcome
        about = _about(brand, spans, client_ids)
        clients = EVERYBODY if client_ids is None else OF_CLIENTS
        # What a client's lots are of a pot is known by everybody's.
        looked_at = EVERYBODY if features.has_pot else clients
        _gather_money(cursor, brand, about, looked_at, features)
        for statement in months.KEPT:
            cursor.execute(statement.format(clients=looked_at), {**about, "now": now})
        cursor.execute(months.IDS.format(clients=clients), about)
        ids = [pk for (pk,) in cursor.fetchall()]
        _lay_out(cursor, brand, features, about)
        if not ids:
            _drop(cursor)
            return outcome
        periods.ensure_periods(brand, min(span.from_at for span in spans), now)
        late = periods.open_period(brand.pk)
        assert late is not None, "now is always in an open period"
        row = run or CommissionRun.objects.create(
            brand=brand, kind=RunKind.MONTHLY, from_at=spans[0].from_at, to_at=spans[-1].to_at, started_at=now
        )
        given = {"brand": brand.pk, "run": row.pk, "now": now, "late": late.pk, "source": source, "deal_ids": ids}
        _write(cursor, features, given, outcome, brand)
        _drop(cursor)
    if run is None:
        _keep(row, outcome)
    return outcome


def number_months(brand: Brand, spans: Sequence[Span], client_ids: list[int] | None) -> None:
    """Give months that are new a number, without a line. Call with the brand's commissions locked."""
    with connection.cursor() as cursor:
        features = beside.features_beside(cursor, brand, None) if spans else None
        if features and features.has_monthly:
            about = _about(brand, spans, client_ids)
            is_everybody = client_ids is None or features.has_pot
            _gather_money(cursor, brand, about, EVERYBODY if is_everybody else OF_CLIENTS, features)
            cursor.execute(months.NAMED, {**about, "now": timezone.now()})
        _drop(cursor)


def _write(
    cursor: CursorWrapper, features: Features, given: dict[str, Any], outcome: EngineResult, brand: Brand
) -> None:
    cursor.execute(wanted.statement(features, is_monthly=True), given)
    if features.has_pot:
        cursor.execute(ONLY_THESE, given)
    beside.write_lines(cursor, features, given, outcome, brand)


def _keep(row: CommissionRun, outcome: EngineResult) -> None:
    if not outcome.rows:
        row.delete()
        return
    row.accrued, row.excluded, row.corrected = outcome.accrued, outcome.excluded, outcome.corrected
    row.finished_at = timezone.now()
    row.save()


def tried(
    brand: Brand, from_at: dt.datetime, to_at: dt.datetime, *, currency: str, instead: Instead | None
) -> dict[int, tuple[Decimal, Decimal]]:
    """Calculate a stretch of time without writing: {partner: (earned, cost of their own clients' months)} in a currency.

    `instead`: with a version tried out. Of months that the stretch touches in part that part counts. Call in a transaction.
    """
    with connection.cursor() as cursor:
        features = beside.features_beside(cursor, brand, instead)
        spans = spans_between(brand, from_at, to_at)
        if not features.has_monthly or not spans:
            _drop(cursor)
            return {}
        about = _about(brand, spans, None)
        _gather_money(cursor, brand, about, EVERYBODY, features)
        _lay_out(cursor, brand, features, about, instead, currency)
        cursor.execute(wanted.statement(features, is_monthly=True), {"brand": brand.pk, "late": 0})
        if features.has_caps:
            cursor.execute(caps.TRIED, {"zone": brand.time_zone})
        cursor.execute(beside.EARNED, {"currency": currency})
        found = {partner_id: (earned, cost) for partner_id, earned, cost in cursor.fetchall()}
        _drop(cursor)
    return found


def _about(brand: Brand, spans: Sequence[Span], client_ids: list[int] | None) -> dict[str, Any]:
    return {
        "brand": brand.pk,
        "base": brand.base_currency,
        "months": [span.month for span in spans],
        "from": [span.from_at for span in spans],
        "to": [span.to_at for span in spans],
        "parts": [span.part for span in spans],
        "clients": client_ids,
    }


def _gather_money(cursor: CursorWrapper, brand: Brand, about: dict[str, Any], clients: str, features: Features) -> None:
    """Fill `ib_month` with what the broker earned from each client, in the brand's base currency."""
    cursor.execute(months.SPELLS.format(clients=clients, agreements=features.agreements), about)
    for statement in months.MONEY:
        cursor.execute(statement)
    cursor.execute(months.ASKED)
    asked = cursor.fetchall()
    cursor.execute(months.RATES)
    currencies = {currency for currency, _day in asked if currency}
    known = fx.rates_of_days(currencies, [brand.base_currency], {day for _currency, day in asked})
    if known:
        cursor.executemany(
            "INSERT INTO ib_base VALUES (%s, %s, %s, %s)",
            [
                (currency, day, round(rate.rate, 10), amounts.from_minor(1, currency))
                for (currency, _base, day), rate in sorted(known.items())
            ],
        )
    cursor.execute(months.SUMMED)


def _lay_out(
    cursor: CursorWrapper,
    brand: Brand,
    features: Features,
    about: dict[str, Any],
    instead: Instead | None = None,
    currency: str = "",
) -> None:
    """Lay the months out as the deals of a pass, with all that it asks of them. currency: in which a what-if compares."""
    cursor.execute(months.CLOSING.format(**(months.TRIED if currency else months.NUMBERED)), about)
    beside.lay_beside(
        cursor, brand, features, components=MONTHLY, bases={brand.base_currency}, instead=instead, currency=currency
    )


def _drop(cursor: CursorWrapper) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join((*facts.TABLES, *months.TABLES))}")
