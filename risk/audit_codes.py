"""What happens to clients at risk and to suspected abuse, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class RiskAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    ABUSE_DECIDED = "risk.abuse_decided", _("Suspected abuse decided"), "gavel"
    RETENTION_DECIDED = "risk.retention_decided", _("Retention case decided"), "gavel"
    RETENTION_SNOOZED = "risk.retention_snoozed", _("Retention case snoozed"), "clock"
