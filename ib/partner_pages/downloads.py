"""A partner's own lists as CSV: as they read on screen, so that a name that is shortened there stays so in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui import exports
from crm.ui.tables import Column, MoneyColumn, Table

ROWS_MAX: Final = 100_000


def _with_currencies(columns: Iterable[Column]) -> Iterator[Column]:
    """Put each amount's currency beside it: a file has no symbols, and amounts are of several currencies."""
    for column in columns:
        yield column
        if isinstance(column, MoneyColumn):
            yield Column(f"{column.name}_currency", _("Currency"), value=partial(_currency, column))


def _currency(column: MoneyColumn, row: Any) -> str:
    value = column.read(row)
    return "" if value is None else column.read_money(value, row)[1]


def csv_file(lines: Iterable[list[Any]], name: str) -> StreamingHttpResponse:
    """Stream rows as a CSV file, nothing of which is kept on the way."""
    response = StreamingHttpResponse(exports.csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def csv_of(table: Table) -> StreamingHttpResponse:
    """Stream what matches a list's filters, the newest 100,000 rows at most; the access log says who took it."""
    table.shown_columns = list(_with_currencies(table.shown_columns))
    access_log.note(user=table.user, kind=AccessKind.EXPORT, target=f"table:{table.name}.csv", reason=table.query)
    name = exports.file_name(table, "csv").removesuffix(".csv")
    return csv_file(islice(table.export_rows(), ROWS_MAX + 1), name)
