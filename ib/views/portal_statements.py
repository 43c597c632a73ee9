"""A partner's statement as a file: PDF for the records, CSV with each trade."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse

from crm.choices import AccessKind
from crm.rendering.pdf_stream import write_pdf
from crm.security import access_log
from crm.ui.exports import csv_lines
from crm.web.requests import UserRequest
from ib.choices import PartnerRight
from ib.models import CreditNote, CreditNoteFile, InvoiceFile, Partner, SelfBillingInvoice, Settlement
from ib.partner_pages import statements
from ib.partner_pages.statements import Statement
from ib.views.applications import agreement_file
from ib.views.guards import partner_page


@partner_page(PartnerRight.SEE_MONEY)
def statement(
    request: UserRequest, partner: Partner, settlement_id: int, ending: str
) -> HttpResponse | StreamingHttpResponse:
    """Download the statement of one of the partner's settlements."""
    row = Settlement.objects.select_related("previous").filter(pk=settlement_id, partner=partner).first()
    if row is None:
        raise Http404
    return statement_file(request, Statement(partner, row), ending)


@partner_page(PartnerRight.SEE_MONEY)
def open_statement(request: UserRequest, partner: Partner, ending: str) -> HttpResponse | StreamingHttpResponse:
    """Download what isn't settled yet, as a provisional statement."""
    return statement_file(request, Statement(partner), ending)


@partner_page(PartnerRight.SEE_MONEY)
def agreement(request: UserRequest, partner: Partner) -> HttpResponse:
    """Download the partner agreement as it was accepted."""
    return agreement_file(partner)


@partner_page(PartnerRight.SEE_MONEY)
def invoice(request: UserRequest, partner: Partner, settlement_id: int) -> HttpResponse:
    """Download the self-billing invoice of one of the partner's settlements."""
    return invoice_file(request, Settlement.objects.filter(partner=partner), settlement_id)


def invoice_file(request: UserRequest, settlements: QuerySet[Settlement], settlement_id: int) -> HttpResponse:
    """Return the PDF of an invoice as it was issued; 404 where there is none, or not yet."""
    file = (
        InvoiceFile.objects.select_related("invoice__brand")
        .filter(invoice__settlement__in=settlements.filter(pk=settlement_id))
        .first()
    )
    if file is None:
        raise Http404
    return _kept(request, file.invoice, bytes(file.content))


@partner_page(PartnerRight.SEE_MONEY)
def credit_note(request: UserRequest, partner: Partner, note_id: int) -> HttpResponse:
    """Download a credit note for one of the partner's invoices."""
    return credit_note_file(request, CreditNote.objects.filter(partner=partner), note_id)


def credit_note_file(request: UserRequest, notes: QuerySet[CreditNote], note_id: int) -> HttpResponse:
    """Return the PDF of a credit note as it was issued; 404 where there is none, or not yet."""
    file = CreditNoteFile.objects.select_related("note__brand").filter(note__in=notes.filter(pk=note_id)).first()
    if file is None:
        raise Http404
    return _kept(request, file.note, bytes(file.content))


def _kept(request: UserRequest, document: SelfBillingInvoice | CreditNote, content: bytes) -> HttpResponse:
    access_log.note(
        user=request.user, kind=AccessKind.EXPORT, brand_id=document.brand_id, target=f"ib.invoice:{document.reference}"
    )
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{document.reference}.pdf"'
    response["Cache-Control"] = "no-store"
    return response


def statement_file(request: UserRequest, about: Statement, ending: str) -> HttpResponse | StreamingHttpResponse:
    """Write a statement as PDF, or its trades as CSV; staff get the same one."""
    partner = about.partner
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=partner.brand_id,
        target=f"ib.statement:{about.settlement.pk if about.settlement else partner.code}.{ending}",
    )
    response: HttpResponse | StreamingHttpResponse
    if ending == "csv":
        response = StreamingHttpResponse(
            csv_lines(statements.trade_lines(about)), content_type="text/csv; charset=utf-8"
        )
    else:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "statement.pdf"
            write_pdf(statements.statement_of(about), target)
            response = HttpResponse(target.read_bytes(), content_type="application/pdf")
    name = about.name.replace(" ", "-").replace(":", "")
    response["Content-Disposition"] = f'attachment; filename="commissions-{partner.code}-{name}.{ending}"'
    response["Cache-Control"] = "no-store"
    return response
