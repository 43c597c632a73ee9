"""A partner's own lists as CSV: as they read on screen, so that a name that is shortened there stays so in the file."""

from __future__ import annotations

from itertools import islice
from typing import Final

from django.http import StreamingHttpResponse

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui import exports
from crm.ui.tables import Table

ROWS_MAX: Final = 100_000


def csv_of(table: Table) -> StreamingHttpResponse:
    """Stream what matches a list's filters, the newest 100,000 rows at most; the access log says who took it."""
    access_log.note(user=table.user, kind=AccessKind.EXPORT, target=f"table:{table.name}.csv", reason=table.query)
    lines = exports.csv_lines(islice(table.export_rows(), ROWS_MAX + 1))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{exports.file_name(table, "csv")}"'
    response["Cache-Control"] = "no-store"
    return response
