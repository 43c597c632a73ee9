"""What is counted about an agent's day, and the states of alerts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import NoticeGroup, NotificationKind, staff


class Family(models.TextChoices):
    """Features that measure the same thing; dependent inside a family, nearly independent across."""

    VOLUME = "volume", _("Volume")
    REACH = "reach", _("Outside own book")
    CONTACT = "contact", _("Contacts revealed")
    TAKING = "taking", _("Data taken out")
    HOURS = "hours", _("Unusual hours")


class Feature(models.TextChoices):
    """Counts of an agent's day; each is a column of AgentDay."""

    VIEWS = "views", _("Client records opened")
    CLIENTS = "clients", _("Different clients opened")
    BUSIEST_HOUR = "busiest_hour", _("Records opened in the busiest hour")
    SEARCHES = "searches", _("Searches")
    OUTSIDE_VIEWS = "outside_views", _("Records opened outside own book")
    OUTSIDE_CLIENTS = "outside_clients", _("Different clients outside own book")
    DORMANT_VIEWS = "dormant_views", _("Dormant clients opened")
    REVEALS = "reveals", _("Contacts revealed")
    REVEALS_WITHOUT_CALL = "reveals_without_call", _("Contacts revealed without a call that day")
    EXPORTS = "exports", _("Exports")
    DOWNLOADS = "downloads", _("Documents opened")
    OFF_HOURS = "off_hours", _("Actions outside working hours")


FAMILY_OF: dict[Feature, Family] = {
    Feature.VIEWS: Family.VOLUME,
    Feature.CLIENTS: Family.VOLUME,
    Feature.BUSIEST_HOUR: Family.VOLUME,
    Feature.SEARCHES: Family.VOLUME,
    Feature.OUTSIDE_VIEWS: Family.REACH,
    Feature.OUTSIDE_CLIENTS: Family.REACH,
    Feature.DORMANT_VIEWS: Family.REACH,
    Feature.REVEALS: Family.CONTACT,
    Feature.REVEALS_WITHOUT_CALL: Family.CONTACT,
    Feature.EXPORTS: Family.TAKING,
    Feature.DOWNLOADS: Family.TAKING,
    Feature.OFF_HOURS: Family.HOURS,
}
FEATURES: tuple[Feature, ...] = tuple(FAMILY_OF)
FAMILIES: tuple[Family, ...] = tuple(Family)


# Fewer of them on a day aren't worth a review, whatever the person's habit: from one to nine is nine times, and nothing.
FLOORS: dict[Feature, int] = {
    Feature.VIEWS: 25,
    Feature.CLIENTS: 20,
    Feature.BUSIEST_HOUR: 15,
    Feature.SEARCHES: 40,
    Feature.OUTSIDE_VIEWS: 10,
    Feature.OUTSIDE_CLIENTS: 10,
    Feature.DORMANT_VIEWS: 10,
    Feature.REVEALS: 10,
    Feature.REVEALS_WITHOUT_CALL: 10,
    Feature.EXPORTS: 5,
    Feature.DOWNLOADS: 10,
    Feature.OFF_HOURS: 10,
}


class Rule(models.TextChoices):
    """Facts that need no statistics: they raise an alert whatever the agent's habit is."""

    BULK_EXPORT = "bulk_export", _("Bulk export")
    LEAVER_TAKES = "leaver_takes", _("Export while on the watchlist")


class AlertState(BadgeChoices):
    OPEN = "open", "red", _("Open")
    IN_REVIEW = "in_review", "yellow", _("In review")
    DECIDED = "decided", "green", _("Decided")


ALERT_TRANSITIONS: dict[str, set[str]] = {
    AlertState.OPEN: {AlertState.IN_REVIEW, AlertState.DECIDED},
    AlertState.IN_REVIEW: {AlertState.DECIDED, AlertState.OPEN},
    AlertState.DECIDED: set(),
}


class Severity(BadgeChoices):
    ELEVATED = "elevated", "yellow", _("Elevated")
    HIGH = "high", "orange", _("High")
    SEVERE = "severe", "red", _("Severe")


class Verdict(BadgeChoices):
    """What a reviewer decides. The code feeds back: see `monitoring.alerts.decide`."""

    TASK = "task", "green", _("Explained: a task or campaign")
    CHANGE = "change", "teal", _("Explained: another role, desk or shift")
    NO_CONCERN = "no_concern", "secondary", _("No concern")
    REMINDER = "reminder", "yellow", _("Policy reminder given")
    CONFIRMED = "confirmed", "red", _("Misuse confirmed")
    ESCALATED = "escalated", "purple", _("Escalated to compliance")


class WatchKind(BadgeChoices):
    NOTICE = "notice", "red", _("Leaving")
    ROLE_CHANGE = "role_change", "azure", _("Changing role")
    PRIVILEGED = "privileged", "purple", _("Privileged access")
    NEW_JOINER = "new_joiner", "green", _("New joiner")


class MonitoringNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    ALERT_RAISED = (
        "monitoring.alert_raised",
        _("Agent alerts"),
        NoticeGroup.COMPLIANCE,
        staff("monitoring.decide_alert"),
        EmailChannel.DAILY,
    )
