"""States and kinds of the ground floor, each with its label and badge colour."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class BadgeChoices(models.TextChoices):
    """Text choices that know their badge colour, for `{% badge %}`; colours are Tabler's names.

    Write a member as `value, colour, label`: `DONE = "done", "green", _("Done")`.
    """

    colour: str

    def __new__(cls, value: str, colour: str = "secondary") -> BadgeChoices:
        member = str.__new__(cls, value)
        member._value_ = value
        member.colour = colour
        return member


class UserKind(models.TextChoices):
    STAFF = "staff", _("Staff")
    CLIENT = "client", _("Client")
    PARTNER = "partner", _("Partner")
    SERVICE = "service", _("Service account")


class ActorKind(models.TextChoices):
    """Who caused an event: a login's kind, or the system."""

    STAFF = UserKind.STAFF.value, _("Staff")
    CLIENT = UserKind.CLIENT.value, _("Client")
    PARTNER = UserKind.PARTNER.value, _("Partner")
    SERVICE = UserKind.SERVICE.value, _("Service account")
    SYSTEM = "system", _("System")


class TokenState(BadgeChoices):
    """Of an API token. Not stored: its dates are."""

    ACTIVE = "active", "green", _("Active")
    EXPIRED = "expired", "orange", _("Expired")
    REVOKED = "revoked", "secondary", _("Revoked")


class ArchiveState(BadgeChoices):
    """Whether a legal entity, brand, desk or book is in use. Not stored: `archived_at` is."""

    OPEN = "open", "green", _("In use")
    ARCHIVED = "archived", "secondary", pgettext_lazy("state of a set-up record", "Archived")


class Jurisdiction(models.TextChoices):
    CY = "CY", _("Cyprus (CySEC)")
    UK = "UK", _("United Kingdom (FCA)")
    AU = "AU", _("Australia (ASIC)")
    SC = "SC", _("Seychelles (FSA)")
    MU = "MU", _("Mauritius (FSC)")


COUNTRY_OF_LICENCE: Final = {"UK": "GB"}  # jurisdictions whose code isn't the country's


class Role(models.TextChoices):
    """The fixed catalogue of staff roles; each is a Django group of the same name."""

    AGENT = "agent", _("Sales agent")
    RETENTION = "retention", _("Retention agent")
    DESK_HEAD = "desk_head", _("Desk head")
    KYC_OFFICER = "kyc_officer", _("KYC officer")
    MLRO = "mlro", _("MLRO")
    FINANCE = "finance", _("Finance")
    IB_MANAGER = "ib_manager", _("IB manager")
    SUPPORT = "support", _("Support")
    MARKETING = "marketing", _("Marketing")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class DeliveryState(BadgeChoices):
    PENDING = "pending", "azure", _("Pending")
    DONE = "done", "green", _("Delivered")
    DEAD = "dead", "red", _("Failed")
    SKIPPED = "skipped", "secondary", _("Skipped")


class CallFailure(models.TextChoices):
    """Why a call of a customer's address wasn't taken."""

    REFUSED = "refused", _("Answered with an error")
    REDIRECTED = "redirected", _("Answered with a redirect, which isn't followed")
    TIMEOUT = "timeout", _("No answer in time")
    UNREACHABLE = "unreachable", _("Not reachable, or a private address")
    OVERSIZED = "oversized", _("The answer was too large")
    ERASED = "erased", _("The client's data was erased before it was sent")
    DISABLED = "disabled", _("The webhook was switched off before it was sent")


class WebhookState(BadgeChoices):
    """Of an address that a brand has its events sent to."""

    ACTIVE = "active", "green", _("Active")
    PAUSED = "paused", "orange", _("Paused")
    DISABLED = "disabled", "red", _("Disabled after failures")
    ARCHIVED = "archived", "secondary", _("Archived")


WEBHOOK_TRANSITIONS: dict[str, set[str]] = {
    WebhookState.ACTIVE: {WebhookState.PAUSED, WebhookState.DISABLED, WebhookState.ARCHIVED},
    WebhookState.PAUSED: {WebhookState.ACTIVE, WebhookState.ARCHIVED},
    WebhookState.DISABLED: {WebhookState.ACTIVE, WebhookState.ARCHIVED},
    WebhookState.ARCHIVED: set(),
}


class WebhookDeliveryState(BadgeChoices):
    WAITING = "waiting", "azure", _("Waiting")
    DELIVERED = "delivered", "green", _("Delivered")
    FAILED = "failed", "red", _("Failed")
    CANCELLED = "cancelled", "secondary", _("Cancelled")


WEBHOOK_DELIVERY_TRANSITIONS: dict[str, set[str]] = {
    WebhookDeliveryState.WAITING: {
        WebhookDeliveryState.DELIVERED,
        WebhookDeliveryState.FAILED,
        WebhookDeliveryState.CANCELLED,
    },
    WebhookDeliveryState.FAILED: {WebhookDeliveryState.WAITING},  # sent again by hand
    WebhookDeliveryState.DELIVERED: set(),
    WebhookDeliveryState.CANCELLED: set(),
}


class SubscriptionState(BadgeChoices):
    """Whether a subscription hears events. Not stored: `is_enabled` and `archived_at` are."""

    ACTIVE = "active", "green", _("Active")
    PAUSED = "paused", "orange", _("Paused")
    ARCHIVED = "archived", "secondary", _("Archived")


DELIVERY_TRANSITIONS: dict[str, set[str]] = {
    # Skipped while pending: its subscription was paused or archived.
    DeliveryState.PENDING: {DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.SKIPPED},
    DeliveryState.DONE: set(),
    DeliveryState.DEAD: {DeliveryState.PENDING, DeliveryState.SKIPPED},
    DeliveryState.SKIPPED: set(),
}


class DueState(BadgeChoices):
    """Of what has to be done at a time."""

    PENDING = "pending", "azure", _("Pending")
    DONE = "done", "green", _("Done")
    FAILED = "failed", "red", _("Failed")
    CANCELLED = "cancelled", "secondary", _("Cancelled")


DUE_TRANSITIONS: dict[str, set[str]] = {
    DueState.PENDING: {DueState.DONE, DueState.FAILED, DueState.CANCELLED},
    DueState.DONE: set(),
    DueState.FAILED: {DueState.PENDING, DueState.CANCELLED},
    DueState.CANCELLED: set(),
}


class WorkState(BadgeChoices):
    """Of a work item. Decided: it can still be undone; final: the decision has its consequences."""

    OPEN = "open", "yellow", _("Open")
    DECIDED = "decided", "blue", _("Decided")
    FINAL = "final", "green", _("Final")
    CLOSED = "closed", "secondary", _("Closed without a decision")


WORK_TRANSITIONS: dict[str, set[str]] = {
    WorkState.OPEN: {WorkState.DECIDED, WorkState.CLOSED},
    WorkState.DECIDED: {WorkState.OPEN, WorkState.FINAL},
    WorkState.FINAL: set(),
    WorkState.CLOSED: set(),
}


class WorkPriority(models.IntegerChoices):
    LOW = 1, _("Low")
    NORMAL = 2, _("Normal")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")


class WorkAct(models.TextChoices):
    """What an entry of a work item's history records."""

    COMMENT = "comment", _("Comment")
    FILE = "file", _("File attached")
    TAKEN_OVER = "taken_over", _("Claimed from a colleague")
    ASSIGNED = "assigned", _("Assigned")
    PRIORITY = "priority", _("Priority changed")
    PROPOSED = "proposed", _("Proposed")
    REJECTED = "rejected", _("Proposal rejected")
    WITHDRAWN = "withdrawn", _("Proposal withdrawn")
    DECIDED = "decided", _("Decided")
    UNDONE = "undone", _("Decision undone")


class DataImportState(BadgeChoices):
    MAPPING = "mapping", "secondary", _("Columns to map")
    CHECKING = "checking", "blue", _("Checking")
    CHECKED = "checked", "azure", _("Ready to import")
    APPLYING = "applying", "blue", _("Importing")
    DONE = "done", "green", _("Imported")
    FAILED = "failed", "red", _("Failed")
    DISCARDED = "discarded", "secondary", _("Discarded")


DATA_IMPORT_TRANSITIONS: dict[str, set[str]] = {
    # Mapped again and checked again as often as somebody likes, until it is applied.
    DataImportState.MAPPING: {DataImportState.CHECKING, DataImportState.DISCARDED},
    DataImportState.CHECKING: {
        DataImportState.CHECKING,
        DataImportState.CHECKED,
        DataImportState.FAILED,
        DataImportState.DISCARDED,
    },
    DataImportState.CHECKED: {DataImportState.CHECKING, DataImportState.APPLYING, DataImportState.DISCARDED},
    DataImportState.APPLYING: {DataImportState.APPLYING, DataImportState.DONE},  # resumed where its worker died
    DataImportState.DONE: set(),
    DataImportState.FAILED: {DataImportState.CHECKING, DataImportState.DISCARDED},
    DataImportState.DISCARDED: set(),
}


class ImportVerdict(BadgeChoices):
    NEW = "new", "green", _("New")
    KNOWN = "known", "yellow", _("Existing record")
    SAME = "same", "secondary", _("Existing, unchanged")
    CHANGED = "changed", "azure", _("Existing, differs")
    REPEATED = "repeated", "orange", _("Duplicate in file")
    REFUSED = "refused", "red", _("Refused")


# Rows of records that are here already; where a kind compares them, none stays KNOWN.
EXISTING_ROWS = (ImportVerdict.KNOWN, ImportVerdict.SAME, ImportVerdict.CHANGED)


class ExistingRecords(models.TextChoices):
    """What an import does with the details of records that are here already."""

    KEEP = "keep", _("Keep their details")
    FILL = "fill", _("Fill empty fields only")
    UPDATE = "update", _("Update all mapped fields")


class JobState(BadgeChoices):
    QUEUED = "queued", "azure", _("Queued")
    RUNNING = "running", "blue", _("Running")
    DONE = "done", "green", _("Done")
    FAILED = "failed", "red", _("Failed")
    CANCELLED = "cancelled", "secondary", _("Cancelled")


JOB_TRANSITIONS: dict[str, set[str]] = {
    JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED},
    JobState.RUNNING: {JobState.DONE, JobState.FAILED, JobState.CANCELLED},
    JobState.DONE: set(),
    # It was taken for dead, and its worker came to the end all the same.
    JobState.FAILED: {JobState.DONE, JobState.FAILED, JobState.CANCELLED},
    JobState.CANCELLED: set(),
}


class MailState(BadgeChoices):
    WAITING = "waiting", "azure", _("Pending")
    SENT = "sent", "green", _("Sent")
    FAILED = "failed", "red", _("Failed")


MAIL_TRANSITIONS: dict[str, set[str]] = {
    MailState.WAITING: {MailState.SENT, MailState.FAILED},
    MailState.SENT: set(),
    MailState.FAILED: set(),
}


class EmailChannel(models.TextChoices):
    """When a notification is also sent by e-mail."""

    OFF = "", _("No e-mail")
    AT_ONCE = "at_once", _("E-mail immediately")
    DAILY = "daily", _("Daily summary")


class LinkKind(models.TextChoices):
    """What a link in an e-mail lets its receiver do."""

    INVITATION = "invitation", _("Staff invitation")
    PASSWORD_RESET = "password_reset", _("Password reset")
    VERIFY_EMAIL = "verify_email", _("E-mail confirmation")


class GrantKind(models.TextChoices):
    ROLE = "role", _("Role")
    BRAND = "brand", _("Brand")
    DESK = "desk", _("Desk")
    BOOK = "book", _("Book")


class ApprovalState(BadgeChoices):
    """Of what one person proposes and another decides."""

    PENDING = "pending", "yellow", _("Awaiting second approval")
    APPROVED = "approved", "green", _("Approved")
    REJECTED = "rejected", "red", _("Rejected")
    WITHDRAWN = "withdrawn", "secondary", _("Withdrawn")


APPROVAL_TRANSITIONS: dict[str, set[str]] = {
    ApprovalState.PENDING: {ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.WITHDRAWN},
    ApprovalState.APPROVED: set(),
    ApprovalState.REJECTED: set(),
    ApprovalState.WITHDRAWN: set(),
}


class StaffLimitKind(BadgeChoices):
    """How a person's access is limited for a time: `crm.security.staff_limits` holds each."""

    EXPORTS = "exports", "red", _("Exports suspended")
    REVEALS = "reveals", "orange", _("Contacts revealed per day limited")
    MASKED = "masked", "yellow", _("Contact details masked")
    STEP_UP = "step_up", "azure", _("Confirms identity before reveals and exports")


class AccessKind(models.TextChoices):
    VIEW = "view", _("Viewed")
    SEARCH = "search", _("Searched")
    REVEAL = "reveal", _("Contact revealed")
    EXPORT = "export", _("Exported")
    REFUSED = "refused", _("Refused by a limit")
    CALL = "call", _("Called")
    DOWNLOAD = "download", _("Document opened")
    EDIT = "edit", _("Changed")
    MAIL = "mail", _("E-mail written")
    LOGIN = "login", _("Signed in")
    LOGIN_FAILED = "login_failed", _("Sign-in failed")
    LOGOUT = "logout", _("Signed out")
