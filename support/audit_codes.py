"""What happens to tickets, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class SupportAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    MACRO_SAVED = "support.macro_saved", _("Macro saved"), "zap"
    TICKET_ASSIGNED = "support.ticket_assigned", _("Ticket assigned"), "user-check"
    TICKET_CATEGORY_CHANGED = "support.ticket_category_changed", _("Ticket category changed"), "tag"
    TICKET_CLOSED = "support.ticket_closed", _("Ticket closed"), "archive"
    TICKET_LATE = "support.ticket_late", _("Ticket late"), "clock", "warning"
    TICKET_MERGED = "support.ticket_merged", _("Ticket merged"), "merge"
    TICKET_MERGE_UNDONE = "support.ticket_merge_undone", _("Merge of a ticket undone"), "split"
    TICKET_NOTED = "support.ticket_noted", _("Internal note added to a ticket"), "message-square"
    TICKET_OPENED = "support.ticket_opened", _("Ticket opened"), "life-buoy"
    TICKET_RATED = "support.ticket_rated", _("Ticket rated"), "star"
    TICKET_REOPENED = "support.ticket_reopened", _("Ticket reopened"), "undo-2"
    TICKET_REPLIED = "support.ticket_replied", _("Ticket reply sent"), "send"
    TICKET_SOLVED = "support.ticket_solved", _("Ticket solved"), "circle-check", "success"
