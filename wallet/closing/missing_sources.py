"""Finds which sources of a brand have not reported some days of a month, for all of them together."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import DateField, Value
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.i18n import formats
from wallet.bank import positions
from wallet.choices.month_end import RunState, SourceKind
from wallet.closing.checklist import end_of_month, midnight
from wallet.models import Period, Psp, PspMovement, SettlementImport, SourceRun
from wallet.psp import adapter_of
from wallet.reconciliation.report_expectations import Span, as_spans, is_within, unreported_days
from wallet.reconciliation.source_runs import Source, gaps, sources_of


@dataclass(frozen=True, slots=True)
class Missing:
    """A source without a report for some days of the month. report: which one, of a PSP that writes several."""

    source: Source
    periods: tuple[tuple[dt.date, dt.date], ...]
    is_whole_month: bool = False
    report: str | Promise = ""

    @property
    def words(self) -> str:
        name = f"{self.source.label} ({self.report})" if self.report else self.source.label
        if self.is_whole_month:
            return _("%(source)s: whole month") % {"source": name}
        spans = ", ".join(
            formats.day(first) if first == last else f"{formats.day(first)} – {formats.day(last)}"
            for first, last in self.periods
        )
        return f"{name}: {spans}"


def last_due(period: Period) -> dt.date | None:
    """Return the last day of the month that is over, None while its first day lasts: nothing later can be missing."""
    last = min(period.last_day, timezone.now().date() - dt.timedelta(days=1))
    return last if last >= period.first_day else None


def due_from(period: Period) -> dt.date | None:
    """Return the first day of the month that is not over; None when all are."""
    today = timezone.now().date()
    return max(today, period.first_day) if today <= period.last_day else None


def missing_sources(
    period: Period, sources: Collection[Source] | None = None, runs: Collection[SourceRun] | None = None
) -> list[Missing]:
    """List the sources with the days that they haven't reported.

    PSPs and banks report by their files, servers by their daily runs. Only days that are over are due. A PSP's report
    is due only for movements that it would contain. The number of queries is the same for any number of sources.
    """
    until = last_due(period)
    if until is None:
        return []
    sources = sources_of([period.brand]) if sources is None else sources
    runs = platform_runs(period) if runs is None else runs
    reported, missing = reported_days(period, until, sources, runs), []
    for source in sources:
        for report, lacking in _lacking(source, period, until, reported):
            if lacking:
                whole = lacking == [(period.first_day, period.last_day)]
                missing.append(Missing(source, tuple(lacking), whole, report))
    return missing


def _lacking(
    source: Source, period: Period, until: dt.date, reported: ReportedDays
) -> Iterator[tuple[str | Promise, list[Span]]]:
    """Yield what a source owes, by report, with the days up to `until` that it hasn't reported."""
    if source.server is not None:
        yield "", gaps([(day, day) for day in reported.runs.get(source.server.pk, ())], period.first_day, until)
        return
    psp = source.psp
    assert psp is not None
    if source.kind == SourceKind.BANK:
        spans = reported.statements[psp.pk]
        if spans or _was_there(psp, period):
            yield "", gaps(spans, period.first_day, until)
        return
    kinds, moved = adapter_of(psp).report_kinds(), reported.moved.get(psp.pk, set())
    for kind in kinds:
        has_moved, name = bool(kind.movements & moved), kind.label if len(kinds) > 1 else ""
        spans = reported.reports.get((psp.pk, kind.covers), [])
        if kind.is_daily:
            if has_moved:
                unmatched = reported.unreported.get(psp.pk, {})
                days = {day for movement_kind in kind.movements for day in unmatched.get(movement_kind, ())}
                yield name, as_spans(sorted(day for day in days if not is_within(day, spans)))
        elif has_moved or spans:
            yield name, gaps(spans, period.first_day, until)


def _was_there(psp: Psp, period: Period) -> bool:
    return psp.is_enabled and psp.created_at < end_of_month(period)


# ── what each has said ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ReportedDays:
    """What the sources of a brand have reported of a month up to a day. The number of queries is fixed.

    moved: kinds of movements by PSP. reports: spans by PSP and what they cover; a later one counts as the day after
    `until`.
    unreported: days of daily reports by PSP and kind of movement. statements: spans by PSP. runs: good days by server.
    """

    moved: Mapping[int, set[str]]
    reports: Mapping[tuple[int, frozenset[str]], list[Span]]
    unreported: Mapping[int, Mapping[str, set[dt.date]]]
    statements: Mapping[int, list[Span]]
    runs: Mapping[int, list[dt.date]]


def reported_days(
    period: Period, until: dt.date, sources: Collection[Source], runs: Collection[SourceRun]
) -> ReportedDays:
    """Read what the sources of a brand have reported of a month up to a day."""
    psps = [source.psp for source in sources if source.psp and source.kind == SourceKind.PSP]
    banks = [source.psp.pk for source in sources if source.psp and source.kind == SourceKind.BANK]
    return ReportedDays(
        moved=_moved(period),
        reports=_reports(period, until),
        unreported=_unreported(psps, period.first_day, until),
        statements=positions.statement_days(banks),
        runs=_good_days(runs),
    )


def _moved(period: Period) -> dict[int, set[str]]:
    moved: dict[int, set[str]] = defaultdict(set)
    rows = PspMovement.objects.filter(
        psp__brand_id=period.brand_id, occurred_at__gte=midnight(period.first_day), occurred_at__lt=end_of_month(period)
    )
    for psp_id, kind in rows.order_by().values_list("psp_id", "kind").distinct():
        moved[psp_id].add(kind)
    return moved


def _reports(period: Period, until: dt.date) -> dict[tuple[int, frozenset[str]], list[Span]]:
    """Read the spans of reports; however many came after the month, they are one row per PSP and kind."""
    after = Value(until + dt.timedelta(days=1), output_field=DateField())
    rows = SettlementImport.objects.filter(psp__brand_id=period.brand_id, last_day__gte=period.first_day)
    spans: dict[tuple[int, frozenset[str]], list[Span]] = defaultdict(list)
    for psp_id, covers, first, last in (
        rows.order_by().values_list("psp_id", "covers", Least("first_day", after), Least("last_day", after)).distinct()
    ):
        spans[psp_id, frozenset(covers)].append((first, last))
    return spans


def _unreported(psps: Collection[Psp], first: dt.date, until: dt.date) -> dict[int, dict[str, set[dt.date]]]:
    kinds = {psp.pk: [kind for kind in adapter_of(psp).report_kinds() if kind.is_daily] for psp in psps}
    daily = [pk for pk, psp_kinds in kinds.items() if psp_kinds]
    movements = {
        movement_kind for psp_kinds in kinds.values() for kind in psp_kinds for movement_kind in kind.movements
    }
    return unreported_days(daily, movements, first, until)


def platform_runs(period: Period) -> list[SourceRun]:
    """List the daily runs of all trading servers in the month."""
    days = (period.first_day, period.last_day)
    return list(SourceRun.objects.filter(brand_id=period.brand_id, source=SourceKind.PLATFORM, day__range=days))


def _good_days(runs: Collection[SourceRun]) -> dict[int, list[dt.date]]:
    days: dict[int, list[dt.date]] = defaultdict(list)
    for run in runs:
        if run.server_id is not None and run.state in (RunState.AGREES, RunState.BREAKS):
            days[run.server_id].append(run.day)
    return days
