"""What is counted about an agent's day, and the states of alerts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import MANDATORY, NoticeGroup, NotificationKind, staff


class Family(models.TextChoices):
    """Signals that measure the same thing; dependent inside a family, nearly independent across."""

    VOLUME = "volume", _("Volume")
    REACH = "reach", _("Outside own book")
    DORMANT = "dormant", _("Dormant clients")
    VALUE = "value", _("High-value clients")
    SILENT = "silent", _("Looks without contact")
    CONTACT = "contact", _("Contacts revealed")
    TAKING = "taking", _("Data taken out")
    HOURS = "hours", _("Unusual hours")
    CALLS = "calls", _("Call pattern")
    IDENTITY = "identity", _("Device and place")
    PACE = "pace", _("Machine-like pace")
    EDITS = "edits", _("Changes to records")
    AFTERWARDS = "afterwards", _("What follows looks and calls")
    DRIFT = "drift", _("Slow rise over weeks")


class Feature(models.TextChoices):
    """What is counted about an agent's day; `monitoring.engine.signals` says how each is judged."""

    VIEWS = "views", _("Client records opened")
    CLIENTS = "clients", _("Different clients opened")
    BUSIEST_HOUR = "busiest_hour", _("Records opened in the busiest hour")
    SEARCHES = "searches", _("Searches")
    LISTS = "lists", _("Lists opened")
    LIST_ROWS = "list_rows", _("Records shown in lists")
    OUTSIDE_VIEWS = "outside_views", _("Records opened outside own book")
    OUTSIDE_CLIENTS = "outside_clients", _("Different clients outside own book")
    OUTSIDE_SHARE = "outside_share", _("Share of records outside own book")
    OUTSIDE_SILENT = "outside_silent", _("Clients outside own book opened without contact")
    OUTSIDE_SILENT_SHARE = "outside_silent_share", _("Share of clients outside own book opened without contact")
    NEW_CLIENTS = "new_clients", _("Clients new to the agent and not in own book")
    ONE_OWNER = "one_owner", _("Clients of one colleague")
    DORMANT_VIEWS = "dormant_views", _("Dormant clients opened")
    DORMANT_SHARE = "dormant_share", _("Share of dormant clients")
    HIGH_VALUE_OUTSIDE = "high_value_outside", _("High-value clients outside own book")
    HIGH_VALUE_SHARE = "high_value_share", _("Share of high-value clients")
    MONEY_LOOKS = "money_looks", _("Records opened after a large deposit or withdrawal, outside own book")
    SILENT = "silent_clients", _("Share of clients opened without contact")
    SILENT_REVEALS = "silent_reveals", _("Share of revealed contacts without a call")
    REVEALS = "reveals", _("Contacts revealed")
    REVEALS_WITHOUT_CALL = "reveals_without_call", _("Contacts revealed without a call that day")
    REVEAL_SHARE = "reveal_share", _("Share of clients whose contact was revealed")
    REVEALS_OUTSIDE = "reveals_outside", _("Contacts revealed outside own book")
    EXPORTS = "exports", _("Exports")
    DOWNLOADS = "downloads", _("Documents opened")
    PRINTS = "prints", _("Prints")
    OFF_HOURS = "off_hours", _("Actions outside working hours")
    SHORT_CALLS = "short_calls", _("Answered calls under 10 seconds")
    CALLS = "calls", _("Calls")
    CALLS_WITHOUT_RECORD = "calls_without_record", _("Calls without opening the record")
    REPEAT_CALLS = "repeat_calls", _("Repeated calls to one client")
    NEW_DEVICES = "new_devices", _("New devices")
    NEW_COUNTRIES = "new_countries", _("New countries")
    NEW_NETWORKS = "new_networks", _("New networks")
    SECOND_DEVICES = "second_devices", _("Second device while a session is open")
    STEADY_PACE = "steady_pace", _("Records opened at an even pace")
    FAST_STEPS = "fast_steps", _("Records opened within 5 seconds of one another")
    SEQUENTIAL = "sequential", _("Records opened in the order of their numbers")
    EDITS = "edits", _("Records changed")
    EDITS_OUTSIDE = "edits_outside", _("Records changed outside own book")
    ONE_PARTNER = "one_partner", _("Clients of one partner, outside own book")
    LEFT_AFTER_LOOKS = "left_after_looks", _("Clients who withdrew after a look without contact")
    NO_RESULT = "no_result", _("Share of clients reached two weeks ago without a result")


class Rule(models.TextChoices):
    """Facts that need no statistics: they raise an alert whatever the agent's habit is."""

    BULK_EXPORT = "bulk_export", _("Bulk export")
    LEAVER_TAKES = "leaver_takes", _("Export while leaving")
    KEEPS_TRYING = "keeps_trying", _("Repeated attempts against a limit")


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


class EscalationState(BadgeChoices):
    """What the reporting officer decides about an escalated alert."""

    OPEN = "open", "red", _("Open")
    NO_ACTION = "no_action", "secondary", _("No further action")
    MEASURES = "measures", "yellow", _("Disciplinary measures")
    REPORTED = "reported", "purple", _("Reported to the authority")


ESCALATION_TRANSITIONS: dict[str, set[str]] = {
    EscalationState.OPEN: {EscalationState.NO_ACTION, EscalationState.MEASURES, EscalationState.REPORTED},
    EscalationState.NO_ACTION: set(),
    EscalationState.MEASURES: set(),
    EscalationState.REPORTED: set(),
}


class Watched(models.TextChoices):
    """What is watched about clients, partners and operations; `monitoring.anomalies.signals` says how each is judged."""

    DEPOSITS = "deposits", _("Deposits far above the client's habit")
    STAKES = "stakes", _("Traded volume far above the client's habit")
    TRADES = "trades", _("Trades far above the client's habit")
    ODD_HOURS = "odd_hours", _("Trading at hours unusual for the client")
    CLICKS = "clicks", _("Clicks far above the partner's habit")
    CLICKS_FALL = "clicks_fall", _("Clicks far below the partner's habit")
    REGISTRATIONS = "registrations", _("Registrations far above the partner's habit")
    CONVERSION_FALL = "conversion_fall", _("Few registrations for the partner's clicks")
    DECLINES = "declines", _("Declined payments of a PSP")
    METHOD_DECLINES = "method_declines", _("Declined payments of a payment method")
    PSP_LATENCY = "psp_latency", _("Slow answers of a PSP")
    READING_FAILURES = "reading_failures", _("Failed reads from a trading server")
    READING_TIME = "reading_time", _("Slow reads from a trading server")
    QUEUE_AGE = "queue_age", _("Work waiting in a queue")


class Queue(models.IntegerChoices):
    """Queues whose oldest waiting entry is watched."""

    JOBS = 1, _("Jobs that people asked for")
    EVENTS = 2, _("Events")
    DUE = 3, _("Scheduled work")
    MAIL = 4, _("E-mails to send")
    WEBHOOKS = 5, _("Webhooks of PSPs")


class AnomalyState(BadgeChoices):
    OPEN = "open", "red", _("Open")
    ACTED = "acted", "green", _("Action taken")
    EXPLAINED = "explained", "teal", _("Explained")
    NOT_UNUSUAL = "not_unusual", "secondary", _("Nothing unusual")


ANOMALY_TRANSITIONS: dict[str, set[str]] = {
    AnomalyState.OPEN: {AnomalyState.ACTED, AnomalyState.EXPLAINED, AnomalyState.NOT_UNUSUAL},
    AnomalyState.ACTED: set(),
    AnomalyState.EXPLAINED: set(),
    AnomalyState.NOT_UNUSUAL: set(),
}


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
    EXPLANATION_ASKED = (
        "monitoring.explanation_asked",
        _("Questions about my activity"),
        NoticeGroup.SYSTEM,
        staff(),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    EXPLANATION_GIVEN = (
        "monitoring.explanation_given",
        _("Agents' explanations"),
        NoticeGroup.COMPLIANCE,
        staff("monitoring.decide_alert"),
    )
    MISUSE_PROPOSED = (
        "monitoring.misuse_proposed",
        _("Findings of misuse awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("monitoring.decide_alert"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    ALERT_OVERDUE = (
        "monitoring.alert_overdue",
        _("Agent alerts that weren't reviewed in time"),
        NoticeGroup.COMPLIANCE,
        staff("monitoring.decide_alert"),
        EmailChannel.AT_ONCE,
    )
    ESCALATED = (
        "monitoring.escalated",
        _("Escalated agent alerts"),
        NoticeGroup.COMPLIANCE,
        staff("monitoring.decide_escalation"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    ANOMALY = (
        "monitoring.anomaly",
        _("Anomalies of clients, partners and operations"),
        NoticeGroup.SYSTEM,
        staff("monitoring.decide_anomaly"),
        EmailChannel.DAILY,
    )
    OFFBOARDING = (
        "monitoring.offboarding",
        _("Leavers to offboard"),
        NoticeGroup.SYSTEM,
        staff("monitoring.offboard_agents"),
        EmailChannel.AT_ONCE,
    )
    ACCESS_LIMITED = (
        "monitoring.access_limited",
        _("Limits on access"),
        NoticeGroup.SYSTEM,
        staff(),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
