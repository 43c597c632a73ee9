"""Alerts that weren't reviewed within the brand's hours: the heads above the desk are notified."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy

from crm.due import DueKind, declare, due
from crm.i18n.localized_text import phrase
from crm.models import Brand, DueRow, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.work import hours_of
from monitoring.audit_codes import MonitoringAction
from monitoring.brand_policies import ALERT_REVIEW_HOURS
from monitoring.choices import AlertState, MonitoringNotice
from monitoring.models import Alert
from monitoring.policies import can_review
from monitoring.queries import alerts_visible_to


def review_due(brand: Brand, raised_at: dt.datetime) -> dt.datetime:
    """Return until when an alert should be reviewed, in the brand's working hours."""
    return hours_of(brand).after(raised_at, dt.timedelta(hours=ALERT_REVIEW_HOURS.of(brand)))


def set_clock(alert: Alert) -> None:
    """Have the heads notified when the alert is still undecided at its due time; in the transaction that raises it."""
    if alert.due_at is not None:
        due(REVIEW, key=alert.pk, at=alert.due_at, brand_id=alert.brand_id)


def heads_above(alert: Alert) -> list[User]:
    """List who may review the alert and isn't on the agent's desk or its reviewer; where there is none, all who may."""
    may = [
        user
        for user in User.objects.filter(pk__in=people_with("monitoring.decide_alert", brand_id=alert.brand_id))
        if can_review(user, alert) and alerts_visible_to(user).filter(pk=alert.pk).exists()
    ]
    above = [
        user for user in may if user.pk != alert.reviewer_id and (user.desk_id is None or user.desk_id != alert.desk_id)
    ]
    return above or may


def _note_overdue(row: DueRow) -> None:
    alert = Alert.objects.select_related("agent", "desk", "reviewer").filter(pk=row.key).first()
    if alert is None or alert.state == AlertState.DECIDED:
        return
    audit.record(actor=None, action=MonitoringAction.ALERT_OVERDUE, target=alert, brand_id=alert.brand_id)
    notify(
        heads_above(alert),
        kind=MonitoringNotice.ALERT_OVERDUE,
        title=phrase("%(agent)s: alert not reviewed in time") % {"agent": alert.agent},
        body=phrase("Raised for %(day)s. Reviewer: %(reviewer)s")
        % {"day": alert.day, "reviewer": str(alert.reviewer or "–")},
        url=alert.get_absolute_url(),
        dedupe_key=f"monitoring.overdue:{alert.pk}",
    )


REVIEW = declare(DueKind("monitoring.review", gettext_lazy("Agent alert is reviewed"), _note_overdue))
