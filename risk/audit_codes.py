"""What happens to clients at risk, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class RiskAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    RETENTION_DECIDED = "risk.retention_decided", _("Retention case decided"), "gavel"
    RETENTION_SNOOZED = "risk.retention_snoozed", _("Retention case snoozed"), "clock"
