from functools import partial

from django.db.models import Q

from crm.file_columns import FileColumn, declare
from wallet.bank import statements as bank
from wallet.choices.reconciliation import WaitingState
from wallet.core import attachments
from wallet.core.source_files import Folder, awaited_names
from wallet.models import (
    BankFile,
    BreakNote,
    Dispute,
    IssuedDocument,
    ManualJournalFile,
    ReportToConfirm,
    SettlementImport,
)
from wallet.reconciliation import settlement_import


def _attached(model: type, shelf: attachments.Shelf) -> FileColumn:
    return FileColumn(model, "file_path", shelf.name, purpose=shelf.purpose, size="file_bytes", sha256="file_sha256")


def _original(model: type, folder: Folder, job_kind: str) -> FileColumn:
    return FileColumn(
        model,
        "stored_name",
        folder.name,
        is_sharded=True,
        purpose=folder.purpose,
        size="size_bytes",
        sha256="sha256",
        awaited=partial(awaited_names, job_kind),
    )


def _waiting(folder: Folder, *, is_statement: bool) -> FileColumn:
    return FileColumn(
        ReportToConfirm,
        "stored_name",
        folder.name,
        is_sharded=True,
        purpose=folder.purpose,
        size="size_bytes",
        sha256="sha256",
        rows=Q(state=WaitingState.WAITING, is_statement=is_statement),
    )


declare(
    FileColumn(
        IssuedDocument,
        "stored_name",
        "documents",
        is_sharded=True,
        client="client_id",
        purpose="document",
        size="size_bytes",
        sha256="sha256",
    ),
    FileColumn(
        Dispute,
        "evidence_key",
        "evidence",
        is_sharded=True,
        client="client_id",
        size="evidence_bytes",
        sha256="evidence_sha256",
    ),
    _original(SettlementImport, settlement_import.ORIGINALS, "wallet.import_report"),
    _waiting(settlement_import.ORIGINALS, is_statement=False),
    _waiting(bank.ORIGINALS, is_statement=True),
    _original(BankFile, bank.ORIGINALS, "wallet.import_statement"),
    _attached(BreakNote, attachments.BREAKS),
    _attached(ManualJournalFile, attachments.JOURNALS),
)
