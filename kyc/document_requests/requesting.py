"""Asking a client for another document, reminding them, and taking the answer back to the officer who asked."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import Stage, TimelineKind
from clients.mail import send_mail_to
from clients.models import Client
from clients.policies import can
from crm import work
from crm.brand_policies.registry import today
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import DueRow, User
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import Decision, no, require
from kyc import policies, reviews
from kyc.audit_codes import KycAction
from kyc.choices import TWO_SIDED_KINDS, DocumentKind, KycNotice, RejectReason, RequestState
from kyc.corporate.contacts import recipient_of
from kyc.document_requests.answering import end_request
from kyc.documents import locked
from kyc.expiry.validity import UPLOAD_URL
from kyc.models import DocumentRequest

DAYS_MAX: Final = 60
REMIND_DAYS_BEFORE: Final = 2
LETTER: Final = "kyc.document_requested"
REVIEWS: Final = "kyc.review_document"
STANDARD_MESSAGE: Final = gettext_lazy("Please send us this document so that your information stays up to date.")


@transaction.atomic
def request_document(
    *, document_id: int, kind: str, reason_code: str, due_on: dt.date, actor: User, side: str = "", message: str = ""
) -> DocumentRequest:
    """Ask the client for a document; the one under review is set aside and comes back to the same officer.

    message: what the client reads, in their language; the template's text of the reason without one.

    Who: `kyc.review_document`, holding the claim, not the uploader. Raises: NotAllowed, WrongState (asked for already),
    DomainError (day, or no message).
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    request = _ask(
        DocumentRequest(
            client=document.client,
            document=document,
            kind=DocumentKind(kind),
            side=side,
            reason_code=RejectReason(reason_code),
            message=reviews.message_to_client(document, reason_code, message),
            due_on=due_on,
            requested_by=actor,
        )
    )
    text = f"{request.title}, {formats.day(due_on)}: {request.message}"
    work.leave_with(document.work_id, actor=actor, text=text)  # type: ignore[arg-type]
    return request


@transaction.atomic
def request_from_client(
    *, client_id: int, kind: str, due_on: dt.date, actor: User, message: str = ""
) -> DocumentRequest:
    """Ask the client for a document outside of a review; it goes to the same officer's queue once it's there.

    message: what the client reads, in their language; a standard sentence without one.

    Who: `kyc.review_document` in reach. Raises: NotAllowed, WrongState (requested already, account closed), DomainError (day).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(can(actor, client, REVIEWS))
    if client.stage == Stage.CLOSED:
        raise WrongState(_("This account is closed, so we can't accept documents for it."))
    text = message.strip()
    if not text:
        with translation.override(client.language):
            text = str(STANDARD_MESSAGE)
    return _ask(
        DocumentRequest(client=client, kind=DocumentKind(kind), message=text, due_on=due_on, requested_by=actor)
    )


def _ask(request: DocumentRequest) -> DocumentRequest:
    """Keep a new request, notify the client and set the reminder. The caller holds the client's lock."""
    client, kind = request.client, request.kind
    request.side = request.side if kind in TWO_SIDED_KINDS else ""
    first = today(client.brand)
    last = first + dt.timedelta(days=DAYS_MAX)
    if not first < request.due_on <= last:
        raise DomainError(_("Enter a day from tomorrow to %(last)s.") % {"last": formats.day(last)}, code="due_on")
    if DocumentRequest.objects.filter(client=client, kind=kind, side=request.side, state=RequestState.OPEN).exists():
        raise WrongState(_("This document has already been requested. Withdraw that request first."))
    request.requested_at = timezone.now()
    request.save()
    _schedule(request)
    _write_down(request, KycAction.DOCUMENT_REQUESTED, request.requested_by)
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.DOCUMENT,
        actor=request.requested_by,
        title=phrase("%(title)s requested") % {"title": request.title},
        body=request.message,
        url=_url(request),
        dedupe_key=f"document-requested:{request.pk}",
        is_visible_to_client=True,
    )
    _notify_client(request, key=f"document-requested:{request.pk}")
    return request


@transaction.atomic
def withdraw_request(*, request_id: int, actor: User) -> DocumentRequest:
    """Withdraw a request: the client isn't asked any more, and a document under review is free again.

    Who: `kyc.review_document` in reach, not the uploader of the document under review. Raises: NotAllowed, WrongState.
    """
    request = _locked(request_id)
    require(can_withdraw(actor, request))
    end_request(request, RequestState.WITHDRAWN)
    _write_down(request, KycAction.DOCUMENT_REQUEST_WITHDRAWN, actor)
    return request


def can_withdraw(actor: User, request: DocumentRequest) -> Decision:
    """Decide who may withdraw a request: whoever may review the document, or the client's documents."""
    document = request.document
    allowed = policies.can_review(actor, document) if document else can(actor, request.client, REVIEWS)
    return allowed if not allowed or request.is_open else no(_("This request has ended."))


def _locked(request_id: int) -> DocumentRequest:
    """Lock a request and, before it, its client and the document under review."""
    client_id, document_id = DocumentRequest.objects.values_list("client_id", "document_id").get(pk=request_id)
    document = locked(document_id) if document_id else None
    client = document.client if document else lock(Client, client_id, "brand", no_key=True)
    request = lock(DocumentRequest, request_id, "requested_by")
    request.client, request.document = client, document
    return request


def _url(request: DocumentRequest) -> str:
    """Return where colleagues see the request: the review, or the client's documents."""
    return request.document.get_absolute_url() if request.document else f"{request.client.get_absolute_url()}?tab=kyc"


def _write_down(request: DocumentRequest, action: KycAction, actor: User | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=request.document or request,
        client_id=request.client_id,
        brand_id=request.client.brand_id,
        after={
            "request": request.pk,
            "kind": request.kind,
            "side": request.side,
            "reason_code": request.reason_code,
            "due_on": request.due_on.isoformat(),
            "told": request.message,
        },
    )


# ── the clock: a reminder, then the end ──────────────────────────────────────────────────────────────────────────────


def _schedule(request: DocumentRequest) -> None:
    """Set the reminder two days ahead, or what follows the last day where that has passed."""
    zone = timezone.get_current_timezone()
    remind_at = dt.datetime.combine(request.due_on - dt.timedelta(days=REMIND_DAYS_BEFORE), dt.time(9), zone)
    end_at = dt.datetime.combine(request.due_on + dt.timedelta(days=1), dt.time(), zone)
    at = remind_at if request.reminded_at is None and remind_at > timezone.now() else end_at
    due(REQUEST_DUE, key=request.pk, at=at, client_id=request.client_id, brand_id=request.client.brand_id)


def _follow(row: DueRow) -> None:
    """Remind the client before the last day; after it the request lapses and the officer who asked is notified."""
    request = _locked(int(row.key))
    if not request.is_open:
        return
    if request.due_on >= today(request.client.brand):
        request.reminded_at = timezone.now()
        request.save(update_fields=["reminded_at"])
        _notify_client(request, key=f"document-request-reminder:{request.pk}")
        _schedule(request)
        return
    end_request(request, RequestState.LAPSED)
    _write_down(request, KycAction.DOCUMENT_REQUEST_LAPSED, None)
    notify(
        [request.requested_by],
        kind=KycNotice.REQUEST_LAPSED,
        title=phrase("%(title)s not received from %(client)s")
        % {"title": request.title, "client": str(request.client)},
        body=phrase("The last day was %(day)s. The document under review is back in your queue.")
        % {"day": request.due_on}
        if request.document
        else phrase("The last day was %(day)s.") % {"day": request.due_on},
        url=_url(request),
        dedupe_key=f"kyc.request_lapsed:{request.pk}",
    )


REQUEST_DUE = declare(
    DueKind("kyc.document_request", gettext_lazy("Requested document"), _follow, permission="kyc.view_document")
)


def _notify_client(request: DocumentRequest, *, key: str) -> None:
    """Notify the client in the portal and by e-mail, with the reason and the last day."""
    client = recipient_of(request.client)
    with translation.override(client.language):
        title = str(request.title)
    if client.user_id:
        notify(
            [client.user_id],
            kind=KycNotice.DOCUMENT_REQUESTED,
            title=phrase("Please send: %(title)s, by %(day)s") % {"title": request.title, "day": request.due_on},
            body=request.message,
            url=f"{UPLOAD_URL}#requested",
            dedupe_key=key,
        )
    send_mail_to(
        client_id=client.pk,
        template=LETTER,
        context={"document": title, "reason": request.message, "due_on": request.due_on},
        dedupe_key=key,
    )
