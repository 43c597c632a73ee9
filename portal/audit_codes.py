"""What clients do for themselves, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class PortalAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    CLIENT_REGISTERED = "portal.client_registered", _("Client registered"), "user-plus", "success"
    CONSENTS_RECORDED = "portal.consents_recorded", _("Consents recorded"), "signature"
    EMAIL_CONFIRMED = "portal.email_confirmed", _("E-mail address confirmed"), "at-sign", "success"
    REGISTRATION_REPEATED = "portal.registration_repeated", _("Registration repeated"), "refresh-cw"
