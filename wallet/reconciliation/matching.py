"""One run: stage, match, name, suggest, book. All in the caller's transaction, one run of a PSP at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from crm.models import Actor
from wallet.bank import payout_matching
from wallet.choices.reconciliation import BreakState, Leg
from wallet.models import Break, Psp, SettlementImport, SettlementRow
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import booking, closing, naming, passes, reserves, staging, suggesting

ANALYZE_ROWS_MIN = 5_000
RECENT_DAYS = 45
MATCHED = """
SELECT (SELECT count(*) FROM recon_row WHERE report_id = %(report)s) - (
  SELECT count(*) FROM recon_left WHERE report_id = %(report)s)
"""


@transaction.atomic
def match_report(report: SettlementImport) -> None:
    """Match a report whose rows have just been stored, once; name its breaks, book it. Sets the counts; the caller
    saves them."""
    lock_psp(report.psp_id)
    report.seen_before = 0
    if SettlementImport.objects.filter(psp_id=report.psp_id, pk__lt=report.pk).exists():
        with connection.cursor() as cursor:
            cursor.execute(staging.REPEATS, {"psp": report.psp_id, "report": report.pk})
            report.seen_before = cursor.rowcount
    report.breaks_found, report.matched = _run(report.psp, report, actor=report.imported_by)
    report.to_bank = booking.book_payouts(report)
    report.booked = SettlementImport.objects.values_list("booked", flat=True).get(pk=report.pk)
    payout_matching.match_payouts(report.psp.brand_id)


@transaction.atomic
def rematch(psp_id: int) -> int:
    """Look at a PSP's open rows and movements again, e.g. once an hour; returns how many new breaks there are."""
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    lock_psp(psp_id)
    return _run(psp, None)[0]


def with_open_breaks() -> list[int]:
    """PSPs that have something left to explain."""
    rows = Break.objects.filter(state=BreakState.OPEN, leg=Leg.PSP, psp__isnull=False)
    return [pk for pk in rows.order_by("psp_id").values_list("psp_id", flat=True).distinct() if pk]


def _days(psp: Psp, report: SettlementImport | None) -> tuple[dt.date, dt.date] | None:
    """Find the days whose movements are matched: the report's, or those of the last weeks' reports."""
    if report is not None:
        return report.first_day, report.last_day
    recent = SettlementImport.objects.filter(
        psp=psp, last_day__gte=timezone.now().date() - dt.timedelta(days=RECENT_DAYS)
    )
    days = recent.aggregate(first=Min("first_day"), last=Max("last_day"))
    return (days["first"], days["last"]) if days["first"] else None


def _run(psp: Psp, report: SettlementImport | None, *, actor: Actor = None) -> tuple[int, int]:
    """Match, and return how many breaks were opened and how many of the report's rows are matched."""
    days = _days(psp, report)
    values = {
        "psp": psp.pk,
        "report": report.pk if report else 0,
        "since": _midnight(days[0]) if days else None,
        "until": _midnight(days[1] + dt.timedelta(days=1)) if days else None,
    }
    with connection.cursor() as cursor:
        staging.stage(cursor, values)
        stored = passes.run_passes(cursor, psp.pk)
        of_reserves = reserves.take(cursor, psp_id=psp.pk, report_id=report.pk if report else 0)
        opened, closed = naming.name_breaks(cursor, psp_id=psp.pk, brand_id=psp.brand_id, report=report)
        suggesting.suggest(cursor, psp.pk)
        cursor.execute("SELECT DISTINCT report_id FROM recon_row")
        touched = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(MATCHED, values)
        matched = cursor.fetchone()[0]
        if stored >= ANALYZE_ROWS_MIN:
            cursor.execute("SELECT keelson_analyze('wallet_match')")
        cursor.execute(staging.DONE)
    closing.withdraw_postings(closed)
    booking.book({*touched, *of_reserves, *([report.pk] if report else [])}, actor=actor)
    return opened, matched


def book_again(row_ids: Iterable[int], *, actor: Actor) -> None:
    """Correct fees and conversions of the rows' reports after a match was made or undone by hand."""
    reports = SettlementRow.objects.filter(pk__in=list(row_ids)).values_list("report_id", flat=True).distinct()
    booking.book(reports, actor=actor)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
