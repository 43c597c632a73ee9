"""What happens to an import with time: one whose worker died goes on, and what is kept of rows is deleted after some days."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crm.audit_codes import CrmAction
from crm.brand_policies import Count, Policy, PolicyArea, declare
from crm.choices import DataImportState, DueState, JobState
from crm.db.locking import lock
from crm.due import DueKind, cancel, due
from crm.due import declare as declare_due
from crm.files.jobs import give_up, start_job
from crm.imports.files import file_path
from crm.models import DataImport, DueRow, ImportRow, Job
from crm.security import audit

# A batch takes a second or two; after this long without one nobody is at work.
STALLED_AFTER = dt.timedelta(minutes=5)
DAYS_KEPT = declare(
    Policy(
        "data_import_days_kept",
        PolicyArea.ACCESS,
        gettext_lazy("Days in which rows of an import are kept"),
        Count(1, 365, gettext_lazy("days")),
        30,
        gettext_lazy("Refused rows of a finished import, and everything of an unfinished one."),
        needs_four_eyes=False,
    )
)


class Watch:
    """Has the import of a dead worker go on: a due row that each batch puts off, for the imports of one table."""

    def __init__(
        self, model: type[Any], *, at_work: str, job: str, job_kind: str, due_kind: str, label: Promise
    ) -> None:
        """at_work: the state in which batches are imported. job: the field that names the job, which is of `job_kind`."""
        self.model, self.at_work, self.job, self.job_kind = model, at_work, job, job_kind
        self.kind = declare_due(DueKind(due_kind, label, self.go_on))

    def put_off(self, batch: Any) -> None:
        """Have the import continued where no further batch is imported for a while."""
        due(self.kind, key=batch.pk, at=timezone.now() + STALLED_AFTER, brand_id=batch.brand_id)

    def stop(self, batch: Any) -> None:
        """Leave a finished import alone."""
        cancel(self.kind, batch.pk)

    def go_on(self, row: DueRow) -> None:
        """Start the job again of an import whose worker died. One that failed or was cancelled waits for a person."""
        batch = lock(self.model, int(row.key))
        job: Job | None = getattr(batch, self.job)
        if batch.state != self.at_work or job is None or batch.owner is None:
            return
        if job.state == JobState.RUNNING:
            give_up(job.pk)
            job = start_job(self.job_kind, owner=batch.owner, parameters={"import": batch.pk}, title=batch.file_name)
            setattr(batch, self.job, job)
            batch.save(update_fields=[self.job])
        if job.state in (JobState.QUEUED, JobState.RUNNING):
            self.put_off(batch)


def kept_until(batch: DataImport) -> dt.datetime | None:
    """Tell until when file and rows are kept; None where nothing is kept."""
    rows = DueRow.objects.filter(kind=DELETE.code, key=str(batch.pk), state=DueState.PENDING)
    return rows.values_list("at", flat=True).first()


def keep_rows(batch: DataImport) -> None:
    """Keep file and rows from now on for as many days as the brand's policy says."""
    due(DELETE, key=batch.pk, at=timezone.now() + dt.timedelta(days=DAYS_KEPT.of(batch.brand)), brand_id=batch.brand_id)


def forget_rows(batch: DataImport) -> None:
    """Delete rows and original of an import, in the transaction that says so."""
    ImportRow.objects.filter(batch=batch).delete()
    cancel(DELETE, batch.pk)
    transaction.on_commit(lambda: file_path(batch).unlink(missing_ok=True))


def _delete(row: DueRow) -> None:
    """Delete the rows of a finished import; discard one that nobody finished, unless it is at work."""
    batch = lock(DataImport, int(row.key), "brand")
    if batch.rows_deleted_at is not None:
        return
    if batch.state == DataImportState.APPLYING:
        keep_rows(batch)
        return
    is_done = batch.state == DataImportState.DONE
    if not is_done:
        batch.move_to(DataImportState.DISCARDED)
        batch.finished_at = timezone.now()
    batch.rows_deleted_at = timezone.now()
    batch.save(update_fields=["state", "finished_at", "rows_deleted_at"])
    forget_rows(batch)
    audit.record(
        actor=None,
        action=CrmAction.DATA_IMPORT_ROWS_DELETED if is_done else CrmAction.DATA_IMPORT_DISCARDED,
        target=batch,
        brand_id=batch.brand_id,
        after={"counts": batch.counts},
    )


WATCH = Watch(
    DataImport,
    at_work=DataImportState.APPLYING,
    job="job",
    job_kind="crm.apply_data_import",
    due_kind="crm.continue_import",
    label=gettext_lazy("Interrupted data import"),
)
DELETE = declare_due(DueKind("crm.delete_import_rows", gettext_lazy("Deletion of imported rows"), _delete))
