"""A list as a file: CSV streamed row by row, XLSX inline when it is small and as a job when it is not.

Exports need the table's `export_permission`, and each writes an access row with what was taken. Cells that a
spreadsheet would run as a formula are defused.
"""

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.errors import DomainError, NotAllowed
from crm.files import jobs
from crm.i18n import formats
from crm.models import Job, User
from crm.rendering import xlsx
from crm.security import access_log
from crm.security.staff_limits import require_within_limits
from crm.ui import keyset
from crm.ui.tables import Table, table_named

# Estimated rows that take about a second; a longer list is a job with a progress bar and holds no web worker.
INLINE_MAX = {"csv": 10_000, "xlsx": 5_000}
JOB = "crm.table_export"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def defuse(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers and dates stay."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _flat(value: Any) -> Any:
    if isinstance(value, datetime):
        return formats.local(value).isoformat(sep=" ", timespec="seconds")
    return "" if value is None else defuse(value)


class _Line:
    """A file that gives each written line back: csv.writer into a stream."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[list[Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file, cells that a spreadsheet would run as formulas defused."""
    writer = csv.writer(_Line())
    yield "\ufeff"  # spreadsheets recognise UTF-8 by it
    for row in rows:
        yield writer.writerow([_flat(value) for value in row])


def file_name(table: Table, ending: str) -> str:
    """Name an export by its list and today's date."""
    return f"{table.name.replace('.', '-')}-{timezone.localdate():%Y-%m-%d}.{ending}"


def require_export(table: Table) -> None:
    """Require the right to export this list. Raises: NotAllowed."""
    if not table.can_export:
        raise NotAllowed(_("Your role can't export this list."))


def export(table: Table, ending: str) -> HttpResponse | StreamingHttpResponse | Job:
    """Export the list as a download, or start the job that does. Writes the access row first: the attempt counts."""
    require_export(table)
    about = keyset.estimate(table.matching)
    access_log.note(
        user=table.user, kind=AccessKind.EXPORT, target=f"table:{table.name}.{ending}", rows=about, reason=table.query
    )
    response: HttpResponse | StreamingHttpResponse
    if ending not in INLINE_MAX:
        raise DomainError(_("Lists are exported as CSV or XLSX."))
    if about > INLINE_MAX[ending]:
        return jobs.start_job(
            JOB,
            owner=table.user,
            title=_("Export: %(list)s") % {"list": table.title},
            parameters={
                "table": table.name,
                "query": table.params.urlencode(),
                "scope": dict(table.scope),
                "about": about,
                "ending": ending,
            },
        )
    if ending == "csv":
        response = StreamingHttpResponse(csv_lines(table.export_rows()), content_type="text/csv; charset=utf-8")
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.xlsx"
            write_xlsx(table.export_rows(), path)
            response = HttpResponse(
                path.read_bytes(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            )
    response["Content-Disposition"] = f'attachment; filename="{file_name(table, ending)}"'
    response["Cache-Control"] = "no-store"
    return response


def write_csv(rows: Iterable[list[Any]], path: Path, progress: Callable[[int], object] | None = None) -> int:
    """Write rows to a CSV file; returns how many data rows it holds."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for count, line in enumerate(csv_lines(rows), start=-1):  # the mark and the headings are no rows
            file.write(line)
            if progress and count % 500 == 0:
                progress(count)
    return count


def write_xlsx(rows: Iterable[list[Any]], path: Path, progress: Callable[[int], object] | None = None) -> int:
    """Write rows to a workbook in constant memory, the headings first; returns how many data rows it holds."""
    count = 0
    with xlsx.Book(path) as book:
        sheet = book.sheet("Sheet1")
        for count, row in enumerate(rows):
            if count > xlsx.ROWS_MAX:
                raise DomainError(_("This list is too long for a worksheet. Filter it, or export it as CSV."))
            if count:
                sheet.row(row)
            else:
                sheet.headings(row)
            if progress and count % 500 == 0:
                progress(count)
    return count


@jobs.job_kind(JOB, title=gettext_lazy("Export of a list"))
def run_export(job: jobs.RunningJob) -> None:
    """Export a list in a job, read again as its owner: rights and visibility are those of the moment it runs."""
    owner = User.objects.get(pk=job.owner.pk)
    table_class = table_named(job.parameters["table"])
    if table_class is None:
        raise DomainError(_("This list no longer exists."))
    table = table_class(owner, QueryDict(job.parameters["query"]), scope=job.parameters["scope"])
    require_export(table)
    require_within_limits(owner, AccessKind.EXPORT)
    about, ending = int(job.parameters["about"]), job.parameters.get("ending", "xlsx")
    write = write_csv if ending == "csv" else write_xlsx
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{ending}"
        count = write(table.export_rows(), path, lambda n: job.progress(n, max(about, n), _("rows written")))
        job.progress(count, count)
        job.attach(file_name(table, ending), path)
