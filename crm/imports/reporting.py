"""One report of an import: what the dry run found, what was imported, and each row with its verdict and reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.choices import ImportVerdict
from crm.models import DataImport, ImportRow

CHUNK = 2000


def summary(batch: DataImport) -> dict[str, Any]:
    """Return the report's head as JSON: the file, how it was read, and the rows per verdict."""
    return {
        "file": batch.file_name,
        "sha256": batch.sha256,
        "bytes": batch.size_bytes,
        "brand": batch.brand.code,
        "kind": batch.kind,
        "system": batch.system,
        "mapping": batch.mapping,
        "state": batch.state,
        "counts": {verdict.value: batch.counts.get(verdict.value, 0) for verdict in ImportVerdict},
        "flagged": batch.counts.get("flagged", 0),
        "updated": batch.counts.get("updated", 0),
        "existing_records": batch.existing_records,
        "applied": batch.applied,
        "problems": batch.problems,
        "next": batch.result_url or None,
    }


def row_verdicts(batch: DataImport) -> Iterator[dict[str, Any]]:
    """Yield every row's verdict, in the order of the file."""
    for row in _rows(batch).iterator(CHUNK):
        yield {
            "line": row.line,
            "verdict": row.verdict,
            "errors": row.errors,
            "warnings": row.warnings,
            **({"changes": row.changes} if row.changes else {}),
            **({"same_as_line": row.same_as_line} if row.same_as_line else {}),
            **({"record": row.object_id} if row.object_id else {}),
        }


def reason_of(row: ImportRow) -> str:
    """Say in one line why a row is refused or flagged, or how the record here differs."""
    if row.same_as_line:
        return _("Same record as in line %(line)s") % {"line": row.same_as_line}
    problems = (f"{entry['column']}: {entry['message']}".removeprefix(": ") for entry in row.errors + row.warnings)
    return "; ".join([*problems, *(_change_text(change) for change in row.changes)])


def _change_text(change: dict[str, Any]) -> str:
    """Write one difference: what would change; once imported, whether it was changed."""
    column = change["column"]
    if change.get("kept"):
        return _("%(field)s differs and is kept (%(reason)s)") % {"field": column, "reason": change["kept"]}
    if "after" in change:
        return f"{column}: {change['before'] or '–'} → {change['after']}"
    text = _("%(field)s updated") if change.get("is_written") else _("%(field)s differs and is kept")
    return text % {"field": column}


def refused_lines(batch: DataImport) -> Iterator[list[Any]]:
    """Yield the rows that weren't taken, as the file has them, with line and reason: to correct and to import again."""
    yield [*batch.header, _("Line"), _("Result"), _("Reason")]
    rows = _rows(batch).filter(Q(verdict=ImportVerdict.REFUSED) | Q(verdict=ImportVerdict.REPEATED))
    width = len(batch.header)
    for row in rows.iterator(CHUNK):
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        yield [*cells, row.line, row.get_verdict_display(), reason_of(row)]


def report_lines(batch: DataImport) -> Iterator[list[Any]]:
    """Yield every row with its verdict, its reasons and the record that there is of it."""
    yield [_("Line"), _("Result"), _("Reason"), _("Record")]
    for row in _rows(batch).iterator(CHUNK):
        yield [row.line, row.get_verdict_display(), reason_of(row), row.object_id]


def _rows(batch: DataImport) -> Any:
    return ImportRow.objects.filter(batch=batch).order_by("line")
