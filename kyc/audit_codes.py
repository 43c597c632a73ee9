"""What happens to documents and verification levels, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class KycAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    DOCUMENT_APPROVED = "kyc.document_approved", _("Document approved"), "file-check", "success"
    DOCUMENT_CHECKED = "kyc.document_checked", _("Document checked automatically"), "scan-search"
    DOCUMENT_EXPIRED = "kyc.document_expired", _("Document expired"), "calendar-clock", "warning"
    DOCUMENT_REJECTED = "kyc.document_rejected", _("Document rejected"), "circle-x", "danger"
    DOCUMENT_UPLOADED = "kyc.document_uploaded", _("Document uploaded"), "upload"
    FILE_RECEIVED = "kyc.file_received", _("File received"), "paperclip"
    FILE_REFUSED = "kyc.file_refused", _("File refused"), "circle-x", "warning"
    LEVELS_APPROVED = "kyc.levels_approved", _("KYC levels approved"), "check", "success"
    LEVELS_IN_FORCE = "kyc.levels_in_force", _("KYC levels in force"), "badge-check"
    LEVELS_PROPOSED = "kyc.levels_proposed", _("KYC levels proposed"), "badge-check"
    LEVELS_REJECTED = "kyc.levels_rejected", _("KYC levels rejected"), "circle-x", "danger"
    LEVELS_WITHDRAWN = "kyc.levels_withdrawn", _("KYC levels withdrawn"), "undo-2"
    LEVEL_REACHED = "kyc.level_reached", _("Verification level reached"), "badge-check", "success"
    REVIEW_UNDONE = "kyc.review_undone", _("Document decision undone"), "undo-2"
