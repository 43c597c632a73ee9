"""A PSP's settlement report comes in: kept as it came, read in one pass, proved, stored whole or not at all; then it is matched.

The file goes encrypted to disk first and is read from there: what is imported is what was kept. Rows stream into the table by
COPY while they are read, so that a million of them need no more memory than a thousand; the proof at the end of the file
decides whether the transaction stays. A file that is refused leaves nothing behind.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.events import ReconciliationFinished, publish
from crm.files.jobs import RunningJob, start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.core.source_files import Folder, Progress, StoredOriginal, no_progress
from wallet.models import Psp, SettlementImport
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.settlement import EndUnknown, SettlementReader, cell_error
from wallet.psp.values import FileRow
from wallet.psp.waiting_reports import hold_report, lock_psp
from wallet.reconciliation import match_report, policies

ORIGINALS = Folder("settlements", "settlement-report")
ANALYZE_ROWS_MIN = 5_000
# Larger files are imported by a worker, with a progress bar: about ten thousand rows.
AT_ONCE_BYTES_MAX = 2 * 1024 * 1024
REPORT_EVERY_ROWS = 5_000
COPY_ROWS = 10_000
COLUMNS = (
    "report_id",
    "line",
    "type",
    "psp_reference",
    "merchant_reference",
    "original_reference",
    "batch",
    "booked_at",
    "currency",
    "gross_minor",
    "fee_minor",
    "net_minor",
    "value_at",
    "entry_reference",
    "client_reference",
    "paid_currency",
    "paid_minor",
    "rate",
)
TEXTS = (
    "psp_reference",
    "merchant_reference",
    "original_reference",
    "batch",
    "entry_reference",
    "client_reference",
    "paid_currency",
)
COPY = f"COPY wallet_settlementrow ({', '.join(COLUMNS)}) FROM STDIN WITH (FORMAT csv, FORCE_NOT_NULL ({', '.join(TEXTS)}))"
REPEATED = """
SELECT min(line), max(line) FROM wallet_settlementrow WHERE report_id = %s AND entry_reference <> ''
GROUP BY entry_reference HAVING count(*) > 1 ORDER BY 2 LIMIT 1
"""


def import_report(
    *,
    psp_id: int,
    file_name: str,
    content: bytes | BinaryIO | Path,
    actor: Actor,
    progress: Progress = no_progress,
    is_complete: bool = False,
) -> SettlementImport:
    """Import one settlement report: keep, read, prove, store, match, name the breaks, book fees and payouts to our bank.

    content: the bytes, an open binary file, or a path. progress: bytes read of all; what it raises stops the import.
    is_complete: it came straight from the PSP, whose answer has its length. Otherwise the file must prove its own end.
    All of it happens or nothing does. Who: `wallet.run_reconciliation` on the PSP's brand; None is the daily run.
    Raises: NotAllowed, BadFile (with line and column), EndUnknown (the report waits for a person to confirm it), StorageFull,
    DomainError when the same file is there already.
    """
    psp = _psp_for(psp_id, actor)
    original = keep(content)
    return import_kept(
        psp=psp, file_name=file_name, original=original, actor=actor, progress=progress, is_complete=is_complete
    )


def fetch_and_import(*, psp_id: int, first: dt.date, last: dt.date, actor: Actor) -> SettlementImport:
    """Fetch a period's report from the PSP's own API and import it. Who: as for importing; None is the daily run."""
    psp = _psp_for(psp_id, actor)
    if last < first:
        raise DomainError(_("The start date must not be after the end date."))
    content = adapter_of(psp).fetch_settlement(first, last)
    name = f"{psp.code}-{first}-{last}.csv"
    return import_report(psp_id=psp_id, file_name=name, content=content, actor=actor, is_complete=True)


def order_import(*, psp_id: int, file_name: str, content: bytes | BinaryIO | Path, actor: User) -> Job:
    """Store the file now and let a worker import it; the job's page shows how far it is, and its Cancel leaves nothing.

    Who: as for importing. Raises: NotAllowed, StorageFull, DomainError when the same file is there already.
    """
    psp = _psp_for(psp_id, actor)
    original = keep(content)
    try:
        refuse_known(psp, original.sha256)
        return start_job(
            "wallet.import_report",
            owner=actor,
            title=_("Import of “%(name)s”") % {"name": file_name[:160]},
            parameters={
                "psp_id": psp.pk,
                "file_name": file_name[:160],
                "stored_name": original.name,
                "sha256": original.sha256,
                "size_bytes": original.size_bytes,
            },
        )
    except BaseException:
        original.forget()
        raise


def run_ordered(job: RunningJob) -> SettlementImport:
    """Import the uploaded report for the job that was started.

    Progress goes through a connection of its own: the import is one long transaction.
    """
    psp = _psp_for(job.parameters["psp_id"], job.owner)
    original = ORIGINALS.ordered(job.parameters)
    with job.beside() as progress:
        return import_kept(
            psp=psp, file_name=job.parameters["file_name"], original=original, actor=job.owner, progress=progress
        )


def original_of(report: SettlementImport) -> Iterator[bytes]:
    """Stream the file as it came, in pieces.

    Raises: FileMissing, FileDamaged.
    """
    yield from ORIGINALS.stream(report.stored_name)


def _psp_for(psp_id: int, actor: Actor) -> Psp:
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    if actor is not None:
        require(policies.can_reconcile(actor, psp))
    return psp


# ── the original ─────────────────────────────────────────────────────────────────────────────────────────────────────


def originals_dir() -> Path:
    """Locate the folder of the encrypted originals."""
    return ORIGINALS.root


def path_of(name: str) -> Path:
    """Locate one stored original by its name."""
    return ORIGINALS.path_of(name)


def keep(content: bytes | BinaryIO | Path | Iterator[bytes], *, sync: bool = True) -> StoredOriginal:
    """Encrypt a file to disk with bounded memory. Raises StorageFull, with nothing left behind."""
    return ORIGINALS.keep(content, sync=sync)


# ── the import ───────────────────────────────────────────────────────────────────────────────────────────────────────


def import_kept(
    *,
    psp: Psp,
    file_name: str,
    original: StoredOriginal,
    actor: Actor,
    progress: Progress = no_progress,
    is_complete: bool = False,
) -> SettlementImport:
    """Import an original that is on disk already; it is deleted when the report is refused, and waits when its end is unknown."""
    try:
        return import_original(
            psp=psp, file_name=file_name, original=original, actor=actor, progress=progress, is_complete=is_complete
        )
    except EndUnknown:
        raise
    except BaseException:
        original.forget()
        raise


def import_original(
    *,
    psp: Psp,
    file_name: str,
    original: StoredOriginal,
    actor: Actor,
    progress: Progress = no_progress,
    is_complete: bool = False,
) -> SettlementImport:
    """Store, match and book an original in one transaction. Raises EndUnknown with the row under which it waits now."""
    started = time.monotonic()
    reader: SettlementReader | None = None
    try:
        with transaction.atomic():
            reader = adapter_of(psp).read_settlement(original.content(), PspRecords(psp))
            report = store(psp, file_name, original, actor, progress, reader=reader)
            if not (is_complete or reader.is_complete):
                raise EndUnknown(
                    _("The report doesn't mark its end. Confirm under “Reconciliation” that it's complete.")
                )
            progress(original.size_bytes, original.size_bytes, _("Matching"))
            match_report(report)
            report.seconds = Decimal(str(round(time.monotonic() - started, 3)))
            report.save()
            _record_import(report, psp, actor)
    except EndUnknown as error:
        assert reader is not None
        error.waiting_id = _hold_original(psp, file_name, original, actor, reader)
        raise
    return report


def _hold_original(psp: Psp, file_name: str, original: StoredOriginal, actor: Actor, reader: SettlementReader) -> int:
    return hold_report(
        psp=psp,
        file_name=file_name,
        original=original,
        actor=actor,
        format=str(reader.title)[:40],
        row_count=reader.row_count,
        first_day=reader.first_day,
        last_day=reader.last_day,
        totals=totals_of(reader),
    )


def store(
    psp: Psp,
    file_name: str,
    original: StoredOriginal,
    actor: Actor,
    progress: Progress = no_progress,
    *,
    reader: SettlementReader | None = None,
) -> SettlementImport:
    """Store the report and its rows, proved but not matched.

    In the caller's transaction, which a BadFile must undo.
    """
    _lock_and_refuse_known(psp, original.sha256)
    today = timezone.now().date()
    report = SettlementImport.objects.create(
        psp=psp,
        file_name=file_name[:160],
        sha256=original.sha256,
        stored_name=original.name,
        size_bytes=original.size_bytes,
        first_day=today,
        last_day=today,
        row_count=0,
        imported_by=actor,
        imported_at=timezone.now(),
    )
    reader = reader or adapter_of(psp).read_settlement(original.content(), PspRecords(psp))
    store_rows(report.pk, _with_progress(reader, original.size_bytes, progress))
    report.first_day, report.last_day = reader.first_day, reader.last_day
    report.covers = sorted(reader.covers)
    report.row_count, report.format, report.totals = reader.row_count, str(reader.title)[:40], totals_of(reader)
    if report.row_count >= ANALYZE_ROWS_MIN:
        # Without statistics the planner takes minutes for what takes a second.
        with connection.cursor() as cursor:
            cursor.execute("SELECT keelson_analyze('wallet_settlementrow')")
    if reader.unique_entry:
        _refuse_repeated(report.pk, reader.unique_entry)
    report.save()
    return report


def _record_import(report: SettlementImport, psp: Psp, actor: Actor) -> None:
    audit.record(
        actor=actor,
        action=WalletAction.REPORT_IMPORTED,
        target=report,
        brand_id=psp.brand_id,
        after={
            "psp": psp.code,
            "file": report.file_name,
            "sha256": report.sha256,
            "rows": report.row_count,
            "matched": report.matched,
            "breaks": report.breaks_found,
        },
    )
    publish(
        ReconciliationFinished(
            brand_id=psp.brand_id, run_id=report.pk, matched=report.matched, breaks=report.breaks_found
        ),
        actor=actor,
    )


def _lock_and_refuse_known(psp: Psp, digest: str) -> None:
    """Lock the PSP's imports, and refuse a file that was imported already."""
    lock_psp(psp.pk)
    refuse_known(psp, digest)


def refuse_known(psp: Psp, digest: str) -> None:
    """Refuse a file that was imported for this PSP already.

    Raises: DomainError.
    """
    known = SettlementImport.objects.filter(psp=psp, sha256=digest).first()
    if known is not None:
        raise DomainError(
            _("This file was already imported on %(day)s as “%(name)s”. Nothing was changed.")
            % {"day": known.imported_at.date(), "name": known.file_name},
            code="same_file",
        )


def totals_of(reader: SettlementReader) -> dict[str, dict[str, int]]:
    """Collect totals per currency in minor units: opening, gross, fee, net, closing; and how many rows came and were left out."""
    totals = {}
    for currency in sorted({*reader.opening, *reader.totals}):
        total = reader.totals.get(currency)
        totals[currency] = {
            "opening": reader.opening.get(currency, 0),
            "gross": total.gross if total else 0,
            "fee": total.fee if total else 0,
            "net": total.net if total else 0,
            "closing": reader.closing.get(currency, 0),
            "rows": total.rows if total else 0,
            "left_out": total.left_out if total else 0,
        }
    return totals


def _with_progress(reader: SettlementReader, size: int, progress: Progress) -> Iterator[FileRow]:
    label = _("Reading")
    for number, row in enumerate(reader.rows()):
        if number % REPORT_EVERY_ROWS == 0:
            progress(min(reader.bytes_read, max(size - 1, 0)), size, label)
        yield row


def store_rows(report_id: int, rows: Iterable[FileRow]) -> None:
    """Stream rows into the table, a COPY for each piece: between two of them a reader may ask the database something."""
    rows = iter(rows)
    with connection.cursor() as cursor:
        while text := _to_copy_text(report_id, islice(rows, COPY_ROWS)):
            with cursor.copy(COPY) as copy:
                copy.write(text)


def _to_copy_text(report_id: int, rows: Iterable[FileRow]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(
        (report_id, *row[:6], row[6].isoformat(), *row[7:11], row[11] and row[11].isoformat(), *row[12:])
        for row in rows
    )
    return buffer.getvalue()


def _refuse_repeated(report_id: int, column: str) -> None:
    """Refuse a report in which the PSP's id of a booking appears twice: it was put together wrongly.

    Raises: BadFile.
    """
    with connection.cursor() as cursor:
        cursor.execute(REPEATED, [report_id])
        repeated = cursor.fetchone()
    if repeated:
        raise cell_error(repeated[1], column, _("the same transaction is already on line %(n)s.") % {"n": repeated[0]})
