"""What happens to documents and verification levels, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class KycAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    APPROVAL_OVERTURNED = "kyc.approval_overturned", _("Automatic approval overturned"), "undo-2", "danger"
    DOCUMENT_APPROVED = "kyc.document_approved", _("Document approved"), "file-check", "success"
    DOCUMENT_APPROVED_AUTOMATICALLY = (
        "kyc.document_approved_automatically",
        _("Document approved automatically"),
        "bot",
        "success",
    )
    DOCUMENT_CHECKED = "kyc.document_checked", _("Document checked automatically"), "scan-search"
    DOCUMENT_EXPIRED = "kyc.document_expired", _("Document expired"), "calendar-clock", "warning"
    DOCUMENT_REJECTED = "kyc.document_rejected", _("Document rejected"), "circle-x", "danger"
    DOCUMENT_REJECTED_AUTOMATICALLY = (
        "kyc.document_rejected_automatically",
        _("Document sent back automatically"),
        "bot",
        "warning",
    )
    DOCUMENT_UPLOADED = "kyc.document_uploaded", _("Document uploaded"), "upload"
    FILE_RECEIVED = "kyc.file_received", _("File received"), "paperclip"
    FILE_REFUSED = "kyc.file_refused", _("File refused"), "circle-x", "warning"
    LEVELS_APPROVED = "kyc.levels_approved", _("KYC levels approved"), "check", "success"
    LEVELS_IN_FORCE = "kyc.levels_in_force", _("KYC levels in force"), "badge-check"
    LEVELS_PROPOSED = "kyc.levels_proposed", _("KYC levels proposed"), "badge-check"
    LEVELS_REJECTED = "kyc.levels_rejected", _("KYC levels rejected"), "circle-x", "danger"
    LEVELS_WITHDRAWN = "kyc.levels_withdrawn", _("KYC levels withdrawn"), "undo-2"
    LEVEL_REACHED = "kyc.level_reached", _("Verification level reached"), "badge-check", "success"
    POLICY_APPROVED = "kyc.policy_approved", _("KYC policy approved"), "check", "success"
    POLICY_PROPOSED = "kyc.policy_proposed", _("KYC policy proposed"), "scale"
    POLICY_REJECTED = "kyc.policy_rejected", _("KYC policy rejected"), "x", "danger"
    POLICY_WITHDRAWN = "kyc.policy_withdrawn", _("KYC policy withdrawn"), "undo-2"
    REVIEW_UNDONE = "kyc.review_undone", _("Document decision undone"), "undo-2"
    SECOND_LOOK_AGREED = "kyc.second_look_agreed", _("Second look agreed"), "eye", "success"
    SECOND_LOOK_DISAGREED = "kyc.second_look_disagreed", _("Second look disagreed"), "eye", "danger"
