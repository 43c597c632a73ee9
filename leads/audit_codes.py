"""What happens to leads and to what routes them, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class LeadsAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    ASSIGNED = "leads.assigned", _("Lead assigned"), "user-check"
    AUTOMATION_ACTIVATED = "leads.automation_activated", _("Automation activated"), "circle-play", "success"
    AUTOMATION_ARCHIVED = "leads.automation_archived", _("Automation archived"), "archive"
    AUTOMATION_CREATED = "leads.automation_created", _("Automation created"), "workflow"
    AUTOMATION_PAUSED = "leads.automation_paused", _("Automation paused"), "circle-pause", "warning"
    AUTOMATION_PROPOSED = "leads.automation_proposed", _("Activation of an automation proposed"), "workflow"
    AUTOMATION_REJECTED = "leads.automation_rejected", _("Activation of an automation rejected"), "circle-x", "warning"
    AUTOMATION_RESUMED = "leads.automation_resumed", _("Automation resumed"), "circle-play"
    AUTOMATION_SAVED = "leads.automation_saved", _("Draft of an automation saved"), "pencil"
    AUTOMATION_WITHDRAWN = "leads.automation_withdrawn", _("Proposed activation withdrawn"), "undo-2"
    BULK_CHANGED = "leads.bulk_changed", _("Leads changed in bulk"), "list-checks"
    BULK_UNDONE = "leads.bulk_undone", _("Bulk change undone"), "undo-2"
    CAMPAIGN_SAVED = "leads.campaign_saved", _("Campaign saved"), "megaphone"
    CAPTURED = "leads.captured", _("Lead captured"), "user-plus"
    DUPLICATE_DISMISSED = "leads.duplicate_dismissed", _("Noted as not the same person"), "user-x"
    DUPLICATE_REOPENED = "leads.duplicate_reopened", _("Possible duplicate reopened"), "merge"
    IMPORT_DISCARDED = "leads.import_discarded", _("Lead import discarded"), "trash-2"
    IMPORT_STARTED = "leads.import_started", _("Lead import started"), "upload"
    IMPORTED = "leads.imported", _("Leads imported"), "upload"
    INVITATION_USED = "leads.invitation_used", _("Invitation used"), "link"
    INVITED = "leads.invited", _("Invitation sent"), "mail"
    LANDING_PAGE_SAVED = "leads.landing_page_saved", _("Landing page saved"), "layout-dashboard"
    NEXT_SKIPPED = "leads.next_skipped", _("Next lead skipped"), "chevron-right"
    REROUTED = "leads.rerouted", _("Lead rerouted"), "route"
    ROUTING_RULE_SAVED = "leads.routing_rule_saved", _("Routing rule saved"), "route"
    SCORE_RULE_ENDED = "leads.score_rule_ended", _("Score rule ended"), "gauge"
    SCORE_RULE_REMOVED = "leads.score_rule_removed", _("Score rule removed"), "gauge"
    SCORE_RULE_SAVED = "leads.score_rule_saved", _("Score rule saved"), "gauge"
    SHIFTS_SET = "leads.shifts_set", _("Shifts set"), "calendar-clock"
    SOURCE_CREATED = "leads.source_created", _("Lead source created"), "plug"
    SOURCE_KEY_RENEWED = "leads.source_key_renewed", _("Lead source key renewed"), "key-round"
    SOURCE_SECRET_ROTATED = "leads.source_secret_rotated", _("Lead source signing secret rotated"), "key-round"
    SOURCE_SIGNATURE_ENDED = (
        "leads.source_signature_ended",
        _("Lead source no longer signs its requests"),
        "circle-x",
        "warning",
    )
    SOURCE_SIGNATURE_REQUIRED = "leads.source_signature_required", _("Lead source signs its requests"), "shield-check"
    SOURCE_STARTED = "leads.source_started", _("Lead source activated"), "play"
    SOURCE_STOPPED = "leads.source_stopped", _("Lead source deactivated"), "pause"
    SPEND_ENTERED = "leads.spend_entered", _("Campaign spend entered"), "coins"
    SPEND_IMPORTED = "leads.spend_imported", _("Campaign spend imported"), "upload"
    STATUS_CHANGED = "leads.status_changed", _("Sales status changed"), "tag"
