"""Files of leads that nobody is at work on: the import of a dead worker goes on, and what nobody confirmed is discarded."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.db.locking import lock
from crm.due import DueKind, due
from crm.due import declare as declare_due
from crm.imports.upkeep import DAYS_KEPT, Watch
from crm.models import DueRow
from crm.security import audit
from leads.audit_codes import LeadsAction
from leads.choices import ImportState
from leads.import_files.files import file_path
from leads.models import LeadImport, LeadImportRow


def keep_for_a_while(batch: LeadImport) -> None:
    """Keep file and lines from now on for as many days as the brand's policy says."""
    due(DELETE, key=batch.pk, at=timezone.now() + dt.timedelta(days=DAYS_KEPT.of(batch.brand)), brand_id=batch.brand_id)


def forget(batch: LeadImport) -> None:
    """Delete lines and original of an import, in the transaction that says so."""
    LeadImportRow.objects.filter(batch=batch).delete()
    transaction.on_commit(lambda: file_path(batch).unlink(missing_ok=True))


def _delete(row: DueRow) -> None:
    """Delete the lines of a finished import; discard one that nobody confirmed, unless it is at work."""
    batch = lock(LeadImport, int(row.key), "brand")
    if batch.state == ImportState.IMPORTING:
        keep_for_a_while(batch)
        return
    if batch.state not in (ImportState.DONE, ImportState.DISCARDED):
        batch.move_to(ImportState.DISCARDED)
        batch.finished_at = timezone.now()
        batch.save(update_fields=["state", "finished_at"])
        audit.record(actor=None, action=LeadsAction.IMPORT_DISCARDED, target=batch, brand_id=batch.brand_id)
    forget(batch)


WATCH = Watch(
    LeadImport,
    at_work=ImportState.IMPORTING,
    job="import_job",
    job_kind="leads.run_import",
    due_kind="leads.continue_import",
    label=gettext_lazy("Interrupted lead import"),
)
DELETE = declare_due(DueKind("leads.delete_import_lines", gettext_lazy("Deletion of lead import lines"), _delete))
