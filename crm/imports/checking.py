"""The dry run: every row read, compared with the file and with what is stored, and given its verdict. Nothing else is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from crm.choices import AccessKind, DataImportState, ImportVerdict
from crm.db.bulk import analyze_new_tables, copy_rows
from crm.db.locking import lock
from crm.db.states import HasState
from crm.errors import Refusal, WrongState, outcome_of
from crm.imports import comparing, reading
from crm.imports.files import content_of
from crm.imports.kinds import OPEN_ROWS, RecordKind, Span, Staged, kind_named
from crm.imports.mapping import Mapping, read_mapping
from crm.models import DataImport, ImportRow
from crm.security import access_log

Report = Callable[[int, int, str], None]
Batch = TypeVar("Batch", bound=HasState)
COLUMNS = "batch_id line verdict is_applied errors warnings changes cells values key match_key".split()
PIECE_ROWS = 2000
# The first row with a key stays; the others name its line.
REPEATED = """
UPDATE crm_importrow r SET verdict = 'repeated', same_as_line = f.first_line
FROM (SELECT id, min(line) OVER (PARTITION BY {key}) AS first_line FROM crm_importrow
      WHERE batch_id = %(batch)s AND verdict = 'new' AND {key} <> '') f
WHERE f.id = r.id AND f.first_line < r.line
"""
REFERENCED = f"""
UPDATE crm_importrow r SET verdict = 'known', object_id = x.object_id FROM crm_externalreference x
WHERE {OPEN_ROWS} AND r.key <> '' AND x.brand_id = %(brand)s AND x.system = %(system)s AND x.kind = %(kind)s
  AND x.external_id = r.key
"""  # noqa: S608 - a constant


def check(batch: DataImport, report: Report, content: reading.Content | None = None) -> DataImport:
    """Read the whole file into rows with their verdicts and count them. An unreadable file fails with the reason.

    content: where the caller has it; else the sealed original.
    """
    read = content_of(batch) if content is None else content
    return run_check(batch, lambda: _check(batch, read, report), job="job")


def run_check(batch: Batch, check_rows: Callable[[], None], *, job: str) -> Batch:
    """Run what checks a file's rows; one that can't be read ends as failed, with the reason. job: the field of its job."""
    done = outcome_of(check_rows)
    if isinstance(done, Refusal):
        outcome_of(lambda: end_check(batch, DataImportState.FAILED, {}, [done.message], job=job))
    batch.refresh_from_db()
    return batch


@transaction.atomic
def end_check(batch: HasState, state: str, counts: dict[str, int], problems: list[str], *, job: str) -> None:
    """Note a check's result. Raises: WrongState where the file was discarded, or mapped again, since it was started."""
    now: Any = lock(type(batch), batch.pk)
    if now.state != DataImportState.CHECKING or getattr(now, f"{job}_id") != getattr(batch, f"{job}_id"):
        raise WrongState(_("This check was replaced by a later one."))
    now.move_to(state)
    now.counts, now.problems = counts, problems
    now.save(update_fields=["state", "counts", "problems"])


@transaction.atomic
def _check(batch: DataImport, content: reading.Content, report: Report) -> None:
    with connection.cursor() as cursor:  # one check of an import at a time; the next one starts from the newer mapping
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.data_import_check'), %s)", [batch.pk % 2**31])
    kind = kind_named(batch.kind)(batch)
    mapping = read_mapping(batch.mapping, kind.all_fields, batch.header)
    table = reading.open_table(content, batch.file_name, encoding=mapping.encoding, delimiter=mapping.delimiter)
    ImportRow.objects.filter(batch=batch).delete()
    staged = _values(batch, kind, mapping, table, report)
    # Piece by piece: while a COPY is open the connection answers no query, and a kind may need one.
    while piece := list(islice(staged, PIECE_ROWS)):
        copy_rows("crm_importrow", COLUMNS, piece)
    analyze_new_tables(PIECE_ROWS)
    span = Span(batch)
    for key in ("key", "match_key"):
        span.run(REPEATED.format(key=key))
    judge(kind, span)
    problems = [*same_file_before(batch), *table.problems, *ignored_columns(batch.mapping, table.header)]
    end_check(batch, DataImportState.CHECKED, count(batch), problems, job="job")
    if kind.reads_clients:
        access_log.note(
            user=batch.owner,
            kind=AccessKind.SEARCH,
            brand_id=batch.brand_id,
            target=f"import:{batch.pk}",
            rows=batch.existing_count,
            reason=batch.file_name,
        )


def judge(kind: RecordKind, span: Span) -> None:
    """Compare a span of rows with what is stored: by the other system's numbers, as the kind does, and then field by field."""
    span.run(REFERENCED)
    kind.judge(span)
    for extension in kind.extensions:
        extension.judge(span)
    if kind.compares:
        comparing.compare(kind, span)


def _values(
    batch: DataImport, kind: RecordKind, mapping: Mapping, table: reading.Table, report: Report
) -> Iterator[tuple[Any, ...]]:
    for number, cells in enumerate(table.rows, start=1):
        if number % 1000 == 0:
            report(number, 0, _("rows read"))
        row = read_row(kind, mapping, table.header, cells)
        verdict = ImportVerdict.REFUSED if row.errors else ImportVerdict.NEW
        yield (
            batch.pk,
            row.line,
            verdict.value,
            False,
            Jsonb(row.errors),
            Jsonb(row.warnings),
            Jsonb([]),
            Jsonb(cells.values),
            Jsonb(row.values),
            "" if row.errors else kind.key_of(row.values),
            "" if row.errors else kind.match_key_of(row.values),
        )


def read_row(kind: RecordKind, mapping: Mapping, header: list[str], cells: reading.Cells) -> Staged:
    """Read one row's cells into the values of a kind, with everything that is wrong with it."""
    row = Staged(cells.line)
    if cells.problem:
        row.refuse("", cells.problem)
        return row
    texts = dict(zip(header, cells.values, strict=True))
    for column, text in texts.items():
        if reading.is_formula(text):
            row.warn(column, _("Looks like a formula. It is kept as text and never calculated."))
    for entry in kind.all_fields:
        source = mapping.fields.get(entry.name)
        text = source.text_in(texts).strip() if source else ""
        column = (source.column if source else "") or str(entry.label)
        if not text:
            if entry.is_required:
                row.refuse(column, _("%(field)s is missing") % {"field": entry.label})
            continue
        value = outcome_of(lambda entry=entry, text=text: entry.value_of(text, mapping.formats))  # type: ignore[misc]
        if isinstance(value, Refusal):
            row.refuse(column, value.message)
        else:
            row.values[entry.name] = value.result
    if not row.errors:
        kind.check_row(row)
    return row


def count(batch: DataImport) -> dict[str, int]:
    """Count an import's rows per verdict, those with a warning as `flagged`, and records that were changed as `updated`."""
    rows = ImportRow.objects.filter(batch=batch).order_by()
    counts = dict(rows.values_list("verdict").annotate(Count("pk")))
    flagged = rows.filter(~Q(warnings=[])).count()
    updated = rows.filter(is_applied=True, changes__contains=[{"is_written": True}]).count()
    return {**counts, **({"flagged": flagged} if flagged else {}), **({"updated": updated} if updated else {})}


def same_file_before(batch: DataImport) -> list[str]:
    """Say whether the same file was imported before."""
    same = DataImport.objects.filter(brand_id=batch.brand_id, kind=batch.kind, sha256=batch.sha256)
    earlier = same.filter(state=DataImportState.DONE).exclude(pk=batch.pk).first()
    if earlier is None or earlier.finished_at is None:
        return []
    return [
        _("The same file was already imported on %(day)s (import %(number)s). Its records are recognised as existing.")
        % {"day": earlier.finished_at.date().isoformat(), "number": earlier.pk}
    ]


def ignored_columns(mapping: dict[str, Any], header: list[str]) -> list[str]:
    """Name the columns that nothing is mapped to."""
    used = {source.get("column") for source in mapping["fields"].values()}
    ignored = [name for name in header if name not in used]
    return [_("Ignored columns: %(names)s") % {"names": ", ".join(ignored)[:300]}] if ignored else []
