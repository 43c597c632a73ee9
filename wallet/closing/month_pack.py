"""The pack of a month: everything that its closing is based on, as one report, or as an archive with evidence.

The same report is written as PDF and as XLSX, so both carry the same hash of their figures. The archive adds the
client money report, the trial balance as CSV, and a manifest with the SHA-256 of every file in it and of every report
and statement of the month as it was received. PDF and workbook are stored as documents: listed, and proved by their
hashes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.models import Actor
from crm.money.amounts import Money, from_minor
from crm.rendering.report import Column, Named, Report, Row, Section
from wallet.choices.documents import DocumentKind, Ending
from wallet.choices.month_end import PeriodState
from wallet.choices.reconciliation import BreakState
from wallet.closing import client_money_report, trial_balance
from wallet.closing.checklist import end_of_month
from wallet.closing.month_end import MonthEnd, month_end_of, reports_of, statements_of
from wallet.core.months import Month
from wallet.documents.making import make
from wallet.documents.pdf import look_of
from wallet.documents.store import Draft, content_of
from wallet.models import Break, IssuedDocument, ManualJournal, MonthSignOff, Period

Progress = Callable[[int, int, str], None]
BREAKS_AT_ONCE = 1_000


def month_report(period: Period) -> Report:
    """Build the report of a month: of an open one a draft, of a closed one its closing."""
    month_end = month_end_of(period)
    return Report(
        key=f"month-pack:{period.brand.code}:{period}:{period.closings}",
        title=_("Month pack %(month)s") % {"month": period},
        subtitle=str(period.get_state_display()),
        look=look_of(period.brand),
        made_at=timezone.now(),
        facts=_facts(month_end),
        sections=list(_sections(month_end)),
    )


def _facts(month_end: MonthEnd) -> list[tuple[str, Any]]:
    period = month_end.period
    facts: list[tuple[str, Any]] = [
        (_("Firm"), period.brand.legal_name),
        (_("Licence"), period.brand.licence_number),
        (_("From"), period.first_day),
        (pgettext("day", "To"), period.last_day),
        (_("State"), Named(period.state, str(period.get_state_display()))),
    ]
    if period.state == PeriodState.CLOSED:
        facts += [
            (_("Closed"), period.closed_at),
            (_("Closed by"), str(period.closed_by)),
            (_("Closing number"), period.closings),
            (_("Note"), period.note),
        ]
    return facts


def _sections(month_end: MonthEnd) -> Iterator[Section]:
    period = month_end.period
    yield _signatures(month_end)
    if month_end.checks:
        yield Section(
            _("Checklist"),
            columns=[Column(_("Check"), weight=1.5), Column(_("State")), Column(_("Finding"), weight=3)],
            rows=[[str(check.label), _state(check), check.words] for check in month_end.checks],
        )
    yield _source_lines(month_end)
    yield _files(period)
    yield _ageing(month_end)
    yield Section(
        _("Breaks and resolutions"),
        columns=_break_columns(),
        rows=lambda: _break_rows(period),
        empty=_("No breaks in this month."),
    )
    yield _revaluation(month_end)
    yield from _client_money(month_end)
    yield _journals(period)
    yield from _trial(month_end)


def _state(check: Any) -> Named:
    if check.is_fine:
        return Named("fine", _("OK"))
    return Named("blocks", _("Blocking")) if check.blocks else Named("look", _("Warning"))


def _signatures(month_end: MonthEnd) -> Section:
    rows: Iterable[MonthSignOff] = month_end.closed_by or month_end.signatures.valid
    return Section(
        _("Signatures"),
        text=_("Two people sign the same figures, identified by their hash, before a month is closed."),
        columns=[
            Column(_("Name")),
            Column(_("When")),
            Column(_("Note"), weight=1.5),
            Column(_("Open when signed"), weight=2),
            Column(_("Hash of the figures"), weight=2),
        ],
        rows=[[str(row.signed_by), row.signed_at, row.note, " ".join(row.checks), row.figures_hash] for row in rows],
        empty=_("No signatures yet."),
    )


def _source_lines(month_end: MonthEnd) -> Section:
    return Section(
        _("Sources"),
        text=_("The brand's PSPs, banks and trading servers, with the days for which they haven't reported."),
        columns=[
            Column(_("Source"), weight=1.5),
            Column(_("Kind")),
            Column(_("Missing days"), weight=2),
            Column(_("Files"), end=True),
            Column(_("Rows"), end=True),
            Column(_("Matched"), end=True),
            Column(_("Open breaks"), end=True),
            Column(_("Closing balance reported"), end=True, weight=1.5),
        ],
        rows=[
            [
                line.source.label,
                Named(line.source.kind, str(line.source.kind.label)),
                ", ".join(f"{first:%Y-%m-%d}…{last:%Y-%m-%d}" for first, last in line.gaps),
                line.files,
                line.rows,
                line.matched,
                line.breaks,
                " ".join(str(money) for money in line.sums),
            ]
            for line in month_end.sources
        ],
    )


def _files(period: Period) -> Section:
    """List every report and statement with its hash: the evidence as it was received, stored encrypted."""

    def rows() -> Iterator[Row]:
        for report in reports_of(period).iterator(chunk_size=200):
            for currency, totals in sorted(report.totals.items()) or [("", {})]:
                yield [
                    str(report.psp),
                    report.file_name,
                    report.first_day,
                    report.last_day,
                    report.row_count,
                    *(
                        Money.of_minor(int(totals[name]), currency) if name in totals else ""
                        for name in ("opening", "net", "closing")
                    ),
                    report.sha256,
                ]
        for file in statements_of(period):
            for statement in file.statements:
                currency = statement.get("currency") or ""
                yield [
                    str(file.psp),
                    file.file_name,
                    statement["first"],
                    statement["last"],
                    statement["entries"],
                    _minor(statement.get("opening"), currency),
                    "",
                    _minor(statement.get("closing"), currency),
                    file.sha256,
                ]

    return Section(
        _("Files"),
        text=_("Each file was verified on import: opening balance plus rows equals closing balance."),
        columns=[
            Column(_("Source")),
            Column(_("File"), weight=1.5),
            Column(_("From")),
            Column(pgettext("day", "To")),
            Column(_("Rows"), end=True),
            Column(_("Opening balance"), end=True),
            Column(_("Net"), end=True),
            Column(_("Closing balance"), end=True),
            Column("SHA-256", weight=2),
        ],
        rows=list(rows()),
        empty=_("No files in this month."),
    )


def _minor(value: Any, currency: str) -> Any:
    return "" if value is None or not currency else Money.of_minor(int(value), currency)


def _ageing(month_end: MonthEnd) -> Section:
    from wallet.closing.month_end import AGES

    return Section(
        _("Open breaks by age"),
        columns=[
            Column(_("Kind"), weight=1.5),
            Column(_("Currency")),
            *(Column(str(words), end=True) for words in AGES),
            Column(_("Count"), end=True),
            Column(_("Total"), end=True),
        ],
        rows=[
            [
                Named(row.kind, row.label),
                row.currency,
                *(Money(part, row.currency) if part else None for part in row.sums),
                row.count,
                Money(row.total, row.currency),
            ]
            for row in month_end.ageing
        ],
        empty=_("No open breaks."),
    )


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def breaks_of(period: Period) -> QuerySet[Break]:
    """Select breaks whose money moved in the month, and earlier ones that were open then or resolved in it."""
    month = Month(period.first_day)
    return Break.objects.filter(brand_id=period.brand_id, happened_at__lt=end_of_month(period)).filter(
        Q(happened_at__date__gte=month.first) | Q(state=BreakState.OPEN) | Q(resolved_at__date__gte=month.first)
    )


def _break_columns() -> list[Column]:
    return [
        Column(_("No."), end=True),
        Column(_("Kind")),
        Column(_("PSP")),
        Column(_("Difference"), weight=3),
        Column(_("Amount"), end=True),
        Column(_("Day")),
        Column(_("State")),
        Column(_("Resolution"), weight=2),
        Column(_("By")),
    ]


def _break_rows(period: Period) -> Iterator[Row]:
    """Read breaks in steps, so that memory stays small however many there are."""
    after = 0
    while True:
        rows = list(
            breaks_of(period)
            .filter(pk__gt=after)
            .select_related("psp", "row", "movement", "entry", "resolved_by")
            .defer("psp__sealed_credentials")
            .order_by("pk")[:BREAKS_AT_ONCE]
        )
        for row in rows:
            yield [
                row.pk,
                Named(row.kind, str(row.get_kind_display())),
                str(row.psp or ""),
                row.explanation,
                Money(row.difference, row.currency),
                row.happened_at,
                Named(row.state, str(row.get_state_display())),
                row.how_resolved,
                str(row.resolved_by or ""),
            ]
        if len(rows) < BREAKS_AT_ONCE:
            return
        after = rows[-1].pk


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _revaluation(month_end: MonthEnd) -> Section:
    result = month_end.revaluation
    return Section(
        _("Foreign currencies"),
        text=_("The company's FX position at the ECB rates of the last day of the month."),
        facts=[(_("To post"), result.result_money), (_("Posted this month"), Money(result.posted, result.base))],
        columns=[
            Column(_("Currency")),
            Column(_("FX position"), end=True),
            Column(_("Rate"), end=True),
            Column(_("Rate date")),
            Column(_("In %(base)s") % {"base": result.base}, end=True),
        ],
        rows=[
            [
                row.currency,
                Money(row.balance, row.currency),
                row.rate,
                row.rate_on,
                None if row.worth is None else Money(row.worth.quantize(from_minor(1, result.base)), result.base),
            ]
            for row in result.positions
        ],
        empty=_("No exchanges."),
    )


def _client_money(month_end: MonthEnd) -> Iterator[Section]:
    report = client_money_report.report_of(month_end.period.brand, Month(month_end.period.first_day))
    if not report.sections:
        yield Section(_("Client money"), empty=_("Not calculated for any day."), columns=[Column(_("Day"))])
    for section in report.sections:
        yield Section(
            _("Client money: %(what)s") % {"what": section.title},
            facts=section.facts,
            columns=section.columns,
            rows=section.rows,
        )


def _journals(period: Period) -> Section:
    rows = (
        ManualJournal.objects.filter(
            brand_id=period.brand_id, business_on__range=(period.first_day, period.last_day), journal__isnull=False
        )
        .select_related("requested_by", "decided_by")
        .order_by("pk")
    )
    return Section(
        _("Manual journals"),
        columns=[
            Column(_("Reference")),
            Column(_("Day")),
            Column(_("Reason"), weight=3),
            Column(_("Created by")),
            Column(_("Posted by")),
        ],
        rows=[[row.reference, row.business_on, row.reason, str(row.requested_by), str(row.decided_by)] for row in rows],
        empty=_("None this month."),
    )


def _trial(month_end: MonthEnd) -> Iterator[Section]:
    for part in month_end.trial.parts:
        yield Section(
            _("Trial balance %(currency)s") % {"currency": part.currency},
            text=_("Positive balances are credits."),
            columns=[
                Column(_("Account"), weight=2),
                Column(_("Accounts"), end=True),
                Column(_("Opening balance"), end=True),
                Column(_("Debits"), end=True),
                Column(_("Credits"), end=True),
                Column(_("Closing balance"), end=True),
            ],
            rows=[[Named(row.kind, row.label), row.accounts, *_money(part.currency, row)] for row in part.rows],
            total=[Named("sum", _("Total")), None, *_money(part.currency, part)],
        )


def _money(currency: str, row: Any) -> list[Money]:
    return [Money(amount, currency) for amount in (row.opening, row.debits, row.credits, row.closing)]


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def draft_of(period: Period, ending: Ending, language: str) -> Draft:
    """Gather the pack as a document: its figures are read for the hash now, and again when it is written."""
    with translation.override(language):
        paper = month_report(period)
        return Draft(
            kind=DocumentKind.MONTH_PACK,
            brand=period.brand,
            subject=f"month:{period}",
            title=paper.title,
            file_name=f"month-{period.brand.code}-{period}.{ending}",
            language=language,
            content_hash=paper.content_hash(),
            first=period.first_day,
            last=period.last_day,
            ending=ending,
            report=paper,
            expected_rows=breaks_of(period).count(),
        )


def make_pack(
    period: Period, ending: Ending, *, language: str, made_by: Actor, progress: Progress = lambda *_args: None
) -> IssuedDocument:
    """Make the pack as PDF or workbook, stored as a document: the same figures return the file that was made before."""
    return make(draft_of(period, ending, language), made_by=made_by, progress=progress)


def write_archive(
    period: Period, target: Path, *, language: str, made_by: Actor, progress: Progress = lambda *_args: None
) -> list[IssuedDocument]:
    """Write PDF, workbook and evidence as one ZIP; return the two documents, whose very bytes are in it."""
    name = f"{period.brand.code}-{period}"
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        place, documents = Path(folder), []
        for number, (ending, words) in enumerate(
            ((Ending.PDF, _("Creating the PDF")), (Ending.XLSX, _("Creating the workbook")))
        ):
            progress(number, 5, words)
            documents.append(make_pack(period, ending, language=language, made_by=made_by))
            with (place / f"month-{name}.{ending}").open("wb") as file:
                file.writelines(content_of(documents[-1]))
        progress(2, 5, _("Client money"))
        month = Month(period.first_day)
        client_money_report.write_csv(period.brand, month, place / f"client-money-{name}.csv")
        progress(3, 5, _("Trial balance"))
        if period.state == PeriodState.CLOSED:
            trial_balance.write_csv(period, period.closings, place / f"trial-balance-{name}.csv", lambda *_args: None)
        progress(4, 5, _("Manifest"))
        files = sorted(place.iterdir())
        for path in files:
            archive.write(path, path.name)
        archive.writestr("manifest.json", _manifest(period, documents[0].content_hash, files))
    progress(5, 5, "")
    return documents


def _manifest(period: Period, content_hash: str, files: list[Path]) -> str:
    sources = [
        {
            "source": report.psp.code,
            "file": report.file_name,
            "sha256": report.sha256,
            "rows": report.row_count,
            "first": report.first_day.isoformat(),
            "last": report.last_day.isoformat(),
        }
        for report in reports_of(period)
    ] + [
        {"source": file.psp.code, "file": file.file_name, "sha256": file.sha256, "rows": file.entries_new}
        for file in statements_of(period)
    ]
    signed = [
        {
            "by": str(signature.signed_by),
            "at": signature.signed_at.isoformat(),
            "figures": signature.figures_hash,
            "note": signature.note,
        }
        for signature in MonthSignOff.objects.filter(
            period=period, closing=period.closings or 1, withdrawn_at__isnull=True
        ).select_related("signed_by")
    ]
    body = {
        "brand": period.brand.code,
        "month": str(period),
        "state": period.state,
        "closing": period.closings,
        "content_hash": content_hash,
        "signed": signed,
        "evidence": sources,
        "files": {path.name: _sha256(path) for path in files},
    }
    return json.dumps(body, indent=2, ensure_ascii=False)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
