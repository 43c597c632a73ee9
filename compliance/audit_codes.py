"""What compliance decides, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class ComplianceAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    CLIENT_SCREENED = "compliance.client_screened", _("Client screened"), "scan-search"
    HIT_CLEARED = "compliance.hit_cleared", _("Possible match dismissed as false positive"), "circle-check", "success"
    HIT_CONFIRMED = "compliance.hit_confirmed", _("True match confirmed"), "siren", "danger"
    RESTRICTION_LIFT_ASKED = ("compliance.restriction_lift_asked", _("Restriction lift requested"), "lock-open", "info")
    RESTRICTION_LIFT_REFUSED = (
        "compliance.restriction_lift_refused",
        _("Restriction lift rejected"),
        "lock",
        "warning",
    )
    RESTRICTION_LIFT_WITHDRAWN = ("compliance.restriction_lift_withdrawn", _("Restriction lift request withdrawn"), "x")
    RESTRICTION_LIFTED = "compliance.restriction_lifted", _("Restriction lifted"), "lock-open", "success"
    RESTRICTION_PLACED = "compliance.restriction_placed", _("Restriction placed"), "lock", "danger"
    RISK_ASSESSED = "compliance.risk_assessed", _("Risk rated"), "gauge"
    RISK_RATED_AGAIN = (
        "compliance.risk_rated_again",
        _("Clients rated again after a change of country rules"),
        "gauge",
    )
    TRAIL_EXPORTED = "compliance.trail_exported", _("Audit trail exported"), "download"
    WATCHLIST_IMPORTED = "compliance.watchlist_imported", _("Watchlist imported"), "list-checks"
    WATCHLIST_REFUSED = "compliance.watchlist_refused", _("Watchlist file rejected"), "circle-x", "warning"
