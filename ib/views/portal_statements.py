"""A partner's monthly statement as a file: PDF for the records, CSV with each trade."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.http import Http404, HttpResponse, StreamingHttpResponse

from crm.choices import AccessKind
from crm.rendering.pdf_stream import write_pdf
from crm.security import access_log
from crm.ui.exports import csv_lines
from crm.web.requests import UserRequest
from ib.models import Partner, SettlementPeriod
from ib.partner_pages import statements
from ib.views.guards import partner_page


@partner_page
def statement(
    request: UserRequest, partner: Partner, period_id: int, ending: str
) -> HttpResponse | StreamingHttpResponse:
    """Download the statement of one settlement period of the partner's brand."""
    period = SettlementPeriod.objects.filter(pk=period_id, brand_id=partner.brand_id).first()
    if period is None:
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.EXPORT,
        brand_id=partner.brand_id,
        target=f"ib.statement:{period.pk}.{ending}",
    )
    response: HttpResponse | StreamingHttpResponse
    if ending == "csv":
        response = StreamingHttpResponse(
            csv_lines(statements.trade_lines(partner, period)), content_type="text/csv; charset=utf-8"
        )
    else:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "statement.pdf"
            write_pdf(statements.statement_of(partner, period), target)
            response = HttpResponse(target.read_bytes(), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="commissions-{partner.code}-{period.name}.{ending}"'
    response["Cache-Control"] = "no-store"
    return response
