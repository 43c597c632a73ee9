"""The pack of one settlement report: its proof, matches by rule, the result of each break, every row.

As PDF and as workbook; both have the same figures and the same hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, Job
from crm.money.amounts import Money, from_minor
from crm.rendering.report import Column, Named, Report, Row, Section
from crm.security import access_log
from crm.security.policies import require
from wallet.choices.documents import DocumentKind, Ending
from wallet.choices.reconciliation import BreakKind, BreakState, MatchRule, RowType
from wallet.core.queries import imports_visible_to
from wallet.documents import policies
from wallet.documents.making import gathers, order
from wallet.documents.pdf import look_of
from wallet.documents.store import Draft
from wallet.models import Break, SettlementImport

PDF_ROWS_MAX = 50_000
STEP = 2_000

ROWS = """
SELECT r.line, r.booked_at, r.type, r.psp_reference, r.merchant_reference, r.currency, r.gross_minor, r.fee_minor, r.net_minor,
  coalesce((SELECT string_agg(DISTINCT m.rule, ' ' ORDER BY m.rule) FROM wallet_match m WHERE m.row_id = r.id), ''),
  coalesce((SELECT string_agg(DISTINCT b.kind, ' ' ORDER BY b.kind) FROM wallet_break b WHERE b.row_id = r.id), '')
FROM wallet_settlementrow r WHERE r.report_id = %s AND r.line > %s ORDER BY r.line LIMIT %s
"""
BY_RULE = """
SELECT m.rule, r.currency, count(*), sum(r.gross_minor)::bigint FROM wallet_match m
JOIN wallet_settlementrow r ON r.id = m.row_id WHERE r.report_id = %s GROUP BY 1, 2 ORDER BY 1, 2
"""


def settlement_pack(report: SettlementImport, language: str) -> Report:
    """Build the pack as a report in a language; `report` comes with its PSP and brand."""
    with translation.override(language):
        return Report(
            key=f"psp-pack:{report.psp.code}:{report.sha256}",
            look=look_of(report.psp.brand),
            made_at=timezone.now(),
            title=_("%(psp)s: settlement pack") % {"psp": report.psp},
            subtitle=f"{report.first_day} – {report.last_day}",
            facts=[
                (_("File"), report.file_name),
                (_("SHA-256 of the file"), report.sha256),
                (_("First day"), report.first_day),
                (_("Last day"), report.last_day),
                (_("Rows"), report.row_count),
                (_("Imported by"), str(report.imported_by or _("System"))),
                (_("Imported"), report.imported_at),
            ],
            sections=[_totals(report), _rules(report), _breaks(report), _rows(report)],
        )


def _totals(report: SettlementImport) -> Section:
    names = ("opening", "gross", "fee", "net", "closing")
    titles = (_("Opening balance"), _("Gross"), _("Fees"), _("Net"), _("Closing balance"))
    return Section(
        _("Report totals"),
        _("Opening balance plus rows equals closing balance; verified on import."),
        columns=[Column(_("Currency")), *(Column(title, end=True) for title in titles)],
        rows=[
            [currency, *(Money(from_minor(totals.get(name, 0), currency), currency) for name in names)]
            for currency, totals in sorted(report.totals.items())
        ],
    )


def _rules(report: SettlementImport) -> Section:
    with connection.cursor() as cursor:
        cursor.execute(BY_RULE, [report.pk])
        rows = cursor.fetchall()
    return Section(
        _("Confirmed matches"),
        columns=[Column(_("Rule"), weight=2), Column(_("Rows"), end=True), Column(_("Total"), end=True)],
        facts=[(_("Seen in an earlier report"), report.seen_before), (_("Payout to our bank"), report.to_bank)],
        rows=[
            [_named(MatchRule, rule), count, Money.of_minor(minor, currency)] for rule, currency, count, minor in rows
        ],
        empty=_("No matches."),
    )


def _breaks(report: SettlementImport) -> Section:
    rows = Break.objects.filter(report=report).select_related("row", "movement", "entry", "resolved_by").order_by("id")
    return Section(
        _("Breaks"),
        columns=[
            Column(_("Kind")),
            Column(_("Explanation"), weight=2),
            Column(_("Reference")),
            Column(_("State")),
            Column(_("Resolution"), weight=2),
            Column(_("By")),
            Column(_("Difference (report less ledger)"), end=True),
        ],
        rows=[
            [
                _named(BreakKind, row.kind),
                Named(row.detail_code or row.detail, row.explanation),
                _reference(row),
                _named(BreakState, row.state),
                row.how_resolved,
                str(row.resolved_by or ""),
                Money.of_minor(row.difference_minor, row.currency),
            ]
            for row in rows
        ],
        empty=_("None: report and ledger match completely."),
    )


def _reference(item: Break) -> str:
    return item.movement.reference if item.movement else item.row.psp_reference if item.row else ""


def _rows(report: SettlementImport) -> Section:
    return Section(
        _("Rows"),
        columns=[
            Column(_("Line"), end=True),
            Column(_("Booked")),
            Column(_("Type")),
            Column(_("PSP reference")),
            Column(_("Our reference")),
            Column(_("Result")),
            Column(_("Gross"), end=True),
            Column(_("Fee"), end=True),
            Column(_("Net"), end=True),
        ],
        rows=lambda: _each_row(report.pk),
    )


def _each_row(report_id: int) -> Iterator[Row]:
    """Read the rows in steps by line: memory stays small however long the report is."""
    after, unmatched = 0, Named("", "–")
    while True:
        with connection.cursor() as cursor:
            cursor.execute(ROWS, [report_id, after, STEP])
            rows = cursor.fetchall()
        for line, at, kind, theirs, ours, currency, gross, fee, net, rules, breaks in rows:
            named = [_named(MatchRule, rule) for rule in rules.split()] + [
                _named(BreakKind, kind) for kind in breaks.split()
            ]
            if kind == RowType.RESERVE and not named:
                named = [Named("reserve", _("In the PSP's reserve"))]
            result = Named(" ".join(name.code for name in named), ", ".join(map(str, named))) if named else unmatched
            yield [
                line,
                at,
                _named(RowType, kind),
                theirs,
                ours,
                result,
                *(Money.of_minor(minor, currency) for minor in (gross, fee, net)),
            ]
        if len(rows) < STEP:
            return
        after = rows[-1][0]


def _named(choices: Any, value: str) -> Named:
    return Named(value, str(choices(value).label) if value in choices.values else value)


def draft_of(report: SettlementImport, language: str, ending: Ending) -> Draft:
    """Gather the pack's draft: reads every row once for the hash, and again when it is written.

    Raises DomainError for a PDF that is too long.
    """
    if ending == Ending.PDF and report.row_count > PDF_ROWS_MAX:
        raise DomainError(
            _("%(rows)d rows are too many for a PDF. Use the workbook instead.") % {"rows": report.row_count}
        )
    paper, psp = settlement_pack(report, language), report.psp
    name = f"psp-pack-{psp.code}-{report.first_day}-{report.last_day}-{report.pk}.{ending}"
    return Draft(
        kind=DocumentKind.PSP_PACK,
        brand=psp.brand,
        subject=f"report:{report.pk}",
        title=paper.title,
        file_name=name,
        language=language,
        content_hash=paper.content_hash(),
        first=report.first_day,
        last=report.last_day,
        ending=ending,
        report=paper,
        expected_rows=report.row_count + report.breaks_found,
    )


@gathers(DocumentKind.PSP_PACK)
def draft_for(owner: Any, parameters: Mapping[str, Any]) -> Draft:
    """Gather the pack of a document job; the owner's rights are checked again. Raises: NotAllowed, DomainError."""
    rows = imports_visible_to(owner).select_related("psp__brand", "imported_by").defer("psp__sealed_credentials")
    report = rows.filter(pk=parameters["report_id"]).first()
    if report is None:
        raise NotAllowed(_("You don't have access to this brand."))
    require(policies.can_make_for_brand(owner, report.psp.brand_id))
    return draft_of(report, parameters["language"], Ending(parameters["ending"]))


def order_psp_pack(*, report: SettlementImport, ending: Ending, language: str, actor: Actor) -> Job:
    """Start the job that makes the pack. Who: `wallet.make_issueddocument` on the whole brand."""
    require(policies.can_make_for_brand(actor, report.psp.brand_id))
    access_log.note(
        user=actor,
        kind=AccessKind.EXPORT,
        brand_id=report.psp.brand_id,
        rows=report.row_count,
        target=f"wallet.psp_pack:{report.pk}",
    )
    return order(
        DocumentKind.PSP_PACK,
        owner=actor,
        title=_("%(psp)s: settlement pack") % {"psp": report.psp},
        parameters={"report_id": report.pk, "ending": ending.value, "language": language},
    )
