"""Which report of a PSP contains which movements, and for which days it is missing.

A PSP may write several reports, each of its own kinds of movements (`adapter.report_kinds`). A report is owed for what moved:
one that would hold nothing is not missed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models.functions import TruncDate

from wallet.choices.reconciliation import Leg
from wallet.models import PspMovement, SettlementImport
from wallet.models.psp import Psp
from wallet.psp.values import ReportKind

IMPORTS_READ = 500
BACK_DAYS = 40
Span = tuple[dt.date, dt.date]


def spans_of(psp: Psp, kind: ReportKind) -> list[Span]:
    """First and last day of every report of this kind that is here."""
    rows = SettlementImport.objects.filter(psp=psp).order_by("-last_day", "-id")
    spans = rows.values_list("covers", "first_day", "last_day")[:IMPORTS_READ]
    return [(first, last) for covers, first, last in spans if set(covers) == kind.covers]


def lacking_days(psp: Psp, kind: ReportKind, first: dt.date, last: dt.date) -> list[dt.date]:
    """List the days with movements of this kind that no report contains, by matches or by its days."""
    unmatched = unreported_days([psp.pk], kind.movements, first, last)[psp.pk]
    days = set().union(*unmatched.values())
    spans = spans_of(psp, kind) if days else []
    return sorted(day for day in days if not is_within(day, spans))


def unreported_days(
    psp_ids: Collection[int], movements: Collection[str], first: dt.date, last: dt.date
) -> dict[int, dict[str, set[dt.date]]]:
    """Find the days with movements that no report's row was matched with, by PSP and kind of movement. One query for all."""
    days_by_kind: dict[int, dict[str, set[dt.date]]] = defaultdict(lambda: defaultdict(set))
    if not psp_ids:
        return days_by_kind
    unmatched = (
        PspMovement.objects.filter(
            psp_id__in=psp_ids,
            kind__in=movements,
            occurred_at__gte=_midnight(first),
            occurred_at__lt=_midnight(last + dt.timedelta(days=1)),
        )
        .exclude(matches__leg=Leg.PSP)
        .order_by()
        .values_list("psp_id", "kind", TruncDate("occurred_at", tzinfo=dt.UTC))
        .distinct()
    )
    for psp_id, kind, day in unmatched:
        days_by_kind[psp_id][kind].add(day)
    return days_by_kind


def is_called_for(psp: Psp, kind: ReportKind) -> bool:
    """Check whether anything has ever moved, or been reported, that belongs in it."""
    return psp.movements.filter(kind__in=kind.movements).exists() or bool(spans_of(psp, kind))


def reaches_to(psp: Psp, kind: ReportKind, day: dt.date) -> dt.date | None:
    """Find the last day up to which reports of this kind are here, as seen on a day; None where there is none."""
    if not kind.is_daily:
        return max((last for _first, last in spans_of(psp, kind)), default=None)
    lacking = lacking_days(psp, kind, day - dt.timedelta(days=BACK_DAYS), day)
    return lacking[0] - dt.timedelta(days=1) if lacking else day


def as_spans(days: Iterable[dt.date]) -> list[Span]:
    """Group ordered days into spans of consecutive days."""
    spans: list[Span] = []
    for day in days:
        if spans and spans[-1][1] + dt.timedelta(days=1) == day:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def is_within(day: dt.date, spans: Iterable[Span]) -> bool:
    """Check whether any of the periods contains the day."""
    return any(first <= day <= last for first, last in spans)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
