"""Reports that are fetched automatically: a PSP announces that one is ready, a worker fetches it, and it is imported once.

The message is kept and verified by the inbox, as every webhook is; here is what it leads to. A download that fails is tried
again for about a day, then it is for people, who may have it fetched again. A report from a host that is not the PSP's own is
refused and told. What should have come by now and did not is looked for every day.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import joined, phrase
from crm.models import Actor
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import InboxState
from wallet.choices.reconciliation import ReportState
from wallet.deposits.verbs import Applied
from wallet.models import AnnouncedReport, Psp, SettlementImport
from wallet.psp import ADAPTERS, adapter_class, adapter_of
from wallet.psp.errors import ForeignAddress
from wallet.psp.settlement import BadFile, EmptyReport
from wallet.psp.values import ReportKind, ReportNotice
from wallet.reconciliation import policies, settlement_import
from wallet.reconciliation.report_expectations import lacking_days

logger = logging.getLogger(__name__)

# After each failure; then it is for people. Together about a day: so long Adyen is usually down at most.
BACK_OFF_SECONDS = (60, 300, 1800, 7200, 6 * 3600, 14 * 3600)
# The worker that starts has it for so long; after that another may take over, should the process have been killed.
LEASE = dt.timedelta(minutes=30)
LOOK_BACK_DAYS = 40


def note(*, psp: Psp, notice: ReportNotice) -> Applied:
    """Take down that a report is ready; a worker fetches it. In the inbox's transaction."""
    known = adapter_of(psp).report_kinds()
    if notice.kind not in {kind.code for kind in known}:
        return Applied(InboxState.IGNORED, f"{notice.name}: no movement of ours stands in it")
    now = timezone.now()
    report, is_new = AnnouncedReport.objects.get_or_create(
        psp=psp,
        name=notice.name,
        defaults={"kind": notice.kind, "address": notice.address, "announced_at": now, "due_at": now},
    )
    if not is_new:
        return Applied(InboxState.IGNORED, f"{notice.name} was announced before")
    enqueue_on_commit("wallet.fetch_report", report.pk)
    return Applied(InboxState.DONE, f"{notice.name} is fetched")


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def due_reports(*, limit: int = 50) -> list[int]:
    """List announced reports that wait to be fetched and are due, the longest waiting first."""
    rows = AnnouncedReport.objects.filter(state=ReportState.WAITING, due_at__lte=timezone.now())
    return list(rows.order_by("due_at", "id").values_list("pk", flat=True)[:limit])


def fetch_report(report_id: int) -> str:
    """Fetch and import one that is due, once. Two workers at the same time: one leaves it to the other."""
    report = _claim(report_id)
    if report is None:
        return AnnouncedReport.objects.values_list("state", flat=True).get(pk=report_id)
    try:
        imported = _import(report)
    except EmptyReport as error:
        return _end(report, ReportState.EMPTY, error.message)
    except ForeignAddress as error:
        return _give_up(report, ReportState.REFUSED, error.message)
    except BadFile as error:
        return _give_up(report, ReportState.FAILED, error.message)
    except Exception as error:  # whatever went wrong, it is tried again until patience ends
        return _try_later(report, error)
    return _end(report, ReportState.IMPORTED, "", imported=imported)


@transaction.atomic
def _claim(report_id: int) -> AnnouncedReport | None:
    now = timezone.now()
    waiting = AnnouncedReport.objects.select_for_update(of=["self"], skip_locked=True).select_related("psp__brand")
    report = waiting.filter(pk=report_id, state=ReportState.WAITING, due_at__lte=now).first()
    if report is not None:
        report.attempts, report.due_at = report.attempts + 1, now + LEASE
        report.save(update_fields=["attempts", "due_at"])
    return report


def _import(report: AnnouncedReport) -> SettlementImport:
    """Fetch the report and import it; one that a person uploaded already is that report.

    The file goes straight from the wire to the disk, encrypted.
    """
    psp = report.psp
    pieces = adapter_of(psp).fetch_announced(ReportNotice(report.kind, report.name, report.address))
    original = settlement_import.keep(pieces)
    known = SettlementImport.objects.filter(psp=psp, sha256=original.sha256).first()
    if known is not None:
        original.forget()
        return known
    return settlement_import.import_kept(
        psp=psp, file_name=report.name, original=original, actor=None, is_complete=True
    )


def _try_later(report: AnnouncedReport, error: Exception) -> str:
    text = error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    if not isinstance(error, DomainError):
        logger.error("report %s of %s failed", report.name, report.psp.code, exc_info=error)
    if report.attempts > len(BACK_OFF_SECONDS):
        return _give_up(report, ReportState.FAILED, text)
    seconds = BACK_OFF_SECONDS[report.attempts - 1]
    report.due_at, report.outcome = timezone.now() + dt.timedelta(seconds=seconds), text[:300]
    report.save(update_fields=["due_at", "outcome"])
    return report.state


@transaction.atomic
def _end(report: AnnouncedReport, state: ReportState, text: str, *, imported: SettlementImport | None = None) -> str:
    report.move_to(state)
    report.outcome, report.report = text[:300], imported
    report.due_at, report.finished_at = None, timezone.now()
    report.save(update_fields=["state", "outcome", "report", "due_at", "finished_at"])
    return state


@transaction.atomic
def _give_up(report: AnnouncedReport, state: ReportState, text: str) -> str:
    """Hand a report that can't be fetched to people.

    It is shown on the PSP's page and at month-end, and those who may fetch it again are notified.
    """
    _end(report, state, text)
    audit.record(
        actor=None,
        action=WalletAction.REPORT_NOT_FETCHED,
        target=report,
        brand_id=report.psp.brand_id,
        reason=text,
        after={"psp": report.psp.code, "name": report.name, "state": state, "attempts": report.attempts},
    )
    notify(
        people_with("wallet.run_reconciliation", brand_id=report.psp.brand_id),
        kind=WalletNotice.REPORT_NOT_FETCHED,
        title=phrase("Report from %(psp)s not fetched: %(name)s") % {"psp": report.psp, "name": report.name},
        body=text,
        url=f"/money/psps/{report.psp_id}/health/",
        dedupe_key=f"report:{report.pk}:{report.attempts}:{timezone.now():%Y%m%d}",
    )
    return state


@transaction.atomic
def fetch_again(*, report_id: int, actor: Actor) -> AnnouncedReport:
    """Fetch a report again, with all attempts. Who: `wallet.run_reconciliation` on the brand. Raises: NotAllowed, WrongState."""
    report = lock(AnnouncedReport, report_id, "psp")
    require(policies.can_reconcile(actor, report.psp))
    if not report.can_be_fetched:
        raise WrongState(_("This report is “%(state)s”.") % {"state": report.get_state_display()})
    before = report.state
    report.move_to(ReportState.WAITING)
    report.attempts, report.due_at, report.finished_at = 0, timezone.now(), None
    report.save(update_fields=["state", "attempts", "due_at", "finished_at"])
    audit.record(
        actor=actor,
        action=WalletAction.REPORT_FETCH_ORDERED,
        target=report,
        brand_id=report.psp.brand_id,
        before={"state": before},
        after={"psp": report.psp.code, "name": report.name},
    )
    enqueue_on_commit("wallet.fetch_report", report.pk)
    return report


# ── what should have come ────────────────────────────────────────────────────────────────────────────────────────────


def note_missing_reports() -> int:
    """Note days whose movements are in no report although it is due. Returns how many are new. Run on a schedule."""
    codes = [code for code in ADAPTERS if adapter_class(code).announces_reports]
    psps = Psp.objects.filter(adapter__in=codes, is_enabled=True).select_related("brand").order_by("pk")
    return sum(_update_missing(psp, kind) for psp in psps for kind in adapter_of(psp).report_kinds())


@transaction.atomic
def _update_missing(psp: Psp, kind: ReportKind) -> int:
    today = timezone.now().astimezone(dt.UTC).date()
    first, last = today - dt.timedelta(days=LOOK_BACK_DAYS), today - dt.timedelta(days=kind.days_late)
    lacking = set(lacking_days(psp, kind, first, last))
    for row in lock_all(AnnouncedReport.objects.filter(psp=psp, kind=kind.code, day__gte=first)):
        if (row.state == ReportState.MISSING) != (row.day in lacking):
            row.move_to(ReportState.MISSING if row.day in lacking else ReportState.CAME)
            row.finished_at = None if row.state == ReportState.MISSING else timezone.now()
            row.save(update_fields=["state", "finished_at"])
        lacking.discard(row.day)
    fresh = [
        AnnouncedReport(
            psp=psp,
            kind=kind.code,
            name=f"{kind.code} {day}",
            day=day,
            announced_at=timezone.now(),
            state=ReportState.MISSING,
        )
        for day in sorted(lacking)
    ]
    AnnouncedReport.objects.bulk_create(fresh, ignore_conflicts=True)
    if fresh:
        _notify_missing(psp, kind, sorted(lacking))
    return len(fresh)


def _notify_missing(psp: Psp, kind: ReportKind, days: list[dt.date]) -> None:
    notify(
        people_with("wallet.run_reconciliation", brand_id=psp.brand_id),
        kind=WalletNotice.REPORT_MISSING,
        title=phrase("%(report)s from %(psp)s is missing") % {"report": kind.label, "psp": psp},
        body=phrase("It should cover: %(days)s.") % {"days": joined(days, ", ")},
        url=f"/money/psps/{psp.pk}/health/",
        dedupe_key=f"report-missing:{psp.pk}:{kind.code}:{days[-1]}",
    )
