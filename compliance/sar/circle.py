"""Who may know that a suspicion was reported: the MLRO's circle.

Everybody else must not be able to find out, by what is there or by what is missing: a hint could reach the client, which is
tipping off (Directive (EU) 2015/849, Article 39). So a report is no work item, no approval, no event and no timeline entry,
and its entries in both logs are kept to the circle.
"""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import Http404

from compliance.aml.queries import SEES_REPORTS
from compliance.sar.models import ReportingEntity, SuspicionReport
from crm.choices import AccessKind
from crm.models import Actor, User
from crm.security import access_log, confidential
from crm.security.scope import reach_of

LOG_PREFIX: Final = "compliance.sar_"
PRELOADED = ("client__brand__legal_entity", "client__book", "case", "written_by", "decided_by", "amends")


def is_member(user: Actor) -> bool:
    """Check for the circle: who holds `compliance.see_amlreports` by a role. A superuser runs the server, no more."""
    return bool(
        user is not None and user.is_active and user.is_team and not user.is_superuser and user.has_perm(SEES_REPORTS)
    )


confidential.declare(LOG_PREFIX, is_member)


def reports_visible_to(user: Actor) -> QuerySet[SuspicionReport]:
    """List the reports about clients in reach; none outside the circle."""
    if not is_member(user):
        return SuspicionReport.objects.none()
    return SuspicionReport.objects.filter(client__book_id__in=reach_of(user).books)


def get_report(user: Actor, report_id: int) -> SuspicionReport:
    """Find a report, or 404."""
    report = reports_visible_to(user).select_related(*PRELOADED).filter(pk=report_id).first()
    if report is None:
        raise Http404
    return report


def reports_of_case(user: Actor, case_id: int) -> list[SuspicionReport]:
    """List a case's reports, the newest first; none outside the circle."""
    return list(reports_visible_to(user).filter(case=case_id).order_by("-pk")[:20])


def entity_of(report: SuspicionReport) -> ReportingEntity | None:
    """Find how the client's legal entity reports; None until somebody set it up."""
    return ReportingEntity.objects.filter(legal_entity=report.client.brand.legal_entity_id).first()


def note_view(user: User, report: SuspicionReport, kind: AccessKind = AccessKind.VIEW) -> None:
    """Write down that somebody read or downloaded a report; the circle alone sees the entry."""
    access_log.note(
        user=user,
        kind=kind,
        client_id=report.client_id,
        brand_id=report.client.brand_id,
        target=f"{LOG_PREFIX}report:{report.pk}",
    )
