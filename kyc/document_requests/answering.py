"""What ends a request: the document arrives, nobody needs it any more, or its last day has passed."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from crm.db.locking import lock_all
from crm.models import User
from kyc.choices import TWO_SIDED_KINDS, DocumentState, RequestState, Side
from kyc.models import Document, DocumentRequest


def end_request(request: DocumentRequest, state: RequestState, answer: Document | None = None) -> None:
    """End an open request that the caller has locked; its due row finds nothing to do then."""
    request.move_to(state)
    request.ended_at, request.answer = timezone.now(), answer
    request.save(update_fields=["state", "ended_at", "answer"])


def answer_requests(document: Document) -> None:
    """Take a new document as the answer to what its client was asked for: a whole card once both its sides are in.

    The caller holds the client's lock.
    """
    asked = DocumentRequest.objects.filter(
        Q(side="") | Q(side=document.side), client_id=document.client_id, kind=document.kind, state=RequestState.OPEN
    )
    for request in lock_all(asked):
        if not missing_sides(request):
            end_request(request, RequestState.ANSWERED, document)


def missing_sides(request: DocumentRequest) -> set[str]:
    """List the sides that the client hasn't sent since they were asked; what was sent back or replaced doesn't count."""
    wanted = {request.side or Side.FRONT}
    if not request.side and request.kind in TWO_SIDED_KINDS:
        wanted = {Side.FRONT, Side.BACK}
    sent = Document.objects.filter(
        client_id=request.client_id, kind=request.kind, uploaded_at__gte=request.requested_at
    ).exclude(state__in=[DocumentState.REJECTED, DocumentState.REPLACED])
    return {str(side) for side in wanted} - set(sent.values_list("side", flat=True))


def close_requests(document: Document) -> None:
    """End what was asked about a document that is decided now. The caller holds it."""
    for request in lock_all(DocumentRequest.objects.filter(document=document, state=RequestState.OPEN)):
        end_request(request, RequestState.WITHDRAWN)


def asked_by(document: Document) -> User | None:
    """Find the officer who asked for this document and still works here: it comes back to them first."""
    half = Q(  # one side of a card that was asked for as a whole
        Q(ended_at__isnull=True) | Q(ended_at__gte=document.uploaded_at),
        client_id=document.client_id,
        kind=document.kind,
        side="",
        state__in=[RequestState.OPEN, RequestState.ANSWERED],
        requested_at__lte=document.uploaded_at,
    )
    asked = DocumentRequest.objects.filter(Q(answer=document) | half, requested_by__is_active=True)
    request = asked.select_related("requested_by").first()
    return request.requested_by if request is not None else None
