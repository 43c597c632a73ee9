"""States of a client, with labels and badge colours."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import CLIENTS, MANDATORY, NoticeGroup, NotificationKind, staff


class Stage(BadgeChoices):
    """How far a person is on the way from the first click to a closed account."""

    LEAD = "lead", "azure", _("Lead")
    # A person of a company that is a client: verified and screened, but no client of their own unless they register.
    RELATED = "related", "secondary", _("Related person")
    REGISTERED = "registered", "blue", _("Registered")
    VERIFIED = "verified", "indigo", _("Verified")
    FUNDED = "funded", "teal", _("Funded")
    ACTIVE = "active", "green", _("Active")
    DORMANT = "dormant", "orange", _("Dormant")
    CLOSED = "closed", "secondary", _("Closed")


class ClientKind(models.TextChoices):
    """What a client is before the law."""

    PERSON = "person", _("Person")
    COMPANY = "company", _("Company")


class SalesStatus(BadgeChoices):
    """What the agent knows about the lead. The pipeline board shows these as columns."""

    NEW = "new", "azure", _("New")
    NO_ANSWER = "no_answer", "yellow", _("No answer")
    CONTACTED = "contacted", "blue", _("Contacted")
    INTERESTED = "interested", "indigo", _("Interested")
    CALL_BACK = "call_back", "purple", _("Call back")
    REGISTRATION_SENT = "registration_sent", "cyan", _("Registration link sent")
    CONVERTED = "converted", "green", _("Converted")
    NOT_INTERESTED = "not_interested", "secondary", _("Not interested")
    WRONG_NUMBER = "wrong_number", "orange", _("Wrong number")
    DO_NOT_CALL = "do_not_call", "red", _("Do not call")


class CountryBand(BadgeChoices):
    """How much risk of money laundering or of breaking a law a brand sees in a country's residents."""

    LOW = "low", "green", _("Low risk")
    STANDARD = "standard", "azure", _("Standard risk")
    HIGH = "high", "orange", _("High risk")
    PROHIBITED = "prohibited", "red", _("Prohibited")


class Gate(models.TextChoices):
    """What a country rule is asked before."""

    LEAD = "lead", _("Leads")
    REGISTRATION = "registration", _("Registration")
    LOGIN = "login", _("Sign-in")
    DEPOSIT = "deposit", _("Deposits")
    TRADING = "trading", _("Trading accounts")
    WITHDRAWAL = "withdrawal", _("Withdrawals")


class Product(models.TextChoices):
    """What a country rule may keep from retail clients, or from everybody there."""

    CFD = "cfd", _("Trading accounts with real money")
    CRYPTO_CFD = "crypto_cfd", _("Accounts with CFDs on crypto-assets")
    BONUS = "bonus", _("Bonuses")


class RiskRating(BadgeChoices):
    UNRATED = "unrated", "secondary", _("Not rated")
    LOW = "low", "green", _("Low")
    MEDIUM = "medium", "yellow", _("Medium")
    HIGH = "high", "red", _("High")


class Category(BadgeChoices):
    RETAIL = "retail", "azure", _("Retail")
    PROFESSIONAL = "professional", "indigo", _("Professional")
    ELIGIBLE_COUNTERPARTY = "ecp", "purple", _("Eligible counterparty")


class TimelineKind(models.TextChoices):
    CALL = "call", _("Call")
    EMAIL = "email", _("E-mail")
    CHAT = "chat", _("Chat")
    TEXT = "text", _("SMS and WhatsApp")
    NOTE = "note", _("Note")
    TASK = "task", _("Task")
    STAGE = "stage", _("Stage")
    LEAD = "lead", _("Lead")
    DOCUMENT = "document", _("Document")
    PAYMENT = "payment", _("Payment")
    TRADING = "trading", _("Trading")
    COMPLIANCE = "compliance", _("Compliance")
    PARTNER = "partner", _("Partner")
    TICKET = "ticket", _("Ticket")


# A person moves forward, becomes dormant and wakes up, and can be closed from anywhere. A deal may be heard of before
# its deposit or its verification is: then "active" comes first, and the others find the client further along.
STAGE_TRANSITIONS: dict[str, set[str]] = {
    Stage.LEAD: {Stage.REGISTERED, Stage.CLOSED},
    Stage.RELATED: {Stage.REGISTERED, Stage.CLOSED},
    Stage.REGISTERED: {Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE, Stage.CLOSED},
    Stage.VERIFIED: {Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT, Stage.CLOSED},
    Stage.FUNDED: {Stage.ACTIVE, Stage.VERIFIED, Stage.DORMANT, Stage.CLOSED},
    Stage.ACTIVE: {Stage.DORMANT, Stage.CLOSED},
    Stage.DORMANT: {Stage.ACTIVE, Stage.FUNDED, Stage.CLOSED},
    Stage.CLOSED: set(),
}

# The pipeline. A converted lead is a registered client and leaves it; "do not call" is left only by who may lift it.
SALES_TRANSITIONS: dict[str, set[str]] = {
    SalesStatus.NEW: {
        SalesStatus.NO_ANSWER,
        SalesStatus.CONTACTED,
        SalesStatus.INTERESTED,
        SalesStatus.CALL_BACK,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.WRONG_NUMBER,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.NO_ANSWER: {
        SalesStatus.CONTACTED,
        SalesStatus.INTERESTED,
        SalesStatus.CALL_BACK,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.WRONG_NUMBER,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.CONTACTED: {
        SalesStatus.NO_ANSWER,
        SalesStatus.INTERESTED,
        SalesStatus.CALL_BACK,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.WRONG_NUMBER,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.INTERESTED: {
        SalesStatus.NO_ANSWER,
        SalesStatus.CALL_BACK,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.CALL_BACK: {
        SalesStatus.NO_ANSWER,
        SalesStatus.CONTACTED,
        SalesStatus.INTERESTED,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.WRONG_NUMBER,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.REGISTRATION_SENT: {
        SalesStatus.NO_ANSWER,
        SalesStatus.CONTACTED,
        SalesStatus.INTERESTED,
        SalesStatus.CALL_BACK,
        SalesStatus.CONVERTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.NOT_INTERESTED: {
        SalesStatus.CONTACTED,
        SalesStatus.INTERESTED,
        SalesStatus.CALL_BACK,
        SalesStatus.REGISTRATION_SENT,
        SalesStatus.CONVERTED,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.WRONG_NUMBER: {
        SalesStatus.NEW,
        SalesStatus.CONTACTED,
        SalesStatus.NOT_INTERESTED,
        SalesStatus.CONVERTED,
        SalesStatus.DO_NOT_CALL,
    },
    SalesStatus.DO_NOT_CALL: {SalesStatus.NOT_INTERESTED, SalesStatus.CONVERTED},
    SalesStatus.CONVERTED: set(),
}
# Steps of the table that nobody may choose: registering converts, and sending the link says that it was sent.
SALES_NOT_CHOSEN = frozenset({SalesStatus.CONVERTED, SalesStatus.REGISTRATION_SENT})


class CallDirection(models.TextChoices):
    OUTBOUND = "outbound", _("Outgoing")
    INBOUND = "inbound", _("Incoming")


class CallOutcome(BadgeChoices):
    REACHED = "reached", "green", _("Reached")
    CALL_BACK = "call_back", "purple", _("Asked to call back")
    NO_ANSWER = "no_answer", "yellow", _("No answer")
    VOICEMAIL = "voicemail", "yellow", _("Voicemail")
    BUSY = "busy", "yellow", _("Busy")
    REFUSED = "refused", "secondary", _("Not interested")
    WRONG_NUMBER = "wrong_number", "orange", _("Wrong number")


class MessageState(BadgeChoices):
    QUEUED = "queued", "azure", _("Waiting")
    SENDING = "sending", "blue", _("Sending")
    SENT = "sent", "green", _("Sent")
    FAILED = "failed", "red", _("Failed")
    UNDONE = "undone", "secondary", _("Not sent")


MESSAGE_TRANSITIONS: dict[str, set[str]] = {
    MessageState.QUEUED: {MessageState.SENDING, MessageState.UNDONE},
    # Sent again when its worker died.
    MessageState.SENDING: {MessageState.SENDING, MessageState.QUEUED, MessageState.SENT, MessageState.FAILED},
    MessageState.SENT: set(),
    MessageState.FAILED: set(),
    MessageState.UNDONE: set(),
}


class IdentifierKind(models.TextChoices):
    """What links people: each is kept as a keyed hash."""

    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    DEVICE = "device", _("Device")
    IP_PREFIX = "ip_prefix", _("Network")
    CARD = "card", _("Card")
    BANK_ACCOUNT = "bank_account", _("Bank account")
    CRYPTO_ADDRESS = "crypto_address", _("Crypto address")
    DOCUMENT_NUMBER = "document", _("Document number")
    OFFICIAL_NUMBER = "official", _("Registration or tax number")
    LEI = "lei", _("LEI")
    PHOTO = "photo", _("Document image")


class ClientsNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    TASK = ("clients.task", _("Tasks assigned to you"), NoticeGroup.CLIENTS, staff("clients.view_client"))
    TASK_DUE = ("clients.task_due", _("Follow-up reminders"), NoticeGroup.CLIENTS, staff("clients.view_client"))
    MOVED = ("clients.moved", _("Clients moved to your book"), NoticeGroup.CLIENTS, staff("clients.view_client"))
    MAIL_FAILED = (
        "clients.mail_failed",
        _("E-mails to your clients that failed"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
        EmailChannel.DAILY,
    )
    MAIL_RECEIVED = (
        "clients.mail_received",
        _("E-mails from your clients"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
    )
    TEXT_RECEIVED = (
        "clients.text_received",
        _("SMS and WhatsApp messages from your clients"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
    )
    TEXT_FAILED = (
        "clients.text_failed",
        _("SMS and WhatsApp messages to your clients that failed"),
        NoticeGroup.CLIENTS,
        staff("clients.view_client"),
        EmailChannel.DAILY,
    )
    TEXT_SERVICE_PROPOSED = (
        "clients.text_service_proposed",
        _("SMS services awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    MAIL_SERVICE_PROPOSED = (
        "clients.mail_service_proposed",
        _("E-mail services awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    MAILBOX_PROPOSED = (
        "clients.mailbox_proposed",
        _("E-mail accounts awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    COUNTRY_RULE_PROPOSED = (
        "clients.country_rule_proposed",
        _("Country rules awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("crm.manage_identity_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    CHAT_WAITING = ("clients.chat_waiting", _("Chats that await you"), NoticeGroup.CLIENTS, staff("clients.log_call"))
    CHAT_ANSWERED = (
        "clients.chat_answered",
        _("Answers to messages you left in the chat"),
        NoticeGroup.ACCOUNT,
        CLIENTS,
        EmailChannel.AT_ONCE,
    )
    CALL_MISSED = (
        "clients.call_missed",
        _("Missed calls of your clients"),
        NoticeGroup.CLIENTS,
        staff("clients.log_call"),
    )
    PHONE_EXCHANGE_PROPOSED = (
        "clients.phone_exchange_proposed",
        _("Phone exchanges awaiting second approval"),
        NoticeGroup.SYSTEM,
        staff("crm.manage_policies"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
    EXEMPTION_PROPOSED = (
        "clients.exemption_proposed",
        _("Exemptions of clients awaiting second approval"),
        NoticeGroup.COMPLIANCE,
        staff("clients.exempt_client"),
        EmailChannel.AT_ONCE,
        MANDATORY,
    )
