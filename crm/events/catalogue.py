"""Events of people, documents, screening, partners and monitoring, each with a stable name and schema (`docs/events.md`).

Ids are those of the publishing app's rows. Those of trading and money are in `catalogue_money`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from crm.events.bus import Event, Label


# ── people who sign in ─────────────────────────────────────────────────────────────────────────────────────────────
class SignedIn(Event):
    """Somebody signed in: staff, a client or a partner, who is the event's actor. `method`: what they signed in with."""

    name: ClassVar[str] = "crm.signed_in"
    label: ClassVar[Label] = _("Sign-in")
    user_id: int
    kind: str
    method: str = ""


class StaffDatesChanged(Event):
    """A member of staff's joining, role change, notice or last day was set or changed."""

    name: ClassVar[str] = "crm.staff_dates_changed"
    label: ClassVar[Label] = _("Employment dates changed")
    user_id: int
    is_role_change: bool = False
    is_about_leaving: bool = False


# ── leads and clients ──────────────────────────────────────────────────────────────────────────────────────────────
class LeadCaptured(Event):
    """A form or an API call brought a lead, or a known person enquired again."""

    name: ClassVar[str] = "lead.captured"
    label: ClassVar[Label] = _("Lead captured")
    lead_id: int
    source: str = ""
    campaign: str = ""
    duplicate: bool = False


class LeadsImported(Event):
    """A file of leads was imported: one event, however many they are. Each assignment is an event of its own."""

    name: ClassVar[str] = "lead.imported"
    label: ClassVar[Label] = _("Leads imported")
    import_id: int
    new: int
    known: int


class LeadAssigned(Event):
    """A lead was assigned to an agent: by the rule that `rule` names, also during an import, or by hand without one."""

    name: ClassVar[str] = "lead.assigned"
    label: ClassVar[Label] = _("Lead assigned")
    lead_id: int
    agent_id: int
    rule: str = ""


class SalesStatusChanged(Event):
    """A lead moved along the pipeline. `before` and `after` are those of `clients.SalesStatus`."""

    name: ClassVar[str] = "lead.sales_status_changed"
    label: ClassVar[Label] = _("Sales status changed")
    before: str
    after: str


class ClientRegistered(Event):
    """The person has a login in the client portal."""

    name: ClassVar[str] = "client.registered"
    label: ClassVar[Label] = _("Client registered")
    user_id: int
    referral_code: str = ""
    sub_id: str = ""
    click_id: str = ""


class ClientImported(Event):
    """A client or lead was imported from another system and has no login yet. `stage`: registered, or lead."""

    name: ClassVar[str] = "client.imported"
    label: ClassVar[Label] = _("Client imported")
    import_id: int
    stage: str


class ClientStageChanged(Event):
    """The client moved along the stages."""

    name: ClassVar[str] = "client.stage_changed"
    label: ClassVar[Label] = _("Client stage changed")
    before: str
    after: str


class ClientProfileChanged(Event):
    """Somebody, or the client themselves, changed personal details: which ones, never their values."""

    name: ClassVar[str] = "client.profile_changed"
    label: ClassVar[Label] = _("Personal details changed")
    fields: tuple[str, ...]


class MailReceived(Event):
    """An e-mail of the client was received and joined a thread. `is_automatic`: an absence note, a newsletter or a machine."""

    name: ClassVar[str] = "client.mail_received"
    label: ClassVar[Label] = _("E-mail from client")
    mail_id: int
    thread_id: int
    is_automatic: bool = False


class ClientMailOpened(Event):
    """The mail service reports that a client opened an e-mail for the first time, or clicked a link in it."""

    name: ClassVar[str] = "client.mail_opened"
    label: ClassVar[Label] = _("E-mail opened by client")
    message_id: int
    is_clicked: bool


class UnknownMailReceived(Event):
    """An e-mail was received of which nothing says whose it is: it waits to be assigned. It belongs to no client yet."""

    name: ClassVar[str] = "mail.unknown_sender"
    label: ClassVar[Label] = _("E-mail from unknown sender")
    mail_id: int
    is_proved: bool
    is_automatic: bool = False


class TicketOpened(Event):
    """A ticket was opened: by the client, by staff for them, or by an e-mail."""

    name: ClassVar[str] = "ticket.opened"
    label: ClassVar[Label] = _("Ticket opened")
    ticket_id: int
    category: str
    channel: str


class TicketReplied(Event):
    """Somebody replied in a ticket, also to a solved one: the client, or staff. Internal notes are no replies."""

    name: ClassVar[str] = "ticket.replied"
    label: ClassVar[Label] = _("Ticket reply")
    ticket_id: int
    is_from_client: bool


class TicketSolved(Event):
    """A ticket was solved. `category`: as it was then."""

    name: ClassVar[str] = "ticket.solved"
    label: ClassVar[Label] = _("Ticket solved")
    ticket_id: int
    category: str


class TicketLate(Event):
    """A ticket missed its service level. `clock`: first_reply or resolution."""

    name: ClassVar[str] = "ticket.late"
    label: ClassVar[Label] = _("Ticket late")
    ticket_id: int
    clock: str


class TicketRated(Event):
    """The client rated a solved ticket, from 1 (worst) to 5."""

    name: ClassVar[str] = "ticket.rated"
    label: ClassVar[Label] = _("Ticket rated")
    ticket_id: int
    stars: int


class CountryRulesChanged(Event):
    """A brand changed what it accepts from countries, or their risk band, from a day on. `countries`: "" is all others.

    `rule_id`: the first of the new rules.
    """

    name: ClassVar[str] = "client.country_rules_changed"
    label: ClassVar[Label] = _("Country rules changed")
    rule_id: int
    countries: tuple[str, ...]
    effective_on: str


class ClientMoved(Event):
    """The client went to another book (and so, perhaps, to another agent or desk)."""

    name: ClassVar[str] = "client.moved"
    label: ClassVar[Label] = _("Client moved to another book")
    from_book_id: int
    to_book_id: int


class ClientsMerged(Event):
    """Two records of one person became one: what may be moved is the client's now, and `merged_id` leads to them."""

    name: ClassVar[str] = "client.merged"
    label: ClassVar[Label] = _("Records merged")
    merge_id: int
    merged_id: int


class ClientsMergeUndone(Event):
    """A merge was undone: `merged_id` is a record of its own again, with what had come from it."""

    name: ClassVar[str] = "client.merge_undone"
    label: ClassVar[Label] = _("Merge undone")
    merge_id: int
    merged_id: int


class ClientEnteredSegment(Event):
    """A record began to meet a segment's conditions, or was put on a fixed list; not for those a new segment begins with."""

    name: ClassVar[str] = "client.entered_segment"
    label: ClassVar[Label] = _("Entered a segment")
    segment_id: int


class ClientLeftSegment(Event):
    """A record no longer meets a segment's conditions, or was taken off a fixed list."""

    name: ClassVar[str] = "client.left_segment"
    label: ClassVar[Label] = _("Left a segment")
    segment_id: int


class AutomationSignalled(Event):
    """A client's run of an automation came to a step that sends a webhook. `signal`: the name that the step gives it."""

    name: ClassVar[str] = "automation.signalled"
    label: ClassVar[Label] = _("Signal of an automation")
    automation_id: int
    run_id: int
    signal: str


class ClientContacted(Event):
    """Someone of the staff called or wrote to a client. `kind`: call, mail."""

    name: ClassVar[str] = "client.contacted"
    label: ClassVar[Label] = _("Client contacted")
    agent_id: int
    kind: str
    outcome: str = ""
    contact_id: int = 0


# ── KYC and compliance ─────────────────────────────────────────────────────────────────────────────────────────────
class DocumentUploaded(Event):
    """A file was stored, encrypted, and waits for its checks."""

    name: ClassVar[str] = "kyc.document_uploaded"
    label: ClassVar[Label] = _("Document uploaded")
    document_id: int
    kind: str


class DocumentChecked(Event):
    """The check pipeline ended, with the issues it names."""

    name: ClassVar[str] = "kyc.document_checked"
    label: ClassVar[Label] = _("Document checked")
    document_id: int
    issues: tuple[str, ...] = ()


class DocumentReviewed(Event):
    """An officer approved or rejected a document."""

    name: ClassVar[str] = "kyc.document_reviewed"
    label: ClassVar[Label] = _("Document approved or rejected")
    document_id: int
    decision: str
    reason: str = ""


class DocumentExpiring(Event):
    """An approved document expires soon: one event for each of the brand's `kyc_expiry_notice_days` ahead."""

    name: ClassVar[str] = "kyc.document_expiring"
    label: ClassVar[Label] = _("Document expiring soon")
    document_id: int
    kind: str
    expires_on: dt.date
    days: int = 0


class RiskRated(Event):
    """A client's risk rating became another one."""

    name: ClassVar[str] = "compliance.risk_rated"
    label: ClassVar[Label] = _("Risk rating changed")
    rating: str
    before: str = ""


class VerificationOverdue(Event):
    """What keeps a client verified was not renewed in time. `cause`: document or review; `restrictions`: what the brand blocks."""

    name: ClassVar[str] = "kyc.verification_overdue"
    label: ClassVar[Label] = _("Verification overdue")
    cause: str
    reference_id: int
    restrictions: tuple[str, ...] = ()


class VerificationCurrent(Event):
    """What was overdue is renewed: a new document was approved, or the review was done."""

    name: ClassVar[str] = "kyc.verification_current"
    label: ClassVar[Label] = _("Verification renewed")
    cause: str


class CompanyChanged(Event):
    """A client registered as a company, or the company's details changed."""

    name: ClassVar[str] = "kyc.company_changed"
    label: ClassVar[Label] = _("Company details changed")


class OwnershipChanged(Event):
    """A share of a company was entered or removed; the companies that hold shares now, and where each is registered."""

    name: ClassVar[str] = "kyc.ownership_changed"
    label: ClassVar[Label] = _("Ownership of a company changed")
    companies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


class CompanyPersonLinked(Event):
    """A person was linked to a company, or their details changed; the event's client is the person."""

    name: ClassVar[str] = "kyc.company_person_linked"
    label: ClassVar[Label] = _("Person linked to a company")
    company_id: int


class ClientVerified(Event):
    """The client reached a KYC level: trading and deposits above the unverified limit open."""

    name: ClassVar[str] = "kyc.client_verified"
    label: ClassVar[Label] = _("Client verified")
    level: int


class KycLevelLost(Event):
    """The client's KYC level fell. `reason`: "expired" (a document), "overturned" (an approval), "provider_revised" (a result
    that had passed), "levels_changed" (the brand asks for more), or "proof_gone" (anything else that counted)."""

    name: ClassVar[str] = "kyc.level_lost"
    label: ClassVar[Label] = _("KYC level lost")
    level: int
    level_before: int
    reason: str = "proof_gone"


class KycLevelRegained(Event):
    """The client's KYC level rose to one that they had reached before."""

    name: ClassVar[str] = "kyc.level_regained"
    label: ClassVar[Label] = _("KYC level regained")
    level: int
    level_before: int


class QuestionnaireAnswered(Event):
    """A client submitted a questionnaire. `kind`: of the questionnaire; `outcome`: its id in the version; no answer is in it."""

    name: ClassVar[str] = "kyc.questionnaire_answered"
    label: ClassVar[Label] = _("Questionnaire completed")
    submission_id: int
    kind: str
    outcome: str
    is_enhanced: bool = False


class ClientCategoryChanged(Event):
    """A client is retail, professional or an eligible counterparty from now on. `basis`: why, as `kyc.categories` names it."""

    name: ClassVar[str] = "kyc.category_changed"
    label: ClassVar[Label] = _("Client category changed")
    before: str
    after: str
    basis: str


class WatchlistLoaded(Event):
    """A new version of a watchlist is in force; the counts compare it with the version before."""

    name: ClassVar[str] = "compliance.watchlist_loaded"
    label: ClassVar[Label] = _("Watchlist updated")
    version_id: int
    source: str
    entries: int
    added: int
    changed: int
    removed: int


class ClientScreened(Event):
    """A client was screened against the watchlists."""

    name: ClassVar[str] = "compliance.client_screened"
    label: ClassVar[Label] = _("Client screened")
    screening_id: int
    hits: int


class RestrictionPlaced(Event):
    """A restriction begins."""

    name: ClassVar[str] = "compliance.restriction_placed"
    label: ClassVar[Label] = _("Restriction placed")
    restriction_id: int
    kind: str


class RestrictionLifted(Event):
    """A restriction ends."""

    name: ClassVar[str] = "compliance.restriction_lifted"
    label: ClassVar[Label] = _("Restriction lifted")
    restriction_id: int
    kind: str


# ── partners and monitoring ────────────────────────────────────────────────────────────────────────────────────────
class CommissionSettled(Event):
    """A partner's commissions of a period are in the ledger."""

    name: ClassVar[str] = "ib.commission_settled"
    label: ClassVar[Label] = _("Commission settled")
    partner_id: int
    settlement_id: int
    amount: Decimal
    currency: str


class PartnerCreated(Event):
    """Somebody is a partner now: active, or `state` pending where they applied and await approval."""

    name: ClassVar[str] = "ib.partner_created"
    label: ClassVar[Label] = _("Partner created")
    partner_id: int
    state: str


class PartnerApproved(Event):
    """An applicant was approved: trades of their network earn them commissions from now on."""

    name: ClassVar[str] = "ib.partner_approved"
    label: ClassVar[Label] = _("Partner approved")
    partner_id: int


class PartnerBlocked(Event):
    """A partner was suspended: trades of their network earn them nothing until they are unblocked."""

    name: ClassVar[str] = "ib.partner_blocked"
    label: ClassVar[Label] = _("Partner suspended")
    partner_id: int
    reason: str = ""


class PartnerUnblocked(Event):
    """A blocked partner earns again."""

    name: ClassVar[str] = "ib.partner_unblocked"
    label: ClassVar[Label] = _("Partner reinstated")
    partner_id: int


class PartnerClosed(Event):
    """A partner is no longer one, or an applicant was turned down."""

    name: ClassVar[str] = "ib.partner_closed"
    label: ClassVar[Label] = _("Partner closed")
    partner_id: int
    reason: str = ""


class PartnerMoved(Event):
    """A partner went to another place in the tree; None is the top."""

    name: ClassVar[str] = "ib.partner_moved"
    label: ClassVar[Label] = _("Partner moved in the tree")
    partner_id: int
    from_parent_id: int | None
    to_parent_id: int | None


class PartnerLevelGained(Event):
    """A partner was given the plan of a higher level than before; plans with an entry are a brand's levels."""

    name: ClassVar[str] = "ib.partner_level_gained"
    label: ClassVar[Label] = _("Partner level gained")
    partner_id: int
    plan_id: int
    before_plan_id: int | None


class PartnerLevelLost(Event):
    """A partner was given the plan of a lower level than before, or one that is no level, or none."""

    name: ClassVar[str] = "ib.partner_level_lost"
    label: ClassVar[Label] = _("Partner level lost")
    partner_id: int
    plan_id: int | None
    before_plan_id: int


class AlertRaised(Event):
    """An agent's day stands out from their own baseline."""

    name: ClassVar[str] = "monitoring.alert_raised"
    label: ClassVar[Label] = _("Agent alert raised")
    alert_id: int
    agent_id: int


class AlertDecided(Event):
    """A reviewer decided on an alert."""

    name: ClassVar[str] = "monitoring.alert_decided"
    label: ClassVar[Label] = _("Agent alert decided")
    alert_id: int
    agent_id: int
    decision: str


# ── risk ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class ClientFlagged(Event):
    """Something says that a client may leave: published once for each new flag, not for clients of the control group.

    `kind`: what it is, as `risk.retention.choices.FlagKind` has it.
    """

    name: ClassVar[str] = "risk.client_flagged"
    label: ClassVar[Label] = _("Retention flag raised")
    flag_id: int
    kind: str


class ClientRoutingChanged(Event):
    """A second person approved on which book a client's trades are executed: whatever routes on the platform follows it.

    `book`: a (passed on), b (kept) or split; `passed_percent`: the share of each trade that is passed on.
    """

    name: ClassVar[str] = "risk.routing_changed"
    label: ClassVar[Label] = _("Execution book of a client changed")
    routing_id: int
    book: str
    passed_percent: int
