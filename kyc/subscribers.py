"""What KYC does when something happened: start the checks, notify the officers, e-mail the client, move the stage."""

import logging

from django.utils import translation

from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.facts import rebuild_client
from clients.mail import send_mail_to
from clients.models import Client
from clients.stages import move_stage
from crm.events import (
    ClientScreened,
    ClientVerified,
    DocumentChecked,
    DocumentExpiring,
    DocumentReviewed,
    DocumentUploaded,
    RestrictionLifted,
    RestrictionPlaced,
    RiskRated,
    subscribe,
)
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit
from kyc.choices import DocumentState, KycNotice
from kyc.client_reviews.schedule import schedule_review
from kyc.corporate.companies import note_people
from kyc.corporate.contacts import recipient_of, title_for
from kyc.expiry import validity
from kyc.levels.reaching import level_required, note_proof
from kyc.models import Document
from kyc.urgency.order import refresh_order

logger = logging.getLogger(__name__)


@subscribe(DocumentUploaded)
def start_the_checks(event: DocumentUploaded) -> None:
    """Have a worker check a new document."""
    enqueue_on_commit("kyc.check_document", event.document_id)


@subscribe(DocumentUploaded)
def keep_the_facts(event: DocumentUploaded) -> None:
    """Note when the client last sent a document."""
    assert event.client_id is not None
    rebuild_client(event.client_id, "last_document_at")


@subscribe(DocumentChecked)
def tell_the_officers(event: DocumentChecked) -> None:
    """Notify the officers of the brand that a checked document waits for review."""
    document = Document.objects.select_related("client").filter(pk=event.document_id).first()
    if document is None or document.state != DocumentState.PENDING_REVIEW:
        return
    issues = len(event.issues)
    notify(
        people_with("kyc.review_document", brand_id=event.brand_id),
        kind=KycNotice.DOCUMENT_WAITING,
        title=(
            phrase("%(title)s for %(client)s is pending review")
            % {"title": document.title_words, "client": document.client}
        ),
        body=phrase("Issues found: %(count)d") % {"count": issues} if issues else phrase("No issues found"),
        url=document.get_absolute_url(),
        dedupe_key=f"kyc.document_waiting:{document.pk}",
    )


@subscribe(DocumentReviewed)
def write_to_the_client(event: DocumentReviewed) -> None:
    """E-mail the client why a document was rejected and what to do."""
    if event.decision != DocumentState.REJECTED:
        return
    document = Document.objects.select_related("client").get(pk=event.document_id)
    recipient = recipient_of(document.client)
    with translation.override(recipient.language):
        title = str(title_for(document))
    send_mail_to(
        client_id=recipient.pk,
        template="kyc.document_rejected",
        context={"document": title, "reason": document.reason},
        dedupe_key=f"document-rejected:{document.pk}",
    )


@subscribe(DocumentExpiring)
def warn_the_client(event: DocumentExpiring) -> None:
    """Notify the client that a document expires soon."""
    validity.warn_the_client(event)


@subscribe(ClientVerified)
def welcome_the_client(event: ClientVerified) -> None:
    """Stage, timeline and a letter, once the brand's level is reached."""
    assert event.client_id is not None
    client = Client.objects.select_related("brand", "owner").get(pk=event.client_id)
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.COMPLIANCE,
        title=phrase("Verified: level %(level)d") % {"level": event.level},
        dedupe_key=f"kyc-level:{event.level}",
        is_visible_to_client=True,
    )
    if event.level < level_required(client):
        return
    move_stage(client_id=client.pk, to=Stage.VERIFIED, reason=phrase("Identity verified"))
    send_mail_to(client_id=client.pk, template="kyc.verified", dedupe_key="kyc.verified")
    if client.owner_id:
        notify(
            [client.owner_id],
            kind=KycNotice.CLIENT_VERIFIED,
            title=phrase("%(client)s is verified") % {"client": client},
            url=client.get_absolute_url(),
            dedupe_key=f"kyc.client_verified:{client.pk}",
        )


@subscribe(ClientScreened, RestrictionLifted)
def follow_the_screening(event: ClientScreened | RestrictionLifted) -> None:
    """Recompute the level where the brand's levels require a clear screening."""
    assert event.client_id is not None
    note_proof(client_id=event.client_id, proof="screening_clear")


@subscribe(DocumentReviewed, RestrictionPlaced, RestrictionLifted)
def follow_the_companys_people(event: DocumentReviewed | RestrictionPlaced | RestrictionLifted) -> None:
    """Recompute the level of the companies that a person is linked to."""
    assert event.client_id is not None
    note_people(person_id=event.client_id)


@subscribe(RiskRated)
def move_in_the_queue(event: RiskRated) -> None:
    """Put the client's waiting documents where their new risk belongs."""
    assert event.client_id is not None
    waiting = Document.objects.filter(client_id=event.client_id, state=DocumentState.PENDING_REVIEW)
    refresh_order(waiting.values_list("pk", flat=True))


@subscribe(ClientVerified, RiskRated)
def plan_the_review(event: ClientVerified | RiskRated) -> None:
    """Set when a client is reviewed again, by their risk of today."""
    assert event.client_id is not None
    schedule_review(Client.objects.select_related("brand").get(pk=event.client_id))
