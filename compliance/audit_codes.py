"""What compliance decides, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class ComplianceAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    AML_DOCUMENT_REQUESTED = (
        "compliance.aml_document_requested",
        _("Document requested for an AML case"),
        "send",
        "info",
    )
    AML_DOCUMENT_WITHDRAWN = (
        "compliance.aml_document_withdrawn",
        _("Document request of an AML case withdrawn"),
        "undo-2",
        "neutral",
    )
    AML_ANSWERS_REQUESTED = "compliance.aml_answers_requested", _("Answers requested for an AML case"), "send", "info"
    AML_TASK_ADDED = "compliance.aml_task_added", _("Task added to an AML case"), "list-checks"
    AML_TASK_DONE = "compliance.aml_task_done", _("Task of an AML case done"), "check", "success"
    AML_SUSPICION_REFERRED = (
        "compliance.aml_suspicion_referred",
        _("Suspicion referred to an AML case"),
        "siren",
        "info",
    )
    AML_CASE_DECIDED = "compliance.aml_case_decided", _("AML case decided"), "gavel", "info"
    AML_RULE_DRAFTED = "compliance.aml_rule_drafted", _("AML rule drafted"), "pencil"
    AML_RULE_SHADOWED = "compliance.aml_rule_shadowed", _("AML rule put in shadow mode"), "eye"
    AML_RULE_PROPOSED = "compliance.aml_rule_proposed", _("AML rule change proposed"), "user-check", "info"
    AML_RULE_WENT_LIVE = "compliance.aml_rule_went_live", _("AML rule approved to go live"), "circle-check", "success"
    AML_RULE_RETIRED = "compliance.aml_rule_retired", _("AML rule retired"), "archive", "warning"
    AML_RULE_REJECTED = "compliance.aml_rule_rejected", _("AML rule change rejected"), "circle-x", "warning"
    AML_RULE_WITHDRAWN = "compliance.aml_rule_withdrawn", _("AML rule change withdrawn"), "x"
    CLIENT_SCREENED = "compliance.client_screened", _("Client screened"), "scan-search"
    DELISTING_OPENED = "compliance.delisting_opened", _("True match removed from its list"), "list-checks", "info"
    DELISTING_DECIDED = "compliance.delisting_decided", _("Delisted true match decided"), "gavel", "info"
    DELISTING_RELISTED = "compliance.delisting_relisted", _("True match listed again"), "siren", "danger"
    HIT_CLEARED = "compliance.hit_cleared", _("Possible match dismissed as false positive"), "circle-check", "success"
    HIT_CONFIRMED = "compliance.hit_confirmed", _("True match confirmed"), "siren", "danger"
    NAME_SCREENED = "compliance.name_screened", _("Name screened"), "scan-search"
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
    CONTROLS_KEPT = "compliance.controls_kept", _("Controls report kept"), "list-checks"
    RISK_ASSESSED = "compliance.risk_assessed", _("Risk rated"), "gauge"
    RISK_RATED_AGAIN = ("compliance.risk_rated_again", _("Clients rated again"), "gauge")
    RISK_MODEL_DRAFTED = "compliance.risk_model_drafted", _("Draft of a risk model saved"), "pencil"
    RISK_MODEL_DRAFT_DISCARDED = (
        "compliance.risk_model_draft_discarded",
        _("Draft of a risk model discarded"),
        "trash-2",
    )
    CLIENT_ERASED = "compliance.client_erased", _("Client erased"), "trash-2", "warning"
    ERASURE_PROPOSED = "compliance.erasure_proposed", _("Erasure of a client proposed"), "trash-2", "info"
    ERASURE_REJECTED = "compliance.erasure_rejected", _("Erasure of a client rejected"), "trash-2"
    ERASURE_WITHDRAWN = "compliance.erasure_withdrawn", _("Erasure of a client withdrawn"), "x"
    LEGAL_HOLD_PLACED = "compliance.legal_hold_placed", _("Legal hold placed"), "lock", "warning"
    LEGAL_HOLD_LIFTED = "compliance.legal_hold_lifted", _("Legal hold lifted"), "lock-open"
    RISK_MODEL_PROPOSED = "compliance.risk_model_proposed", _("Risk model proposed"), "gauge", "info"
    RISK_MODEL_APPROVED = "compliance.risk_model_approved", _("Risk model approved"), "gauge", "success"
    RISK_MODEL_REJECTED = "compliance.risk_model_rejected", _("Risk model rejected"), "gauge", "warning"
    RISK_MODEL_WITHDRAWN = "compliance.risk_model_withdrawn", _("Risk model withdrawn"), "x"
    RISK_OVERRIDE_PROPOSED = "compliance.risk_override_proposed", _("Change of a risk rating proposed"), "gauge", "info"
    RISK_OVERRIDE_APPROVED = (
        "compliance.risk_override_approved",
        _("Change of a risk rating approved"),
        "gauge",
        "warning",
    )
    RISK_OVERRIDE_REJECTED = "compliance.risk_override_rejected", _("Change of a risk rating rejected"), "gauge"
    RISK_OVERRIDE_WITHDRAWN = "compliance.risk_override_withdrawn", _("Change of a risk rating withdrawn"), "x"
    # Kept to the MLRO's circle by their beginning: `compliance.sar.circle`.
    SAR_DRAFTED = "compliance.sar_drafted", _("Suspicion report drafted"), "pencil"
    SAR_WRITTEN = "compliance.sar_written", _("Suspicion report edited"), "pencil"
    SAR_SUBMITTED = "compliance.sar_submitted", _("Suspicion report submitted"), "user-check", "info"
    SAR_RETURNED = "compliance.sar_returned", _("Suspicion report returned"), "undo-2", "warning"
    SAR_APPROVED = "compliance.sar_approved", _("Suspicion report approved"), "circle-check", "success"
    SAR_NOT_REPORTED = "compliance.sar_not_reported", _("Decided not to report"), "circle-x", "info"
    SAR_FILED = "compliance.sar_filed", _("Suspicion report filed"), "file-check", "success"
    SAR_ENTITY_PROPOSED = "compliance.sar_entity_proposed", _("Reporting entity proposed"), "sliders-horizontal", "info"
    SAR_ENTITY_SET = "compliance.sar_entity_set", _("Reporting entity set up"), "sliders-horizontal"
    SAR_ENTITY_REJECTED = (
        "compliance.sar_entity_rejected",
        _("Reporting entity rejected"),
        "sliders-horizontal",
        "warning",
    )
    SAR_ENTITY_WITHDRAWN = "compliance.sar_entity_withdrawn", _("Reporting entity withdrawn"), "x"
    SCREENING_SWITCHED = (
        "compliance.screening_switched",
        _("Screening switched between lists and vendor"),
        "plug",
        "info",
    )
    TRAIL_EXPORTED = "compliance.trail_exported", _("Audit trail exported"), "download"
    VENDOR_PROPOSED = "compliance.vendor_proposed", _("Screening vendor proposed"), "plug", "info"
    VENDOR_APPROVED = "compliance.vendor_approved", _("Screening vendor approved"), "plug", "success"
    VENDOR_REJECTED = "compliance.vendor_rejected", _("Screening vendor rejected"), "plug", "warning"
    VENDOR_WITHDRAWN = "compliance.vendor_withdrawn", _("Screening vendor proposal withdrawn"), "x"
    VENDOR_TESTED = "compliance.vendor_tested", _("Connection to a screening vendor tested"), "plug"
    VENDOR_ASKED = "compliance.vendor_asked", _("Names sent to a screening vendor"), "send", "info"
    VENDOR_ASKED_AGAIN = "compliance.vendor_asked_again", _("Screening vendor asked again"), "rotate-cw"
    VENDOR_ENTRIES_TAKEN = "compliance.vendor_entries_taken", _("Screening vendor's entries updated"), "list-checks"
    VENDOR_MESSAGE_RETRIED = "compliance.vendor_message_retried", _("Screening webhook retried"), "rotate-cw"
    WATCHLIST_IMPORTED = "compliance.watchlist_imported", _("Watchlist imported"), "list-checks"
    WATCHLIST_REFRESH_SET = "compliance.watchlist_refresh_set", _("Watchlist checks scheduled"), "refresh-cw"
    WATCHLIST_REFUSED = "compliance.watchlist_refused", _("Watchlist file rejected"), "circle-x", "warning"
