"""What a person does with a file of leads: upload it, map its columns, confirm what the check found, or discard it.

Checking (`leads.import_files.checking`) writes a row per line, with what is wrong by column and who is known already. Importing
(`leads.import_files.applying`) reads those rows back in batches, scores and routes them with the code that takes a form's lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.custom_fields.arrivals import lead_fields
from crm.choices import JobState
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import start_job
from crm.imports.files import reading_options
from crm.imports.mapping import read_mapping
from crm.imports.reading import Table, open_table
from crm.models import Brand, Job, User
from crm.security import audit, policies
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.choices import ImportState
from leads.import_files import columns, files, upkeep
from leads.import_files.applying import TAKEN, finish, require_in_use, run
from leads.import_files.checking import check, files_before
from leads.import_files.files import file_path
from leads.import_files.reading import CustomColumns
from leads.models import Campaign, LeadImport, LeadImportRow

__all__ = ["ImportOptions", "check", "confirm", "discard", "file_path", "map_columns", "run", "start_import"]


AT_WORK = (JobState.QUEUED, JobState.RUNNING)
# A check that is under way finds its file discarded, and changes nothing.
DISCARDABLE = (ImportState.MAPPING, ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED)


@dataclass(frozen=True)
class ImportOptions:
    """What holds for lines that don't say it themselves, and whether the leads are assigned by the routing rules."""

    campaign: Campaign | None = None
    source: str = ""
    language: str = ""
    country: str = ""
    is_routed: bool = True


@transaction.atomic
def start_import(
    *, brand: Brand, actor: User, file_name: str, content: bytes | BinaryIO, options: ImportOptions = ImportOptions()
) -> LeadImport:
    """Keep a file, encrypted, and have it checked in the background where its columns are clear. Nothing is imported yet.

    Who: `leads.import_lead`, reaching the brand. Raises: NotAllowed; DomainError for a file that is no table;
    StorageFull, nothing kept.
    """
    policies.require_permission(actor, "leads.import_lead")
    if brand.pk not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))
    if brand.archived_at is not None:
        raise DomainError(_("%(brand)s is archived and takes no new leads.") % {"brand": brand})
    batch = LeadImport.objects.create(
        brand=brand,
        owner=actor,
        file_name=file_name[:160],
        campaign=options.campaign,
        source=options.source[:60].lower(),
        language=options.language,
        country=options.country,
        is_routed=options.is_routed,
    )
    written = files.keep(batch, content)
    try:
        table = files.open_file(batch, rows_max=1)
    except BaseException:
        file_path(batch).unlink(missing_ok=True)
        raise
    batch.sha256, batch.header = written.sha256, table.header
    is_clear = _guess_columns(batch, table)
    batch.problems = [*files_before(batch), *table.problems]
    upkeep.keep_for_a_while(batch)
    audit.record(
        actor=actor,
        action=LeadsAction.IMPORT_STARTED,
        target=batch,
        brand_id=brand.pk,
        after={"file": batch.file_name, "bytes": written.size_bytes, "sha256": written.sha256},
    )
    if is_clear:
        _start_check(batch, actor)
    batch.save()
    return batch


def _guess_columns(batch: LeadImport, table: Table) -> bool:
    """Map the columns as those of the last file like this one, else by their names; tell whether that is certain."""
    before = LeadImport.objects.filter(brand_id=batch.brand_id, header=table.header).exclude(state=ImportState.MAPPING)
    like_it = before.exclude(pk=batch.pk).exclude(mapping={}).order_by("-pk").first()
    custom = CustomColumns(lead_fields(batch.brand_id))
    names = {field.name for field in columns.fields_of(custom)}
    if like_it is not None and like_it.mapping["fields"].keys() <= names:
        batch.mapping = like_it.mapping
        return True
    guess = columns.guess(table.header, custom)
    batch.mapping = guess.mapping.as_json()
    return guess.is_sure


def _start_check(batch: LeadImport, actor: User) -> None:
    batch.move_to(ImportState.CHECKING)
    batch.check_job = start_job(
        "leads.check_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
    )


@transaction.atomic
def map_columns(*, import_id: int, actor: User, definition: dict[str, Any]) -> LeadImport:
    """Set which column is which field and have the whole file checked (again). Nothing is imported yet.

    Who: the import's owner, while they may import. Raises: NotAllowed; DomainError that names the field or column; WrongState
    once the import is confirmed.
    """
    batch = _locked(import_id, actor)
    options = reading_options(definition)
    if options != reading_options(batch.mapping):
        batch.header = open_table(files.content_of(batch), batch.file_name, rows_max=1, **options).header
    mapping = read_mapping(definition, columns.fields_of(CustomColumns(lead_fields(batch.brand_id))), batch.header)
    if not {"email", "phone"} & mapping.fields.keys():
        raise DomainError(_("Choose the column of the e-mail address or of the phone number."))
    batch.mapping = mapping.as_json()
    _start_check(batch, actor)
    batch.save(update_fields=["state", "mapping", "header", "check_job"])
    return batch


@transaction.atomic
def confirm(*, import_id: int, actor: User) -> LeadImport:
    """Import a file's leads in the background, once its owner has seen the preview; or go on where an import stopped.

    Who: the import's owner, while they may import. Raises: NotAllowed; WrongState when the file isn't checked, or has no line
    that can be imported.
    """
    batch = _locked(import_id, actor)
    goes_on = batch.state == ImportState.IMPORTING and is_stopped(batch)
    if batch.state != ImportState.CHECKED and not goes_on:
        raise WrongState(_("This file isn't ready to import."))
    if not (batch.counts.get("new") or batch.counts.get("known")):
        raise WrongState(_("None of the lines in this file can be imported."))
    require_in_use(batch)
    batch.move_to(ImportState.IMPORTING)
    batch.import_job = start_job(
        "leads.run_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
    )
    batch.save(update_fields=["state", "import_job"])
    upkeep.WATCH.put_off(batch)
    return batch


@transaction.atomic
def discard(*, import_id: int, actor: User) -> LeadImport:
    """Discard a file that wasn't imported, with its rows and the original; of an import that stopped, the rest of its lines.

    Leads that were imported stay. Who: the import's owner. Raises: NotAllowed; WrongState while it is being imported or is done.
    """
    batch = _locked(import_id, actor)
    if batch.state == ImportState.IMPORTING and is_stopped(batch):
        left, _of = LeadImportRow.objects.filter(batch=batch, verdict__in=TAKEN).delete()
        batch.problems = [*batch.problems, _("Stopped: %(count)s lines weren't imported.") % {"count": left}]
        finish(batch)
        return batch
    if batch.state not in DISCARDABLE:
        raise WrongState(_("This file can't be discarded in its current state."))
    batch.move_to(ImportState.DISCARDED)
    batch.finished_at = timezone.now()
    batch.save(update_fields=["state", "finished_at"])
    upkeep.forget(batch)
    audit.record(actor=actor, action=LeadsAction.IMPORT_DISCARDED, target=batch, brand_id=batch.brand_id)
    return batch


def is_stopped(batch: LeadImport) -> bool:
    """Tell whether the job at work on a file was cancelled, failed or lost its worker, so that it may be started again."""
    jobs = {ImportState.CHECKING: batch.check_job_id, ImportState.IMPORTING: batch.import_job_id}
    job_id = jobs.get(ImportState(batch.state))
    return job_id is not None and not Job.objects.filter(pk=job_id, state__in=AT_WORK).exists()


def _locked(import_id: int, actor: User) -> LeadImport:
    policies.require_permission(actor, "leads.import_lead")
    batch = lock(LeadImport, import_id, "brand", "owner")
    if batch.owner_id != actor.pk:
        raise NotAllowed(_("This import belongs to someone else."))
    return batch
