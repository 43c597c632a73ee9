"""What happens to clients at risk and to suspected abuse, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class RiskAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    ABUSE_DECIDED = "risk.abuse_decided", _("Suspected abuse decided"), "gavel"
    RETENTION_DECIDED = "risk.retention_decided", _("Retention case decided"), "gavel"
    RETENTION_SNOOZED = "risk.retention_snoozed", _("Retention case snoozed"), "clock"
    MEASURE_PROPOSED = "risk.measure_proposed", _("Measure against abuse proposed"), "stamp"
    MEASURE_APPROVED = "risk.measure_approved", _("Measure against abuse approved"), "check"
    MEASURE_REJECTED = "risk.measure_rejected", _("Measure against abuse rejected"), "x"
    MEASURE_WITHDRAWN = "risk.measure_withdrawn", _("Measure against abuse withdrawn"), "undo-2"
    LINK_SET_ASIDE = "risk.link_set_aside", _("Link between clients set aside"), "share-2"
    LINK_COUNTED_AGAIN = "risk.link_counted_again", _("Link between clients counts again"), "share-2"
    ROUTING_PROPOSED = "risk.routing_proposed", _("Execution book proposed"), "stamp"
    ROUTING_APPROVED = "risk.routing_approved", _("Execution book approved"), "check"
    ROUTING_REJECTED = "risk.routing_rejected", _("Execution book rejected"), "x"
    ROUTING_WITHDRAWN = "risk.routing_withdrawn", _("Execution book withdrawn"), "undo-2"
