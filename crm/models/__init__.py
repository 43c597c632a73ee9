from crm.models.access import AccessEvent
from crm.models.api import ApiScopeRequest, ApiToken, IdempotentRequest
from crm.models.audit import AuditEvent, AuditLeaf, AuditSeal
from crm.models.brand_looks import BrandLook
from crm.models.crypto import LastingKey, SubjectKey
from crm.models.day_marks import DayMark
from crm.models.due import DueRow
from crm.models.employment import StaffEmployment
from crm.models.fx import FxFeed, FxRate
from crm.models.imports import DataImport, ExternalReference, ImportMapping, ImportRow
from crm.models.jobs import Job
from crm.models.mail import OutgoingMail
from crm.models.notifications import Notification, NotificationChoice, NotificationSchedule
from crm.models.outbox import EventDelivery, EventSubscription, OutboxEvent
from crm.models.people import Actor, Book, Brand, Desk, LegalEntity, User
from crm.models.policies import PolicyProposal, PolicyValue
from crm.models.staff import AccessLink, GrantRequest, LinkRequest, SecondFactorStep
from crm.models.staff_limits import StaffLimit
from crm.models.texts import TextDraft, TextProposal, TextVersion, TextWording
from crm.models.ui import SavedView
from crm.models.webhooks import WebhookAttempt, WebhookDataProposal, WebhookDelivery, WebhookEndpoint
from crm.models.work import WorkEntry, WorkItem, WorkProposal

__all__ = [
    "AccessEvent",
    "AccessLink",
    "Actor",
    "ApiScopeRequest",
    "ApiToken",
    "AuditEvent",
    "AuditLeaf",
    "AuditSeal",
    "Book",
    "Brand",
    "BrandLook",
    "DataImport",
    "DayMark",
    "Desk",
    "DueRow",
    "EventDelivery",
    "EventSubscription",
    "ExternalReference",
    "FxFeed",
    "FxRate",
    "GrantRequest",
    "IdempotentRequest",
    "ImportMapping",
    "ImportRow",
    "Job",
    "LastingKey",
    "LegalEntity",
    "LinkRequest",
    "Notification",
    "NotificationChoice",
    "NotificationSchedule",
    "OutboxEvent",
    "OutgoingMail",
    "PolicyProposal",
    "PolicyValue",
    "SavedView",
    "SecondFactorStep",
    "StaffEmployment",
    "StaffLimit",
    "SubjectKey",
    "TextDraft",
    "TextProposal",
    "TextVersion",
    "TextWording",
    "User",
    "WebhookAttempt",
    "WebhookDataProposal",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WorkEntry",
    "WorkItem",
    "WorkProposal",
]
