"""Jobs of the wallet that a person starts and waits for."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

import wallet.documents.batches
import wallet.documents.psp_pack
import wallet.documents.receipts  # noqa: F401
from crm.errors import NotAllowed
from crm.files.jobs import RunningJob, job_kind
from crm.security.policies import require
from wallet.bank import statements as bank
from wallet.closing import job_kinds  # noqa: F401 (registers its kinds)
from wallet.closing.periods import close_period
from wallet.closing.trial_balance import make_pdf as make_trial_pdf
from wallet.closing.trial_balance import trial_balance, write_csv
from wallet.core.queries import accounts_visible_to, disputes_visible_to, periods_visible_to
from wallet.disputes import evidence
from wallet.disputes.policies import can_answer_dispute
from wallet.ledger.account_history import HistoryForm
from wallet.ledger.account_history import write_csv as write_history
from wallet.models import BankFile
from wallet.psp.settlement import EndUnknown
from wallet.reconciliation.report_confirmations import run_confirmation
from wallet.reconciliation.settlement_import import run_ordered


@job_kind("wallet.import_report", title=gettext_noop("Settlement report import"))
def import_of_report(job: RunningJob) -> None:
    """Import a large report; rights and the file itself are checked again."""
    try:
        report = run_ordered(job)
    except EndUnknown as waits:
        job.point_to(reverse("wallet:report_to_confirm", args=[waits.waiting_id]))
        return
    job.point_to(reverse("wallet:settlement", args=[report.pk]))


@job_kind("wallet.confirm_report", title=gettext_noop("Confirmed report import"))
def import_of_confirmed(job: RunningJob) -> None:
    """Import a large report that somebody confirmed as complete."""
    taken = run_confirmation(job)
    is_statement = isinstance(taken, BankFile)
    job.point_to(reverse("wallet:bank") if is_statement else reverse("wallet:settlement", args=[taken.pk]))


@job_kind("wallet.import_statement", title=gettext_noop("Bank statement import"))
def import_of_statement(job: RunningJob) -> None:
    """Import a large statement; rights and the file itself are checked again."""
    try:
        bank.run_ordered(job)
    except EndUnknown as waits:
        job.point_to(reverse("wallet:report_to_confirm", args=[waits.waiting_id]))
        return
    job.point_to(reverse("wallet:bank"))


@job_kind("wallet.close_period", title=gettext_noop("Month-end close"))
def closing(job: RunningJob) -> None:
    """Close a month; rights and checks count as they are now, and both steps report their progress."""
    period = close_period(
        period_id=job.parameters["period_id"], actor=job.owner, note=job.parameters["note"], progress=job.progress
    )
    job.point_to(reverse("wallet:period", args=[period.pk]))


@job_kind("wallet.trial_balance", title=gettext_noop("Trial balance"))
def trial_balance_file(job: RunningJob) -> None:
    """Write a trial balance: CSV with every account, or PDF by kind; the owner may have lost the brand since."""
    period = periods_visible_to(job.owner).select_related("brand").filter(pk=job.parameters["period_id"]).first()
    if period is None or not job.owner.has_perm("wallet.export_money"):
        raise NotAllowed(_("You don't have access to this brand."))
    number = job.parameters["closing"]
    name = f"trial-balance-{period.brand.code}-{period}-{number}"
    if job.parameters["ending"] == "pdf":
        job.attach(f"{name}.pdf", make_trial_pdf(trial_balance(period, number), language=job.owner.language or "en"))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.csv"
        write_csv(period, number, path, job.progress)
        job.attach(f"{name}.csv", path)


@job_kind("wallet.evidence", title=gettext_noop("Dispute evidence"))
def evidence_of_dispute(job: RunningJob) -> None:
    """Make the evidence of a dispute, and send it where ordered.

    The owner's rights are checked again: few may read the file.
    """
    dispute = disputes_visible_to(job.owner).select_related("client").filter(pk=job.parameters["dispute_id"]).first()
    if dispute is None:
        raise NotAllowed(_("You don't have access to this client."))
    require(can_answer_dispute(job.owner, dispute))
    text = job.parameters["text"]
    pdf = evidence.make_evidence(dispute_id=dispute.pk, text=text, progress=job.progress)
    if job.parameters["submit"]:
        evidence.submit_evidence(dispute_id=dispute.pk, pdf=pdf, text=text, actor=job.owner)
    job.point_to(f"/money/disputes/{dispute.pk}/")


@job_kind("wallet.account_history", title=gettext_noop("Account history"))
def account_history(job: RunningJob) -> None:
    """Write an account's history as CSV in the reader's zone; the owner may have lost the brand since."""
    account = accounts_visible_to(job.owner).select_related("brand").filter(pk=job.parameters["account_id"]).first()
    if account is None or not job.owner.has_perm("wallet.export_money"):
        raise NotAllowed(_("You don't have access to this brand."))
    until = dt.datetime.fromisoformat(job.parameters["as_of"])
    with tempfile.TemporaryDirectory() as folder, timezone.override(ZoneInfo(job.parameters["zone"])):
        path = Path(folder) / "history.csv"
        form = HistoryForm(job.parameters["filters"])
        write_history(account, until=until, form=form, path=path, progress=job.progress)
        job.attach(f"account-{account.pk}-{until:%Y-%m-%d}.csv", path)
