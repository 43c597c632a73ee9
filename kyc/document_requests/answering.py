"""What ends a request: the document arrives, nobody needs it any more, or its last day has passed."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from crm.db.locking import lock_all
from crm.models import User
from kyc.choices import RequestState
from kyc.models import Document, DocumentRequest


def end_request(request: DocumentRequest, state: RequestState, answer: Document | None = None) -> None:
    """End an open request that the caller has locked; its due row finds nothing to do then."""
    request.move_to(state)
    request.ended_at, request.answer = timezone.now(), answer
    request.save(update_fields=["state", "ended_at", "answer"])


def answer_requests(document: Document) -> None:
    """Take a new document as the answer to what its client was asked for. The caller holds the client's lock."""
    asked = DocumentRequest.objects.filter(
        Q(side="") | Q(side=document.side), client_id=document.client_id, kind=document.kind, state=RequestState.OPEN
    )
    for request in lock_all(asked):
        end_request(request, RequestState.ANSWERED, document)


def close_requests(document: Document) -> None:
    """End what was asked about a document that is decided now. The caller holds it."""
    for request in lock_all(DocumentRequest.objects.filter(document=document, state=RequestState.OPEN)):
        end_request(request, RequestState.WITHDRAWN)


def asked_by(document: Document) -> User | None:
    """Find the officer who asked for this document and still works here: it comes back to them first."""
    request = (
        DocumentRequest.objects.filter(answer=document, requested_by__is_active=True)
        .select_related("requested_by")
        .first()
    )
    return request.requested_by if request is not None else None
