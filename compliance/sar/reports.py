"""The life of a report: drafted, submitted, approved by a second person, filed; or the decision not to report.

Nothing is published and no work item, approval or timeline entry is made: each of them has readers outside the circle.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from compliance.aml import queries as aml_queries
from compliance.aml.choices import OF_TRADES
from compliance.aml.describing import alert_text
from compliance.aml.models import AmlCase, AmlEvidence, AmlMovement
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.sar import circle, goaml, policies
from compliance.sar.checking import Problem, problems_of
from compliance.sar.choices import UNFINISHED, ReportKind, ReportState
from compliance.sar.facts import facts_of
from compliance.sar.models import ReportMovement, SuspicionReport
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require

TRANSACTIONS_MAX: Final = 200
EMPTY: Final[dict[str, Any]] = {"action": "", "indicators": [], "occupation": "", "writers": [], "note": ""}


@transaction.atomic
def draft_report(*, case_id: int, kind: str, actor: User) -> SuspicionReport:
    """Draft a report from a case: its alerts' sentences and referred suspicions as grounds, its evidence as transactions.

    Who: the circle. Raises: NotAllowed, WrongState while another report of the case isn't finished.
    """
    client, case = _locked_case(case_id)
    require(policies.can_draft(actor, case))
    alerts = aml_queries.alerts_of(case)
    # The oldest first, as the story goes.
    grounds = [(alert.at, f"{alert.version.rule}. {alert_text(alert)}") for alert in alerts]
    grounds += [(row.referred_at, f"{row.title}. {row.text}") for row in aml_queries.referrals_of(case)]
    narrative = "\n".join(f"{at:%Y-%m-%d}: {text}" for at, text in sorted(grounds))
    report = _create(case, client, ReportKind(kind), {**EMPTY, "narrative": narrative}, actor)
    if report.kind == ReportKind.STR:
        evidence = (
            AmlEvidence.objects.filter(alert__case=case)
            .exclude(movement__kind__in=OF_TRADES)
            .values_list("movement_id", flat=True)
            .distinct()
        )
        _choose(report, list(evidence[:TRANSACTIONS_MAX]))
    return report


@transaction.atomic
def amend_report(*, report_id: int, actor: User) -> SuspicionReport:
    """Draft a report that amends a filed one: it begins with what that one says, and names its reference.

    Who: the circle. Raises: NotAllowed, WrongState.
    """
    earlier = _locked(report_id)
    require(policies.can_amend(actor, earlier))
    content = {name: earlier.content[name] for name in ("narrative", "action", "indicators", "occupation")}
    report = _create(earlier.case, earlier.client, ReportKind(earlier.kind), EMPTY | content, actor, amends=earlier)
    _choose(report, list(earlier.chosen.values_list("movement_id", flat=True)))
    return report


def _create(
    case: AmlCase,
    client: Client,
    kind: ReportKind,
    content: dict[str, Any],
    actor: User,
    amends: SuspicionReport | None = None,
) -> SuspicionReport:
    if SuspicionReport.objects.filter(case=case, state__in=UNFINISHED).exists():
        raise WrongState(_("This case already has a report that isn't finished."))
    report = SuspicionReport(
        client=client, case=case, kind=kind, amends=amends, written_by=actor, written_at=timezone.now()
    )
    report.seal({**content, "writers": [actor.pk]})
    report.save()
    _record(report, ComplianceAction.SAR_DRAFTED, actor, after={"kind": kind.value, "case": case.pk})
    return report


@transaction.atomic
def write_report(  # noqa: PLR0913  one keyword per field of the form
    *,
    report_id: int,
    actor: User,
    kind: str,
    narrative: str,
    action: str,
    indicators: Sequence[str],
    occupation: str,
    movements: Sequence[int],
) -> SuspicionReport:
    """Save a draft as its form was filled in. Who: the circle. Raises: NotAllowed, DomainError (too many transactions)."""
    report = _locked(report_id)
    require(policies.can_write(actor, report))
    if len(movements) > TRANSACTIONS_MAX:
        raise DomainError(_("A report names at most %(count)s transactions.") % {"count": TRANSACTIONS_MAX})
    report.kind = ReportKind(kind)
    written = {"narrative": narrative, "action": action, "indicators": list(indicators), "occupation": occupation}
    writers = sorted({*report.content["writers"], actor.pk})
    report.seal(report.content | written | {"writers": writers})
    report.written_by, report.written_at = actor, timezone.now()
    report.save(update_fields=["kind", "content_sealed", "written_by", "written_at"])
    report.chosen.all().delete()
    _choose(report, movements if report.kind == ReportKind.STR else [])
    _record(report, ComplianceAction.SAR_WRITTEN, actor, after={"kind": report.kind, "transactions": len(movements)})
    return report


def _choose(report: SuspicionReport, movements: Sequence[int]) -> None:
    own = AmlMovement.objects.filter(pk__in=movements, client_id=report.client_id).exclude(kind__in=OF_TRADES)
    ReportMovement.objects.bulk_create([ReportMovement(report=report, movement_id=row.pk) for row in own.only("pk")])


def missing_from(report: SuspicionReport) -> list[Problem]:
    """List what a draft lacks before it can be submitted."""
    entity = circle.entity_of(report)
    if entity is None:
        return [Problem(_("Reporting entity"), _("Set up how the legal entity reports to its FIU."))]
    return problems_of(report.content, facts_of(report, entity, today(report.client.brand)), entity)


@transaction.atomic
def submit_report(*, report_id: int, actor: User) -> SuspicionReport:
    """Submit a draft for a second person's decision: facts are read, the XML is written, validated and sealed with its digest.

    Who: the circle. Raises: NotAllowed, DomainError with every field that is missing or what the schema refuses.
    """
    report = _locked(report_id)
    require(policies.can_write(actor, report))
    if missing := missing_from(report):
        raise _refusal([str(problem) for problem in missing])
    entity = circle.entity_of(report)
    assert entity is not None
    writers = sorted({*report.content["writers"], actor.pk})
    content = report.content | {"facts": facts_of(report, entity, today(report.client.brand)), "writers": writers}
    xml = goaml.write(content, entity)
    if errors := goaml.errors_of(xml, entity):
        raise _refusal([_("The FIU's schema refuses the report. %(error)s") % {"error": error} for error in errors])
    report.move_to(ReportState.IN_REVIEW)
    report.seal(content)
    report.keep_xml(xml, hashlib.sha256(xml).hexdigest())
    report.written_by, report.written_at = actor, timezone.now()
    report.save()
    _record(report, ComplianceAction.SAR_SUBMITTED, actor, after={"sha256": report.xml_sha256})
    others = set(people_with(aml_queries.SEES_REPORTS, brand_id=report.client.brand_id)) - set(writers)
    notify(
        sorted(others),
        kind=ComplianceNotice.REPORT_WAITS,
        # Neutral: a notice may be read over a shoulder, or in an e-mail.
        title=phrase("%(report)s awaits your decision") % {"report": str(report)},
        url=report.get_absolute_url(),
        dedupe_key=f"compliance.sar:{report.pk}:{report.xml_sha256[:12]}",
    )
    return report


@transaction.atomic
def return_report(*, report_id: int, actor: User, reason: str) -> SuspicionReport:
    """Return a report to its writer, with what to change. Who: the circle, not a writer. Raises: NotAllowed, DomainError."""
    report = _locked(report_id)
    require(policies.can_decide(actor, report))
    note = _reason(reason)
    report.move_to(ReportState.DRAFT)
    content = report.content
    content.pop("facts")
    report.seal(content | {"note": note})
    report.xml_sealed, report.xml_sha256 = None, ""
    report.save()
    _record(report, ComplianceAction.SAR_RETURNED, actor, reason=note)
    return report


@transaction.atomic
def approve_report(*, report_id: int, actor: User) -> SuspicionReport:
    """Approve a report as it was submitted. Who: the circle, not a writer. Raises: NotAllowed."""
    report = _locked(report_id)
    require(policies.can_decide(actor, report))
    _decide(report, ReportState.APPROVED, actor)
    _record(report, ComplianceAction.SAR_APPROVED, actor, after={"sha256": report.xml_sha256})
    return report


@transaction.atomic
def decide_not_to_report(*, report_id: int, actor: User, reason: str) -> SuspicionReport:
    """Decide that nothing is reported, with the reason that an inspector will read; also of what was approved and not filed yet.

    Who: the circle, not a writer. Raises: NotAllowed, DomainError without a reason.
    """
    report = _locked(report_id)
    require(policies.can_drop(actor, report))
    note = _reason(reason)
    before = {"state": report.state, "decided_by": report.decided_by_id}
    report.seal(report.content | {"note": note})
    _decide(report, ReportState.NOT_REPORTED, actor)
    _record(report, ComplianceAction.SAR_NOT_REPORTED, actor, before=before, reason=note)
    return report


def _decide(report: SuspicionReport, state: ReportState, actor: User) -> None:
    report.move_to(state)
    report.decided_by, report.decided_at = actor, timezone.now()
    report.save()


@transaction.atomic
def file_report(*, report_id: int, actor: User, reference: str, filed_on: dt.date) -> SuspicionReport:
    """Enter that an approved report was filed in the FIU's portal. Who: the circle.

    Raises: NotAllowed, DomainError (no reference, or a day before the approval or in the future).
    """
    report = _locked(report_id)
    require(policies.can_file(actor, report))
    if not reference.strip():
        raise DomainError(_("Enter the FIU's reference."))
    assert report.decided_at is not None
    if not timezone.localdate(report.decided_at) <= filed_on <= timezone.localdate():
        raise DomainError(_("Enter a day between the approval and today."))
    report.move_to(ReportState.FILED)
    report.fiu_reference, report.filed_on, report.filed_by = reference.strip(), filed_on, actor
    report.save()
    after = {"reference": report.fiu_reference, "filed_on": filed_on.isoformat(), "sha256": report.xml_sha256}
    _record(report, ComplianceAction.SAR_FILED, actor, after=after)
    return report


def _refusal(reasons: list[str]) -> DomainError:
    error = DomainError("\n".join(reasons))
    error.reasons = reasons
    return error


def _reason(text: str) -> str:
    if not text.strip():
        raise DomainError(_("Enter a reason. Auditors read it."))
    return text.strip()


def _locked_case(case_id: int) -> tuple[Client, AmlCase]:
    client_id = AmlCase.objects.values_list("client_id", flat=True).get(pk=case_id)
    client = lock(Client, client_id, "brand__legal_entity", "book", no_key=True)
    case = AmlCase.objects.get(pk=case_id)
    case.client = client
    return client, case


def _locked(report_id: int) -> SuspicionReport:
    """Lock a report and, before it, its client."""
    client_id = SuspicionReport.objects.values_list("client_id", flat=True).get(pk=report_id)
    client = lock(Client, client_id, "brand__legal_entity", "book", no_key=True)
    report = lock(SuspicionReport, report_id, "case", "amends")
    report.client = client
    return report


def _record(report: SuspicionReport, action: ComplianceAction, actor: User, **more: Any) -> None:
    audit.record(
        actor=actor, action=action, target=report, client_id=report.client_id, brand_id=report.client.brand_id, **more
    )
