"""Alerts about the behaviour of agents in the API, for those who see agents by name."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from ninja import Router

from crm.api.fields import boolean, day, integer, text, texts, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.models import User
from monitoring.choices import AlertState, Severity
from monitoring.models import Alert
from monitoring.queries import alerts_visible_to

router = Router()


def _alerts(user: User) -> QuerySet[Alert]:
    return alerts_visible_to(user) if user.has_perm("monitoring.see_agent_names") else Alert.objects.none()


ALERTS: Final = Resource(
    "alerts",
    "alert",
    scope="compliance:read",
    permission="monitoring.view_alert",
    rows=_alerts,
    summary="Days of agents that stand out.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        integer("agent_id"),
        day("day"),
        day("last_day"),
        text("state", choices=AlertState.values),
        text("severity", choices=Severity.values),
        texts("rules"),
        boolean("was_watched"),
        time("raised_at"),
        time("due_at"),
        time("decided_at"),
    ),
    filters=("brand", "agent_id", "state", "severity", "raised_at", "day"),
)
register(router, ALERTS)
