"""States and kinds of documents, the issues that checks name, and the reasons an officer gives."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind, staff


class DocumentKind(models.TextChoices):
    PASSPORT = "passport", _("Passport")
    ID_CARD = "id_card", _("Identity card")
    RESIDENCE_PERMIT = "residence_permit", _("Residence permit")
    DRIVING_LICENCE = "driving_licence", _("Driving licence")
    PROOF_OF_ADDRESS = "proof_of_address", _("Proof of address")
    SELFIE = "selfie", _("Selfie")
    SOURCE_OF_FUNDS = "source_of_funds", _("Source of funds")
    PAYSLIP = "payslip", _("Payslip")
    BANK_STATEMENT = "bank_statement", _("Bank statement")
    TAX_ASSESSMENT = "tax_assessment", _("Tax assessment")
    CONTRACT = "contract", _("Contract")
    PROOF_OF_PAYMENT = "proof_of_payment", _("Proof of payment")
    REGISTER_EXTRACT = "register_extract", _("Register extract")
    ARTICLES = "articles", _("Articles of association")
    SHAREHOLDER_REGISTER = "shareholder_register", _("Shareholder register")
    BOARD_RESOLUTION = "board_resolution", _("Board resolution")
    OTHER = "other", _("Other document")


COMPANY_KINDS = (
    DocumentKind.REGISTER_EXTRACT,
    DocumentKind.ARTICLES,
    DocumentKind.SHAREHOLDER_REGISTER,
    DocumentKind.BOARD_RESOLUTION,
)
# What proves where a client's money comes from; asked for by a colleague.
MEANS_KINDS = (
    DocumentKind.SOURCE_OF_FUNDS,
    DocumentKind.PAYSLIP,
    DocumentKind.BANK_STATEMENT,
    DocumentKind.TAX_ASSESSMENT,
    DocumentKind.CONTRACT,
    DocumentKind.PROOF_OF_PAYMENT,
)
# What proves who somebody is, and which of these carry a machine-readable zone on which side.
IDENTITY_KINDS = (
    DocumentKind.PASSPORT,
    DocumentKind.ID_CARD,
    DocumentKind.RESIDENCE_PERMIT,
    DocumentKind.DRIVING_LICENCE,
)
TWO_SIDED_KINDS = (DocumentKind.ID_CARD, DocumentKind.RESIDENCE_PERMIT, DocumentKind.DRIVING_LICENCE)
# Cards of three lines: the zone is on the back.
CARD_KINDS = (DocumentKind.ID_CARD, DocumentKind.RESIDENCE_PERMIT)


class Side(models.TextChoices):
    FRONT = "front", _("Front")
    BACK = "back", pgettext_lazy("side of a document", "Back")


class DocumentState(BadgeChoices):
    UPLOADED = "uploaded", "azure", _("Uploaded")
    CHECKING = "checking", "blue", _("Being checked")
    PENDING_REVIEW = "pending_review", "yellow", _("Pending review")
    APPROVED = "approved", "green", _("Approved")
    REJECTED = "rejected", "red", _("Rejected")
    EXPIRED = "expired", "orange", _("Expired")
    REPLACED = "replaced", "secondary", _("Replaced")


# The one transition table: verbs, the page's buttons and a test read it.
DOCUMENT_TRANSITIONS: dict[str, set[str]] = {
    DocumentState.UPLOADED: {DocumentState.CHECKING, DocumentState.REPLACED},
    # Approved or rejected by the policy alone: there is no review then.
    DocumentState.CHECKING: {
        DocumentState.PENDING_REVIEW,
        DocumentState.APPROVED,
        DocumentState.REJECTED,
        DocumentState.REPLACED,
    },
    DocumentState.PENDING_REVIEW: {DocumentState.APPROVED, DocumentState.REJECTED, DocumentState.REPLACED},
    # Back to review while the officer's undo window is open, or where a provider revises its result; rejected only where the
    # policy had approved it.
    DocumentState.APPROVED: {
        DocumentState.PENDING_REVIEW,
        DocumentState.REJECTED,
        DocumentState.EXPIRED,
        DocumentState.REPLACED,
    },
    DocumentState.REJECTED: {DocumentState.PENDING_REVIEW},
    DocumentState.EXPIRED: {DocumentState.REPLACED},
    # Where the document that replaced it turns out to be wrong.
    DocumentState.REPLACED: {DocumentState.APPROVED},
}
OPEN_STATES = (DocumentState.UPLOADED, DocumentState.CHECKING, DocumentState.PENDING_REVIEW)
DECIDED_STATES = (DocumentState.APPROVED, DocumentState.REJECTED)


class IncomingState(BadgeChoices):
    """A file that was sent, until it is a document."""

    WAITING = "waiting", "blue", _("Checking the file")
    TAKEN = "taken", "green", _("Accepted")
    REFUSED = "refused", "red", _("File not accepted")


INCOMING_TRANSITIONS: dict[str, set[str]] = {
    IncomingState.WAITING: {IncomingState.TAKEN, IncomingState.REFUSED},
    IncomingState.TAKEN: set(),
    IncomingState.REFUSED: set(),
}


class UploadState(BadgeChoices):
    """A document that a client is putting together."""

    OPEN = "open", "blue", _("In progress")
    SENT = "sent", "green", _("Sent")
    DISCARDED = "discarded", "secondary", _("Discarded")
    EXPIRED = "expired", "orange", _("Expired")


UPLOAD_TRANSITIONS: dict[str, set[str]] = {
    UploadState.OPEN: {UploadState.SENT, UploadState.DISCARDED, UploadState.EXPIRED},
    UploadState.SENT: set(),
    UploadState.DISCARDED: set(),
    UploadState.EXPIRED: set(),
}


class Severity(BadgeChoices):
    """How much an issue weighs: a blocking one should not be approved without a second thought."""

    INFO = "info", "azure", _("Note")
    WARNING = "warning", "yellow", _("Warning")
    BLOCKING = "blocking", "red", _("Problem")


class Verdict(models.TextChoices):
    """What a check says. Where nothing could be read it is unsure: silence never passes."""

    PASS = "pass", _("Passed")
    FAIL = "fail", _("Failed")
    UNSURE = "unsure", _("Unclear")


class Outcome(models.TextChoices):
    """What becomes of a document."""

    APPROVE = "approve", _("Approve")
    ASK = "ask", _("Ask the client")
    QUEUE = "queue", _("Review manually")


class QueueReason(models.TextChoices):
    """Why a person decides though no check found a flaw, or though the client could mend it."""

    HIGH_RISK = "HIGH_RISK", _("The client is rated high risk")
    APPROVAL_OFF = "APPROVAL_OFF", _("Automatic approval is off for this risk")
    OTHER_SIDE = "OTHER_SIDE", _("The other side is missing or hasn't passed its checks")
    SIDES_DIFFER = "SIDES_DIFFER", _("The two sides don't match, or couldn't be compared")
    BEING_REVIEWED = "BEING_REVIEWED", _("An officer is reviewing the other side")
    ASKED_ENOUGH = "ASKED_ENOUGH", _("The client was asked for a better document too often")
    CHECKS_INCOMPLETE = "CHECKS_INCOMPLETE", _("A required check is missing")
    NOT_COVERED = "NOT_COVERED", _("The policy doesn't cover this document type")
    PROVIDER_MISSING = "PROVIDER_MISSING", _("The KYC provider hasn't checked this document")
    PROVIDER_REFUSED = "PROVIDER_REFUSED", _("The KYC provider refused the client")
    PROVIDER_DISAGREES = "PROVIDER_DISAGREES", _("The KYC provider and the built-in checks disagree")
    PROVIDER_REVISED = "PROVIDER_REVISED", _("The KYC provider revised a result that had passed")


QUEUE_REASON_SHORT: dict[str, Promise] = {
    QueueReason.HIGH_RISK: _("High risk"),
    QueueReason.APPROVAL_OFF: _("Approval is manual"),
    QueueReason.OTHER_SIDE: _("Other side"),
    QueueReason.SIDES_DIFFER: _("Sides differ"),
    QueueReason.BEING_REVIEWED: _("Under review"),
    QueueReason.ASKED_ENOUGH: _("Asked too often"),
    QueueReason.CHECKS_INCOMPLETE: _("Checks incomplete"),
    QueueReason.NOT_COVERED: _("Not covered"),
    QueueReason.PROVIDER_MISSING: _("Not checked by provider"),
    QueueReason.PROVIDER_REFUSED: _("Refused by provider"),
    QueueReason.PROVIDER_DISAGREES: _("Provider disagrees"),
    QueueReason.PROVIDER_REVISED: _("Revised by provider"),
}


class SecondLookState(BadgeChoices):
    """What an officer says who doesn't know the first verdict."""

    OPEN = "open", "yellow", _("Open")
    AGREED = "agreed", "green", _("Agreed")
    DISAGREED = "disagreed", "red", _("Disagreed")


class Opinion(models.TextChoices):
    """What somebody would decide about a document."""

    APPROVE = "approve", _("I would approve it")
    REJECT = "reject", _("I would reject it")


SECOND_LOOK_TRANSITIONS: dict[str, set[str]] = {
    SecondLookState.OPEN: {SecondLookState.AGREED, SecondLookState.DISAGREED},
    SecondLookState.AGREED: set(),
    SecondLookState.DISAGREED: set(),
}


class IssueCode(models.TextChoices):
    """What a check can find. Codes are stable: reports, templates and the portal's texts refer to them."""

    BLUR = "BLUR", _("The picture is blurred")
    GLARE = "GLARE", _("Glare covers part of the document")
    TOO_SMALL = "TOO_SMALL", _("The picture is too small to read")
    CROPPED = "CROPPED", _("The document is cut off")
    NO_MRZ = "NO_MRZ", _("No machine-readable zone was found")
    MRZ_CHECKDIGIT = "MRZ_CHECKDIGIT", _("A check digit in the machine-readable zone is wrong")
    EXPIRED = "EXPIRED", _("The document has expired")
    EXPIRES_SOON = "EXPIRES_SOON", _("The document expires soon")
    NAME_MISMATCH = "NAME_MISMATCH", _("The name differs from the registration")
    NAME_NEAR = "NAME_NEAR", _("The name is almost the one on the registration: compare it")
    NAME_CUT = "NAME_CUT", _("The name is too long for the machine-readable zone: compare it with the printed one")
    DOB_MISMATCH = "DOB_MISMATCH", _("The date of birth differs from the registration")
    NATIONALITY_MISMATCH = "NATIONALITY_MISMATCH", _("The nationality differs from the registration")
    SEX_MISMATCH = "SEX_MISMATCH", _("The sex differs from the registration")
    PRINT_MISMATCH = "PRINT_MISMATCH", _("The printed text doesn't match the machine-readable zone")
    PRINT_NEAR = "PRINT_NEAR", _("The printed text nearly matches the machine-readable zone: compare it")
    NOT_READ = "NOT_READ", _("Part of the document couldn't be read: check it manually")
    NOT_REGISTERED = "NOT_REGISTERED", _("The registration is missing details to compare the document with")
    NO_EXPIRY = "NO_EXPIRY", _("No expiry date was found")
    DATE_INCOMPLETE = "DATE_INCOMPLETE", _("A date on the document is incomplete or doesn't exist")
    UNKNOWN_STATE = "UNKNOWN_STATE", _("No such country or issuer exists")
    COUNTRY_MISMATCH = "COUNTRY_MISMATCH", _("The issuing country isn't the one that the client selected")
    SPECIMEN = "SPECIMEN", _("The document is a specimen, not a real one")
    LOW_RESOLUTION = "LOW_RESOLUTION", _("The picture is small: compare the name carefully")
    UNDERAGE = "UNDERAGE", _("The person is underage")
    DOC_NO_DUPLICATE = "DOC_NO_DUPLICATE", _("Another client has a document with this number")
    IMAGE_DUPLICATE = "IMAGE_DUPLICATE", _("Another client has sent the same picture")
    POA_TOO_OLD = "POA_TOO_OLD", _("The proof of address is older than three months")
    POA_NO_DATE = "POA_NO_DATE", _("No date was found on the proof of address")
    POA_NAME = "POA_NAME", _("The client's name was not found on the proof of address")
    POA_ADDRESS = "POA_ADDRESS", _("The client's address was not found on the proof of address")
    SCREEN_PHOTO = "SCREEN_PHOTO", _("The picture shows a screen or a printed copy: it is covered by a fine raster")
    SCREENSHOT = "SCREENSHOT", _("The picture is a screenshot")
    NO_COLOUR = "NO_COLOUR", _("The picture has no colour: it may be a copy")
    EDITED = "EDITED", _("The file was saved by a program for editing: compare it closely")
    PDF_CHANGED = "PDF_CHANGED", _("The PDF was changed after it was made: compare it closely")
    PARTS_DIFFER = "PARTS_DIFFER", _("Part of the picture was compressed differently: compare it closely")
    FONTS_DIFFER = "FONTS_DIFFER", _("A word of the PDF is in two fonts: compare it closely")
    ISSUE_DATE = "ISSUE_DATE", _("The date of issue doesn't fit the other dates")
    POA_COUNTRY = "POA_COUNTRY", _("The proof of address names another country")
    POA_ISSUER = "POA_ISSUER", _("The issuer wasn't recognised as a bank, utility, telecom provider or authority")
    UNSUPPORTED_TYPE = "UNSUPPORTED_TYPE", _("The document isn't the type the client selected")
    FACE_NOT_FOUND = "FACE_NOT_FOUND", _("No face was found")
    OCR_UNAVAILABLE = "OCR_UNAVAILABLE", _("The text couldn't be read automatically: check it manually")
    CHECK_FAILED = "CHECK_FAILED", _("The automatic checks failed: check everything manually")


# A word or two for a list; the whole sentence is its tooltip.
ISSUE_SHORT: dict[str, Promise] = {
    IssueCode.BLUR: _("Blurred"),
    IssueCode.GLARE: _("Glare"),
    IssueCode.TOO_SMALL: _("Too small"),
    IssueCode.CROPPED: _("Cut off"),
    IssueCode.NO_MRZ: _("No MRZ"),
    IssueCode.MRZ_CHECKDIGIT: _("MRZ check digit"),
    IssueCode.EXPIRED: _("Expired"),
    IssueCode.EXPIRES_SOON: _("Expires soon"),
    IssueCode.NAME_MISMATCH: _("Name mismatch"),
    IssueCode.NAME_NEAR: _("Similar name"),
    IssueCode.NAME_CUT: _("Name cut off"),
    IssueCode.DOB_MISMATCH: _("Date of birth mismatch"),
    IssueCode.NATIONALITY_MISMATCH: _("Nationality mismatch"),
    IssueCode.SEX_MISMATCH: _("Sex mismatch"),
    IssueCode.PRINT_MISMATCH: _("Print and MRZ differ"),
    IssueCode.PRINT_NEAR: _("Print and MRZ similar"),
    IssueCode.NOT_READ: _("Not read"),
    IssueCode.NOT_REGISTERED: _("Registration incomplete"),
    IssueCode.NO_EXPIRY: _("No expiry date"),
    IssueCode.DATE_INCOMPLETE: _("Incomplete date"),
    IssueCode.UNKNOWN_STATE: _("Unknown country"),
    IssueCode.COUNTRY_MISMATCH: _("Other issuing country"),
    IssueCode.SPECIMEN: _("Specimen"),
    IssueCode.LOW_RESOLUTION: _("Low resolution"),
    IssueCode.UNDERAGE: _("Underage"),
    IssueCode.DOC_NO_DUPLICATE: _("Duplicate number"),
    IssueCode.IMAGE_DUPLICATE: _("Duplicate picture"),
    IssueCode.POA_TOO_OLD: _("Proof too old"),
    IssueCode.POA_NO_DATE: _("No date found"),
    IssueCode.POA_NAME: _("Name not found"),
    IssueCode.POA_ADDRESS: _("Address not found"),
    IssueCode.SCREEN_PHOTO: _("Screen or copy"),
    IssueCode.SCREENSHOT: _("Screenshot"),
    IssueCode.NO_COLOUR: _("No colour"),
    IssueCode.EDITED: _("Edited"),
    IssueCode.PDF_CHANGED: _("PDF changed"),
    IssueCode.PARTS_DIFFER: _("Parts differ"),
    IssueCode.FONTS_DIFFER: _("Fonts differ"),
    IssueCode.ISSUE_DATE: _("Date of issue"),
    IssueCode.POA_COUNTRY: _("Country differs"),
    IssueCode.POA_ISSUER: _("Issuer unknown"),
    IssueCode.UNSUPPORTED_TYPE: _("Wrong document type"),
    IssueCode.FACE_NOT_FOUND: _("No face"),
    IssueCode.OCR_UNAVAILABLE: _("Text not read"),
    IssueCode.CHECK_FAILED: _("Checks failed"),
}

ISSUE_SEVERITY: dict[str, Severity] = {
    IssueCode.BLUR: Severity.WARNING,
    IssueCode.GLARE: Severity.WARNING,
    IssueCode.TOO_SMALL: Severity.WARNING,
    IssueCode.CROPPED: Severity.WARNING,
    IssueCode.NO_MRZ: Severity.WARNING,
    IssueCode.MRZ_CHECKDIGIT: Severity.BLOCKING,
    IssueCode.EXPIRED: Severity.BLOCKING,
    IssueCode.EXPIRES_SOON: Severity.INFO,
    IssueCode.NAME_MISMATCH: Severity.BLOCKING,
    IssueCode.NAME_NEAR: Severity.WARNING,
    IssueCode.NAME_CUT: Severity.WARNING,
    IssueCode.DOB_MISMATCH: Severity.BLOCKING,
    IssueCode.NATIONALITY_MISMATCH: Severity.BLOCKING,
    IssueCode.SEX_MISMATCH: Severity.BLOCKING,
    IssueCode.PRINT_MISMATCH: Severity.BLOCKING,
    IssueCode.PRINT_NEAR: Severity.WARNING,
    IssueCode.NOT_READ: Severity.WARNING,
    IssueCode.NOT_REGISTERED: Severity.INFO,
    IssueCode.NO_EXPIRY: Severity.WARNING,
    IssueCode.DATE_INCOMPLETE: Severity.WARNING,
    IssueCode.UNKNOWN_STATE: Severity.BLOCKING,
    IssueCode.COUNTRY_MISMATCH: Severity.WARNING,
    IssueCode.SPECIMEN: Severity.BLOCKING,
    IssueCode.LOW_RESOLUTION: Severity.WARNING,
    IssueCode.UNDERAGE: Severity.BLOCKING,
    IssueCode.DOC_NO_DUPLICATE: Severity.BLOCKING,
    IssueCode.IMAGE_DUPLICATE: Severity.BLOCKING,
    IssueCode.POA_TOO_OLD: Severity.BLOCKING,
    IssueCode.POA_NO_DATE: Severity.WARNING,
    IssueCode.POA_NAME: Severity.BLOCKING,
    IssueCode.POA_ADDRESS: Severity.BLOCKING,
    IssueCode.SCREEN_PHOTO: Severity.WARNING,
    IssueCode.SCREENSHOT: Severity.WARNING,
    IssueCode.NO_COLOUR: Severity.WARNING,
    IssueCode.EDITED: Severity.WARNING,
    IssueCode.PDF_CHANGED: Severity.WARNING,
    IssueCode.PARTS_DIFFER: Severity.WARNING,
    IssueCode.FONTS_DIFFER: Severity.WARNING,
    IssueCode.ISSUE_DATE: Severity.BLOCKING,
    IssueCode.POA_COUNTRY: Severity.BLOCKING,
    IssueCode.POA_ISSUER: Severity.WARNING,
    IssueCode.UNSUPPORTED_TYPE: Severity.BLOCKING,
    IssueCode.FACE_NOT_FOUND: Severity.WARNING,
    IssueCode.OCR_UNAVAILABLE: Severity.INFO,
    IssueCode.CHECK_FAILED: Severity.WARNING,
}


class RunState(BadgeChoices):
    RUNNING = "running", "blue", _("Running")
    DONE = "done", "green", _("Done")
    FAILED = "failed", "red", _("Failed")


RUN_TRANSITIONS: dict[str, set[str]] = {
    RunState.RUNNING: {RunState.DONE, RunState.FAILED},
    RunState.DONE: set(),
    RunState.FAILED: set(),
}


class RequestState(BadgeChoices):
    """State of a request for a document."""

    OPEN = "open", "yellow", _("Requested")
    ANSWERED = "answered", "green", _("Received")
    WITHDRAWN = "withdrawn", "secondary", pgettext_lazy("request for a document", "Withdrawn")
    LAPSED = "lapsed", "red", _("Not received")


REQUEST_TRANSITIONS: dict[str, set[str]] = {
    RequestState.OPEN: {RequestState.ANSWERED, RequestState.WITHDRAWN, RequestState.LAPSED},
    RequestState.ANSWERED: set(),
    RequestState.WITHDRAWN: set(),
    RequestState.LAPSED: set(),
}


class CorrectionReason(models.TextChoices):
    """Why an officer reads a field otherwise than the machine. A list, so that no note repeats personal data."""

    MISREAD = "misread", _("Misread characters")
    NOT_READ = "not_read", _("Not read")
    OTHER_FIELD = "other_field", _("Read from another field")
    SPELLING = "spelling", _("Other spelling in print than in the zone")
    CUT_OFF = "cut_off", _("Cut off in the zone")


class LevelLoss(StrEnum):
    """Why a client's level fell, as `KycLevelLost` says it."""

    EXPIRED = "expired"
    OVERTURNED = "overturned"
    PROVIDER_REVISED = "provider_revised"
    LEVELS_CHANGED = "levels_changed"
    PROOF_GONE = "proof_gone"


class RejectReason(models.TextChoices):
    UNREADABLE = "unreadable", _("Unreadable")
    CUT_OFF = "cut_off", _("Cut off")
    EXPIRED = "expired", _("Expired")
    WRONG_KIND = "wrong_kind", _("Wrong document type")
    NAME_DIFFERS = "name_differs", _("Name differs")
    BIRTH_DATE_DIFFERS = "birth_date_differs", _("Date of birth differs")
    TOO_OLD = "too_old", _("Older than three months")
    NO_ADDRESS = "no_address", _("Address is missing or differs")
    NOT_A_PHOTO = "not_a_photo", _("Copy, screenshot or edited picture")
    DUPLICATE = "duplicate", _("Belongs to another account")
    UNDERAGE = "underage", _("Underage")
    OTHER = "other", _("Other reason")


# What the client reads: what was wrong, and what to do. The officer may change the text before sending.
REJECT_TEMPLATES: dict[str, object] = {
    RejectReason.UNREADABLE: _(
        "We could not read the document. Please take a new picture in daylight, without flash, and hold the camera still."
    ),
    RejectReason.CUT_OFF: _("Part of the document is missing. Please send a picture that shows all four corners."),
    RejectReason.EXPIRED: _("The document has expired. Please send one that is valid."),
    RejectReason.WRONG_KIND: _("This is not the document we asked for. Please check the list and send the right one."),
    RejectReason.NAME_DIFFERS: _(
        "The name on the document differs from the name on your registration. Please send a "
        "document in your own name, or contact support if your registration needs to be "
        "corrected."
    ),
    RejectReason.BIRTH_DATE_DIFFERS: _(
        "The date of birth on the document differs from your registration. Please contact "
        "support so that we can correct it."
    ),
    RejectReason.TOO_OLD: _("The document is older than three months. Please send a recent one."),
    RejectReason.NO_ADDRESS: _(
        "The document doesn't show the address on your registration. Please send a bill or bank "
        "statement that shows your name and this address."
    ),
    RejectReason.NOT_A_PHOTO: _("Please send a picture or scan of the original document, not a copy or a screenshot."),
    RejectReason.DUPLICATE: _("This document is already used for another account. Please contact support."),
    RejectReason.UNDERAGE: _("You must be of legal age to open an account with us."),
    RejectReason.OTHER: "",
}
# Which reason an issue suggests: preselected on the review page.
REASON_FOR_ISSUE: dict[str, RejectReason] = {
    IssueCode.BLUR: RejectReason.UNREADABLE,
    IssueCode.GLARE: RejectReason.UNREADABLE,
    IssueCode.TOO_SMALL: RejectReason.UNREADABLE,
    IssueCode.NO_MRZ: RejectReason.UNREADABLE,
    IssueCode.CROPPED: RejectReason.CUT_OFF,
    IssueCode.MRZ_CHECKDIGIT: RejectReason.NOT_A_PHOTO,
    IssueCode.EXPIRED: RejectReason.EXPIRED,
    IssueCode.NAME_MISMATCH: RejectReason.NAME_DIFFERS,
    IssueCode.DOB_MISMATCH: RejectReason.BIRTH_DATE_DIFFERS,
    IssueCode.PRINT_MISMATCH: RejectReason.NOT_A_PHOTO,
    IssueCode.NOT_READ: RejectReason.UNREADABLE,
    IssueCode.LOW_RESOLUTION: RejectReason.UNREADABLE,
    IssueCode.UNKNOWN_STATE: RejectReason.NOT_A_PHOTO,
    IssueCode.SPECIMEN: RejectReason.NOT_A_PHOTO,
    IssueCode.UNDERAGE: RejectReason.UNDERAGE,
    IssueCode.DOC_NO_DUPLICATE: RejectReason.DUPLICATE,
    IssueCode.IMAGE_DUPLICATE: RejectReason.DUPLICATE,
    IssueCode.POA_TOO_OLD: RejectReason.TOO_OLD,
    IssueCode.POA_NAME: RejectReason.NAME_DIFFERS,
    IssueCode.POA_ADDRESS: RejectReason.NO_ADDRESS,
    IssueCode.SCREEN_PHOTO: RejectReason.NOT_A_PHOTO,
    IssueCode.SCREENSHOT: RejectReason.NOT_A_PHOTO,
    IssueCode.NO_COLOUR: RejectReason.NOT_A_PHOTO,
    IssueCode.POA_COUNTRY: RejectReason.NO_ADDRESS,
    IssueCode.UNSUPPORTED_TYPE: RejectReason.WRONG_KIND,
    IssueCode.FACE_NOT_FOUND: RejectReason.UNREADABLE,
}


class KycNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    DOCUMENT_WAITING = (
        "kyc.document_waiting",
        _("Documents pending review"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
        EmailChannel.DAILY,
    )
    DOCUMENT_REPLACED = (
        "kyc.document_replaced",
        _("Documents replaced while you review them"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
    )
    FILE_INFECTED = (
        "kyc.file_infected",
        _("Malware found in clients' files"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
        EmailChannel.AT_ONCE,
    )
    LEVELS_PROPOSED = (
        "kyc.levels_proposed",
        _("KYC levels awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    REVIEW_ESCALATED = (
        "kyc.review_escalated",
        _("Periodic reviews escalated"),
        NoticeGroup.COMPLIANCE,
        staff("compliance.decide_hit"),
        EmailChannel.AT_ONCE,
    )
    DOCUMENT_REQUESTED = (
        "kyc.document_requested",
        _("Documents we ask you for"),
        NoticeGroup.ACCOUNT,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    DOCUMENT_ESCALATED = (
        "kyc.document_escalated",
        _("Documents escalated"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_work"),
        EmailChannel.AT_ONCE,
    )
    REQUEST_LAPSED = (
        "kyc.request_lapsed",
        _("Requested documents not received"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
        EmailChannel.DAILY,
    )
    REVIEWED_AGAIN = ("kyc.reviewed_again", _("Documents that we review again"), NoticeGroup.ACCOUNT, CLIENTS)
    DOCUMENT_EXPIRING = ("kyc.document_expiring", _("Expiry of your documents"), NoticeGroup.ACCOUNT, CLIENTS)
    POLICY_PROPOSED = (
        "kyc.policy_proposed",
        _("KYC policies awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    PROVIDER_ATTENTION = (
        "kyc.provider_attention",
        _("KYC provider checks that need a person"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.review_document"),
        EmailChannel.DAILY,
    )
    PROVIDER_PROPOSED = (
        "kyc.provider_proposed",
        _("KYC providers awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CLIENT_VERIFIED = (
        "kyc.client_verified",
        _("Your clients verified"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
    )
    QUESTIONNAIRE_PROPOSED = (
        "kyc.questionnaire_proposed",
        _("Questionnaires awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.manage_questionnaires"),
        EmailChannel.DAILY,
        MANDATORY,
    )
    ANSWERS_REQUESTED = (
        "kyc.answers_requested",
        _("Questionnaires to complete"),
        NoticeGroup.ACCOUNT,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    EDD_OPENED = (
        "kyc.edd_opened",
        _("Enhanced due diligence"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.decide_edd"),
        EmailChannel.DAILY,
    )
    CATEGORY_REQUESTED = (
        "kyc.category_requested",
        _("Client category requests"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.propose_category"),
        EmailChannel.DAILY,
    )
    CATEGORY_PROPOSED = (
        "kyc.category_proposed",
        _("Client categories awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.decide_category"),
        EmailChannel.DAILY,
        MANDATORY,
    )
    CATEGORY_CHANGED = (
        "kyc.category_changed",
        _("Clients who returned to more protection"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.view_category"),
    )
    CATEGORY_REVIEW_DUE = (
        "kyc.category_review_due",
        _("Client categories due for review"),
        NoticeGroup.COMPLIANCE,
        staff("kyc.propose_category"),
        EmailChannel.DAILY,
    )
