"""What happens to documents and verification levels, as the audit log records it."""

from django.utils.translation import gettext_lazy as _

from crm.audit_codes import AuditCode


class KycAction(AuditCode):
    """Codes of audit rows; see `crm/audit_codes.py`."""

    APPROVAL_OVERTURNED = "kyc.approval_overturned", _("Automatic approval overturned"), "undo-2", "danger"
    APPROVAL_WITHDRAWN = "kyc.approval_withdrawn", _("Automatic approval withdrawn"), "undo-2", "warning"
    ANSWERS_GIVEN = "kyc.answers_given", _("Questionnaire completed"), "list-checks"
    ANSWERS_REQUESTED = "kyc.answers_requested", _("Questionnaire requested"), "send"
    ANSWERS_REQUEST_WITHDRAWN = "kyc.answers_request_withdrawn", _("Questionnaire request withdrawn"), "undo-2"
    CATEGORY_DECIDED = "kyc.category_decided", _("Client category decided"), "gavel", "success"
    CATEGORY_DECLINED = "kyc.category_declined", _("Client category request declined"), "circle-x", "danger"
    CATEGORY_PROPOSED = "kyc.category_proposed", _("Client category proposed"), "stamp"
    CATEGORY_REJECTED = "kyc.category_rejected", _("Proposed client category rejected"), "circle-x", "danger"
    CATEGORY_REQUESTED = "kyc.category_requested", _("Client category requested"), "briefcase"
    CATEGORY_REQUEST_WITHDRAWN = "kyc.category_request_withdrawn", _("Client category request withdrawn"), "undo-2"
    CATEGORY_WITHDRAWN = "kyc.category_withdrawn", _("Proposed client category withdrawn"), "undo-2"
    CLIENT_REVIEW_DECIDED = "kyc.client_review_decided", _("Periodic review decided"), "clipboard-check", "success"
    CLIENT_REVIEW_OPENED = "kyc.client_review_opened", _("Periodic review due"), "calendar-clock"
    COMPANY_CHANGED = "kyc.company_changed", _("Company details changed"), "building-2"
    COMPANY_PERSON_ADDED = "kyc.company_person_added", _("Person added to the company"), "user-plus"
    COMPANY_PERSON_CHANGED = "kyc.company_person_changed", _("Person of the company changed"), "user-check"
    COMPANY_PERSON_REMOVED = "kyc.company_person_removed", _("Person removed from the company"), "user-x"
    COMPANY_REGISTERED = "kyc.company_registered", _("Company registered"), "building-2"
    DOCUMENT_APPROVED = "kyc.document_approved", _("Document approved"), "file-check", "success"
    DOCUMENT_APPROVED_AUTOMATICALLY = (
        "kyc.document_approved_automatically",
        _("Document approved automatically"),
        "bot",
        "success",
    )
    DOCUMENT_CHECKED = "kyc.document_checked", _("Document checked automatically"), "scan-search"
    DOCUMENT_ESCALATED = "kyc.document_escalated", _("Document escalated"), "flag", "warning"
    DOCUMENT_EXPIRED = "kyc.document_expired", _("Document expired"), "calendar-clock", "warning"
    DOCUMENT_REJECTED = "kyc.document_rejected", _("Document rejected"), "circle-x", "danger"
    DOCUMENT_REJECTED_AUTOMATICALLY = (
        "kyc.document_rejected_automatically",
        _("Document sent back automatically"),
        "bot",
        "warning",
    )
    DOCUMENT_REQUESTED = "kyc.document_requested", _("Document requested from the client"), "send"
    DOCUMENT_REQUEST_LAPSED = "kyc.document_request_lapsed", _("Requested document not received"), "clock", "warning"
    DOCUMENT_REQUEST_WITHDRAWN = "kyc.document_request_withdrawn", _("Document request withdrawn"), "undo-2"
    DOCUMENT_RESTORED = "kyc.document_restored", _("Earlier document valid again"), "history"
    DOCUMENT_UPLOADED = "kyc.document_uploaded", _("Document uploaded"), "upload"
    EDD_CLEARED = "kyc.edd_cleared", _("Enhanced due diligence: cleared"), "shield-check", "success"
    EDD_DECLINED = "kyc.edd_declined", _("Enhanced due diligence: declined"), "shield-x", "danger"
    FIELD_CORRECTED = "kyc.field_corrected", _("Field of a document corrected"), "pencil"
    FILE_INFECTED = "kyc.file_infected", _("Malware found in a file"), "shield-x", "danger"
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
    PROVIDER_APPROVED = "kyc.provider_approved", _("KYC provider set up"), "check", "success"
    PROVIDER_CHECK_CANCELLED = "kyc.provider_check_cancelled", _("Provider check cancelled"), "undo-2"
    PROVIDER_CHECK_DECIDED = "kyc.provider_check_decided", _("Provider check decided"), "scan-face"
    PROVIDER_CHECK_STARTED = "kyc.provider_check_started", _("Provider check started"), "external-link"
    PROVIDER_DELETED = "kyc.provider_deleted", _("Client's data deleted at the KYC provider"), "trash-2"
    PROVIDER_MESSAGE_RETRIED = "kyc.provider_message_retried", _("KYC provider's webhook retried"), "rotate-cw"
    PROVIDER_PROPOSED = "kyc.provider_proposed", _("KYC provider proposed"), "plug"
    PROVIDER_REJECTED = "kyc.provider_rejected", _("KYC provider proposal rejected"), "circle-x", "danger"
    PROVIDER_TESTED = "kyc.provider_tested", _("Connection to KYC provider tested"), "plug"
    PROVIDER_WITHDRAWN = "kyc.provider_withdrawn", _("KYC provider proposal withdrawn"), "undo-2"
    SHAREHOLDING_ADDED = "kyc.shareholding_added", _("Shareholding added"), "chart-pie"
    SHAREHOLDING_REMOVED = "kyc.shareholding_removed", _("Shareholding removed"), "chart-pie"
    REVIEW_UNDONE = "kyc.review_undone", _("Document decision undone"), "undo-2"
    SECOND_READER_REQUESTED = "kyc.second_reader_requested", _("Second reader requested"), "eye"
    SECOND_LOOK_AGREED = "kyc.second_look_agreed", _("Second look agreed"), "eye", "success"
    SECOND_LOOK_DISAGREED = "kyc.second_look_disagreed", _("Second look disagreed"), "eye", "danger"
    QUESTIONNAIRE_APPROVED = "kyc.questionnaire_approved", _("Questionnaire approved"), "check", "success"
    QUESTIONNAIRE_CREATED = "kyc.questionnaire_created", _("Questionnaire created"), "plus"
    QUESTIONNAIRE_DRAFTED = "kyc.questionnaire_drafted", _("Questionnaire draft saved"), "pencil"
    QUESTIONNAIRE_DRAFT_DISCARDED = "kyc.questionnaire_draft_discarded", _("Questionnaire draft discarded"), "trash-2"
    QUESTIONNAIRE_PROPOSED = "kyc.questionnaire_proposed", _("Questionnaire proposed"), "stamp"
    QUESTIONNAIRE_PUBLISHED = "kyc.questionnaire_published", _("Questionnaire published"), "list-checks", "success"
    QUESTIONNAIRE_REJECTED = "kyc.questionnaire_rejected", _("Questionnaire rejected"), "circle-x", "danger"
    QUESTIONNAIRE_WITHDRAWN = "kyc.questionnaire_withdrawn", _("Questionnaire proposal withdrawn"), "undo-2"
    UPLOAD_DISCARDED = "kyc.upload_discarded", _("Upload discarded"), "trash-2"
    UPLOAD_EXPIRED = "kyc.upload_expired", _("Unfinished upload expired"), "calendar-clock"
    UPLOAD_HANDED_OVER = "kyc.upload_handed_over", _("Upload handed to a phone"), "qr-code"
    UPLOAD_HANDOVER_OPENED = "kyc.upload_handover_opened", _("Upload opened on a phone"), "smartphone"
    UPLOAD_HANDOVER_REVOKED = "kyc.upload_handover_revoked", _("Hand-over to a phone ended"), "undo-2"
    UPLOAD_SENT = "kyc.upload_sent", _("Uploaded document sent"), "send"
    UPLOAD_STARTED = "kyc.upload_started", _("Upload started"), "upload"
    WARNING_ACKNOWLEDGED = "kyc.warning_acknowledged", _("Warning acknowledged"), "signature"
