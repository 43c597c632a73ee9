"""What is done to targets, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class ReportsAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    TARGETS_SET = "reports.targets_set", _("Targets set"), "target"
