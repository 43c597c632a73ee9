"""States and kinds of leads, with labels and badge colours, and the pipeline's transition table."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from clients.choices import CallOutcome, SalesStatus
from crm.choices import BadgeChoices, EmailChannel
from crm.notices.kinds import NoticeGroup, NotificationKind, staff


class Channel(BadgeChoices):
    """How a lead came in."""

    LANDING_PAGE = "landing", "blue", _("Landing page")
    API = "api", "indigo", _("API")
    IMPORT = "import", "secondary", _("Import")
    PORTAL = "portal", "teal", _("Client portal")
    MANUAL = "manual", "azure", _("Entered manually")
    EMAIL = "email", "cyan", _("E-mail")


# So many people are changed, or get one e-mail, in a step.
CHANGES_MAX: Final = 10_000


class BulkKind(models.TextChoices):
    """What is changed about many leads in one step."""

    STATUS = "status", _("Change status")
    LIST = "list", _("Add to list")
    TASK = "task", _("Add follow-up")
    TAG = "tag", _("Tag")
    START = "start", _("Start automation")
    MAIL = "mail", _("Send e-mail")


class LeadRefusal(models.TextChoices):
    """Why a lead was stored without being given to anybody."""

    COUNTRY = "country", _("Country not accepted")


class Experience(models.TextChoices):
    """How much trading experience somebody says they have."""

    NONE = "none", _("No trading experience")
    SOME = "some", _("Some trading experience")
    EXPERIENCED = "experienced", _("Experienced trader")


# What a lead declares: the names of the facts, and of the fields of conditions.
DECLARED: Final = ("experience", "intended_deposit")


class RuleKind(models.TextChoices):
    """What a scoring rule looks at. `leads.scoring` holds the question behind each."""

    BASE = "base", _("Every lead")
    COUNTRY = "country", _("Country")
    LANGUAGE = "language", _("Language supported by the brand")
    EMAIL = "email", _("Type of e-mail address")
    PHONE = "phone", _("Validity of the phone number")
    CAMPAIGN = "campaign", _("Campaign quality (0 to 10)")
    SOURCE = "source", _("Source")
    HOUR = "hour", _("Local time of the lead")
    REPEAT = "repeat", _("Repeat enquiry")
    REFERRAL = "referral", _("Partner referral")
    CONSENT = "consent", _("Marketing consent")
    OPENED = "opened", _("E-mails opened")
    CLICKED = "clicked", _("Links clicked")
    LOGIN = "login", _("Sign-ins")
    CALL = "call", _("Calls answered")
    REPLY = "reply", _("E-mails received")
    EXPERIENCE = "experience", _("Trading experience")
    DEPOSIT = "deposit", _("Intended deposit")
    FIELD = "field", _("Custom field")
    SEGMENT = "segment", _("Segment")


class Strategy(models.TextChoices):
    ROUND_ROBIN = "round_robin", _("Round robin")
    WEIGHTED = "weighted", _("Weighted shares")
    LEAST_LOADED = "least_loaded", _("Fewest leads waiting")
    LANGUAGE = "language", _("Best command of the lead's language")
    REFERRER = "referrer", _("Owner of the referring partner's record, else in turn")
    POOL = "pool", _("None: leads wait in the pool until somebody takes them")


class OffShift(models.TextChoices):
    WAIT = "wait", _("Wait in the pool until someone is on shift")
    ASSIGN = "assign", _("Assign anyway")


class NoAgent(models.TextChoices):
    """What a routing rule does with a lead that none of its agents can take."""

    NEXT = "next", _("Try the next rule that matches")
    WAIT = "wait", _("Wait in this desk's pool")


class DuplicateState(BadgeChoices):
    """What became of two records that may be one person."""

    OPEN = "open", "yellow", _("Open")
    DISMISSED = "dismissed", "secondary", _("Not the same person")
    MERGED = "merged", "green", _("Merged")


DUPLICATE_TRANSITIONS: dict[str, set[str]] = {
    DuplicateState.OPEN: {DuplicateState.DISMISSED, DuplicateState.MERGED},
    DuplicateState.DISMISSED: {DuplicateState.OPEN},
    DuplicateState.MERGED: {DuplicateState.OPEN},
}


class ImportState(BadgeChoices):
    MAPPING = "mapping", "yellow", _("Columns not mapped")
    CHECKING = "checking", "blue", _("Checking")
    CHECKED = "checked", "azure", _("Ready to import")
    IMPORTING = "importing", "blue", _("Importing")
    DONE = "done", "green", _("Imported")
    FAILED = "failed", "red", _("Failed")
    DISCARDED = "discarded", "secondary", _("Discarded")


IMPORT_TRANSITIONS: dict[str, set[str]] = {
    ImportState.MAPPING: {ImportState.CHECKING, ImportState.DISCARDED},
    # Checked again with other columns.
    ImportState.CHECKING: {ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED, ImportState.DISCARDED},
    ImportState.CHECKED: {ImportState.CHECKING, ImportState.IMPORTING, ImportState.DISCARDED},
    # Goes on where it stopped.
    ImportState.IMPORTING: {ImportState.IMPORTING, ImportState.DONE},
    ImportState.DONE: set(),
    ImportState.FAILED: {ImportState.CHECKING, ImportState.DISCARDED},
    ImportState.DISCARDED: set(),
}


class RowVerdict(BadgeChoices):
    NEW = "new", "green", _("New")
    KNOWN = "known", "yellow", _("Existing record")
    REPEATED = "repeated", "orange", _("Duplicate in file")
    WRONG = "wrong", "red", _("Invalid")
    REFUSED = "refused", "red", _("Refused")


# What a call says of a lead whom nobody had reached; `AFTER_A_TALK` of one whom somebody had. Later steps stay the agent's word.
BY_CALL: dict[str, SalesStatus] = {
    CallOutcome.REACHED: SalesStatus.CONTACTED,
    CallOutcome.CALL_BACK: SalesStatus.CALL_BACK,
    CallOutcome.NO_ANSWER: SalesStatus.NO_ANSWER,
    CallOutcome.VOICEMAIL: SalesStatus.NO_ANSWER,
    CallOutcome.BUSY: SalesStatus.NO_ANSWER,
    CallOutcome.REFUSED: SalesStatus.NOT_INTERESTED,
    CallOutcome.WRONG_NUMBER: SalesStatus.WRONG_NUMBER,
}
AFTER_A_TALK = frozenset({CallOutcome.CALL_BACK, CallOutcome.REFUSED, CallOutcome.WRONG_NUMBER})
# Statuses with work left in them: what a desk head counts as open.
OPEN_STATUSES = (
    SalesStatus.NEW,
    SalesStatus.NO_ANSWER,
    SalesStatus.CONTACTED,
    SalesStatus.INTERESTED,
    SalesStatus.CALL_BACK,
    SalesStatus.REGISTRATION_SENT,
)


class AdNetwork(models.TextChoices):
    """Where spend of a campaign comes from."""

    GOOGLE = "google", "Google Ads"
    META = "meta", "Meta Ads"
    OTHER = "other", _("Other file")
    MANUAL = "manual", _("Entered by hand")


class LeadsNotice(NotificationKind):
    """What people are notified of; see `crm/notices/kinds.py`."""

    ASSIGNED = ("leads.assigned", _("New leads assigned to you"), NoticeGroup.SALES, staff("leads.receive_lead"))
    IMPORTED = ("leads.imported", _("New leads from an import"), NoticeGroup.SALES, staff("leads.receive_lead"))
    TAKEN = (
        "leads.taken",
        _("Your leads reassigned after the response time"),
        NoticeGroup.SALES,
        staff("leads.receive_lead"),
    )
    CAME_AGAIN = (
        "leads.came_again",
        _("Repeat enquiries from your leads"),
        NoticeGroup.SALES,
        staff("leads.view_lead"),
    )
    LINK_OPENED = ("leads.link_opened", _("Registration links opened"), NoticeGroup.SALES, staff("leads.view_lead"))
    NOBODY_TOUCHED = (
        "leads.nobody_touched",
        _("Leads back in the pool without contact"),
        NoticeGroup.SALES,
        staff("leads.assign_lead"),
        EmailChannel.AT_ONCE,
    )
    AUTOMATION = ("leads.automation", _("Notices of automations"), NoticeGroup.SALES, staff("clients.view_client"))
    AUTOMATION_PAUSED = (
        "leads.automation_paused",
        _("Automations paused after failures"),
        NoticeGroup.SALES,
        staff("leads.manage_automation"),
        EmailChannel.AT_ONCE,
    )
    AUTOMATION_PROPOSED = (
        "leads.automation_proposed",
        _("Automations awaiting approval"),
        NoticeGroup.SALES,
        staff("leads.manage_automation"),
    )
