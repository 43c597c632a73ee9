"""Escalated alerts: a work item of the reporting officer, with the alert behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import Decision, has_permission, no, require_permission
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ESCALATION_HOURS
from monitoring.choices import EscalationState, MonitoringNotice, Severity
from monitoring.models import Alert, Escalation
from monitoring.policies import reaches
from monitoring.queries import alerts_visible_to

RIGHT = "monitoring.decide_escalation"


class EscalationReview(work.WorkKind[Escalation]):
    """The reporting officer's queue of escalated alerts; nobody has to claim. There is no client, so each stands alone."""

    model = Escalation
    code, label = "monitoring.escalation", gettext_lazy("Escalated agent alerts")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        EscalationState.NO_ACTION: work.Outcome(EscalationState.NO_ACTION.label, needs_reason=True),
        EscalationState.MEASURES: work.Outcome(EscalationState.MEASURES.label, needs_reason=True),
        EscalationState.REPORTED: work.Outcome(EscalationState.REPORTED.label, needs_reason=True),
    }
    hours = ESCALATION_HOURS
    needs_claim = False
    by_client = False
    queue_url = "monitoring_escalations"

    def visible_to(self, user: Actor) -> QuerySet[Escalation]:
        return escalations_visible_to(user)

    def may_work(self, user: Actor, subject: Escalation) -> Decision:
        return can_decide_escalation(user, subject)

    def rows(self) -> QuerySet[Escalation]:
        return Escalation.objects.select_related("agent", "alert")

    def lock(self, subject_id: int) -> Escalation:
        return lock(Escalation, subject_id, "agent", "alert", "work")

    def title(self, subject: Escalation) -> LocalizedText:
        return phrase("%(agent)s: unusual day") % {"agent": subject.agent}


ESCALATION = work.register(EscalationReview)


def escalations_visible_to(user: Actor) -> QuerySet[Escalation]:
    """Select escalated alerts about agents the user reaches, for those who decide them; never about the user."""
    if user is None or not user.is_team or not user.has_perm(RIGHT):
        return Escalation.objects.none()
    return Escalation.objects.filter(alert__in=alerts_visible_to(user).order_by().values("pk"))


def get_escalation(user: User, escalation_id: int) -> Escalation:
    """Find one, 403 without the right, 404 out of reach."""
    require_permission(user, RIGHT)
    rows = escalations_visible_to(user).select_related("agent", "alert", "raised_by", "decided_by")
    row = rows.filter(pk=escalation_id).first()
    if row is None:
        raise Http404
    return row


def can_decide_escalation(user: Actor, escalation: Escalation) -> Decision:
    """Decide whether the user may decide it: the reporting officer in reach, not about themselves."""
    allowed = has_permission(user, RIGHT)
    if not allowed or user is None:
        return allowed
    if user.pk == escalation.agent_id:
        return no(_("You can't review an alert about yourself."))
    return reaches(user, escalation.agent)


def escalate(alert: Alert, *, raised_by: User) -> Escalation:
    """Put an alert into the reporting officer's queue, in the transaction of the decision."""
    now = timezone.now()
    priority = WorkPriority.HIGH if alert.severity == Severity.SEVERE else WorkPriority.NORMAL
    item = work.open_item(ESCALATION, brand=alert.brand, opened_at=now, priority=priority)
    row = Escalation.objects.create(alert=alert, agent_id=alert.agent_id, work=item, raised_by=raised_by, raised_at=now)
    audit.record(
        actor=raised_by,
        action=MonitoringAction.ALERT_ESCALATED,
        target=alert,
        brand_id=alert.brand_id,
        after={"escalation": row.pk, "work": item.pk},
    )
    officers = User.objects.filter(pk__in=people_with(RIGHT, brand_id=alert.brand_id))
    notify(
        [user for user in officers if can_decide_escalation(user, row)],
        kind=MonitoringNotice.ESCALATED,
        title=phrase("%(agent)s: alert escalated to you") % {"agent": alert.agent},
        body=phrase("Escalated by %(reviewer)s") % {"reviewer": raised_by},
        url=row.get_absolute_url(),
        dedupe_key=f"monitoring.escalation:{row.pk}",
    )
    return row


@transaction.atomic
def decide_escalation(*, escalation_id: int, actor: User, outcome: str, reason: str) -> Escalation:
    """Decide an escalated alert with a reason. Who: `monitoring.decide_escalation` in reach, not about oneself.

    Raises: NotAllowed (also while a colleague has claimed it), WrongState, DomainError (no reason).
    """
    row = ESCALATION.lock(escalation_id)
    policies.require(can_decide_escalation(actor, row))
    if row.state != EscalationState.OPEN:
        raise WrongState(_("This has already been decided."))
    state = EscalationState(outcome)
    work.decide(row, actor=actor, outcome=state, reason=reason)
    row.move_to(state)
    row.reason, row.decided_by, row.decided_at = reason.strip(), actor, timezone.now()
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    audit.record(
        actor=actor,
        action=MonitoringAction.ESCALATION_DECIDED,
        target=row.alert,
        brand_id=row.alert.brand_id,
        reason=reason,
        after={"escalation": row.pk, "outcome": str(state)},
    )
    return row
