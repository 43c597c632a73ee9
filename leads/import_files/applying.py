"""Importing a checked file batch by batch, each one transaction: it can be stopped or killed anywhere and goes on from there.

A line is deleted in the transaction that writes its lead: none is captured twice, none is lost.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.bulk import analyze_new_tables
from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import LeadsImported, publish
from crm.i18n.localized_text import phrase
from crm.imports.applying import in_batches, one_after_the_other
from crm.imports.checking import Report
from crm.models import Brand
from crm.notices.notify import notify
from crm.security import audit
from leads.audit_codes import LeadsAction
from leads.choices import ImportState, LeadsNotice, RowVerdict
from leads.import_files import upkeep
from leads.import_files.checking import count, find_known, judge_countries
from leads.import_files.files import file_path
from leads.import_files.writing import Writer
from leads.models import LeadImport, LeadImportRow

# Agents are held while a batch is written: the lead of a form waits for it. Smaller ones cost no more (docs/performance.md).
BATCH_ROWS = 500
TAKEN = (RowVerdict.NEW, RowVerdict.KNOWN)


def run(batch: LeadImport, report: Report) -> LeadImport:
    """Import the rest of a confirmed file. Not in a transaction: what a batch committed stays, whatever happens later."""
    judge_countries(batch)  # the rules may have changed since the check
    left = LeadImportRow.objects.filter(batch=batch, verdict__in=TAKEN).count()
    total = left + written_count(LeadImport.objects.get(pk=batch.pk))
    in_batches(partial(_import_batch, batch.pk), lambda done: report(min(done, total), total, _("leads imported")))
    batch.refresh_from_db()
    return batch


def written_count(batch: LeadImport) -> int:
    """Count the leads that were imported so far."""
    return int(batch.written.get("new", 0) + batch.written.get("known", 0))


@transaction.atomic
def _import_batch(import_id: int, after_line: int) -> tuple[int, int] | None:
    """Import the next lines; return how many leads there are by now and the last line. Finish where none is left: None.

    after_line: lines up to it are known to be done, because batches are taken in the order of the file.
    """
    batch = lock(LeadImport, import_id, "brand", "owner")
    if batch.state != ImportState.IMPORTING:
        return None
    require_in_use(batch)
    one_after_the_other(batch.brand_id)
    waiting = LeadImportRow.objects.filter(batch=batch, verdict__in=TAKEN, line__gt=after_line).order_by("line")
    lines = list(waiting.values_list("line", flat=True)[:BATCH_ROWS])
    if not lines:
        finish(batch)
        return None
    judge_countries(batch, lines[0], lines[-1])
    find_known(batch, lines[0], lines[-1])  # someone may have come in since
    rows = list(waiting.filter(line__lte=lines[-1]))
    writer = Writer(batch)
    writer.write(rows)
    writer.finish()
    LeadImportRow.objects.filter(pk__in=[row.pk for row in rows if row.verdict in TAKEN]).delete()
    _note(batch, writer)
    analyze_new_tables(BATCH_ROWS)
    upkeep.WATCH.put_off(batch)
    return written_count(batch), lines[-1]


def _note(batch: LeadImport, writer: Writer) -> None:
    agents = Counter(batch.written.get("agents", {}))
    agents.update({str(pk): number for pk, number in writer.per_agent.items()})
    batch.written = {
        "new": batch.written.get("new", 0) + writer.new,
        "known": batch.written.get("known", 0) + writer.known,
        "agents": dict(agents),
    }
    batch.save(update_fields=["written"])


def finish(batch: LeadImport) -> None:
    """End an import in the caller's transaction: the lines that weren't taken stay, and each agent is notified once."""
    new, known = batch.written.get("new", 0), batch.written.get("known", 0)
    batch.move_to(ImportState.DONE)
    batch.finished_at = timezone.now()
    batch.counts = {**count(batch), "new": new, "known": known}
    batch.save(update_fields=["state", "finished_at", "counts", "problems"])
    upkeep.WATCH.stop(batch)
    transaction.on_commit(lambda: file_path(batch).unlink(missing_ok=True))
    audit.record(
        actor=batch.owner, action=LeadsAction.IMPORTED, target=batch, brand_id=batch.brand_id, after=batch.counts
    )
    publish(LeadsImported(import_id=batch.pk, brand_id=batch.brand_id, new=new, known=known), actor=batch.owner)
    for agent_id, leads in batch.written.get("agents", {}).items():
        notify(
            [int(agent_id)],
            kind=LeadsNotice.IMPORTED,
            title=phrase("New leads from an import: %(count)s") % {"count": leads},
            body=batch.file_name,
            url="/leads/",
            dedupe_key=f"leads.imported:{batch.pk}",
        )


def require_in_use(batch: LeadImport) -> None:
    """Refuse leads for a brand that was archived since the file was uploaded. Raises: WrongState."""
    brand = Brand.objects.get(pk=batch.brand_id)
    if brand.archived_at is not None:
        raise WrongState(_("%(brand)s is archived and takes no new leads.") % {"brand": brand})
