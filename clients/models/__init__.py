from clients.models.chat import CannedAnswer, Chat, ChatLine, ChatPresence
from clients.models.client import Client
from clients.models.country_rules import CountryRule, CountryRuleProposal, Exemption
from clients.models.custom_fields import CustomChoice, CustomField, CustomFieldType, CustomValue
from clients.models.declarations import Declaration
from clients.models.identifiers import Identifier, SignInCountry
from clients.models.mail import Message
from clients.models.mail_services import MailService, MailServiceEvent, MailServiceProposal
from clients.models.merging import ClientMerge
from clients.models.messages import (
    IncomingMail,
    MailAttachment,
    Mailbox,
    MailboxProposal,
    MailDraft,
    MailThread,
    SentAttachment,
    Suppression,
)
from clients.models.ownership import BookDesk, Ownership
from clients.models.segments import Segment, SegmentMember
from clients.models.side_facts import SideFacts
from clients.models.telephony import (
    AgentPhone,
    DialEntry,
    DialList,
    DoNotCall,
    PhoneCall,
    PhoneEvent,
    PhoneExchange,
    PhoneExchangeProposal,
    PhoneLeg,
    PhoneRecording,
)
from clients.models.texting import (
    TextEvent,
    TextFile,
    TextMessage,
    TextOptOut,
    TextService,
    TextServiceProposal,
    TextThread,
)
from clients.models.timeline import TimelineEntry
from clients.models.work import Call, Note, NoteVersion, Task

__all__ = [
    "AgentPhone",
    "BookDesk",
    "Call",
    "CannedAnswer",
    "Chat",
    "ChatLine",
    "ChatPresence",
    "Client",
    "ClientMerge",
    "CountryRule",
    "CountryRuleProposal",
    "CustomChoice",
    "CustomField",
    "CustomFieldType",
    "CustomValue",
    "Declaration",
    "DialEntry",
    "DialList",
    "DoNotCall",
    "Exemption",
    "Identifier",
    "IncomingMail",
    "MailAttachment",
    "MailDraft",
    "MailService",
    "MailServiceEvent",
    "MailServiceProposal",
    "MailThread",
    "Mailbox",
    "MailboxProposal",
    "Message",
    "Note",
    "NoteVersion",
    "Ownership",
    "PhoneCall",
    "PhoneEvent",
    "PhoneExchange",
    "PhoneExchangeProposal",
    "PhoneLeg",
    "PhoneRecording",
    "Segment",
    "SegmentMember",
    "SentAttachment",
    "SideFacts",
    "SignInCountry",
    "Suppression",
    "Task",
    "TextEvent",
    "TextFile",
    "TextMessage",
    "TextOptOut",
    "TextService",
    "TextServiceProposal",
    "TextThread",
    "TimelineEntry",
]
