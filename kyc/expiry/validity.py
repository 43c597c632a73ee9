"""When an approved document expires: the client is notified ahead, then asked for a new one, then restricted without one.

All of it is due rows, one of each kind per document: the next notice, the end of validity, the end of the grace period.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import TimelineKind
from clients.mail import send_mail_to
from clients.models import Client
from crm.due import DueItem, DueKind, cancel_many, declare, due, due_many
from crm.events import DocumentExpiring, VerificationCurrent, VerificationOverdue, publish, publish_many
from crm.i18n.localized_text import phrase
from crm.models import DueRow
from crm.notices.notify import notify
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.brand_policies import KYC_EXPIRY_GRACE_DAYS, KYC_EXPIRY_NOTICE_DAYS, KYC_EXPIRY_RESTRICTS
from kyc.choices import DocumentState, KycNotice, LevelLoss
from kyc.corporate.companies import note_people
from kyc.corporate.contacts import recipient_of, title_for
from kyc.documents import locked
from kyc.levels.reaching import note_level
from kyc.models import Document
from kyc.queries import requirements_of

CAUSE: Final = "document"
UPLOAD_URL: Final = "/portal/documents/"


# ── notices ahead ────────────────────────────────────────────────────────────────────────────────────────────────────


def _publish_expiring(rows: list[DueRow]) -> None:
    """Publish which approved documents expire soon, and set the next notice of each; none of one that has expired already."""
    days = {int(row.key): row.payload.get("days", 0) for row in rows}
    documents = list(
        Document.objects.filter(
            pk__in=days, state=DocumentState.APPROVED, settled_at__isnull=False, expires_on__gte=timezone.now().date()
        )
        .select_related("client__brand")
        .order_by("pk")
    )
    publish_many(
        DocumentExpiring(
            document_id=document.pk,
            kind=document.kind,
            expires_on=document.expires_on,
            days=days[document.pk],
            client_id=document.client_id,
            brand_id=document.client.brand_id,
        )
        for document in documents
        if document.expires_on is not None
    )
    due_many(EXPIRING, _next_notices(documents, below=days))


EXPIRING = declare(
    DueKind(
        "kyc.document_expiring",
        gettext_lazy("Notice of document expiry"),
        batch_handler=_publish_expiring,
        permission="kyc.view_document",
    )
)


def _next_notices(documents: Iterable[Document], *, below: dict[int, int] | None = None) -> Iterator[DueItem]:
    """Make the next notice of each document: of those still to come the earliest; where all have passed, the last of them now.

    below: the days of the notice that was just sent.
    """
    now = timezone.now()
    for document in documents:
        ahead = {
            days: _day_after(document) - dt.timedelta(days=1 + days)
            for days in KYC_EXPIRY_NOTICE_DAYS.of(document.client.brand)
        }
        if below is not None:
            ahead = {days: at for days, at in ahead.items() if days < below[document.pk]}
        if not ahead:
            continue
        coming = [days for days, at in ahead.items() if at >= now]
        if not coming and below is not None:
            continue
        days = max(coming) if coming else min(ahead)
        yield DueItem(document.pk, ahead[days], document.client_id, document.client.brand_id, {"days": days})


def warn_the_client(event: DocumentExpiring) -> None:
    """Notify the client, in the portal and by e-mail with the button to upload; once per document and notice."""
    document = Document.objects.select_related("client").get(pk=event.document_id)
    client, key = recipient_of(document.client), f"document-expiring:{document.pk}:{event.days}"
    if document.state != DocumentState.APPROVED or document.expires_on is None:
        return
    if client.user_id:
        notify(
            [client.user_id],
            kind=KycNotice.DOCUMENT_EXPIRING,
            title=phrase("%(title)s expires on %(day)s") % {"title": title_for(document), "day": document.expires_on},
            body=phrase("Upload the new one before that, so that your account stays verified."),
            url=UPLOAD_URL,
            dedupe_key=key,
        )
    with translation.override(client.language):
        title = str(title_for(document))
    send_mail_to(
        client_id=client.pk,
        template="kyc.document_expiring",
        context={"document": title, "expires_on": document.expires_on},
        dedupe_key=key,
    )


# ── the end of validity ──────────────────────────────────────────────────────────────────────────────────────────────


def _expire(row: DueRow) -> None:
    """Expire an approved document whose validity has ended: the level falls, and the client is asked for a new one."""
    document, today = locked(int(row.key)), timezone.now().date()
    if document.state != DocumentState.APPROVED or document.settled_at is None:
        return
    if document.expires_on is None or document.expires_on >= today:
        return
    document.move_to(DocumentState.EXPIRED)
    document.save(update_fields=["state"])
    client = document.client
    audit.record(
        actor=None,
        action=KycAction.DOCUMENT_EXPIRED,
        target=document,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"state": DocumentState.APPROVED.value},
        after={"state": DocumentState.EXPIRED.value},
        evidence={"expires_on": document.expires_on.isoformat()},
    )
    note_level(client=client, loss=LevelLoss.EXPIRED)
    note_people(person_id=client.pk)
    ends_at = timezone.now() + dt.timedelta(days=KYC_EXPIRY_GRACE_DAYS.of(client.brand))
    due(GRACE, key=document.pk, at=ends_at, client_id=client.pk, brand_id=client.brand_id)
    _ask_for_a_new_one(document)


def _ask_for_a_new_one(document: Document) -> None:
    client, key = recipient_of(document.client), f"document-expired:{document.pk}"
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.DOCUMENT,
        title=phrase("%(title)s expired") % {"title": title_for(document)},
        url=document.get_absolute_url(),
        dedupe_key=key,
        is_visible_to_client=True,
    )
    with translation.override(client.language):
        title = str(title_for(document))
    send_mail_to(client_id=client.pk, template="kyc.document_expired", context={"document": title}, dedupe_key=key)


EXPIRY = declare(
    DueKind("kyc.document_expiry", gettext_lazy("Document expiry"), _expire, permission="kyc.view_document")
)


# ── the grace period ─────────────────────────────────────────────────────────────────────────────────────────────────


def _end_grace(row: DueRow) -> None:
    """Report a document that expired and was not replaced within the brand's grace period: compliance restricts the client."""
    document = locked(int(row.key))
    client = document.client
    kinds = KYC_EXPIRY_RESTRICTS.of(client.brand)
    if document.state != DocumentState.EXPIRED or document.kind not in _overdue_kinds(client) or not kinds:
        return
    publish(
        VerificationOverdue(
            cause=CAUSE,
            reference_id=document.pk,
            restrictions=tuple(sorted(kinds)),
            client_id=client.pk,
            brand_id=client.brand_id,
        )
    )


GRACE = declare(
    DueKind(
        "kyc.document_grace",
        gettext_lazy("Restriction after document expiry"),
        _end_grace,
        permission="kyc.view_document",
    )
)


def _overdue_kinds(client: Client) -> set[str]:
    """List the kinds of documents that would renew a requirement that has expired."""
    return {kind for one in requirements_of(client) if one.state == "expired" for kind in one.kinds}


def note_renewed(client: Client) -> None:
    """Report that no requirement of a restricted client is expired any more: compliance lifts what followed from it.

    The caller holds the client's lock, and a document has just been approved.
    """
    if client.restrictions and not _overdue_kinds(client):
        publish(VerificationCurrent(cause=CAUSE, client_id=client.pk, brand_id=client.brand_id))


# ── setting and cancelling ───────────────────────────────────────────────────────────────────────────────────────────


def schedule_expiry(documents: Iterable[Document]) -> None:
    """Have approved documents expire after their last day (UTC), with notices ahead; each brings its client and brand along."""
    with_end = [document for document in documents if document.expires_on is not None]
    due_many(
        EXPIRY,
        [
            DueItem(document.pk, _day_after(document), document.client_id, document.client.brand_id)
            for document in with_end
        ],
    )
    due_many(EXPIRING, _next_notices(with_end))


def _day_after(document: Document) -> dt.datetime:
    assert document.expires_on is not None
    return dt.datetime.combine(document.expires_on + dt.timedelta(days=1), dt.time(), dt.UTC)


def cancel_expiry(documents: Iterable[Document]) -> None:
    """Have documents that were replaced expire no more."""
    ids = [document.pk for document in documents]
    for kind in (EXPIRY, EXPIRING, GRACE):
        cancel_many(kind, ids)
