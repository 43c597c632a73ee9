"""The queue of anomalies: who sees which, and how one is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.queries import clients_visible_to
from crm import work
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import Decision, has_permission, require_permission
from crm.security.scope import reach_of
from ib.queries import partners_visible_to
from monitoring.anomalies.sentences import subject_of
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ANOMALY_HOURS
from monitoring.choices import AnomalyState
from monitoring.models import Anomaly

RIGHT, SEES = "monitoring.decide_anomaly", "monitoring.view_anomaly"
READ_ALONG = ("brand", "client__brand", "partner", "psp", "method__psp", "server")


class AnomalyReview(work.WorkKind[Anomaly]):
    """Anomalies of clients, partners, payment methods, servers and queues; nobody has to claim."""

    model = Anomaly
    code, label = "monitoring.anomaly", gettext_lazy("Anomalies")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        AnomalyState.ACTED: work.Outcome(AnomalyState.ACTED.label, needs_reason=True),
        AnomalyState.EXPLAINED: work.Outcome(AnomalyState.EXPLAINED.label, needs_reason=True),
        AnomalyState.NOT_UNUSUAL: work.Outcome(AnomalyState.NOT_UNUSUAL.label, needs_reason=True),
    }
    hours = ANOMALY_HOURS
    needs_claim = False
    by_client = False
    queue_url = "monitoring_anomalies"

    def visible_to(self, user: Actor) -> QuerySet[Anomaly]:
        return anomalies_visible_to(user)

    def may_work(self, user: Actor, subject: Anomaly) -> Decision:
        return can_decide_anomaly(user, subject)

    def rows(self) -> QuerySet[Anomaly]:
        return Anomaly.objects.select_related(*READ_ALONG)

    def lock(self, subject_id: int) -> Anomaly:
        return lock(Anomaly, subject_id, "work", *READ_ALONG)

    def title(self, subject: Anomaly) -> LocalizedText:
        return joined([subject_of(subject), label_of(subject, "signal")], ": ")


ANOMALY = work.register(AnomalyReview)


def anomalies_visible_to(user: Actor) -> QuerySet[Anomaly]:
    """Select anomalies of the clients and partners a person sees, and of services they may look after."""
    if user is None or not user.is_team or not user.has_perm(SEES):
        return Anomaly.objects.none()
    whole = reach_of(user).whole_brands
    seen = Q(client__in=clients_visible_to(user).order_by().values("pk"))
    if user.has_perm("ib.view_partner"):
        seen |= Q(partner__in=partners_visible_to(user, reads_grants=False).order_by().values("pk"))
    if user.has_perm("wallet.view_psp"):
        seen |= Q(client__isnull=True, partner__isnull=True, server__isnull=True, queue__isnull=True, brand__in=whole)
    if user.has_perm("trading.view_platform_health"):
        seen |= Q(server__isnull=False)
    if user.has_perm("crm.manage_events"):
        seen |= Q(queue__isnull=False)
    return Anomaly.objects.filter(seen)


def get_anomaly(user: User, anomaly_id: int) -> Anomaly:
    """Find one, 403 without the right, 404 out of reach."""
    require_permission(user, SEES)
    rows = anomalies_visible_to(user).select_related(*READ_ALONG, "work", "decided_by")
    row = rows.filter(pk=anomaly_id).first()
    if row is None:
        raise Http404
    return row


def can_decide_anomaly(user: Actor, anomaly: Anomaly) -> Decision:
    """Decide whether the user may decide it: with the right, and what it is about in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    if anomalies_visible_to(user).filter(pk=anomaly.pk).exists():
        return policies.YES
    return policies.no(_("This is out of your reach."))


@transaction.atomic
def decide_anomaly(*, anomaly_id: int, actor: User, outcome: str, reason: str) -> Anomaly:
    """Decide an anomaly with a reason. Who: `monitoring.decide_anomaly`, with its subject in reach.

    Raises: NotAllowed (also while a colleague has claimed it), WrongState, DomainError (no reason).
    """
    row = ANOMALY.lock(anomaly_id)
    policies.require(can_decide_anomaly(actor, row))
    if row.state != AnomalyState.OPEN:
        raise WrongState(_("This has already been decided."))
    state = AnomalyState(outcome)
    work.decide(row, actor=actor, outcome=state, reason=reason)
    row.move_to(state)
    row.reason, row.decided_by, row.decided_at = reason.strip(), actor, timezone.now()
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    audit.record(
        actor=actor,
        action=MonitoringAction.ANOMALY_DECIDED,
        target=row,
        brand_id=row.brand_id,
        client_id=row.client_id,
        reason=reason,
        after={"outcome": str(state), "signal": row.signal},
    )
    return row


def earlier_of(row: Anomaly, *, reader: User, limit: int = 5) -> list[Anomaly]:
    """List how earlier anomalies of the same subject and signal ended, among those the reader sees."""
    same = {
        name: getattr(row, name) for name in ("client_id", "partner_id", "psp_id", "method_id", "server_id", "queue")
    }
    rows = anomalies_visible_to(reader).filter(signal=row.signal, **same).exclude(pk=row.pk)
    return list(rows.exclude(state=AnomalyState.OPEN).select_related("decided_by").order_by("-pk")[:limit])
