"""Who may see whose days, and who may decide."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.choices import ApprovalState, Role
from crm.models import User
from crm.security.policies import YES, Decision, has_permission, no
from monitoring.choices import AlertState
from monitoring.models import Alert
from monitoring.queries import agents_visible_to


def can_review(user: User, alert: Alert) -> Decision:
    """Decide whether the user may review the alert: not their own, and not that of their own desk's head."""
    allowed = has_permission(user, "monitoring.decide_alert")
    if not allowed:
        return allowed
    if user.pk == alert.agent_id:
        return no(_("You can't review an alert about yourself."))
    if user.desk_id is not None and user.desk_id == alert.agent.desk_id and is_head(alert.agent):
        return no(_("This is about the head of your own desk. Compliance reviews it."))
    return YES


def is_head(agent: User) -> bool:
    """Check whether the agent heads a desk: who works under them doesn't review them."""
    return agent.groups.filter(name=Role.DESK_HEAD).exists()


def can_decide(user: User, alert: Alert) -> Decision:
    """Decide whether the user may decide the alert: a possible reviewer, and the one who claimed it if anybody did."""
    allowed = can_review(user, alert)
    if not allowed:
        return allowed
    if alert.state == AlertState.IN_REVIEW and alert.reviewer_id != user.pk:
        return no(_("%(reviewer)s is reviewing this alert.") % {"reviewer": alert.reviewer})
    if alert.state == AlertState.IN_REVIEW and alert.confirmations.filter(state=ApprovalState.PENDING).exists():
        return no(_("Misuse was found; the finding awaits second approval."))
    return YES


def can_watch(user: User, agent: User) -> Decision:
    """Decide whether the user may put the agent on the watchlist: with the permission, in reach, never oneself."""
    allowed = has_permission(user, "monitoring.manage_watchlist")
    if not allowed or user is None:
        return allowed
    if user.pk == agent.pk:
        return no(_("You can't add yourself to the watchlist."))
    return reaches(user, agent)


def reaches(user: User, agent: User) -> Decision:
    """Decide whether the agent belongs to a desk or brand that the user reaches."""
    if agents_visible_to(user).filter(pk=agent.pk).exists():
        return YES
    return no(_("You don't have access to this person's desk."))
