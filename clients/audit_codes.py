"""What happens to a client's profile, notes, calls and tasks, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class ClientsAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    CALL_LOGGED = "clients.call_logged", _("Call logged"), "phone"
    COUNTRY_RULE_APPROVED = "clients.country_rule_approved", _("Country rule approved"), "check", "success"
    COUNTRY_RULE_CHANGED = "clients.country_rule_changed", _("Country rule changed"), "globe"
    COUNTRY_RULE_PROPOSED = "clients.country_rule_proposed", _("Country rule proposed"), "globe", "info"
    COUNTRY_RULE_REJECTED = "clients.country_rule_rejected", _("Country rule rejected"), "x", "danger"
    COUNTRY_RULE_WITHDRAWN = "clients.country_rule_withdrawn", _("Country rule withdrawn"), "x"
    CUSTOM_CHOICE_CHANGED = "clients.custom_choice_changed", _("Choice of a custom field changed"), "list"
    CUSTOM_FIELD_ARCHIVED = "clients.custom_field_archived", _("Custom field archived"), "archive"
    CUSTOM_FIELD_CHANGED = "clients.custom_field_changed", _("Custom field changed"), "square-pen"
    CUSTOM_FIELD_CREATED = "clients.custom_field_created", _("Custom field created"), "plus"
    CUSTOM_FIELD_MOVED = "clients.custom_field_moved", _("Custom field moved"), "arrow-up-down"
    CUSTOM_FIELD_RESTORED = "clients.custom_field_restored", _("Custom field restored"), "rotate-ccw"
    CUSTOM_VALUES_CHANGED = "clients.custom_values_changed", _("Custom fields of a record changed"), "square-pen"
    EXEMPTION_APPROVED = "clients.exemption_approved", _("Exemption approved"), "check", "success"
    EXEMPTION_ENDED = "clients.exemption_ended", _("Exemption ended"), "hourglass"
    EXEMPTION_PROPOSED = "clients.exemption_proposed", _("Exemption proposed"), "shield-check", "info"
    EXEMPTION_REJECTED = "clients.exemption_rejected", _("Exemption rejected"), "x", "danger"
    EXEMPTION_WITHDRAWN = "clients.exemption_withdrawn", _("Exemption withdrawn"), "x"
    MAIL_SENT = "clients.mail_sent", _("E-mail sent"), "mail"
    MERGED = "clients.merged", _("Records merged"), "merge"
    MERGE_UNDONE = "clients.merge_undone", _("Merge undone"), "rotate-ccw"
    MOVED = "clients.moved", _("Client moved to another book"), "arrow-left-right"
    NOTE_ADDED = "clients.note_added", _("Note added"), "message-square"
    NOTE_EDITED = "clients.note_edited", _("Note edited"), "square-pen"
    NOTE_PINNED = "clients.note_pinned", _("Note pinned"), "bookmark"
    NOTE_UNPINNED = "clients.note_unpinned", _("Note unpinned"), "bookmark"
    PROFILE_CHANGED = "clients.profile_changed", _("Personal details changed"), "user"
    STAGE_CHANGED = "clients.stage_changed", _("Stage changed"), "workflow"
    TASK_ADDED = "clients.task_added", _("Task added"), "list-todo"
    TASK_COMPLETED = "clients.task_completed", _("Task completed"), "check", "success"
    TASK_REOPENED = "clients.task_reopened", _("Task reopened"), "rotate-ccw"
    TASK_SNOOZED = "clients.task_snoozed", _("Task postponed"), "clock"
    # Recorded by the portal; declared here because the checks of withdrawals, which know no portal, look for it.
    DETAILS_CHANGED = "portal.details_changed", _("Personal details changed by the client"), "user"
