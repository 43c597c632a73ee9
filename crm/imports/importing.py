"""What a person does with a file of another system: upload it, map its columns, confirm what the check found, or discard it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import DataImportState, ExistingRecords, JobState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.files.jobs import start_job
from crm.imports import reading, upkeep
from crm.imports.checking import same_file_before
from crm.imports.files import FILES, content_of, file_path, reading_options
from crm.imports.kinds import kind_named
from crm.imports.mapping import guess, header_mark, read_mapping, remembered
from crm.models import Actor, Brand, DataImport, ImportMapping, Job, User
from crm.security import audit, sealed_files
from crm.security.policies import Decision, has_permission, no, require
from crm.security.scope import reach_of

PERMISSION = "crm.import_data"
BYTES_MAX = 256 * 2**20  # from the command line; pages take what UPLOAD_MAX_BYTES allows


def can_import(user: Actor, brand_id: int) -> Decision:
    """Decide whether the user may import data into a brand: the role, and the whole brand in reach."""
    if user is not None and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return has_permission(user, PERMISSION)


def imports_visible_to(user: User) -> QuerySet[DataImport]:
    """Select the imports of the brands that the user reaches as a whole."""
    return DataImport.objects.filter(brand_id__in=reach_of(user).whole_brands)


@transaction.atomic
def start_import(  # noqa: PLR0913  one keyword per part of the upload
    *,
    brand: Brand,
    actor: Actor,
    kind: str,
    system: str,
    file_name: str,
    content: bytes,
    options: Mapping[str, Any] = MappingProxyType({}),
    keeps_file: bool = True,
) -> DataImport:
    """Keep a file, encrypted, with a guess of what its columns mean. Nothing is imported yet.

    options: “encoding” and “delimiter” where they are known. keeps_file: False for a dry run from the command line, whose
    transaction is rolled back.
    Who: `crm.import_data` for the whole brand. Raises: NotAllowed; NotFound for an unknown kind; DomainError for a file that
    is no table; StorageFull.
    """
    require(can_import(actor, brand.pk))
    record_kind = kind_named(kind)
    if brand.archived_at is not None:
        raise WrongState(_("%(brand)s is archived. Restore it first.") % {"brand": brand})
    if not system.strip():
        raise DomainError(_("Enter the name of the other system."))
    if len(content) > BYTES_MAX:
        raise DomainError(
            _("The file is larger than %(most)s MB. Split it into smaller files.") % {"most": BYTES_MAX // 2**20}
        )
    table = reading.open_table(content, file_name, rows_max=1, **reading_options(options))
    known = remembered(brand.pk, kind, table.header)
    definition: dict[str, Any] = (
        known.definition if known else guess(record_kind.fields_of(brand.pk, actor), table.header).as_json()
    )
    batch = DataImport(
        brand=brand,
        owner=actor,
        kind=kind,
        system=system.strip().lower()[:40],
        file_name=file_name[:160],
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        header=table.header,
        mapping=definition,
    )
    batch.problems = [*same_file_before(batch), *table.problems]
    batch.save()
    if keeps_file:
        sealed_files.write(file_path(batch), content, owner=FILES)
    upkeep.keep_rows(batch)
    audit.record(
        actor=actor,
        action=CrmAction.DATA_IMPORT_STARTED,
        target=batch,
        brand_id=brand.pk,
        after={
            "file": batch.file_name,
            "sha256": batch.sha256,
            "bytes": batch.size_bytes,
            "kind": kind,
            "system": system,
        },
    )
    return batch


@transaction.atomic
def map_columns(
    *, import_id: int, actor: Actor, definition: dict[str, Any], remember_as: str = "", is_queued: bool = True
) -> DataImport:
    """Set which column is which field and have the whole file checked: the dry run. Nothing is imported yet.

    remember_as: keep the mapping under a name, for files with the same columns. is_queued: False where the caller checks
    at once. Who: `crm.import_data` for the whole brand. Raises: NotAllowed; DomainError that names the field or column;
    WrongState once the import is confirmed.
    """
    batch = _locked(import_id, actor)
    header = _header_as_mapped(batch, definition)
    mapping = read_mapping(definition, kind_named(batch.kind)(batch).all_fields, header)
    batch.move_to(DataImportState.CHECKING)
    batch.mapping, batch.header = mapping.as_json(), header
    if remember_as.strip() and actor is not None:
        ImportMapping.objects.update_or_create(
            brand_id=batch.brand_id,
            kind=batch.kind,
            name=remember_as.strip()[:80],
            defaults={"definition": batch.mapping, "header_mark": header_mark(header), "saved_by": actor},
        )
    if is_queued and actor is not None:
        batch.job = start_job(
            "crm.check_data_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
        )
    batch.save(update_fields=["state", "mapping", "header", "job"])
    audit.record(
        actor=actor,
        action=CrmAction.DATA_IMPORT_MAPPED,
        target=batch,
        brand_id=batch.brand_id,
        after={"mapping": batch.mapping, "remembered_as": remember_as.strip()[:80]},
    )
    return batch


def _header_as_mapped(batch: DataImport, definition: dict[str, Any]) -> list[str]:
    """Read the column names again where the mapping says another encoding or separator."""
    options = reading_options(definition)
    if options == reading_options(batch.mapping) or not file_path(batch).exists():
        return list(batch.header)
    return reading.open_table(content_of(batch), batch.file_name, rows_max=1, **options).header


@transaction.atomic
def confirm(
    *, import_id: int, actor: Actor, existing: str = ExistingRecords.KEEP, is_queued: bool = True
) -> DataImport:
    """Import what the check found good, in the background; or go on where an import was interrupted.

    existing: what happens to the details of records that are here already; an import that goes on keeps what was chosen.
    Who: `crm.import_data` for the whole brand. Raises: NotAllowed; WrongState when the file isn't checked, or has no row
    that can be imported.
    """
    batch = _locked(import_id, actor)
    if batch.state not in (DataImportState.CHECKED, DataImportState.APPLYING):
        raise WrongState(_("This file isn't ready to import."))
    if not batch.taken_count:
        raise WrongState(_("None of the rows in this file can be imported."))
    if batch.brand.archived_at is not None:
        raise WrongState(_("%(brand)s is archived. Restore it first.") % {"brand": batch.brand})
    is_first = batch.state == DataImportState.CHECKED
    if is_queued and not is_first and is_running(batch):
        raise WrongState(_("This import is already running."))
    batch.move_to(DataImportState.APPLYING)
    batch.owner = batch.owner if actor is None else actor
    if is_first and kind_named(batch.kind).compares:
        batch.existing_records = ExistingRecords(existing)
    if is_queued and actor is not None:
        batch.job = start_job(
            "crm.apply_data_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
        )
    batch.save(update_fields=["state", "job", "owner", "existing_records"])
    if is_queued:
        upkeep.WATCH.put_off(batch)
    if is_first:
        audit.record(
            actor=actor,
            action=CrmAction.DATA_IMPORT_CONFIRMED,
            target=batch,
            brand_id=batch.brand_id,
            after={
                "sha256": batch.sha256,
                "mapping": batch.mapping,
                "counts": batch.counts,
                "existing_records": batch.existing_records,
            },
        )
    return batch


@transaction.atomic
def discard(*, import_id: int, actor: Actor) -> DataImport:
    """Discard a file that wasn't imported: its rows and the original are deleted.

    Who: `crm.import_data` for the whole brand. Raises: NotAllowed; WrongState once it is being imported.
    """
    batch = _locked(import_id, actor)
    batch.move_to(DataImportState.DISCARDED)
    batch.finished_at = timezone.now()
    batch.rows_deleted_at = batch.finished_at
    batch.save(update_fields=["state", "finished_at", "rows_deleted_at"])
    upkeep.forget_rows(batch)
    audit.record(actor=actor, action=CrmAction.DATA_IMPORT_DISCARDED, target=batch, brand_id=batch.brand_id)
    return batch


@transaction.atomic
def delete_rows(*, import_id: int, actor: Actor) -> DataImport:
    """Delete what is kept of a finished import's rows; the records that were imported and the counts stay.

    Who: `crm.import_data` for the whole brand. Raises: NotAllowed; WrongState while it isn't finished, or where nothing is
    kept any more.
    """
    batch = _locked(import_id, actor)
    if batch.state != DataImportState.DONE or batch.rows_deleted_at is not None:
        raise WrongState(_("Only the rows of a finished import can be deleted, and only once."))
    batch.rows_deleted_at = timezone.now()
    batch.save(update_fields=["rows_deleted_at"])
    upkeep.forget_rows(batch)
    audit.record(
        actor=actor,
        action=CrmAction.DATA_IMPORT_ROWS_DELETED,
        target=batch,
        brand_id=batch.brand_id,
        after={"counts": batch.counts},
    )
    return batch


def is_running(batch: DataImport) -> bool:
    """Tell whether a job is at work on the import, as far as is known.

    The job is read afresh: one that is read along with a row that was waited for is that of before.
    """
    return Job.objects.filter(pk=batch.job_id or 0, state__in=[JobState.QUEUED, JobState.RUNNING]).exists()


def _locked(import_id: int, actor: Actor) -> DataImport:
    batch = lock(DataImport, import_id, "brand")
    require(can_import(actor, batch.brand_id))
    return batch
