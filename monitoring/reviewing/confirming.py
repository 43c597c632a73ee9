"""Four eyes on confirmed misuse: one reviewer finds it, another person confirms before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.notices.notify import people_with
from crm.security.policies import Decision
from monitoring import alerts
from monitoring.audit_codes import MonitoringAction
from monitoring.choices import MonitoringNotice, Verdict
from monitoring.models import Alert, ConfirmationProposal
from monitoring.policies import can_review, reaches
from monitoring.queries import alerts_visible_to
from monitoring.reasons import in_words


class MisuseApproval(approvals.ApprovalKind[ConfirmationProposal]):
    """Confirmed misuse by an agent. Whoever may review the alert decides, but not the one who found it."""

    model = ConfirmationProposal
    code = "monitoring-misuse"
    label = gettext_lazy("Confirmed misuse by an agent")
    asks = decides = "monitoring.decide_alert"
    proposed, approved = MonitoringAction.MISUSE_PROPOSED, None  # the decision records itself
    rejected, withdrawn = MonitoringAction.MISUSE_REJECTED, MonitoringAction.MISUSE_WITHDRAWN
    notice = MonitoringNotice.MISUSE_PROPOSED
    brand_path = "alert__brand_id"
    one_open = ("alert",)
    related = ("alert__agent", "alert__brand", "alert__reviewer")
    done = gettext_lazy("Misuse confirmed.")

    def in_reach(self, rows: QuerySet[ConfirmationProposal], user: User) -> QuerySet[ConfirmationProposal]:
        return rows.filter(alert__in=alerts_visible_to(user).order_by().values("pk"))

    def reaches(self, user: User, item: ConfirmationProposal) -> Decision:
        return reaches(user, item.alert.agent)

    def may_decide(self, user: User, item: ConfirmationProposal) -> Decision:
        allowed = can_review(user, item.alert)
        return reaches(user, item.alert.agent) if allowed else allowed

    def can_propose(self, user: User, item: ConfirmationProposal) -> Decision:
        return self.may_decide(user, item)

    def not_deciders(self, item: ConfirmationProposal) -> set[int | None]:
        """Neither the maker, nor those who may not review this agent."""
        people = User.objects.filter(pk__in=people_with(self.decides, brand_id=item.alert.brand_id))
        return {self.maker_id(item)} | {user.pk for user in people if not self.may_decide(user, item)}

    def lock(self, pk: int) -> ConfirmationProposal:
        """Lock the alert, then the proposal: the order of those who decide alerts."""
        alert = lock(
            Alert, ConfirmationProposal.objects.values_list("alert_id", flat=True).get(pk=pk), "agent", "reviewer"
        )
        item = lock(self.rows(), pk)
        item.alert = alert
        return item

    def apply(self, item: ConfirmationProposal, actor: User, **given: Any) -> None:
        alerts.close_alert(
            item.alert, Verdict.CONFIRMED, item.text, reviewer=item.requested_by, second=actor, at=item.decided_at
        )

    def title(self, item: ConfirmationProposal) -> LocalizedText:
        return phrase("Misuse by %(agent)s on %(day)s") % {"agent": item.alert.agent, "day": item.alert.day}

    def url(self, item: ConfirmationProposal) -> str:
        return item.alert.get_absolute_url()

    def changes(self, item: ConfirmationProposal) -> Sequence[approvals.Change]:
        seen = [approvals.Change(_("Seen"), in_words(reason)) for reason in item.alert.reasons[:5]]
        return [approvals.Change(_("Finding"), item.text), *seen]

    def after(self, item: ConfirmationProposal) -> dict[str, Any]:
        return {"alert": item.alert_id}
