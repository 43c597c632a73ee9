"""Applying a checked file: batch by batch, each one transaction with its marks, so that it can be killed and resumed anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import EXISTING_ROWS, DataImportState, ExistingRecords, ImportVerdict
from crm.db.bulk import analyze_new_tables, copy_models
from crm.db.locking import lock
from crm.imports import upkeep
from crm.imports.checking import Report, count, judge
from crm.imports.comparing import without_values
from crm.imports.files import file_path
from crm.imports.kinds import RecordKind, Span, kind_named
from crm.models import DataImport, ExternalReference, ImportRow
from crm.security import audit

TRIES = 3
APPLIED = """
UPDATE crm_importrow r SET is_applied = true, values = '{}', cells = '[]', match_key = '', object_id = m.object_id,
  changes = m.changes::jsonb
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) m(id, object_id, changes) WHERE r.id = m.id
"""
TO_APPLY = (ImportVerdict.NEW, *EXISTING_ROWS)


def apply(batch: DataImport, report: Report) -> DataImport:
    """Import the rest of a confirmed file. Not in a transaction: what a batch committed stays, whatever happens later.

    Two at once share the work: each batch is done under the import's lock.
    """
    in_batches(partial(_apply_batch, batch.pk), lambda done: report(done, batch.taken_count, _("rows imported")))
    batch.refresh_from_db()
    file_path(batch).unlink(missing_ok=True)
    return batch


def in_batches(step: Callable[[int], tuple[int, int] | None], report: Callable[[int], None]) -> None:
    """Run a step, one transaction, until it returns None; it is given the last line, and returns the rows done and their last.

    A step is tried again where somebody else wrote one of its people in the same moment: then they are known.
    """
    last_line = 0
    while done := _retried(step, last_line):
        applied, last_line = done
        report(applied)


def _retried(step: Callable[[int], tuple[int, int] | None], after_line: int) -> tuple[int, int] | None:
    for attempt in range(1, TRIES + 1):
        try:
            return step(after_line)
        except IntegrityError:
            if attempt == TRIES:
                raise
    raise AssertionError


def one_after_the_other(brand_id: int) -> None:
    """Have files of one brand come in one after the other, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.data_import'), %s)", [brand_id])


@transaction.atomic
def _apply_batch(import_id: int, after_line: int) -> tuple[int, int] | None:
    """Apply the next rows; return how many are applied by now and the last line. Finish where there are none, and return None.

    after_line: rows up to it are known to be done, because batches are taken in the order of the file.
    """
    batch = lock(DataImport, import_id, "brand", "owner")
    if batch.state != DataImportState.APPLYING:
        return None
    one_after_the_other(batch.brand_id)
    kind = kind_named(batch.kind)(batch)
    waiting = ImportRow.objects.filter(batch=batch, verdict__in=TO_APPLY, is_applied=False, line__gt=after_line)
    waiting = waiting.order_by("line")
    lines = list(waiting.values_list("line", flat=True)[: kind.batch_rows])
    if not lines:
        _finish(batch, kind)
        return None
    span = Span(batch, lines[0], lines[-1])
    kind.recheck(span)
    judge(kind, span)
    rows = list(waiting.filter(line__gte=lines[0], line__lte=lines[-1]))
    _write(batch, kind, rows)
    analyze_new_tables(kind.batch_rows)
    batch.applied += len(rows)
    batch.save(update_fields=["applied"])
    upkeep.WATCH.put_off(batch)
    return min(batch.applied, batch.taken_count), lines[-1]


def _write(batch: DataImport, kind: RecordKind, rows: list[ImportRow]) -> None:
    new = [row for row in rows if row.verdict == ImportVerdict.NEW]
    made = kind.apply(new)
    for extension in kind.extensions:
        extension.apply(batch, [(row, made[row.pk]) for row in new if row.pk in made])
    written = _update(batch, kind, rows)
    for row in rows:
        row.object_id = made.get(row.pk, row.object_id)
    references = {
        is_new: [
            ExternalReference(
                brand_id=batch.brand_id,
                system=batch.system,
                kind=batch.kind,
                external_id=row.key,
                object_id=row.object_id,
                batch=batch,
            )
            for row in rows
            if row.key and row.object_id and (row.verdict == ImportVerdict.NEW) == is_new
        ]
        for is_new in (True, False)
    }
    copy_models(references[True])
    ExternalReference.objects.bulk_create(references[False], ignore_conflicts=True)
    changes = [orjson.dumps(without_values(row, written.get(row.pk, set()))).decode() for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(APPLIED, [[row.pk for row in rows], [row.object_id for row in rows], changes])


def _update(batch: DataImport, kind: RecordKind, rows: list[ImportRow]) -> dict[int, set[str]]:
    """Change existing records where the uploader chose so; return what was changed by row id."""
    if batch.existing_records == ExistingRecords.KEEP:
        return {}
    changed = [row for row in rows if row.verdict == ImportVerdict.CHANGED]
    return kind.update(changed, fills_only=batch.existing_records == ExistingRecords.FILL) if changed else {}


def _finish(batch: DataImport, kind: RecordKind) -> None:
    batch.result_url = kind.finish()
    batch.counts = count(batch)
    batch.move_to(DataImportState.DONE)
    batch.finished_at = timezone.now()
    upkeep.WATCH.stop(batch)
    upkeep.keep_rows(batch)
    batch.save(update_fields=["result_url", "counts", "state", "finished_at"])
    audit.record(
        actor=batch.owner,
        action=CrmAction.DATA_IMPORTED,
        target=batch,
        brand_id=batch.brand_id,
        after={"sha256": batch.sha256, "counts": batch.counts, "applied": batch.applied},
    )
