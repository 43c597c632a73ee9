"""What the calls of single verbs need, and who may make them: everything that isn't said here is found by itself.

A new verb needs a line only where the arguments that are made up for it (`tests/verbs/calls.py`) don't bring it as far as
its policy, or where the person of every role (`insider`) may not do it either.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import secrets
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from clients.calls import CallDetails
from clients.choices import CallOutcome
from clients.messages.forwarding import Recipient
from clients.models import (
    CannedAnswer,
    Chat,
    Client,
    CustomChoice,
    CustomField,
    DialEntry,
    DialList,
    DoNotCall,
    IncomingMail,
    Mailbox,
    MailService,
    MailServiceEvent,
    MailThread,
    Message,
    PhoneCall,
    PhoneEvent,
    PhoneExchange,
    Suppression,
    TextEvent,
    TextMessage,
    TextService,
    TextThread,
)
from compliance.aml.models import AmlCase, AmlRuleVersion
from compliance.aml.referrals import Suspicion
from compliance.aml.rules import Content as AmlContent
from compliance.aml.rules import create_rule
from compliance.models import Restriction, ScreeningVendor, VendorCheck, VendorNotice, WatchlistSource
from compliance.packs import TrailFilter
from compliance.sar.models import SuspicionReport
from compliance.sar.reports import EMPTY as SAR_EMPTY
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.events.targets import chosen_by_people
from crm.models import (
    Brand,
    DataImport,
    Desk,
    DueRow,
    EventDelivery,
    ImportMapping,
    StaffEmployment,
    TextDraft,
    User,
    WorkItem,
)
from crm.outbound.endpoints import EndpointDetails
from crm.staff.employment import StaffDates
from crm.staff.event_subscriptions import SubscriptionDetails
from crm.texts.catalogue import Text
from ib.agreements.cards import RateCard, VersionTerms
from ib.materials.banners import Picture
from ib.models import SettlementTerms
from ib.news.publishing import EVERYBODY
from ib.partners import PartnerDetails
from ib.payouts import Destination, Offer
from ib.settlements.terms import FIELDS as TERMS_FIELDS
from kyc.models import Document, KycProvider, ProviderCheck, ProviderMessage, UploadDraft
from kyc.uploads import drafts, handover, pages
from kyc.verdicts.rules import Rules, shipped
from leads.automations.definition import new_definition
from leads.models import Campaign, LandingPage, RoutingRule, ScoreRule
from monitoring.history.models import HistoryFile
from prop.models import PhaseAccount, ProgrammePhase
from risk.abuse.models import AbuseEpisode, EpisodeParty
from risk.links.models import KnownLink
from tests.verbs.calls import model_named, of_the_brand, one, sketched
from trading.models import StagedLogin, TradingAccount
from wallet.models import BonusGrant, BonusPlan, Deposit, Withdrawal
from wallet.reconciliation.costs import Terms
from wallet.statement_formats.mapping import Mapping

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Door:
    """`where`: what must be so of the thing that a parameter names; `by`: who may, where the insider may not.

    open_to: who else may, with the reason beside the line; finds_nothing: for somebody without the right there is nothing
    to do, so nothing is refused.
    """

    where: typing.Mapping[str, typing.Mapping[str, Any]] = field(default_factory=dict)
    given: Callable[[], Arguments] = dict
    by: Callable[[Arguments], User] | None = None
    open_to: tuple[str, ...] = ()
    finds_nothing: bool = False


def an_upload(**more: Any) -> Arguments:
    """Begin an upload of the first client with a login; the trader is the last one."""
    clients = Client.objects.filter(user__is_active=True).exclude(stage="closed")
    client = clients.order_by("user_id").select_related("user")[0]
    draft = drafts.open_draft(client=client, kind="passport", country="DE", actor=client.user)
    return {"draft_id": draft.pk, **more}


def an_uploaded_page(**more: Any) -> Arguments:
    given = an_upload(**more)
    page = pages.begin_page(
        draft_id=given["draft_id"], side="front", name="x.jpg", size_bytes=9, actor=its_uploader(given)
    )
    return {**given, "page_id": page.pk}


def a_handed_over_upload() -> Arguments:
    given = an_upload()
    handover.hand_over(draft_id=given["draft_id"], actor=its_uploader(given))
    return given


def its_uploader(given: Arguments) -> User:
    return UploadDraft.objects.select_related("opened_by").get(pk=given["draft_id"]).opened_by


def its_client(given: Arguments) -> User:
    return Client.objects.get(pk=given["client_id"]).user


def of(parameter: str, path: str, model: str) -> Callable[[Arguments], User]:
    """The person whom the thing itself names."""

    def person(given: Arguments) -> User:
        found: Any = model_named(model)._default_manager.get(pk=given[parameter])  # type: ignore[union-attr]
        for step in path.split("."):
            found = getattr(found, step)
        return User.objects.get(pk=found.pk)

    return person


# A trading server, its symbols and the regulators' caps are of all brands.
ALL_BRANDS = Door(open_to=("outsider",))
DRAFT = VersionTerms(timezone.now(), "EUR", RateCard({}, {}, {}))
WITH_LOGIN = {"client_id": {"user__isnull": False}}
ITS_OWN = Door({"client": {"user__isnull": False}}, by=lambda given: given["client"].user)
A_LETTER = {"key": "kyc.verified", "language": "en"}
FAILED_DELIVERY = Door(
    given=lambda: {"delivery_id": sketched(EventDelivery, state="failed", finished_at=timezone.now()).pk},
    open_to=("outsider",),
)

FAILED_DUE = Door(
    given=lambda: {"due_id": sketched(DueRow, state="failed", done_at=timezone.now()).pk}, open_to=("outsider",)
)


def checked_import() -> Arguments:
    row = sketched(DataImport, kind="clients", state="checked", counts={"new": 1}, header=["email"])
    return {"import_id": row.pk}


def a_history() -> Arguments:
    owner = User.objects.filter(groups__name=Role.MLRO, is_active=True).order_by("pk")[0]
    return {"history_id": sketched(HistoryFile, owner=owner, per_100=0.5, job=None).pk}


def finished_import() -> Arguments:
    row = sketched(DataImport, kind="clients", state="done", counts={"new": 1}, finished_at=timezone.now())
    return {"import_id": row.pk}


def proposed_login() -> Arguments:
    row = sketched(StagedLogin)
    client = of_the_brand(Client).exclude(stage="lead").order_by("pk")[0]
    row.state, row.proposed_client, row.proposed_by = "proposed", client, one(User)
    row.proposed_at, row.proposal_reason = timezone.now(), "The same person"
    row.save()
    return {"row_id": row.pk}


AML_CONTENT = AmlContent("velocity_count", Decimal(3), 24, 24, parameters={"direction": "deposit"})
LAST_WEEK = {"start": timezone.now() - dt.timedelta(days=7), "end": timezone.now()}


def aml_draft() -> AmlRuleVersion:
    rule = create_rule(brand_id=one(Brand).pk, name=f"Rule {uuid4()}", content=AML_CONTENT, why="Test", actor=None)
    return rule.versions.select_related("rule__brand").get()


def a_suspicion() -> Suspicion:
    return Suspicion("", "Seen", "What was seen", timezone.now() - dt.timedelta(days=2), timezone.now())


def suspicion_report(state: str = "draft") -> Arguments:
    """A report that the system's own hand wrote as far as a state, about a case that has none."""
    reported = SuspicionReport.objects.values("case")
    free = of_the_brand(Client).exclude(pk__in=AmlCase.objects.filter(state="open").values("client"))
    case = of_the_brand(AmlCase).exclude(pk__in=reported).first() or sketched(AmlCase, client=free[0])
    report = SuspicionReport(client=case.client, case=case, kind="SAR", written_by=one(User), written_at=timezone.now())
    report.seal({**SAR_EMPTY, "narrative": "Why", "facts": {}})
    report.state = state
    if state != "draft":
        report.keep_xml(b"<report/>", "0" * 64)
    if state in ("approved", "filed"):
        report.decided_by = User.objects.exclude(pk=report.written_by_id)[0]
        report.decided_at = timezone.now()
    if state == "filed":
        report.fiu_reference, report.filed_on, report.filed_by = "FIU-1", timezone.localdate(), report.written_by
    report.save()
    return {"report_id": report.pk}


def running_phase() -> Arguments:
    """An account of a challenge that runs, of a client whom nothing keeps from buying."""
    row = one(PhaseAccount, state="running", ended_at=None)
    Client.objects.filter(pk=row.challenge.client_id).update(restrictions=[])
    return {"phase_account_id": row.pk}


def phase_of_a_forbidden_style() -> Arguments:
    """An account that runs, on which a style was confirmed that its phase forbids."""
    row = one(PhaseAccount, state="running", ended_at=None)
    if "latency" not in row.phase.forbidden_styles:
        ProgrammePhase.objects.filter(pk=row.phase_id).update(forbidden_styles=["latency"])
    decided = {"state": "confirmed", "reason": "Stale fills", "decided_by": one(User), "decided_at": timezone.now()}
    sketched(AbuseEpisode, kind="latency", accounts=[row.account_id], **decided)
    return {"phase_account_id": row.pk, "reason": "Stale fills"}


def two_accounts() -> Arguments:
    """An account of a challenge, and another one of the same client."""
    kept = one(PhaseAccount, state="running", ended_at=None)
    closed = sketched(PhaseAccount, challenge=kept.challenge, attempt=90)
    return {"kept_id": kept.pk, "closed_id": closed.pk}


def in_a_week() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=7)


def asked_lifting() -> Arguments:
    row = one(Restriction, lifted_at=None)
    row.lift_requested_by, row.lift_requested_at, row.lift_reason = one(User), timezone.now(), "Documents arrived"
    row.save()
    return {"restriction_id": row.pk}


def asked_bonus() -> Arguments:
    row = one(BonusGrant, state="pending")
    row.requested_by = one(User)
    row.save()
    return {"grant_id": row.pk}


def approved_once() -> Arguments:
    row = one(Withdrawal, state="requested")
    row.state, row.reviewed_by, row.reviewed_at = "awaiting_second_approval", one(User), timezone.now()
    row.save()
    return {"withdrawal_id": row.pk}


def waiting_item() -> Arguments:
    """A document in the review queue."""
    client = one(Client)
    item = sketched(WorkItem, client_id=client.pk, brand=client.brand)
    sketched(Document, client=client, work=item, kind="other", state="pending_review")
    return {"item_id": item.pk}


def decided_document() -> Arguments:
    """A decision whose window is still open."""
    given, now, officer = waiting_item(), timezone.now(), one(User, groups__name="kyc_officer")
    Document.objects.filter(work=given["item_id"]).update(state="approved", reviewed_by=officer, reviewed_at=now)
    WorkItem.objects.filter(pk=given["item_id"]).update(
        state="decided", outcome="approved", decided_by=officer, decided_at=now, final_at=now + dt.timedelta(hours=1)
    )
    return given


def other_policy() -> Arguments:
    """The shipped policy with one number changed."""
    kinds = dict(shipped().kinds)
    kinds["passport"] = dataclasses.replace(kinds["passport"], asks_in_a_row=5)
    return {"rules": Rules(kinds), "effective_on": today(one(Brand))}


def a_kyc_provider() -> KycProvider:
    return KycProvider.objects.create(
        brand=one(Brand),
        code="verbs",
        name="Sumsub",
        adapter="sumsub",
        level_name="basic",
        base_url="http://127.0.0.1:9",
    )


def a_webhook() -> Arguments:
    return {"details": EndpointDetails("Dialler", "https://hooks.example/in", ["lead.assigned"])}


def a_screening_vendor() -> ScreeningVendor:
    source = WatchlistSource.objects.create(
        code="vendor-verbs", name="Verbs", publisher="", licence="", is_active=False
    )
    return ScreeningVendor.objects.create(
        brand=one(Brand),
        source=source,
        code="verbs",
        name="Verbs",
        adapter="yente",
        dataset="default",
        base_url="http://127.0.0.1:9",
    )


def parked_vendor_check() -> Arguments:
    """A question to a vendor that had no answer."""
    check = VendorCheck.objects.create(
        vendor=a_screening_vendor(), client=one(Client), state="waiting", trigger="demand", wanted_at=timezone.now()
    )
    VendorCheck.objects.filter(pk=check.pk).update(state="unknown")
    return {"check_id": check.pk}


def a_waiting_message() -> Message:
    """An e-mail that a client's owner has just sent."""
    client = Client.objects.filter(owner__isnull=False, owner__is_active=True).order_by("pk")[0]
    return Message.objects.create(
        client=client, language="en", to_address="a@b.example", subject="Verbs", body="x", sender=client.owner
    )


def a_willing_reader() -> Client:
    """A client of an agent who agreed to news and has an address."""
    client = an_owned_client()
    Client.objects.filter(pk=client.pk).update(marketing_consent=True, email="verbs@b.example")
    return client


def a_tag() -> CustomChoice:
    """A choice of a field that takes several, on the leads and clients of the brand."""
    brand = an_owned_client().brand
    field = CustomField.objects.create(
        brand=brand, key="verbs_tags", type="choices", labels={"en": "Tags"}, created_at=timezone.now()
    )
    return CustomChoice.objects.create(field=field, code="vip", labels={"en": "VIP"})


def one_of_many() -> Message:
    """An e-mail to many that still waits."""
    row = a_waiting_message()
    Message.objects.filter(pk=row.pk).update(template="clients.to_many")
    return row


def a_dial_entry() -> DialEntry:
    """A client on an agent's call list."""
    client = an_owned_client()
    row = DialList.objects.create(owner=client.owner)
    return DialEntry.objects.create(dial_list=row, client=client, place=0)


def its_dialler(given: Arguments) -> User:
    """Whose call list it is."""
    return DialList.objects.order_by("-pk")[0].owner


A_CANNED_ANSWER: dict[str, Any] = {"language": "en", "title": "Verbs", "body": "x"}


def a_canned_answer() -> CannedAnswer:
    return CannedAnswer.objects.create(brand=one(Brand), changed_by=one(User), **A_CANNED_ANSWER)


def a_portal_client() -> Client:
    """A client with a login and no open chat."""
    open_chats = Chat.objects.exclude(state="ended").values("client")
    return of_the_brand(Client).filter(user__isnull=False).exclude(pk__in=open_chats).select_related("book")[0]


def a_chat() -> Chat:
    """A chat that awaits an agent."""
    client = a_portal_client()
    return Chat.objects.create(client=client, sealed_for=client, desk=client.book.desk)


def its_client(given: Arguments) -> User:
    """The login of the client whom a call is about."""
    client_id = given.get("client_id") or Chat.objects.get(pk=given["chat_id"]).client_id
    return User.objects.get(client__pk=client_id)


def a_forward() -> Arguments:
    """An e-mail of a thread, and somebody to send it to."""
    client = one(Client)
    thread = MailThread.objects.create(client=client, subject="Verbs")
    values = {"language": "en", "to_address": "client@example.com", "subject": "Verbs", "body": "Verbs"}
    original = Message.objects.create(client=client, thread=thread, **values)
    return {"original": original, "recipient": Recipient(address="else@example.com")}


def an_unknown_mail() -> IncomingMail:
    """An e-mail at a client's brand of which nothing is known."""
    client = an_owned_client()
    mail = IncomingMail(brand_id=client.brand_id, fingerprint=secrets.token_hex(32), subject="Verbs")
    mail.seal({"text": "x", "html": ""}, None)
    mail.save()
    return mail


def a_discarded_mail() -> Arguments:
    mail = an_unknown_mail()
    IncomingMail.objects.filter(pk=mail.pk).update(state="discarded")
    return {"mail_id": mail.pk}


def a_mailbox() -> Mailbox:
    return Mailbox.objects.create(
        brand=one(Brand), code="mail-verbs", name="Verbs", adapter="imap", address="a@b.example", is_enabled=False
    )


def a_mail_service() -> MailService:
    return MailService.objects.create(
        brand=one(Brand), code="mails-verbs", name="Verbs", adapter="mailgun", is_enabled=False
    )


def an_unmatched_mail_event() -> Arguments:
    """A report about an e-mail that isn't ours."""
    event = MailServiceEvent.objects.create(
        connection=a_mail_service(),
        received_at=timezone.now(),
        body_sealed=b"",
        body_sha256="0" * 64,
        message_id="msg_1",
    )
    MailServiceEvent.objects.filter(pk=event.pk).update(verdict="accepted", state="unmatched")
    return {"event_id": event.pk}


def a_text_service() -> TextService:
    return TextService.objects.create(
        brand=one(Brand),
        code="text-verbs",
        name="Verbs",
        adapter="twilio",
        sms_number="+442071838750",
        base_url="http://127.0.0.1:9",
        is_enabled=False,
    )


def an_episode() -> AbuseEpisode:
    """Suspected abuse of an account of the brand's first client."""
    client = of_the_brand(Client).filter(trading_accounts__isnull=False)[0]
    episode = sketched(AbuseEpisode, state="open", brand=client.brand, client=client)
    account = one(TradingAccount, client=client)
    EpisodeParty.objects.create(episode=episode, account=account, client=client)
    return episode


def a_confirmed_episode() -> Arguments:
    """Confirmed abuse, and its client, against whom a measure is proposed."""
    episode = an_episode()
    AbuseEpisode.objects.filter(pk=episode.pk).update(
        state="confirmed", decided_by=of_the_brand(User)[0], decided_at=timezone.now(), reason="Seen"
    )
    return {"episode_id": episode.pk, "client_id": episode.client_id, "kind": "withdrawals"}


def two_clients() -> Arguments:
    """Two clients of the brand who share no identity document."""
    first, second = of_the_brand(Client).filter(merged_into=None).exclude(stage="closed")[:2]
    return {"client_id": first.pk, "other_id": second.pk, "why": "household"}


def a_client_to_route() -> Arguments:
    """A client without an execution book; no case."""
    (client,) = of_the_brand(Client).filter(merged_into=None).exclude(stage="closed")[:1]
    return {"client_id": client.pk, "book": "a", "passed_percent": None, "episode_id": None}


def clients_to_route() -> Arguments:
    rows = of_the_brand(Client).filter(merged_into=None).exclude(stage="closed")[:2]
    return {"client_ids": [row.pk for row in rows], "book": "split", "passed_percent": 40}


def a_known_link() -> Arguments:
    first, second = of_the_brand(Client).filter(merged_into=None).exclude(stage="closed")[:2]
    return {"link_id": sketched(KnownLink, first=first, second=second, ended_by=None, ended_at=None).pk}


def another_partners_client() -> Arguments:
    """A client who isn't the partner's yet."""
    partner = one(model_named("Partner", app="ib"))
    theirs = partner.attributions.filter(ends_at__isnull=True).values("client")
    clients = of_the_brand(Client).exclude(stage="closed").exclude(pk__in=theirs).exclude(user=partner.user)
    return {"partner_id": partner.pk, "client_id": clients[0].pk}


def an_owned_client() -> Client:
    return of_the_brand(Client).filter(owner__isnull=False)[0]


def a_text_thread(client: Client | None = None) -> TextThread:
    """A conversation at a client's brand, with an unknown number or with a client."""
    brand_id = an_owned_client().brand_id
    thread = TextThread(brand_id=brand_id, client=client, channel="sms", number_mark=secrets.token_bytes(32))
    thread.seal("+442071838751", client.pk if client is not None else None)
    thread.save()
    return thread


def a_discarded_text_thread() -> Arguments:
    thread = a_text_thread()
    fields = {"discarded_at": timezone.now(), "discarded_by": one(User), "discard_reason": "Verbs"}
    TextThread.objects.filter(pk=thread.pk).update(**fields)
    return {"thread_id": thread.pk}


def a_waiting_text() -> TextMessage:
    client = an_owned_client()
    row = TextMessage(thread=a_text_thread(client), service=a_text_service(), sender=client.owner)
    row.seal("Verbs", client.pk)
    row.save()
    return row


def an_unmatched_text_event() -> Arguments:
    """A report about a message that isn't ours."""
    event = TextEvent.objects.create(
        connection=a_text_service(),
        received_at=timezone.now(),
        body_sealed=b"",
        body_sha256="0" * 64,
        message_id="msg_1",
    )
    TextEvent.objects.filter(pk=event.pk).update(verdict="accepted", state="unmatched")
    return {"event_id": event.pk}


def a_phone_exchange() -> PhoneExchange:
    return PhoneExchange.objects.create(
        brand=one(Brand),
        code="phone-verbs",
        name="Verbs",
        adapter="twilio",
        caller_number="+442071838750",
        base_url="http://127.0.0.1:9",
        is_enabled=False,
    )


def a_phone_call(**fields: Any) -> PhoneCall:
    """A call of an agent with a client of theirs, which is on."""
    client = Client.objects.filter(owner__isnull=False, owner__is_active=True).order_by("pk")[0]
    return PhoneCall.objects.create(
        exchange=a_phone_exchange(),
        client=client,
        agent=client.owner,
        direction="outbound",
        sealed_number=PhoneCall.sealed("+4915112345678"),
        **fields,
    )


def an_ended_phone_call() -> Arguments:
    call = a_phone_call()
    PhoneCall.objects.filter(pk=call.pk).update(state="missed", ended_at=timezone.now())
    return {"call_id": call.pk, "outcome": CallOutcome.BUSY}


def an_unknown_caller() -> Arguments:
    call = a_phone_call()
    PhoneCall.objects.filter(pk=call.pk).update(client=None, direction="inbound", state="ringing")
    return {"call_id": call.pk}


def a_marked_client() -> Arguments:
    client = one(Client)
    DoNotCall.objects.create(client=client, reason="asked", set_by=one(User))
    return {"client_id": client.pk}


def its_agent(given: Arguments) -> User:
    agent = PhoneCall.objects.get(pk=given["call_id"]).agent
    assert agent is not None
    return agent


def unmatched_phone_event() -> Arguments:
    """A webhook about a call that isn't ours."""
    event = PhoneEvent.objects.create(
        connection=a_phone_exchange(),
        received_at=timezone.now(),
        body_sealed=b"",
        body_sha256="0" * 64,
        message_id="msg_1",
    )
    PhoneEvent.objects.filter(pk=event.pk).update(verdict="accepted", state="unmatched")
    return {"event_id": event.pk}


def unmatched_vendor_notice() -> Arguments:
    """A webhook about an entity that no match is about."""
    notice = VendorNotice.objects.create(
        connection=a_screening_vendor(),
        received_at=timezone.now(),
        body_sealed=b"",
        body_sha256="0" * 64,
        message_id="msg_1",
    )
    VendorNotice.objects.filter(pk=notice.pk).update(verdict="accepted", state="unmatched")
    return {"notice_id": notice.pk}


def check_at_provider() -> Arguments:
    """A check that waits for its client."""
    check = ProviderCheck.objects.create(
        provider=a_kyc_provider(), client=one(Client), external_id="verbs", state="open", started_at=timezone.now()
    )
    return {"check_id": check.pk}


def unmatched_message() -> Arguments:
    """A webhook about an applicant that no check knows."""
    message = ProviderMessage.objects.create(
        connection=a_kyc_provider(),
        received_at=timezone.now(),
        body_sealed=b"",
        body_sha256="0" * 64,
        message_id="msg_1",
    )
    ProviderMessage.objects.filter(pk=message.pk).update(verdict="accepted", state="unmatched")
    return {"message_id": message.pk}


def held_item() -> Arguments:
    """A document that a colleague works on."""
    given, now = waiting_item(), timezone.now()
    until = now + dt.timedelta(minutes=5)
    WorkItem.objects.filter(pk=given["item_id"]).update(claimed_by=one(User), claimed_at=now, claimed_until=until)
    return given


def settled_with_a_plan() -> Arguments:
    """A settled deposit at a brand that grants bonuses."""
    one(BonusPlan, is_enabled=True)
    return {"deposit_id": one(Deposit, state="settled", settled_at__isnull=False).pk}


def a_leaver() -> int:
    return int(one(StaffEmployment, leaves_on__isnull=False).pk)


# Verbs of the system's own, which no person calls: for their locks only.
SYSTEM_DOORS: dict[str, Door] = {
    "crm.work.deciding.settle": Door(given=decided_document),
    "wallet.bonuses.granting.grant_for_deposit": Door(given=settled_with_a_plan),
}
DOORS: dict[str, Door] = {
    "wallet.disputes.refunds.start_refund": Door(where={"deposit_id": {"state": "settled"}}),
    "crm.imports.importing.confirm": Door(given=checked_import),
    "crm.imports.saved_mappings.delete_mapping": Door(given=lambda: {"mapping_id": sketched(ImportMapping).pk}),
    "crm.imports.saved_mappings.rename_mapping": Door(given=lambda: {"mapping_id": sketched(ImportMapping).pk}),
    "crm.imports.importing.delete_rows": Door(given=finished_import),
    "crm.imports.importing.discard": Door(given=checked_import),
    "crm.imports.importing.map_columns": Door(
        given=lambda: {**checked_import(), "definition": {"fields": {"email": {"fixed": "anna@example.com"}}}}
    ),
    "crm.due.sweep.replay": FAILED_DUE,
    "crm.due.sweep.replay_each": Door(given=lambda: {"due_ids": [FAILED_DUE.given()["due_id"]]}, open_to=("outsider",)),
    "crm.events.delivery.replay": FAILED_DELIVERY,
    "crm.events.delivery.replay_each": Door(
        given=lambda: {"delivery_ids": [FAILED_DELIVERY.given()["delivery_id"]]}, open_to=("outsider",)
    ),
    "clients.country_rules.changes.propose_country_rules": Door(
        given=lambda: {
            "countries": ["AT", "DE"],
            "band": "high",
            "accepted": ["withdrawal"],
            "effective_on": today(one(Brand)),
        }
    ),
    "clients.country_rules.exemptions.propose_exemption": Door(
        given=lambda: {"gates": ["deposit"], "ends_on": timezone.now().date() + dt.timedelta(days=9)}
    ),
    "crm.events.delivery.skip": FAILED_DELIVERY,
    "crm.files.jobs.cancel_job": Door(finds_nothing=True),
    "crm.outbound.endpoints.create_endpoint": Door(given=a_webhook),
    "crm.outbound.endpoints.change_endpoint": Door(given=a_webhook),
    "crm.outbound.hooks.subscribe_hook": Door(
        given=lambda: {"url": "https://hooks.example/in", "event": "lead.assigned"}
    ),
    "crm.staff.event_subscriptions.create_subscription": Door(
        given=lambda: {"target": "notice", "details": SubscriptionDetails("Leads", ["lead.captured"])}
    ),
    "crm.staff.event_subscriptions.archive_subscription": Door({"subscription_id": {"target__in": chosen_by_people()}}),
    "crm.staff.event_subscriptions.change_subscription": Door(
        {"subscription_id": {"target__in": chosen_by_people()}},
        given=lambda: {"details": SubscriptionDetails("Leads", ["lead.captured"])},
    ),
    "crm.staff.event_subscriptions.set_subscription_enabled": Door(
        {"subscription_id": {"target__in": chosen_by_people()}}
    ),
    "crm.staff.employment.set_dates": Door(given=lambda: {"dates": StaffDates(joined_on=dt.date(2026, 3, 2))}),
    "crm.staff.grants.request_grant": Door(given=lambda: {"what": Role.AGENT}),
    "crm.staff.policy_changes.change_policy": Door(
        given=lambda: {"key": "kyc_undo_seconds", "value": 30, "effective_on": today(one(Brand))}
    ),
    "clients.texts.preview.send_test_mail": Door(given=lambda: {**A_LETTER, "heading": "Hello", "body": "Hello"}),
    "crm.texts.publishing.save_draft": Door(given=lambda: {**A_LETTER, "heading": "Hello", "body": "Hello"}),
    "crm.texts.publishing.publish_text": Door(given=lambda: {**A_LETTER, "text": Text("Hello", "Hello")}),
    "crm.texts.publishing.discard_draft": Door(
        given=lambda: {**A_LETTER, "brand_id": sketched(TextDraft, **A_LETTER).brand_id}
    ),
    "crm.staff.reach.grant": Door(given=lambda: {"thing": one(Desk)}),
    "crm.work.assigning.assign": Door(given=lambda: {"item_ids": [waiting_item()["item_id"]], "to_id": None}),
    "crm.work.assigning.set_priority": Door(given=lambda: {"item_ids": [waiting_item()["item_id"]], "priority": 4}),
    "crm.work.claims.claim": Door(given=waiting_item),
    "crm.work.claims.extend": Door(given=waiting_item, finds_nothing=True),
    "crm.work.claims.release": Door(given=waiting_item, finds_nothing=True),
    "crm.work.claims.take_over": Door(given=held_item),
    "crm.work.deciding.undo": Door(given=decided_document, by=of("item_id", "decided_by", "WorkItem")),
    "crm.work.entries.comment": Door(given=waiting_item),
    "clients.calls.log_call": Door(given=lambda: {"details": CallDetails(CallOutcome.REACHED)}),
    "clients.notes.edit_note": Door(by=of("note_id", "author", "Note")),
    "leads.imports.confirm": Door(by=of("import_id", "owner", "LeadImport")),
    "leads.imports.discard": Door(by=of("import_id", "owner", "LeadImport")),
    "leads.imports.map_columns": Door(given=lambda: {"definition": {}}, by=of("import_id", "owner", "LeadImport")),
    "leads.automations.verbs.activate_automation": Door({"automation_id": {"state": "draft"}}),
    "leads.automations.verbs.create_automation": Door(given=lambda: {"draft": None}),
    "leads.automations.verbs.save_automation": Door(given=lambda: {"draft": new_definition()}),
    "leads.automations.verbs.pause_automation": Door({"automation_id": {"state": "active"}}),
    "leads.automations.verbs.resume_automation": Door({"automation_id": {"state": "paused"}}),
    "leads.automations.shipped.make_from_template": Door(given=lambda: {"template": "active-30"}),
    "leads.bulk.changing.change_many": Door(given=lambda: {"kind": "task", "options": {"title": "Call", "days": 1}}),
    "leads.next_lead.choosing.skip": Door(given=lambda: {"reason": "later"}),
    "leads.bulk.in_parts.begin_change": Door(given=lambda: {"kind": "task", "options": {"title": "Call", "days": 1}}),
    "leads.bulk.in_parts.begin_undo": Door(by=of("change_id", "made_by", "BulkChange")),
    "leads.bulk.changing.undo_many": Door(by=of("change_id", "made_by", "BulkChange")),
    "leads.duplicates.deciding.dismiss_duplicate": Door({"pair_id": {"state": "open"}}),
    "leads.duplicates.deciding.reopen_duplicate": Door({"pair_id": {"state": "dismissed"}}),
    "leads.setup.save_campaign": Door(given=lambda: {"campaign": one(Campaign), "brand": one(Brand)}),
    "leads.spend.recording.enter_spend": Door(
        given=lambda: {"first": dt.date(2026, 1, 1), "last": dt.date(2026, 1, 2), "amount": Decimal(10)}
    ),
    "leads.spend.recording.import_spend": Door(
        given=lambda: {
            "brand": one(Campaign).brand,
            "file_name": "spend.csv",
            "content": f"Day,Campaign,Cost\n2026-01-01,{one(Campaign).code},5\n".encode(),
        }
    ),
    "leads.setup.save_landing_page": Door(given=lambda: {"page": one(LandingPage), "brand": one(Brand)}),
    "leads.setup.save_routing_rule": Door(
        given=lambda: {"rule": (rule := one(RoutingRule)), "brand": rule.brand, "desk": rule.desk}
    ),
    "leads.setup.save_score_rule": Door(given=lambda: {"rule": one(ScoreRule, brand=one(Brand)), "brand": one(Brand)}),
    "leads.setup.end_score_rule": Door(given=lambda: {"rule_id": one(ScoreRule, brand=one(Brand)).pk}),
    "support.changing.assign_ticket": Door(
        {"ticket_id": {"state": "open"}},
        given=lambda: {"to_id": User.objects.filter(groups__name=Role.SUPPORT, brand__code="meridian")[0].pk},
    ),
    "support.solving.rate_ticket": Door(
        {"ticket_id": {"state": "solved"}}, by=of("ticket_id", "client.user", "Ticket")
    ),
    "support.solving.solve_ticket": Door({"ticket_id": {"state": "open"}}),
    "support.tickets.reply_as_client": Door(
        {"ticket_id": {"state": "open"}}, by=of("ticket_id", "client.user", "Ticket")
    ),
    "support.tickets.reply_to_client": Door({"ticket_id": {"state": "open"}}),
    "kyc.categories.decisions.opt_down": Door(WITH_LOGIN, given=lambda: {"category": "retail"}, by=its_client),
    "kyc.categories.decisions.propose_category": Door(
        {"client_id": {"category": "retail"}},
        given=lambda: {"category": "professional", "basis": "per_se", "request_id": None},
    ),
    "kyc.categories.requests.decline_request": Door({"request_id": {"state": "open"}}),
    "kyc.categories.requests.request_professional": Door(WITH_LOGIN, by=its_client),
    "kyc.categories.requests.withdraw_request": Door(
        {"request_id": {"state": "open"}}, by=of("request_id", "client.user", "CategoryRequest")
    ),
    "kyc.questionnaires.drafts.create_questionnaire": Door(given=lambda: {"kind": "pep"}),
    "kyc.client_reviews.deciding.decide_review": Door(
        {"review_id": {"state": "open"}}, given=lambda: {"outcome": "confirmed"}
    ),
    "kyc.questionnaires.edd.decide_review": Door(
        {"review_id": {"state": "open"}}, given=lambda: {"outcome": "cleared"}
    ),
    "kyc.questionnaires.submissions.acknowledge": Door(
        {"submission_id": {"client__user__isnull": False}}, by=of("submission_id", "client.user", "Submission")
    ),
    "kyc.questionnaires.submissions.keep_answers": Door(WITH_LOGIN, by=its_client),
    "kyc.questionnaires.submissions.submit": Door(WITH_LOGIN, by=its_client),
    "kyc.corrections.correcting.correct_field": Door(
        given=lambda: {"field": "last_name", "value": "Nowak", "reason": "misread"}
    ),
    "kyc.escalations.second_readers.ask_second_reader": Door(given=lambda: {"opinion": "approve"}),
    "kyc.batch.reading.claim_batch": Door(finds_nothing=True),
    "kyc.document_requests.requesting.request_from_client": Door(
        given=lambda: {"kind": "payslip", "due_on": dt.date.today() + dt.timedelta(days=9)}
    ),
    "kyc.document_requests.requesting.request_document": Door(
        given=lambda: {"kind": "selfie", "reason_code": "unreadable", "due_on": dt.date.today() + dt.timedelta(days=9)}
    ),
    "kyc.corrections.turning.turn_pages": Door(given=lambda: {"quarters": 1}),
    "kyc.uploads.drafts.open_draft": Door(
        {"client": {"user__isnull": False}}, given=lambda: {"kind": "selfie"}, by=lambda given: given["client"].user
    ),
    "kyc.uploads.drafts.discard_draft": Door(given=an_upload, by=its_uploader),
    "kyc.uploads.submission.send_draft": Door(given=an_upload, by=its_uploader),
    "kyc.uploads.handover.hand_over": Door(given=an_upload, by=its_uploader),
    "kyc.uploads.handover.revoke_handover": Door(given=a_handed_over_upload, by=its_uploader),
    "kyc.uploads.pages.begin_page": Door(
        given=lambda: an_upload(side="front", name="x.jpg", size_bytes=9), by=its_uploader
    ),
    "kyc.uploads.pages.add_file": Door(
        given=lambda: an_upload(side="front", name="x.jpg", file=io.BytesIO(b"\xff\xd8\xff.jpg")), by=its_uploader
    ),
    "kyc.uploads.pages.append_chunk": Door(
        given=lambda: an_uploaded_page(offset=0, content=b"\xff\xd8\xff.jpg.."), by=its_uploader
    ),
    "kyc.uploads.pages.drop_page": Door(given=an_uploaded_page, by=its_uploader),
    "kyc.uploads.pages.move_page": Door(given=lambda: an_uploaded_page(to="up"), by=its_uploader),
    "kyc.incoming.receive": Door(given=lambda: {"kind": "passport"}),
    "clients.mail.undo_message": Door(
        given=lambda: {"message_id": a_waiting_message().pk},
        by=lambda given: Message.objects.get(pk=given["message_id"]).sender,  # type: ignore[arg-type,return-value]
    ),
    "clients.texts.to_many.take_back_mails": Door(
        given=lambda: {"message_ids": [one_of_many().pk]},
        by=lambda given: Message.objects.get(pk=given["message_ids"][0]).sender,  # type: ignore[index,arg-type,return-value]
    ),
    "clients.texts.to_many.write_to_many": Door(
        given=lambda: {"client_ids": [a_willing_reader().pk], "subject": "Verbs", "message": "x"}
    ),
    "clients.chat.canned.archive_canned_answer": Door(given=lambda: {"answer_id": a_canned_answer().pk}),
    "clients.chat.canned.save_canned_answer": Door(given=lambda: {**A_CANNED_ANSWER, "answer_id": None}),
    "clients.chat.chats.end_chat": Door(given=lambda: {"chat_id": a_chat().pk}),
    "clients.chat.chats.hand_over_chat": Door(given=lambda: {"chat_id": a_chat().pk, "agent_id": 0}),
    "clients.chat.chats.start_chat": Door(given=lambda: {"client_id": a_portal_client().pk, "key": ""}, by=its_client),
    "clients.chat.chats.take_chat": Door(given=lambda: {"chat_id": a_chat().pk}),
    "clients.chat.chats.write_as_agent": Door(given=lambda: {"chat_id": a_chat().pk}),
    # Whether one takes chats is one's own business, whatever brand one works for.
    "clients.chat.presence.set_availability": Door(open_to=("outsider",)),
    "clients.followups.set_default_reminder": Door(open_to=("outsider",)),  # of their own follow-ups
    "clients.messages.forwarding.forward_mail": Door(given=a_forward),
    "clients.messages.incoming.assign_mail": Door(
        given=lambda: {"mail_id": an_unknown_mail().pk, "client_id": an_owned_client().pk}
    ),
    "clients.messages.incoming.discard_mail": Door(given=lambda: {"mail_id": an_unknown_mail().pk}),
    "clients.messages.incoming.restore_mail": Door(given=a_discarded_mail),
    "clients.messages.incoming.close_thread": Door(
        given=lambda: {"thread_id": MailThread.objects.create(client=one(Client), subject="Verbs").pk}
    ),
    "clients.messages.setup.test_mailbox": Door(given=lambda: {"mailbox_id": a_mailbox().pk}),
    "clients.messages.suppression.lift_suppression": Door(
        given=lambda: {
            "suppression_id": Suppression.objects.create(
                brand=one(Brand), address="verbs@example.com", reason="manual"
            ).pk
        }
    ),
    "clients.telephony.calls.hang_up": Door(given=lambda: {"call_id": a_phone_call().pk}, by=its_agent),
    "clients.telephony.calls.log_outcome": Door(given=an_ended_phone_call, by=its_agent),
    # One's own phone is nobody else's business, whatever brand one works for.
    "clients.telephony.setup.set_own_phone": Door(given=lambda: {"address": "+442071838750"}, open_to=("outsider",)),
    "clients.telephony.setup.test_connection": Door(given=lambda: {"exchange_id": a_phone_exchange().pk}),
    "clients.telephony.hearing.retry_event": Door(given=unmatched_phone_event),
    # A list is its person's own; with clients of whom the outsider reaches none.
    "clients.telephony.dialing.start_list": Door(given=lambda: {"client_ids": [one(Client).pk]}),
    "clients.telephony.dialing.skip_entry": Door(given=lambda: {"entry_id": a_dial_entry().pk}, by=its_dialler),
    "clients.telephony.dialing.end_list": Door(given=lambda: {"list_id": a_dial_entry().dial_list_id}, by=its_dialler),
    "clients.telephony.do_not_call.lift": Door(given=a_marked_client),
    "clients.telephony.incoming.link_caller": Door(given=an_unknown_caller, by=its_agent),
    "clients.mail_services.hearing.retry_event": Door(given=an_unmatched_mail_event),
    "clients.mail_services.setup.test_mail_service": Door(given=lambda: {"service_id": a_mail_service().pk}),
    "clients.texting.hearing.retry_event": Door(given=an_unmatched_text_event),
    "clients.texting.incoming.assign_thread": Door(
        given=lambda: {"thread_id": a_text_thread().pk, "client_id": an_owned_client().pk}
    ),
    "clients.texting.incoming.close_thread": Door(given=lambda: {"thread_id": a_text_thread(one(Client)).pk}),
    "clients.texting.incoming.discard_thread": Door(given=lambda: {"thread_id": a_text_thread().pk}),
    "clients.texting.incoming.restore_thread": Door(given=a_discarded_text_thread),
    "clients.texting.numbers.change_opt_out": Door(given=lambda: {"thread_id": a_text_thread().pk}),
    "clients.texting.setup.test_text_service": Door(given=lambda: {"service_id": a_text_service().pk}),
    "clients.texting.writing.undo_text": Door(
        given=lambda: {"message_id": a_waiting_text().pk},
        by=lambda given: TextMessage.objects.get(pk=given["message_id"]).sender,  # type: ignore[arg-type,return-value]
    ),
    "compliance.vendors.checks.ask_again": Door(given=parked_vendor_check),
    "compliance.vendors.setup.test_connection": Door(given=lambda: {"vendor_id": a_screening_vendor().pk}),
    "compliance.vendors.notices.retry_notice": Door(given=unmatched_vendor_notice),
    "kyc.providers.checks.cancel_check": Door(given=check_at_provider),
    "kyc.providers.setup.test_connection": Door(given=lambda: {"provider_id": a_kyc_provider().pk}),
    "kyc.providers.webhooks.retry_message": Door(given=unmatched_message),
    "kyc.verdicts.changes.propose_policy": Door(given=other_policy),
    "kyc.verdicts.overturning.overturn": Door(
        {"document_id": {"state": "approved", "decided_by_policy__isnull": False}},
        given=lambda: {"reason_code": "unreadable"},
    ),
    "kyc.verdicts.second_looks.decide_second_look": Door(given=lambda: {"is_approved": True}),
    "compliance.watchlists.import_watchlist": ALL_BRANDS,
    "compliance.aml.cases.decide_case": Door(
        {"case_id": {"state": "open"}}, given=lambda: {"outcome": "monitored", "monitor_until": in_a_week()}
    ),
    "compliance.aml.referrals.open_case": Door(given=lambda: {"suspicion": a_suspicion()}),
    "compliance.aml.follow_up.ask_for_document": Door(given=lambda: {"kind": "payslip", "due_on": in_a_week()}),
    "compliance.aml.follow_up.add_task": Door(given=lambda: {"due_on": in_a_week()}),
    "compliance.aml.follow_up.finish_task": Door({"task_id": {"done_at": None}}),
    "compliance.sar.reports.draft_report": Door(given=lambda: {"kind": "SAR"}),
    "compliance.sar.reports.submit_report": Door(given=suspicion_report),
    "compliance.sar.reports.write_report": Door(
        given=lambda: {**suspicion_report(), "kind": "SAR", "indicators": [], "movements": []}
    ),
    "compliance.sar.reports.return_report": Door(given=lambda: suspicion_report("in_review")),
    "compliance.sar.reports.approve_report": Door(given=lambda: suspicion_report("in_review")),
    "compliance.sar.reports.decide_not_to_report": Door(given=lambda: suspicion_report("in_review")),
    "compliance.sar.reports.file_report": Door(
        given=lambda: {**suspicion_report("approved"), "filed_on": timezone.localdate()}
    ),
    "compliance.sar.reports.amend_report": Door(given=lambda: suspicion_report("filed")),
    "compliance.aml.rules.create_rule": Door(given=lambda: {"content": AML_CONTENT, "code": ""}),
    "compliance.aml.rules.write_draft": Door(given=lambda: {"rule_id": aml_draft().rule_id, "content": AML_CONTENT}),
    "compliance.aml.rules.start_shadow": Door(given=lambda: {"version_id": aml_draft().pk}),
    "compliance.aml.rules.discard_version": Door(given=lambda: {"version_id": aml_draft().pk}),
    "compliance.aml.rules.propose": Door(given=lambda: {"version_id": aml_draft().pk, "act": "go_live"}),
    "compliance.aml.backtesting.request_backtest": Door(given=lambda: {"version": aml_draft(), **LAST_WEEK}),
    "compliance.aml.backtesting.run_backtest": Door(given=lambda: {"version": aml_draft(), **LAST_WEEK}),
    "compliance.lists.own_lists.import_own_list": ALL_BRANDS,
    "compliance.lists.own_lists.upload_own_list": ALL_BRANDS,
    "compliance.lists.refresh.confirm_shorter": ALL_BRANDS,
    "compliance.lists.refresh.refresh_list": ALL_BRANDS,
    "compliance.lists.refresh.schedule_refresh": ALL_BRANDS,
    "compliance.packs.request_pack": Door(given=lambda: {"chosen": TrailFilter()}),
    "compliance.packs.make_pack": Door(given=lambda: {"chosen": TrailFilter()}),
    "compliance.restrictions.place_restriction": Door(given=lambda: {"kind": "no_trading"}),
    "compliance.hits.clear_hit": Door({"hit_id": {"state": "open"}}, given=lambda: {"reason_code": "birth_date"}),
    "compliance.hits.confirm_hit": Door({"hit_id": {"state": "open"}}),
    "compliance.matches.cases.separate": Door({"hit_id": {"state": "open"}}),
    "compliance.restrictions.ask_to_lift": Door({"restriction_id": {"lifted_at": None}}),
    "compliance.restrictions.lift": Door({"restriction_id": {"lifted_at": None}}),
    "compliance.restrictions.refuse_to_lift": Door({"restriction_id": {"lifted_at": None}}),
    "compliance.restrictions.withdraw_lift": Door(
        given=asked_lifting, by=of("restriction_id", "lift_requested_by", "Restriction")
    ),
    "trading.core.issues.close_issue": ALL_BRANDS,
    "trading.cap_breaches.remedies.put_right": Door(finds_nothing=False, open_to=("outsider",)),
    "trading.imports.attach.attach": Door(
        {"row_id": {"state": "waiting"}}, given=lambda: {"client_id": one(Client).pk}
    ),
    "trading.imports.attach.ignore": ALL_BRANDS,
    "trading.imports.attach.put_off": ALL_BRANDS,
    "trading.imports.attach.reopen": ALL_BRANDS,
    "trading.imports.client_proposals.approve_client": Door(given=proposed_login),
    "trading.imports.client_proposals.refuse_client": Door(given=proposed_login),
    "trading.imports.client_proposals.withdraw_client": Door(
        given=proposed_login, by=of("row_id", "proposed_by", "StagedLogin")
    ),
    "trading.imports.reading.start_import": ALL_BRANDS,
    "trading.leverage.caps.end_line": ALL_BRANDS,
    "trading.leverage.caps.add_line": Door(
        given=lambda: {
            "authority": "ESMA",
            "category": "retail",
            "instrument_class": "fx",
            "valid_from": timezone.now().date(),
        },
        open_to=("outsider",),
    ),
    "trading.servers.verbs.connect_server": ALL_BRANDS,
    "trading.servers.verbs.change_server": ALL_BRANDS,
    "trading.servers.verbs.try_connection": ALL_BRANDS,
    "trading.symbols.mapping.confirm": ALL_BRANDS,
    "trading.symbols.mapping.map_symbol": Door(
        given=lambda: {"symbol_group": "fx_major", "instrument_class": "fx", "name": "EURUSD"}, open_to=("outsider",)
    ),
    "trading.symbols.mapping.leave_out": ALL_BRANDS,
    "trading.symbols.past_mappings.correct": ALL_BRANDS,
    "trading.sync.backfill.start": ALL_BRANDS,
    "trading.sync.backfill.resume": ALL_BRANDS,
    "trading.sync.backfill.drop": ALL_BRANDS,
    "trading.sync.breaks.settle": ALL_BRANDS,
    "trading.sync.breaks.fetch_again": ALL_BRANDS,
    "trading.accounts.requests.ask": Door(by=of("account_id", "client.user", "TradingAccount")),
    "trading.accounts.balance_operations.reserve_operation": Door({"account_id": {"missing_since": None}}),
    "trading.accounts.requests.withdraw": Door(by=of("request_id", "account.client.user", "AccountRequest")),
    "wallet.bank.waiting_tables.import_waiting": Door(given=lambda: {"mapping": Mapping(0, {})}),
    # Each withdrawal of a batch is refused by itself.
    "wallet.withdrawals.batches.confirm": Door(open_to=("outsider",)),
    "wallet.closing.client_money.keep_day": Door(
        given=lambda: {"day": timezone.now().date() - dt.timedelta(days=1), "reason": "A late booking"}
    ),
    "wallet.documents.invoices.issue_fee_invoices": Door(
        given=lambda: {"month": (timezone.now().date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)}
    ),
    "wallet.bonuses.approval.withdraw_bonus": Door(given=asked_bonus, by=of("grant_id", "requested_by", "BonusGrant")),
    "wallet.bonuses.granting.decide_bonus": Door({"grant_id": {"state": "pending"}}),
    "wallet.closing.revaluation.propose_revaluation": Door({"period_id": {"state": "open"}}),
    "wallet.closing.sign_offs.withdraw_signature": Door(by=of("sign_off_id", "signed_by", "MonthSignOff")),
    "wallet.deposits.settlement.release_held_deposit": Door({"deposit_id": {"state": "held"}}),
    "wallet.deposits.verbs.start_deposit": Door(WITH_LOGIN, by=its_client),
    "wallet.ledger.manual_journals.attach_file": Door({"manual_id": {"state": "pending"}}),
    "wallet.reconciliation.breaks.assign_breaks": Door({"break_ids": {"state": "open"}}),
    "wallet.reconciliation.costs.propose_terms": Door(
        given=lambda: {"terms": Terms("payment", "EUR", Decimal(10), 0, 0, timezone.now().date())}
    ),
    "wallet.reconciliation.deciding.accept": Door({"suggestion_id": {"state": "open"}}),
    "wallet.reconciliation.deciding.reject": Door({"suggestion_id": {"state": "open"}}),
    "wallet.transfers.exchanges.exchange": Door(WITH_LOGIN, by=its_client),
    "wallet.transfers.quotes.ask_quote": Door(WITH_LOGIN, by=its_client),
    "wallet.transfers.verbs.start_transfer": Door(WITH_LOGIN, by=its_client),
    "wallet.withdrawals.approval.withdraw_approval": Door(
        given=approved_once, by=of("withdrawal_id", "reviewed_by", "Withdrawal")
    ),
    "wallet.withdrawals.verbs.cancel_withdrawal": Door(
        {"withdrawal_id": {"purpose": "withdrawal"}}, by=of("withdrawal_id", "client.user", "Withdrawal")
    ),
    "ib.applications.applying.apply_as_client": ITS_OWN,
    "ib.tracking.assigning.propose_attribution": Door(given=another_partners_client),
    "ib.applications.approving.propose_approval": Door({"partner_id": {"state": "pending"}}),
    "ib.applications.approving.reject_application": Door({"partner_id": {"state": "pending"}}),
    "ib.payouts.pay_out": Door({"partner_id": {"client__isnull": False}}, by=of("partner_id", "user", "Partner")),
    "ib.replay.proposals.propose_replay": Door({"replay_id": {"state": "ready"}}),
    "ib.settlements.automatic_payouts.choose_destination": Door(
        {"partner_id": {"client__isnull": False}},
        given=lambda: {"offer": Offer(Destination(), "Wallet"), "destination": Destination()},
        by=of("partner_id", "user", "Partner"),
    ),
    "ib.settlements.automatic_payouts.retry_payout": Door({"automatic_payout_id": {"state": "refused"}}),
    "ib.tracking.claims.claim_client": Door(by=of("partner_id", "user", "Partner")),
    "ib.settlements.forfeits.propose_verdict": Door(given=lambda: {"kind": "fraud"}),
    "ib.partners.register_partner": Door(
        given=lambda: {"details": PartnerDetails("A partner", "a.partner@verbs.example", "EUR")}
    ),
    "ib.manager_tasks.partner_tasks.add_tasks": Door(
        given=lambda: {
            "partner_ids": [one(model_named("Partner", app="ib")).pk],
            "due_on": timezone.localdate(),
            "assignee_id": one(User, groups__name="ib_manager").pk,
        }
    ),
    "ib.news.publishing.publish_news": Door(
        given=lambda: {
            "texts": {"en": ("Title", "Text"), "de": ("Titel", "Text")},
            "days": (timezone.localdate(), timezone.localdate()),
            "audience": EVERYBODY,
        }
    ),
    "ib.materials.banners.add_banner": Door(given=lambda: {"picture": Picture(b"x", "image/png", 300, 250)}),
    "prop.challenges.buying.buy_challenge": Door(WITH_LOGIN, by=its_client),
    "prop.challenges.resets.reset_phase": Door(
        given=running_phase, by=of("phase_account_id", "challenge.client.user", "PhaseAccount")
    ),
    "prop.certificates.issuing.show_name": Door(
        by=of("certificate_id", "phase_account.challenge.client.user", "Certificate")
    ),
    "prop.certificates.pdf.order_certificate": Door(
        by=lambda given: given["certificate"].phase_account.challenge.client.user
    ),
    "prop.appeals.filing.file_appeal": Door(
        {"phase_account_id": {"state": "running"}},
        given=lambda: {"payout_id": None, "reason": "The quote was wrong"},
        by=of("phase_account_id", "challenge.client.user", "PhaseAccount"),
    ),
    "prop.appeals.decisions.decide_appeal": Door(
        {"appeal_id": {"state": "open"}}, given=lambda: {"outcome": "dismissed", "answer": "The quote was right"}
    ),
    "prop.payouts.requests.request_payout": Door(
        {"challenge_id": {"state": "active"}}, by=of("challenge_id", "client.user", "Challenge")
    ),
    "prop.payouts.reviews.decide_payout": Door(
        {"payout_id": {"state": "requested", "work__proposed_outcome": ""}},
        given=lambda: {"outcome": "rejected", "reason": "Copied trades"},
    ),
    "prop.leaderboard.consent.set_consent": Door(
        WITH_LOGIN, given=lambda: {"shown_as": "name", "nickname": ""}, by=its_client
    ),
    "prop.pauses.reviews.decide_pause": Door(
        {"pause_id": {"state": "open"}}, given=lambda: {"outcome": "resumed", "reason": "Paid again"}
    ),
    "prop.merging.requests.request_merge": Door(given=two_accounts),
    "prop.merging.reviews.decide_merge": Door(
        {"merge_id": {"state": "requested", "work__proposed_outcome": ""}},
        given=lambda: {"outcome": "rejected", "reason": "Copied trades"},
    ),
    "prop.funding.deciding.decide_funding": Door(
        {"failure_id": {"state": "open"}}, given=lambda: {"outcome": "closed", "reason": "Refunded by hand"}
    ),
    "prop.scaling.reviews.decide_growth": Door(
        {"growth_id": {"state": "proposed", "work__proposed_outcome": ""}},
        given=lambda: {"outcome": "rejected", "reason": "Copied trades"},
    ),
    "prop.news.calendar.enter_releases": Door(
        given=lambda: {"text": f"{timezone.now():%Y-%m-%d %H:%M},USD,Payrolls", "brand": one(Brand)}
    ),
    "prop.news.calendar.remove_release": Door({"release_id": {"removed_at": None, "removed_by": None}}),
    "prop.corrections.reviews.decide_correction": Door(
        {"correction_id": {"state": "open", "work__proposed_outcome": ""}},
        given=lambda: {"outcome": "kept", "reason": "The platform confirms it"},
    ),
    "prop.programmes.publishing.propose_publication": Door({"version_id": {"state": "draft"}}),
    "prop.challenges.ending.end_for_style": Door(given=phase_of_a_forbidden_style),
    "prop.challenges.reviews.decide_phase": Door(
        {"phase_account_id": {"state": "review"}}, given=lambda: {"outcome": "rejected", "reason": "Copied trades"}
    ),
    "ib.plans.draft_version": Door(given=lambda: {"terms": DRAFT}),
    "ib.plans.change_draft": Door(given=lambda: {"terms": DRAFT}),
    "ib.plans.withdraw_version": Door(
        {"version_id": {"state": "pending"}}, by=of("version_id", "made_by", "PlanVersion")
    ),
    "ib.sub_partners.offers.create_offer": Door(
        {"partner_id": {"state": "active"}}, given=lambda: {"plan_id": 999_999}, by=of("partner_id", "user", "Partner")
    ),
    "ib.team.members.add_member": Door(given=lambda: {"email": "colleague@verbs.example", "role": "finance"}),
    "ib.team.members.change_role": Door(given=lambda: {"role": "finance"}),
    "ib.settlements.terms.propose_terms": Door(
        given=lambda: {
            "values": {name: getattr(SettlementTerms(), name) for name in TERMS_FIELDS} | {"cycle": "weekly"}
        }
    ),
    "risk.retention.deciding.decide_retention": Door(
        {"case_id": {"state": "open"}}, given=lambda: {"outcome": "content"}
    ),
    "risk.retention.deciding.note_no_answer": Door({"case_id": {"state": "open"}}),
    "risk.retention.deciding.snooze_retention": Door({"case_id": {"state": "open"}}),
    "monitoring.alerts.take": Door({"alert_id": {"state": "open"}}),
    "clients.segments.verbs.add_members": Door({"segment_id": {"kind": "list"}}),
    "clients.segments.verbs.remove_members": Door({"segment_id": {"kind": "list"}}),
    "clients.merging.merge.merge_clients": Door({"kept_id": {"stage": "active"}, "merged_id": {"stage": "lead"}}),
    "monitoring.alerts.give_back": Door({"alert_id": {"state": "open"}}),
    "monitoring.alerts.decide": Door({"alert_id": {"state": "open"}}),
    "monitoring.anomalies.queue.decide_anomaly": Door(
        {"anomaly_id": {"state": "open"}}, given=lambda: {"outcome": "explained"}
    ),
    "risk.abuse.queue.decide_episode": Door(
        given=lambda: {"episode_id": an_episode().pk, "outcome": "not_abuse", "handling": ""}
    ),
    "risk.abuse.measures.propose_measure": Door(given=a_confirmed_episode),
    "risk.dealing.routing.propose_routing": Door(given=a_client_to_route),
    "risk.dealing.routing.propose_routing_for": Door(given=clients_to_route),
    "risk.links.known.set_link_aside": Door(given=two_clients),
    "risk.links.known.count_link_again": Door(given=a_known_link),
    "monitoring.history.files.score_history": Door(
        given=lambda: {**a_history(), "fields": {"ts": "at", "agent": "who"}, "kinds": {}, "per_100": 0.5},
        by=of("history_id", "owner", "HistoryFile"),
    ),
    "monitoring.history.files.delete_history": Door(given=a_history, by=of("history_id", "owner", "HistoryFile")),
    # An uploaded history is its person's own.
    "monitoring.history.files.upload_history": Door(
        given=lambda: {"file_name": "x.jsonl", "content": b'{"ts": "2026-01-01", "agent": "a"}'}, open_to=("outsider",)
    ),
    "monitoring.leaving.offboarding.clear_check": Door(given=lambda: {"agent_id": a_leaver(), "slug": "tasks"}),
    "monitoring.leaving.offboarding.confirm_offboarding": Door(given=lambda: {"agent_id": a_leaver()}),
    "monitoring.responses.limits.impose_limit": Door(given=lambda: {"kind": "exports"}),
    "monitoring.reviewing.escalating.decide_escalation": Door(
        {"escalation_id": {"state": "open"}}, given=lambda: {"outcome": "no_action"}
    ),
    "monitoring.reviewing.explanations.ask_explanation": Door({"alert_id": {"state": "open"}}),
    "monitoring.reviewing.explanations.answer_explanation": Door(by=of("explanation_id", "agent", "Explanation")),
    "reports.targets.set_targets": Door(
        given=lambda: {"month": dt.date(2026, 3, 1), "values": {(None, "calls"): Decimal(30)}}
    ),
    "reports.targets.copy_last_month": Door(given=lambda: {"month": dt.date(2026, 3, 1)}),
    "portal.partnership.company_account.open_company_account": ITS_OWN,
    "portal.consents.record_consents": ITS_OWN,
    "portal.consents.accept_again": ITS_OWN,
    "portal.consents.change_marketing": ITS_OWN,
    "portal.profile.change_own_details": Door(WITH_LOGIN, by=its_client),
}

PART = "a part of another verb, which has decided already"
SYSTEM = "the system's own work; who acts is only written down"
OWN_TOKENS = "a person's tokens are theirs alone, whatever the role: `tests/crm/api/test_principals.py`"
EXCEPTIONS: dict[str, str] = {
    "clients.followups.hand_over_tasks": PART,
    "clients.telephony.setup.remove_phone": PART,
    "clients.calls.record_call": PART,
    "crm.api.tokens.create_token": OWN_TOKENS,
    "crm.api.tokens.rotate_token": OWN_TOKENS,
    "crm.api.tokens.revoke_token": OWN_TOKENS,
    "crm.accounts.links.issue": PART,
    "crm.approvals.deciding.propose": "each kind of proposal is tried in `tests/crm/approvals/test_four_eyes.py`",
    "crm.accounts.sessions.end_sessions": PART,
    "crm.security.audit.record.record": PART,
    "crm.staff.people.create_login": PART,
    "crm.work.proposals.propose": "a part of the verb that proposes, which has decided who may",
    "crm.work.deciding.decide": "a part of the verb that decides the subject, which has decided who may",
    "clients.stages.move_stage": "follows what happened; by hand it is `close_client`",
    "clients.timeline.add_entry": PART,
    "leads.capture.capture_lead": "whoever fills in a form makes a lead",
    "kyc.documents.keep": "a part of `upload`, which has decided already",
    "compliance.holds.release_hold": PART,
    "compliance.risk_rating.rating.assess": SYSTEM,
    "trading.core.issues.settle": SYSTEM,
    "wallet.bank.statements.import_kept": PART,
    "wallet.bank.statements.import_original": PART,
    "wallet.ledger.posting.settle": PART,
    "wallet.ledger.posting.release": PART,
    "wallet.ledger.posting.reverse": PART,
    "wallet.psp.waiting_reports.hold_report": PART,
    "wallet.reconciliation.settlement_import.import_kept": PART,
    "wallet.reconciliation.settlement_import.import_original": PART,
    "ib.engine.run": "a part of an approved replay, and the system's own work",
}

VIEW = "how pages are shown; nothing of the document changes"
JOB = "the row of the job says who started it, when, and what came of it"
LEASE = "holds work for some minutes; what is decided is recorded"
UNRECORDED: dict[str, str] = {
    **dict.fromkeys(
        (
            "kyc.uploads.pages.add_file",
            "kyc.uploads.pages.append_chunk",
            "kyc.uploads.pages.begin_page",
            "kyc.uploads.pages.drop_page",
            "kyc.uploads.pages.move_page",
        ),
        "a document that the client is putting together; sending it is recorded",
    ),
    "compliance.lists.own_lists.upload_own_list": "a file that waits a day for its columns; importing it is recorded",
    "kyc.questionnaires.submissions.keep_answers": "a draft that the client is typing; submitting it is recorded",
    "kyc.corrections.turning.turn_pages": VIEW,
    "leads.bulk.in_parts.begin_change": "the job that makes the change is recorded with it",
    "leads.bulk.in_parts.begin_undo": "the job that undoes the change records it",
    "leads.automations.starting.start_many": "the bulk change that starts them is recorded",
    "clients.contacts.reveal": "stands in the log of what was read",
    "compliance.aml.backtesting.request_backtest": JOB,
    "ib.agreements.what_if.request_what_if": JOB,
    "ib.agreements.what_if.request_agreement_what_if": JOB,
    "compliance.aml.backtesting.run_backtest": "the back-test's row says who ran it, when and over what",
    "compliance.packs.request_pack": JOB,
    "crm.files.jobs.cancel_job": JOB,
    "crm.work.claims.claim": LEASE,
    "kyc.batch.reading.claim_batch": LEASE,
    "crm.work.claims.extend": LEASE,
    "crm.work.claims.release": LEASE,
    "trading.accounts.requests.claim": LEASE,
    "trading.cap_breaches.account_types.change_type": "called without a change, saves the row as it is",
    "wallet.disputes.evidence.order_evidence": JOB,
    "wallet.documents.batches.order_batch": JOB,
    "prop.certificates.pdf.order_certificate": JOB,
    "prop.trials.running.request_trial": JOB,
    "wallet.documents.receipts.order_receipt": JOB,
    "wallet.documents.statement.order_statement": JOB,
    "wallet.reconciliation.report_confirmations.order_confirmation": JOB,
    "wallet.reconciliation.settlement_import.order_import": JOB,
}
