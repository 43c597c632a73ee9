"""Bank statements: imported once, each entry booked once; unmatched entries wait for a person.

A statement that staff upload or that we fetch is trusted as a signed webhook is; what a client wrote on the wire is not. A
credit goes to the deposit that its text names, with the amount that arrived: several wires to one reference add up, and the
rules of settlement decide (as expected, within tolerance, held). A debit settles the payout or refund that we ordered.

Lock order: entry, deposit, client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.files.jobs import RunningJob, start_job
from crm.i18n.localized_text import phrase
from crm.models import Actor, Job, User
from crm.notices.notify import notify, people_with
from crm.security import audit, crypto
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import column_mappings, policies
from wallet.bank.entries import apply_waiting
from wallet.bank.payout_matching import match_payouts
from wallet.bank.positions import statements_known
from wallet.bank.statement_ends import FileEnds, summary
from wallet.choices.bank import EntryState
from wallet.choices.notices import WalletNotice
from wallet.core.source_files import Folder, Progress, StoredOriginal, no_progress
from wallet.models import BankEntry, BankFile, Psp
from wallet.models.bank import ORIGINAL_PURPOSE, PARTY_PURPOSE
from wallet.psp.bank_wire.adapter import masked
from wallet.psp.settlement import EndUnknown
from wallet.psp.waiting_reports import hold_report
from wallet.statement_formats import Entry, Mapping, Statement, stream_statements
from wallet.statement_formats.base import fingerprints

ORIGINALS = Folder("statements", ORIGINAL_PURPOSE)
# Larger files are imported by a worker, with a progress bar.
AT_ONCE_BYTES_MAX = 2 * 1024 * 1024
ENTRIES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file of statements of one bank account, encrypted on disk before it is read."""

    psp: Psp
    file_name: str
    kept: StoredOriginal


# ── import ────────────────────────────────────────────────────────────────────────────────────────────────────────


def import_statement(
    *,
    psp_id: int,
    file_name: str,
    content: bytes | BinaryIO | Path,
    actor: Actor,
    kind: str = "auto",
    mapping: Mapping | None = None,
    is_complete: bool = False,
) -> BankFile:
    """Import a file of statements and book its entries. The same file again is the same row, and changes nothing.

    content: the bytes, an open binary file, or a path. It is kept encrypted on disk and read from there; all of it is stored
    or nothing; entries that an earlier file had are not stored again.
    is_complete: the caller guarantees that a CSV wasn't cut off. Otherwise its balances must prove it.
    Who: `wallet.handle_bank_entries` on the PSP's brand; None is the system's own fetching.
    Raises: NotAllowed, BadStatement (with its place), EndUnknown (the file waits for a person to confirm it), StorageFull,
    DomainError for a statement of another account.
    """
    psp = _account(psp_id, actor)
    received = ReceivedFile(psp, file_name, ORIGINALS.keep(content))
    return import_kept(received=received, actor=actor, kind=kind, mapping=mapping, is_complete=is_complete)


def order_statement(*, psp_id: int, file_name: str, content: BinaryIO, actor: User) -> Job:
    """Store a large file now and queue its import; the job's page shows the progress, its Cancel leaves nothing behind.

    Who: as for importing. Raises: NotAllowed, StorageFull, MappingNeeded for a table whose columns aren't mapped.
    """
    psp = _account(psp_id, actor)
    column_mappings.mapping_for(psp, content)
    content.seek(0)
    kept = ORIGINALS.keep(content)
    try:
        return start_job(
            "wallet.import_statement",
            owner=actor,
            title=_("Import of “%(name)s”") % {"name": file_name[:160]},
            parameters={
                "psp_id": psp.pk,
                "file_name": file_name[:160],
                "stored_name": kept.name,
                "sha256": kept.sha256,
                "size_bytes": kept.size_bytes,
            },
        )
    except BaseException:
        kept.forget()
        raise


def run_ordered(job: RunningJob) -> BankFile:
    """Import the file of an import job. Rights are checked again; progress is written outside the one long transaction."""
    psp = _account(job.parameters["psp_id"], job.owner)
    kept = ORIGINALS.ordered(job.parameters)
    with job.beside() as progress:
        received = ReceivedFile(psp, job.parameters["file_name"], kept)
        return import_kept(received=received, actor=job.owner, progress=progress)


def original_of(file: BankFile) -> Iterator[bytes]:
    """Stream the file as it was received, in pieces. Raises: FileMissing, FileDamaged."""
    yield from ORIGINALS.stream(file.stored_name)


def _account(psp_id: int, actor: Actor) -> Psp:
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    if actor is not None:
        require(policies.can_handle_bank(actor, psp))
    if psp.adapter != "bank_wire":
        raise DomainError(_("%(psp)s isn't a bank account.") % {"psp": psp})
    return psp


def import_kept(
    *,
    received: ReceivedFile,
    actor: Actor,
    kind: str = "auto",
    mapping: Mapping | None = None,
    progress: Progress = no_progress,
    is_complete: bool = False,
) -> BankFile:
    """Import a file that is on disk already; it is deleted when refused or known, and waits when its end is unknown."""
    try:
        return import_original(
            received=received, actor=actor, kind=kind, mapping=mapping, progress=progress, is_complete=is_complete
        )
    except EndUnknown:
        raise
    except BaseException:
        received.kept.forget()
        raise


def import_original(
    *,
    received: ReceivedFile,
    actor: Actor,
    kind: str = "auto",
    mapping: Mapping | None = None,
    progress: Progress = no_progress,
    is_complete: bool = False,
) -> BankFile:
    """Store an original and book its entries. Raises EndUnknown with the id of the row under which it waits."""
    psp, kept = received.psp, received.kept
    ends = FileEnds()
    try:
        known = BankFile.objects.filter(psp=psp, sha256=kept.sha256).first()
        if known is None:
            with kept.opened() as source:
                is_remembered = False
                if mapping is None and kind in ("auto", "csv", "xlsx"):
                    mapping = column_mappings.mapping_for(psp, source)
                    is_remembered = mapping is not None
                with transaction.atomic():
                    file = _store(received, source, kind, mapping, actor, progress, ends)
                    if file.format == "csv" and not (is_complete or ends.are_known):
                        raise EndUnknown(
                            _(
                                "The end of the file can't be verified. Confirm under “Reconciliation” that it's "
                                "complete."
                            )
                        )
                    if is_remembered:
                        column_mappings.count_use(psp, source)
        else:
            file = known
    except EndUnknown as error:
        error.waiting_id = hold_report(
            psp=psp,
            file_name=received.file_name,
            original=kept,
            actor=actor,
            is_statement=True,
            format="CSV",
            row_count=ends.rows,
            first_day=ends.first_day,
            last_day=ends.last_day,
            totals=ends.totals,
            last_row=ends.last_row,
        )
        raise
    if file.stored_name != kept.name:  # the same file was imported before, or at the same time
        kept.forget()
    apply_waiting(psp_id=psp.pk)
    if known is None:
        match_payouts(psp.brand_id)
        _notify_unmatched(file)
    return file


def _notify_unmatched(file: BankFile) -> None:
    """Notify those who handle bank entries, once per file, of the payments that name no deposit."""
    count = file.entries.filter(state=EntryState.UNMATCHED).count()
    if count:
        notify(
            people_with("wallet.handle_bank_entries", brand_id=file.psp.brand_id),
            kind=WalletNotice.BANK_UNMATCHED,
            title=phrase("Payments at %(bank)s without a matching deposit: %(count)s")
            % {"count": count, "bank": file.psp},
            body=phrase("Assign them to clients so that they can be credited."),
            url="/money/bank/?state=unmatched",
            dedupe_key=f"bank-unmatched:{file.pk}",
        )


def _require_own_account(psp: Psp, statement: Statement) -> None:
    own = "".join(str(psp.credentials.get("iban", "")).split()).upper()
    # MT940 writes the account as sort code and number: its digits are the end of the IBAN.
    account = "".join(letter for letter in statement.account.upper() if letter.isalnum())
    if account and own and account != own and not own.endswith(account[-8:]):
        raise DomainError(
            _("%(place)s is for account %(account)s instead of %(own)s. Nothing was imported.")
            % {"place": statement.place, "account": masked(statement.account), "own": masked(own)}
        )


@transaction.atomic
def _store(
    received: ReceivedFile,
    source: BinaryIO,
    kind: str,
    mapping: Mapping | None,
    actor: Actor,
    progress: Progress,
    ends: FileEnds,
) -> BankFile:
    """Store the file, statement by statement as it is read: an error at its end undoes everything before it."""
    psp, kept = received.psp, received.kept
    # One file at a time, so that each entry is new once; payments that name the account go on meanwhile.
    lock(Psp, psp.pk, no_key=True)
    same = BankFile.objects.filter(psp=psp, sha256=kept.sha256).first()
    if same is not None:
        return same
    kind, statements = stream_statements(source, kind, mapping)
    known = statements_known(psp)
    file = BankFile.objects.create(
        psp=psp,
        sha256=kept.sha256,
        file_name=received.file_name[:160],
        format=kind,
        imported_by=actor,
        imported_at=timezone.now(),
        stored_name=kept.name,
        size_bytes=kept.size_bytes,
    )
    for statement in statements:
        _require_own_account(psp, statement)
        file.statements.append(summary(statement, [*known, *file.statements]))
        ends.add(statement, file.statements[-1]["before"])
        pairs = list(zip(fingerprints(statement.account, statement.entries), statement.entries, strict=True))
        for start in range(0, len(pairs), ENTRIES_AT_ONCE):
            _store_entries(psp, file, [pair for pair in pairs[start : start + ENTRIES_AT_ONCE] if pair[1].minor])
            progress(min(source.tell(), max(kept.size_bytes - 1, 0)), kept.size_bytes, _("Reading"))
    file.save(update_fields=["statements", "entries_new", "entries_known"])
    audit.record(
        actor=actor,
        action=WalletAction.BANK_STATEMENT_IMPORTED,
        target=file,
        brand_id=psp.brand_id,
        after={
            "psp": psp.code,
            "file": file.file_name,
            "sha256": file.sha256,
            "format": kind,
            "new": file.entries_new,
            "known": file.entries_known,
        },
    )
    return file


def _store_entries(psp: Psp, file: BankFile, pairs: list[tuple[str, Entry]]) -> None:
    """Store the entries that neither an earlier file nor this one has had."""
    marks = [mark for mark, _entry in pairs]
    known = set(BankEntry.objects.filter(psp=psp, fingerprint__in=marks).values_list("fingerprint", flat=True))
    fresh = {mark: entry for mark, entry in pairs if mark not in known}
    BankEntry.objects.bulk_create([_row(psp, file, mark, entry) for mark, entry in fresh.items()])
    file.entries_new += len(fresh)
    file.entries_known += len(pairs) - len(fresh)


def _row(psp: Psp, file: BankFile, mark: str, entry: Entry) -> BankEntry:
    party = {"iban": entry.party_account, "bic": entry.party_bic} if entry.party_account else {}
    return BankEntry(
        psp=psp,
        file=file,
        fingerprint=mark,
        place=entry.place[:120],
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        amount_minor=entry.minor,
        currency=entry.currency,
        bank_reference=entry.bank_reference,
        end_to_end=entry.end_to_end,
        batch=entry.batch,
        text=entry.text,
        party_name=entry.party_name,
        party_label=masked(entry.party_account),
        return_reason=entry.return_reason,
        sealed_party=crypto.encrypt(json.dumps(party).encode(), purpose=PARTY_PURPOSE) if party else None,
    )
