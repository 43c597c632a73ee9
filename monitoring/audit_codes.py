"""What happens to alerts about agents, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class MonitoringAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    AGENT_UNMASKED = "monitoring.agent_unmasked", _("Agent's name revealed"), "eye"
    ALERT_DECIDED = "monitoring.alert_decided", _("Alert decided"), "gavel"
    ALERT_GIVEN_BACK = "monitoring.alert_given_back", _("Alert returned to the queue"), "undo-2"
    ALERT_RAISED = "monitoring.alert_raised", _("Alert raised"), "siren", "warning"
    ALERT_TAKEN = "monitoring.alert_taken", _("Alert claimed"), "user-check"
    ALERT_ESCALATED = (
        "monitoring.alert_escalated",
        _("Alert escalated to the reporting officer"),
        "shield-alert",
        "warning",
    )
    ALERT_OVERDUE = "monitoring.alert_overdue", _("Alert not reviewed in time"), "clock", "warning"
    ANOMALY_DECIDED = "monitoring.anomaly_decided", _("Anomaly decided"), "gavel"
    CASE_PACK = "monitoring.case_pack", _("Case pack created"), "file-text"
    ESCALATION_DECIDED = "monitoring.escalation_decided", _("Escalated alert decided"), "gavel"
    EXPLANATION_ASKED = "monitoring.explanation_asked", _("Agent asked to explain"), "circle-question-mark"
    EXPLANATION_GIVEN = "monitoring.explanation_given", _("Agent's explanation received"), "message-square"
    FIGURES_DELETED = "monitoring.figures_deleted", _("Old monitoring figures deleted"), "trash-2"
    HISTORY_DELETED = "monitoring.history_deleted", _("Uploaded history deleted"), "trash-2"
    HISTORY_SCORED = "monitoring.history_scored", _("Uploaded history scored"), "activity"
    HISTORY_UPLOADED = "monitoring.history_uploaded", _("History of another system uploaded"), "upload"
    LIMIT_ENDED = "monitoring.limit_ended", _("Limit on an agent's access ended"), "lock-open"
    LIMIT_SET = "monitoring.limit_set", _("Agent's access limited"), "lock", "warning"
    MISUSE_PROPOSED = "monitoring.misuse_proposed", _("Misuse found, awaiting second approval"), "gavel", "warning"
    MISUSE_REJECTED = "monitoring.misuse_rejected", _("Finding of misuse rejected"), "x"
    MISUSE_WITHDRAWN = "monitoring.misuse_withdrawn", _("Finding of misuse withdrawn"), "undo-2"
    OFFBOARDING_CONFIRMED = "monitoring.offboarding_confirmed", _("Offboarding confirmed"), "user-check", "success"
    OFFBOARDING_STEP = "monitoring.offboarding_step", _("Leaver's data handed over"), "users"
    WATCH_ENDED = "monitoring.watch_ended", _("Removed from the watchlist"), "eye-off"
    WATCH_STARTED = "monitoring.watch_started", _("Added to the watchlist"), "eye"
