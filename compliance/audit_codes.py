"""What compliance decides, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class ComplianceAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    AML_CASE_DECIDED = "compliance.aml_case_decided", _("AML case decided"), "gavel", "info"
    AML_RULE_DRAFTED = "compliance.aml_rule_drafted", _("AML rule drafted"), "pencil"
    AML_RULE_SHADOWED = "compliance.aml_rule_shadowed", _("AML rule put in shadow mode"), "eye"
    AML_RULE_PROPOSED = "compliance.aml_rule_proposed", _("AML rule change proposed"), "user-check", "info"
    AML_RULE_WENT_LIVE = "compliance.aml_rule_went_live", _("AML rule approved to go live"), "circle-check", "success"
    AML_RULE_RETIRED = "compliance.aml_rule_retired", _("AML rule retired"), "archive", "warning"
    AML_RULE_REJECTED = "compliance.aml_rule_rejected", _("AML rule change rejected"), "circle-x", "warning"
    AML_RULE_WITHDRAWN = "compliance.aml_rule_withdrawn", _("AML rule change withdrawn"), "x"
    CLIENT_SCREENED = "compliance.client_screened", _("Client screened"), "scan-search"
    HIT_CLEARED = "compliance.hit_cleared", _("Possible match dismissed as false positive"), "circle-check", "success"
    HIT_CONFIRMED = "compliance.hit_confirmed", _("True match confirmed"), "siren", "danger"
    HIT_SEPARATED = "compliance.hit_separated", _("Match reviewed separately"), "split"
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
    WATCHLIST_REFRESH_SET = "compliance.watchlist_refresh_set", _("Watchlist checks scheduled"), "refresh-cw"
    WATCHLIST_REFUSED = "compliance.watchlist_refused", _("Watchlist file rejected"), "circle-x", "warning"
