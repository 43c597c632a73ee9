"""A change to more people than a request waits for: a job makes it in parts, each a transaction, and undoes it in parts.

What changes one by one takes some hundredths of a second each. The bulk change has what the parts did so far, so that a job that is
cancelled or dies leaves a change that its page shows and that can be undone; undoing it ends the job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django.db import transaction

from crm.db.locking import lock
from crm.files.jobs import start_job
from crm.models import Job, User
from leads.bulk.changing import UNDOERS, apply_to, lock_undoable, note_undone, record_change, require_some
from leads.bulk.planning import Options, clean_options, plan
from leads.choices import BulkKind
from leads.models import BulkChange

PART: Final = 200
IN_PARTS: Final = frozenset({BulkKind.STATUS, BulkKind.TASK})
Report = Callable[[int, int], None]


def needs_parts(kind: str, count: int) -> bool:
    """Check whether so many are changed, or undone, by a job."""
    return kind in IN_PARTS and count > PART


@transaction.atomic
def begin_change(*, kind: str, options: Options, client_ids: Sequence[int], actor: User) -> Job:
    """Check a change to many and hand it to a job. Who and Raises: as `change_many`."""
    chosen = BulkKind(kind)
    require_some(plan(kind=chosen, options=options, client_ids=client_ids, user=actor))
    row = BulkChange.objects.create(kind=chosen, options=clean_options(chosen, options, actor), made_by=actor)
    parameters = {"change": row.pk, "clients": sorted(client_ids)}
    return start_job("leads.bulk_change", owner=actor, parameters=parameters, title=str(chosen.label))


def change_in_parts(*, change_id: int, client_ids: Sequence[int], report: Report) -> BulkChange:
    """Make a change part by part for who began it; who is out of their reach by now is passed over.

    Who: the job. It ends early where the change was undone meanwhile.
    """
    try:
        for start in range(0, len(client_ids), PART):
            report(start, len(client_ids))
            if not _change_part(change_id, client_ids[start : start + PART]):
                break
        report(len(client_ids), len(client_ids))
    finally:
        row = BulkChange.objects.select_related("made_by").get(pk=change_id)
        record_change(row, row.made_by)
    return row


@transaction.atomic
def _change_part(change_id: int, client_ids: Sequence[int]) -> bool:
    row = lock(BulkChange, change_id, "made_by")
    if row.undone_at is not None:
        return False
    kind = BulkKind(row.kind)
    lines = plan(kind=kind, options=row.options, client_ids=client_ids, user=row.made_by)
    changes, left_out = apply_to(lines, kind=kind, given=row.options, actor=row.made_by)
    row.changes, row.left_out = [*row.changes, *changes], [*row.left_out, *left_out]
    row.save(update_fields=["changes", "left_out"])
    return True


@transaction.atomic
def begin_undo(*, change_id: int, actor: User) -> Job:
    """Hand the undoing of a change to a job. Who and Raises: as `undo_many`."""
    row = lock_undoable(change_id, actor)
    return start_job("leads.bulk_undo", owner=actor, parameters={"change": row.pk})


def undo_in_parts(*, change_id: int, report: Report) -> BulkChange:
    """Undo a change part by part for who made it. Who: the job.

    Once more after it was interrupted: what is undone already stays so, and isn't counted.
    """
    row, undone = BulkChange.objects.select_related("made_by").get(pk=change_id), 0
    actor = row.made_by
    for start in range(0, len(row.changes), PART):
        report(start, len(row.changes))
        with transaction.atomic():
            undone += UNDOERS[BulkKind(row.kind)](row, row.changes[start : start + PART], actor)
    with transaction.atomic():
        return note_undone(lock_undoable(change_id, actor), undone, actor)
