"""Reports that don't prove their own end: Stripe's without its summary, Adyen's accounting report, BTCPay's, a cashier's without
totals, a bank's CSV. Cut off at a line's end they would be taken with fewer rows, so a person compares what was read with the
PSP's or bank's own page.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import WrongState
from crm.files.jobs import RunningJob, start_job
from crm.models import Actor, Job, User
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import statements as bank
from wallet.choices.reconciliation import WaitingState
from wallet.core.source_files import Progress, StoredOriginal, no_progress
from wallet.models import BankFile, ReportToConfirm, SettlementImport
from wallet.reconciliation import policies, settlement_import


def _lock(waiting_id: int, actor: Actor) -> ReportToConfirm:
    waiting = lock(ReportToConfirm, waiting_id, "psp__brand")
    require(policies.can_confirm_report(actor, waiting))
    if waiting.state != WaitingState.WAITING:
        raise WrongState(_("This report has already been decided: %(state)s.") % {"state": waiting.get_state_display()})
    return waiting


def _original_of(waiting: ReportToConfirm) -> StoredOriginal:
    folder = bank.ORIGINALS if waiting.is_statement else settlement_import.ORIGINALS
    return StoredOriginal(folder, waiting.stored_name, waiting.sha256, waiting.size_bytes)


@transaction.atomic
def confirm_report(*, waiting_id: int, actor: Actor, progress: Progress = no_progress) -> SettlementImport | BankFile:
    """Confirm that a report or statement is complete, and import it. The audit log has the person's name.

    Who: `wallet.run_reconciliation` on the PSP's brand, for a statement `wallet.handle_bank_entries`.
    Raises: NotAllowed, WrongState, BadFile, DomainError when the same file was imported meanwhile; then it goes on waiting.
    """
    waiting = _lock(waiting_id, actor)
    psp, file_name, original = waiting.psp, waiting.file_name, _original_of(waiting)
    taken: SettlementImport | BankFile
    if waiting.is_statement:
        received = bank.ReceivedFile(psp, file_name, original)
        taken = waiting.bank_file = bank.import_original(
            received=received, actor=actor, progress=progress, is_complete=True
        )
    else:
        taken = waiting.report = settlement_import.import_original(
            psp=psp, file_name=file_name, original=original, actor=actor, progress=progress, is_complete=True
        )
    _decide(waiting, WaitingState.CONFIRMED, actor)
    return taken


def order_confirmation(*, waiting_id: int, actor: User) -> Job:
    """Start a job that imports a large waiting file; its page shows how far it is.

    Returns the job. Who: as for `confirm_report`.
    """
    with transaction.atomic():
        waiting = _lock(waiting_id, actor)
    return start_job(
        "wallet.confirm_report",
        owner=actor,
        title=_("Import of “%(name)s”") % {"name": waiting.file_name},
        parameters={"waiting_id": waiting.pk, "psp_id": waiting.psp_id},
    )


def run_confirmation(job: RunningJob) -> SettlementImport | BankFile:
    """Import the confirmed file for the job that was started."""
    with job.beside() as progress:
        return confirm_report(waiting_id=job.parameters["waiting_id"], actor=job.owner, progress=progress)


@transaction.atomic
def discard_report(*, waiting_id: int, actor: Actor) -> ReportToConfirm:
    """Discard a report that was cut off; its file goes. Who: as for confirming. Raises: NotAllowed, WrongState."""
    waiting = _lock(waiting_id, actor)
    _decide(waiting, WaitingState.DISCARDED, actor)
    transaction.on_commit(_original_of(waiting).forget)
    return waiting


def _decide(waiting: ReportToConfirm, state: WaitingState, actor: Actor) -> None:
    waiting.move_to(state)
    waiting.decided_by, waiting.decided_at = actor, timezone.now()
    if state == WaitingState.DISCARDED:
        waiting.last_row = ""  # names of people may be in it
    waiting.save(update_fields=["state", "decided_by", "decided_at", "report", "bank_file", "last_row"])
    audit.record(
        actor=actor,
        action=WalletAction.of("report", state),
        target=waiting,
        brand_id=waiting.psp.brand_id,
        after={
            "psp": waiting.psp.code,
            "file": waiting.file_name,
            "sha256": waiting.sha256,
            "rows": waiting.row_count,
            "first_day": waiting.first_day.isoformat(),
            "last_day": waiting.last_day.isoformat(),
        },
    )
