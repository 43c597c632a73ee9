"""Comparing rows with the records that are here already: "unchanged", or "differs" with what would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection

from crm.choices import EXISTING_ROWS, ImportVerdict
from crm.imports.kinds import Difference, RecordKind, Span
from crm.models import ImportRow

PIECE_ROWS = 2000
WRITTEN = """
UPDATE crm_importrow r SET verdict = m.verdict, changes = m.changes::jsonb
FROM unnest(%s::bigint[], %s::text[], %s::text[]) m(id, verdict, changes) WHERE r.id = m.id
"""


def compare(kind: RecordKind, span: Span) -> None:
    """Give each open row of an existing record its verdict, and note how the record differs."""
    rows = ImportRow.objects.filter(batch=span.batch, verdict__in=EXISTING_ROWS, is_applied=False, line__lte=span.last)
    after = span.first - 1
    while piece := list(rows.filter(line__gt=after, object_id__isnull=False).order_by("line")[:PIECE_ROWS]):
        _write(piece, kind.differences(piece))
        after = piece[-1].line


def _write(rows: Sequence[ImportRow], found: dict[int, list[Difference]]) -> None:
    verdicts, changes = [], []
    for row in rows:
        differences = found.get(row.pk, [])
        is_changed = any(not difference.kept for difference in differences)
        verdicts.append((ImportVerdict.CHANGED if is_changed else ImportVerdict.SAME).value)
        changes.append(orjson.dumps([difference.as_json() for difference in differences]).decode())
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, [[row.pk for row in rows], verdicts, changes])


def without_values(row: ImportRow, written: set[str]) -> list[dict[str, Any]]:
    """Say what is kept of a row's differences once it is imported: their fields, not what was in them."""
    return [
        {name: value for name, value in change.items() if name not in ("before", "after")}
        | ({"is_written": True} if change["field"] in written else {})
        for change in row.changes
    ]
