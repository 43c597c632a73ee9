"""What an auditor asks of the log first: decisions of a second person, and actions that could do harm."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.trails import events_visible_to
from crm.models import AuditEvent, User

APPROVED = (
    "compliance.restriction_lifted",
    "crm.grant_approved",
    "crm.work_proposal_approved",
    "ib.plan_activated",
    "trading.server_address_changed",
    "wallet.bonus_granted",
    "wallet.bonus_stays_lost",
    "wallet.break_posted",
    "wallet.cost_terms_approved",
    "wallet.manual_journal_posted",
    "wallet.payout_finding_booked",
    "wallet.period_reopened",
    "wallet.psp_address_changed",
    "wallet.rate_approved",
    "wallet.withdrawal_approved",
)
REJECTED = (
    "compliance.restriction_lift_refused",
    "crm.grant_rejected",
    "crm.work_proposal_rejected",
    "ib.plan_rejected",
    "trading.login_refused",
    "trading.operation_outcome_refused",
    "trading.server_address_refused",
    "wallet.bonus_refused",
    "wallet.bonus_return_refused",
    "wallet.break_posting_refused",
    "wallet.cost_terms_refused",
    "wallet.manual_journal_refused",
    "wallet.payout_finding_refused",
    "wallet.period_reopening_refused",
    "wallet.psp_address_refused",
    "wallet.rate_refused",
    "wallet.withdrawal_rejected",
)
# They widen somebody's reach, move money by hand, end a protection, or make a trace harder to follow.
HIGH_RISK = (
    "compliance.restriction_lifted",
    "compliance.trail_exported",
    "crm.access_granted",
    "crm.event_skipped",
    "crm.grant_approved",
    "crm.role_given",
    "crm.second_factor_reset",
    "monitoring.agent_unmasked",
    "trading.leverage_cap_ended",
    "trading.margin_policy_changed",
    "trading.server_address_changed",
    "trading.server_changed",
    "wallet.break_posted",
    "wallet.manual_journal_posted",
    "wallet.period_reopened",
    "wallet.psp_address_changed",
    "wallet.psp_configured",
)
TOPICS = [("approvals", _("Second approvals")), ("high_risk", _("High-risk actions"))]
_CODES = {"approvals": (*APPROVED, *REJECTED), "high_risk": HIGH_RISK}


def in_topic(rows: QuerySet[AuditEvent], topic: str) -> QuerySet[AuditEvent]:
    """Narrow rows of the log to a topic."""
    return rows.filter(action__in=_CODES[topic])


def topic_since(user: User, topic: str, days: int) -> QuerySet[AuditEvent]:
    """Select the visible rows of a topic in the last days."""
    return in_topic(events_visible_to(user), topic).filter(at__gte=timezone.now() - dt.timedelta(days=days))
