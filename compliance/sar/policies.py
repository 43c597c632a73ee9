"""Who may read, write, approve and file reports: members of the MLRO's circle who reach the client."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.policies import can
from compliance.aml.models import AmlCase
from compliance.aml.queries import SEES_REPORTS
from compliance.sar.choices import ReportState
from compliance.sar.circle import is_member
from compliance.sar.models import SuspicionReport
from crm.models import Actor, Brand, LegalEntity
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of


def can_see(user: Actor) -> Decision:
    """Decide who may know of reports: the circle."""
    if is_member(user):
        return YES
    allowed = has_permission(user, SEES_REPORTS)
    return no(_("Only the MLRO's circle does this.")) if allowed else allowed


def can_draft(user: Actor, case: AmlCase) -> Decision:
    """Decide who may draft a report from a case: the circle, about a client in reach."""
    allowed = can_see(user)
    return can(user, case.client, SEES_REPORTS) if allowed else allowed


def _on(user: Actor, report: SuspicionReport, *states: ReportState) -> Decision:
    if report.state not in states:
        return no(_("This isn't possible any more: the report is %(state)s.") % {"state": report.get_state_display()})
    allowed = can_see(user)
    return can(user, report.client, SEES_REPORTS) if allowed else allowed


def can_write(user: Actor, report: SuspicionReport) -> Decision:
    """Decide who may write a report and submit it: the circle, while it is a draft."""
    return _on(user, report, ReportState.DRAFT)


def can_decide(user: Actor, report: SuspicionReport) -> Decision:
    """Decide who may approve a report or return it: the circle, but whoever wrote any of it."""
    return _by_another(user, report, ReportState.IN_REVIEW)


def can_drop(user: Actor, report: SuspicionReport) -> Decision:
    """Decide who may decide not to report, also what was approved and isn't filed yet: the circle, but whoever wrote any of it."""
    return _by_another(user, report, ReportState.IN_REVIEW, ReportState.APPROVED)


def _by_another(user: Actor, report: SuspicionReport, *states: ReportState) -> Decision:
    allowed = _on(user, report, *states)
    if allowed and (user is None or user.pk in report.content["writers"]):
        return no(_("You wrote this report. A second person has to decide."))
    return allowed


def can_file(user: Actor, report: SuspicionReport) -> Decision:
    """Decide who may enter that an approved report was filed: the circle."""
    return _on(user, report, ReportState.APPROVED)


def can_amend(user: Actor, report: SuspicionReport) -> Decision:
    """Decide who may draft a report that amends a filed one: the circle."""
    return _on(user, report, ReportState.FILED)


def can_set_up(user: Actor, legal_entity: LegalEntity) -> Decision:
    """Decide who may set up how a legal entity reports: the circle, on a whole brand of it."""
    allowed = can_see(user)
    if allowed and user is not None:
        brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands, legal_entity=legal_entity)
        return YES if brands.exists() else no(_("You don't have access to this brand."))
    return allowed
